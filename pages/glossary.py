"""Glossary: every term, method and label of the dashboard, with its source."""

from ecgviz.ui import terms

terms.listed(terms.table())
