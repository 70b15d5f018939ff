"""A recording made ready to be read, on its automatic marks or on those that a reader changed."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from ecgviz.beats import delineate
from ecgviz.edit import edited, marks_table, to_csv, whole_waves
from ecgviz.errors import EcgvizError
from ecgviz.measure import MedianBeat, measure, median_beats_by_kind
from ecgviz.records.quality import assess
from ecgviz.signal import condition
from ecgviz.types import Beats, LeadQuality, Measurements, Record
from ecgviz.ui.state.library import is_open_to_all

_MARKS = "changed marks"
_CAME_WITH = "beats of altered recordings"
_MOST_ALTERED = 16
Key = tuple[str, str, str, str]


@dataclass(frozen=True, eq=False)
class Reading:
    """A recording made ready to be read: cleaned for display, its beats, measurements and lead quality.

    ``medians`` holds a median beat for each kind of beat.
    """

    clean: Record
    beats: Beats
    measured: Measurements
    quality: tuple[LeadQuality, ...]
    medians: Mapping[str, MedianBeat]


@dataclass(frozen=True, eq=False)
class ChangedMarks:
    """What a reader changed in one recording: the table as it stands, the beats it makes, and the table's digest."""

    table: pd.DataFrame
    beats: Beats
    digest: str


def cached(run: Callable[..., Any], *, shared: int, own: int, spinner: str) -> tuple[Callable[..., Any], ...]:
    """Return two caches of one function: of so many results for all sessions, and of so many of each session."""
    for_all = st.cache_data(max_entries=shared, show_spinner=spinner)(run)
    for_one = st.cache_data(scope="session", max_entries=own, show_spinner=spinner)(run)
    return for_all, for_one


def _read(key: Key, _record: Record, _beats: Beats | None) -> Reading:
    clean = condition(_record)
    beats = delineate(clean) if _beats is None else _beats
    return Reading(clean, beats, measure(clean, beats), assess(_record), median_beats_by_kind(clean, beats))


_read_shared, _read_own = cached(_read, shared=64, own=8, spinner="Measuring")


def reading(record: Record) -> Reading:
    """Return a recording cleaned, delineated, measured and assessed, on the marks that a reader changed if any."""
    changed = _changed(record)
    result: Reading = (_read_shared if is_shared(record) else _read_own)(
        key_of(record), record, _moved(record)[0] if changed is None else changed.beats
    )
    return result


def automatic(record: Record) -> Beats:
    """Return the beats as they were found, or as they moved along with an edit, whatever a reader changed."""
    read = _read_shared if is_open_to_all(record) else _read_own
    result: Reading = read(key_of(record, changed=False), record, _moved(record)[0])
    return result.beats


def came_with(record: Record, beats: Beats, digest: str) -> None:
    """Keep for this session the beats that moved along with an edit; ``digest`` tells how they came about."""
    kept = {key: each for key, each in st.session_state.get(_CAME_WITH, {}).items() if key != record.key}
    for oldest in list(kept)[: max(len(kept) - _MOST_ALTERED + 1, 0)]:
        del kept[oldest]
    st.session_state[_CAME_WITH] = {**kept, record.key: (beats, digest)}


def _moved(record: Record) -> tuple[Beats | None, str]:
    moved: tuple[Beats | None, str] = st.session_state.get(_CAME_WITH, {}).get(record.key, (None, ""))
    return moved


def marks(record: Record) -> pd.DataFrame:
    """Return the marks of a recording as a table that counts its automatic beats, with what a reader changed."""
    changed = _changed(record)
    return marks_table(automatic(record)) if changed is None else changed.table.copy()


def marks_digest(record: Record) -> str:
    """Return what tells one state of a recording's marks from another, "" for the automatic ones."""
    changed = _changed(record)
    return "" if changed is None else changed.digest


def edits(record: Record) -> Beats | None:
    """Return the beats that a reader changed; None while the marks are automatic."""
    changed = _changed(record)
    return None if changed is None else changed.beats


def change_marks(record: Record, table: pd.DataFrame) -> str:
    """Keep changed marks for this session, or return the sentence with which they were refused, "" when they stand."""
    try:
        beats = edited(automatic(record), table)
    except EcgvizError as refusal:
        return str(refusal)
    kept = dict(st.session_state.get(_MARKS, {}))
    kept.pop(record.key, None)
    if beats.edits:
        table = whole_waves(table)
        kept[record.key] = ChangedMarks(table, beats, hashlib.sha256(to_csv(table).encode()).hexdigest())
    st.session_state[_MARKS] = kept
    return ""


def reset_marks(record: Record) -> None:
    """Go back to the automatic marks of a recording."""
    st.session_state[_MARKS] = {
        key: kept for key, kept in st.session_state.get(_MARKS, {}).items() if key != record.key
    }


def _changed(record: Record) -> ChangedMarks | None:
    changed: ChangedMarks | None = st.session_state.get(_MARKS, {}).get(record.key)
    return changed


def is_shared(record: Record) -> bool:
    """Return whether what comes from a recording may be shared by all sessions: one open to all, on automatic marks."""
    return is_open_to_all(record) and _changed(record) is None


def key_of(record: Record, *, changed: bool = True) -> Key:
    """Return what a result depends on, and what it shows of the recording beyond its samples."""
    digest = _moved(record)[1] + (marks_digest(record) if changed else "")
    return record.key, record.id, "\n".join((*record.assumptions, *record.codes)), digest
