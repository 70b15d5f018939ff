"""Cardiologists' criteria as data: a cited catalogue, its evaluation on one record, and where each criterion looks."""

from ecgviz.criteria.load import load
from ecgviz.criteria.logic import at_least, definition_state
from ecgviz.criteria.order import ranked
from ecgviz.criteria.regions import union_region
from ecgviz.criteria.schema import Entry, Source, schema_json
from ecgviz.criteria.stages import at_stage
from ecgviz.criteria.verdicts import catalogue, entry, evaluate, evaluate_all, for_label

__all__ = [
    "Entry",
    "Source",
    "at_least",
    "at_stage",
    "catalogue",
    "definition_state",
    "entry",
    "evaluate",
    "evaluate_all",
    "for_label",
    "load",
    "ranked",
    "schema_json",
    "union_region",
]
