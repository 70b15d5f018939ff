"""The stores of cohorts that the server was started with, and what was summed up of them, kept for all sessions."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from ecgviz.cohort import Cohort
from ecgviz.cohort.class_map import ClassMap, class_map
from ecgviz.cohort.clusters import Clusters, clusters
from ecgviz.cohort.density import DensityMap, density_map, external_checks
from ecgviz.cohort.question import Question, available, tells_places
from ecgviz.cohort.summary import agreement, criteria, parted

COHORTS = "ECGVIZ_COHORT"
"""Folders of stores, as ``ecgviz app --cohort`` leaves them to the server; separated as in PATH."""


def stores() -> dict[str, Path]:
    """Return the stores by the names of their folders, with a number where two have one name."""
    found: dict[str, Path] = {}
    for folder in filter(None, os.environ.get(COHORTS, "").split(os.pathsep)):
        name, n = Path(folder).name, 2
        while name in found:
            name, n = f"{Path(folder).name} ({n})", n + 1
        found[name] = Path(folder)
    return found


@st.cache_resource(max_entries=8)
def cohort(folder: Path) -> Cohort:
    """Return a store, opened once for all sessions; errors as in `Cohort`."""
    return Cohort(folder)


def as_it_stands(opened: Cohort) -> str:
    """Return what tells one state of a store from the next, while a run still fills it."""
    files = sorted(opened.folder.glob("rows/*/*/*.parquet"))
    newest = max((file.stat().st_mtime_ns for file in files), default=0)
    return f"{opened.folder} {len(files)} {newest}"


@st.cache_data(max_entries=64, show_spinner=False)
def held(state: str, _cohort: Cohort) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the labels that a store holds, by model and method."""
    return available(_cohort)


@st.cache_data(max_entries=64, show_spinner=False)
def with_places(state: str, _cohort: Cohort) -> frozenset[tuple[str, str]]:
    """Return the models and methods whose maps tell leads and waves apart."""
    return tells_places(_cohort)


@st.cache_data(max_entries=256, show_spinner="Averaging maps")
def mean_map(state: str, question: Question, _cohort: Cohort) -> ClassMap:
    """Return the class map of a question."""
    return class_map(_cohort, question)


@st.cache_data(max_entries=256, show_spinner="Resampling patients")
def agreed(state: str, question: Question, by: str | None, _cohort: Cohort) -> pd.DataFrame:
    """Return the agreement with the guideline, for each member of a group."""
    return agreement(_cohort, question, by=by)


@st.cache_data(max_entries=256, show_spinner="Resampling patients")
def judged(state: str, question: Question, _cohort: Cohort) -> pd.DataFrame:
    """Return each criterion that is met, and whether its place is used."""
    return criteria(_cohort, question)


@st.cache_data(max_entries=256, show_spinner="Resampling patients")
def apart(state: str, question: Question, other: str, _cohort: Cohort) -> pd.DataFrame:
    """Return where the maps of two methods part."""
    return parted(_cohort, question, other)


@st.cache_data(max_entries=64, show_spinner="Averaging densities")
def published(state: str, question: Question, _cohort: Cohort) -> tuple[DensityMap, pd.DataFrame]:
    """Return the density map, and the published findings of the label held against it."""
    found = density_map(_cohort, question)
    return found, external_checks(question.label, found)


@st.cache_data(max_entries=64, show_spinner="Looking for clusters")
def grouped(state: str, question: Question, k: int, _cohort: Cohort) -> Clusters:
    """Return clusters of the maps of a question."""
    return clusters(_cohort, question, k)


@st.cache_data(max_entries=256, show_spinner=False)
def asked(state: str, query: str, parameters: tuple[Any, ...], _cohort: Cohort) -> pd.DataFrame:
    """Return what a query on a store gives."""
    return _cohort.sql(query, parameters)


def address(record: str, question: Question) -> Mapping[str, str]:
    """Return what an address holds that opens a record of a store with the network, label and method of its row."""
    return {"record": record, "model": question.model, "label": question.label, "method": question.method}
