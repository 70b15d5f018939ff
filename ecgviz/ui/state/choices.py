"""What this session chose, and the recording that it sent."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.records.isolate import load_upload
from ecgviz.types import Record

_CHOICE = "choice"


@dataclass(frozen=True, eq=False)
class Choice:
    """What the reader picked: a recording (or why it was refused), a model by name, a label and a method.

    ``link`` is the id under which an address opens the recording, None for an upload, which no address opens.
    """

    record: Record | None = None
    link: str | None = None
    refusal: str = ""
    model: str | None = None
    label: str | None = None
    method: str = "input_x_gradient"


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
