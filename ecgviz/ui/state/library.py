"""The recordings that every session may open: demos and the local library; and what was found of them so far.

What was found (a prediction, a verdict) is kept by the digests of recording and network, for all sessions, until the
server stops: that is what the Recordings page searches.
"""

import os
from dataclasses import dataclass, field

import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.records import demo_names, load_record
from ecgviz.records.demo import PREFIX
from ecgviz.records.library import Entry, Library, open_library
from ecgviz.types import Agreement, Prediction, Record

VARIABLE = "ECGVIZ_LIBRARY"
"""Folders of the library, as ``ecgviz app --data`` leaves them to the server; separated as in PATH."""


@dataclass
class Found:
    """What this server found: digests of opened recordings by id, predictions, verdicts by label and method."""

    keys: dict[str, str] = field(default_factory=dict)
    predictions: dict[tuple[str, str], Prediction] = field(default_factory=dict)
    verdicts: dict[tuple[str, str], dict[tuple[str, str], Agreement]] = field(default_factory=dict)


@st.cache_resource(show_spinner="Listing the library")
def _library(folders: str) -> Library:
    return open_library([each for each in folders.split(os.pathsep) if each])


@st.cache_resource
def _found() -> Found:
    return Found()


def library() -> Library:
    """Return the local library, without recordings where none was named at the start.

    Raises
    ------
    EcgvizError
        When a folder of it is not there any more.
    """
    return _library(os.environ.get(VARIABLE, ""))


def entries() -> dict[str, Entry]:
    """Return every recording that an id can open: the demos, then the library's; of a broken library none."""
    demos = (Entry(PREFIX + name, None, "demo", labels=(name.replace("_", " "),)) for name in demo_names())
    listed = {entry.id: entry for entry in demos}
    try:
        return listed | dict(library().entries)
    except EcgvizError:
        return listed  # the Recordings page says why


def open_recording(entry_id: str) -> Record | str:
    """Return a recording of a demo or of the library by its id, or the sentence with which it was refused."""
    try:
        if entry_id.startswith(PREFIX):
            record = load_record(entry_id)
        else:
            path = library().entries[entry_id].path if entry_id in library().entries else None
            changed = 0 if path is None or not path.is_file() else path.stat().st_mtime_ns
            record = _opened(entry_id, changed, library())
    except EcgvizError as refusal:
        return str(refusal)
    _found().keys[entry_id] = record.key
    return record


@st.cache_data(max_entries=64, show_spinner="Reading the recording")
def _opened(entry_id: str, changed_ns: int, _library: Library) -> Record:
    return _library.record(entry_id)


def is_open_to_all(record: Record) -> bool:
    """Return whether a recording is a demo or one of the library, as it was recorded."""
    return not record.altered and (record.id.startswith(PREFIX) or record.key in _found().keys.values())


def remember_prediction(record: Record, digest: str, prediction: Prediction) -> None:
    """Keep a prediction for the search, where the recording is open to all."""
    if is_open_to_all(record):
        _found().predictions[record.key, digest] = prediction


def remember_verdict(record: Record, digest: str, label: str, agreement: Agreement) -> None:
    """Keep a verdict for the search, where the recording is open to all."""
    if is_open_to_all(record):
        _found().verdicts.setdefault((record.key, digest), {})[label, agreement.method] = agreement


def predicted(entry_id: str, digest: str) -> Prediction | None:
    """Return what a network was found to say of a recording, None where it was not asked yet."""
    return _found().predictions.get((_found().keys.get(entry_id, ""), digest))


def verdicts(entry_id: str, digest: str) -> dict[tuple[str, str], Agreement]:
    """Return the verdicts found so far of a recording and a network, by label and method."""
    return _found().verdicts.get((_found().keys.get(entry_id, ""), digest), {})
