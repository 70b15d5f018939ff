"""What the dashboard remembers: a session's choices, and caches of what was computed from them.

Results are keyed by digests (record, marks that a reader changed, model) and names (label, method), never by arrays.
What comes from a demo recording is shared by all sessions; what comes from an upload, or from changed marks, stays in
its own. Models are shared by all, so whatever
runs one takes its lock: several methods hook the network while they run.
"""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from ecgviz.beats import delineate
from ecgviz.checkpoint import Model, load_model, predict
from ecgviz.edit import edited, marks_table, to_csv
from ecgviz.errors import EcgvizError
from ecgviz.evidence import evidence
from ecgviz.explain import METHODS, attention, explain
from ecgviz.measure import MedianBeat, measure, median_beats_by_kind
from ecgviz.pipeline import analyse
from ecgviz.records.demo import PREFIX
from ecgviz.records.isolate import load_upload
from ecgviz.records.quality import assess
from ecgviz.signal import condition
from ecgviz.types import AttentionMap, Beats, Case, EvidenceGrid, LeadQuality, Measurements, Prediction, Record

_CHOICE = "choice"
_MARKS = "changed marks"


@dataclass(frozen=True, eq=False)
class Choice:
    """What the reader picked: a recording (or why it was refused), a model by name, a label and a method."""

    record: Record | None = None
    refusal: str = ""
    model: str | None = None
    label: str | None = None
    method: str = "input_x_gradient"


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
class Attended:
    """Where a network pooled: its attention maps by level, and what each holds of every lead, beat and wave.

    ``start_s`` is where the model's window begins.

    Unlike a case it has no controls, which no attention figure shows and which can take seconds a level.
    """

    start_s: float
    maps: Mapping[str, AttentionMap]
    grids: Mapping[str, EvidenceGrid]

    def grid(self, level: str) -> EvidenceGrid | None:
        """Return the grid to read one level from: of all levels together where there is one, else of its own."""
        return self.grids.get("joint", self.grids.get(level))


@dataclass(frozen=True, eq=False)
class ChangedMarks:
    """What a reader changed in one recording: the table as it stands, the beats it makes, and the table's digest."""

    table: pd.DataFrame
    beats: Beats
    digest: str


def choose(choice: Choice) -> None:
    """Keep the choices of this session for the pages."""
    st.session_state[_CHOICE] = choice


def choice() -> Choice:
    """Return what was chosen in this session; all empty at first."""
    chosen: Choice = st.session_state.get(_CHOICE, Choice())
    return chosen


def upload(
    files: Mapping[str, bytes], *, fs: float | None, unit: str | None, age_years: float | None, sex: str | None
) -> Record | str:
    """Read uploaded files in a child process; return the recording, or the sentence with which it was refused."""
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return _upload(digest.hexdigest(), fs, unit, age_years, sex, files)


@st.cache_data(scope="session", max_entries=4, show_spinner="Reading the upload")
def _upload(
    key: str,
    fs: float | None,
    unit: str | None,
    age_years: float | None,
    sex: str | None,
    _files: Mapping[str, bytes],
) -> Record | str:
    try:
        return load_upload(_files, fs=fs, unit=unit, age_years=age_years, sex=sex)
    except EcgvizError as refusal:
        return str(refusal)


@st.cache_resource(max_entries=4, show_spinner="Loading the model")
def model(name: str) -> Model:
    """Return a shipped model, loaded once for all sessions; its files are checked against their digests."""
    return load_model(name)


@st.cache_resource
def _lock(digest: str) -> Any:
    return threading.Lock()


Key = tuple[str, str, str, str]


def _read(key: Key, _record: Record, _beats: Beats | None) -> Reading:
    clean = condition(_record)
    beats = delineate(clean) if _beats is None else _beats
    return Reading(clean, beats, measure(clean, beats), assess(_record), median_beats_by_kind(clean, beats))


def _predict(key: Key, digest: str, _record: Record, _model: Model, _beats: Beats) -> Prediction:
    with _lock(digest):
        return predict(_model, _record, _beats)


def _analyse(key: Key, digest: str, label: str, method: str, _record: Record, _model: Model, _beats: Beats) -> Case:
    with _lock(digest):
        return analyse(_record, _model, label, method, beats=_beats)


def _attend(key: Key, digest: str, label: str, _record: Record, _model: Model, _beats: Beats) -> Attended:
    with _lock(digest):
        taps = (tap for tap in attention(_model, _record, _beats) if tap.label in (None, label))
        found = {tap.level: tap for tap in taps if f"attention_{tap.level}" in METHODS}
        maps = {level: found[level] for level in getattr(_model.net, "levels", ()) if level in found}
        drawn = {level: explain(_model, _record, label, f"attention_{level}", _beats) for level in maps}
    start_s = next((each.start_s for each in drawn.values()), 0.0)
    return Attended(start_s, maps, {level: evidence(each, _beats) for level, each in drawn.items()})


_read_shared = st.cache_data(max_entries=64, show_spinner="Measuring")(_read)
_read_own = st.cache_data(scope="session", max_entries=8, show_spinner="Measuring")(_read)
_predict_shared = st.cache_data(max_entries=256, show_spinner="Predicting")(_predict)
_predict_own = st.cache_data(scope="session", max_entries=32, show_spinner="Predicting")(_predict)
_attend_shared = st.cache_data(max_entries=128, show_spinner="Reading the attention")(_attend)
_attend_own = st.cache_data(scope="session", max_entries=16, show_spinner="Reading the attention")(_attend)
_analyse_shared = st.cache_data(max_entries=128, show_spinner="Explaining")(_analyse)
_analyse_own = st.cache_data(scope="session", max_entries=16, show_spinner="Explaining")(_analyse)


def reading(record: Record) -> Reading:
    """Return a recording cleaned, delineated, measured and assessed, on the marks that a reader changed if any."""
    changed = _changed(record)
    result: Reading = (_read_shared if _is_shared(record) else _read_own)(
        _key(record), record, None if changed is None else changed.beats
    )
    return result


def automatic(record: Record) -> Beats:
    """Return the beats as they were found, whatever a reader changed."""
    result: Reading = (_read_shared if _is_demo(record) else _read_own)(_key(record, changed=False), record, None)
    return result.beats


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


def prediction(record: Record, network: Model) -> Prediction:
    """Return what a model predicts for a recording; raises EcgvizError when the recording does not fit the model."""
    cached = _predict_shared if _is_shared(record) else _predict_own
    result: Prediction = cached(_key(record), network.digest, record, network, reading(record).beats)
    return result


def case(record: Record, network: Model, label: str, method: str) -> Case:
    """Return the whole case; raises EcgvizError when model, label or method do not apply to the recording."""
    cached = _analyse_shared if _is_shared(record) else _analyse_own
    result: Case = cached(_key(record), network.digest, label, method, record, network, reading(record).beats)
    return result


def attended(record: Record, network: Model, label: str) -> Attended:
    """Return where a model pooled; raises EcgvizError when the recording does not fit the model."""
    cached = _attend_shared if _is_shared(record) else _attend_own
    result: Attended = cached(_key(record), network.digest, label, record, network, reading(record).beats)
    return result


def _is_demo(record: Record) -> bool:
    return record.id.startswith(PREFIX)


def _is_shared(record: Record) -> bool:
    return _is_demo(record) and _changed(record) is None


def _key(record: Record, *, changed: bool = True) -> Key:
    """Return what a result depends on, and what it shows of the recording beyond its samples."""
    digest = marks_digest(record) if changed else ""
    return record.key, record.id, "\n".join((*record.assumptions, *record.codes)), digest
