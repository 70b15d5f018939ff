"""The pickers in the sidebar: recording, model, label and method, the same on every page and in every address."""

import streamlit as st

from ecgviz import glossary
from ecgviz.errors import EcgvizError
from ecgviz.records import demo_names
from ecgviz.records.demo import PREFIX
from ecgviz.records.fields import shown
from ecgviz.registry import available_models, default_model
from ecgviz.types import Record
from ecgviz.ui import state, wording

_UNITS = ("mV", "uV", "V")
DEMO, LIBRARY, UPLOAD = "Demo", "Library", "Upload"


def pickers() -> None:
    """Draw recording, model, label and method in the sidebar, and keep what was chosen; say where an address errs."""
    refused = list(state.arrive())
    with st.sidebar:
        picked, link = _record_picker()
        record = picked if isinstance(picked, Record) else None
        name = _model_picker()
        label, method = (None, state.Choice.method) if record is None else _asked(record, name, refused)
    refusal = picked if isinstance(picked, str) else ""
    chosen = state.Choice(record, link if record is not None else None, refusal, name, label, method)
    state.choose(chosen)
    state.leave(chosen)
    for sentence in refused:
        st.warning(wording.plain(sentence))


def _asked(record: Record, name: str | None, refused: list[str]) -> tuple[str | None, str]:
    """Return label and method as picked; their lists are the network's, which the first page does without."""
    from ecgviz.ui import asking

    return None if name is None else asking.label(record, name, refused), asking.method(name, refused)


def _model_picker() -> str | None:
    names, first = available_models(), default_model()
    index = 0 if first is None else names.index(first)
    return st.selectbox(
        "Model", names, index=index, key="model", placeholder="no model is installed", help=glossary.define("model")
    )


def _record_picker() -> tuple[Record | str | None, str | None]:
    """Return the picked recording, or why it was refused, and the id under which an address opens it."""
    sources = [DEMO, LIBRARY, UPLOAD] if _listed() else [DEMO, UPLOAD]
    source = st.segmented_control(
        "Recording",
        sources,
        default=DEMO,
        required=True,
        key="source",
        width="stretch",
        help=glossary.define("library") if LIBRARY in sources else "A simulated recording, or a file of your own.",
    )
    if source == UPLOAD:
        return _upload_picker(), None
    if source == LIBRARY:
        picked = st.selectbox(
            "Recording of the library",
            _listed(),
            index=None,
            key="library",
            placeholder="Choose, or type an id",
            label_visibility="collapsed",
            help="By id; the Recordings page searches by label, prediction and verdict.",
        )
        return (None if picked is None else state.open_recording(picked)), picked
    name = st.selectbox(
        "Demo recording",
        demo_names(),
        index=None,
        key="demo",
        placeholder="Choose a demo recording",
        format_func=wording.readable,
        label_visibility="collapsed",
    )
    return (None, None) if name is None else (state.open_recording(PREFIX + name), PREFIX + name)


def _listed() -> list[str]:
    try:
        return list(state.library().entries)
    except EcgvizError:
        return []  # the Recordings page says why


def _upload_picker() -> Record | str | None:
    files = st.file_uploader(
        "WFDB (.hea with its signal files), CSV or NPZ",
        accept_multiple_files=True,
        key="upload",
        help="Read on this machine in a separate process, kept in this browser session only.",
    )
    with st.expander("If the file does not say"):
        fs = st.number_input("Sampling rate, Hz", 50.0, 5000.0, value=None, key="fs")
        unit = st.selectbox("Unit of the samples", _UNITS, index=None, key="unit", placeholder="as in the file")
        age = st.number_input("Age, years", 0, 120, value=None, key="age")
        sex = st.selectbox("Sex", ("female", "male"), index=None, key="sex", placeholder="as in the file")
    if not files:
        return None
    sent = {file.name: file.getvalue() for file in files}
    names = [file.name for file in files]
    twice = [name for name in sent if names.count(name) > 1]
    if twice:
        return f"{shown(twice[0])} was sent more than once; take the files away that do not belong to the recording"
    return state.upload(
        sent,
        fs=fs,
        unit=unit,
        age_years=None if age is None else float(age),
        sex=sex,
    )
