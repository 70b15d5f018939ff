"""The criteria that pages read: the shipped catalogue, and beside it a folder of one's own while that is wanted."""

import os
from pathlib import Path

import streamlit as st

from ecgviz.criteria import evaluate, load
from ecgviz.criteria.load import Catalogue
from ecgviz.errors import CriteriaError
from ecgviz.types import Beats, Case, Finding, Measurements, Record

VARIABLE = "ECGVIZ_CRITERIA"
"""The folder of one's own, as ``ecgviz app --criteria`` leaves it to the server."""
SWITCH = "own criteria"
"""Key of the switch that takes the folder away."""
_WANTED = "own criteria are wanted"


def own_folder() -> Path | None:
    """Return the folder that the server was started with, None without any."""
    named = os.environ.get(VARIABLE, "")
    return Path(named) if named else None


def refusal() -> str:
    """Return why the folder cannot be used, "" where it can or there is none."""
    try:
        load(own_folder())
    except CriteriaError as fault:
        return str(fault)
    return ""


def wanted() -> bool:
    """Return whether this session wants the folder, as it does at first."""
    kept: bool = st.session_state.get(_WANTED, True)
    return kept


def want(wanted: bool) -> None:
    """Keep on all pages whether this session wants the folder."""
    st.session_state[_WANTED] = wanted


def known() -> Catalogue:
    """Return the catalogue that this session reads; the shipped one alone where the folder cannot be used."""
    return load(_folder())


def _folder() -> Path | None:
    return own_folder() if wanted() and not refusal() else None


def is_own(name: str) -> bool:
    """Return whether an entry is of the folder, not of the shipped catalogue."""
    return name not in load().entries


def findings(case: Case) -> tuple[Finding, ...]:
    """Return what the criteria that this session reads say of a case; those of the case where no folder is used."""
    if _folder() is None:
        return case.findings
    return of_recording(case.record, case.label, case.measurements, case.beats)


def of_recording(record: Record, label: str, measured: Measurements, beats: Beats) -> tuple[Finding, ...]:
    """Return what the criteria that this session reads say of a recording, which takes no network."""
    return evaluate(label, measured, beats, age_years=record.age_years, sex=record.sex, folder=_folder())
