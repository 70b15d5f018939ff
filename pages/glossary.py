"""Glossary: every term, method and label of the dashboard, with its source."""

from ecgviz.ui import terms, widgets

widgets.title(
    "Glossary", "What each word means and who defined it; a question mark beside a word shows the short form."
)
terms.listed(terms.table())
