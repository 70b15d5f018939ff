"""The pickers in the sidebar: recording, model, label and method, the same on every page and in every address."""

import streamlit as st

from ecgviz import glossary
from ecgviz.checkpoint import available_models, default_model
from ecgviz.errors import EcgvizError
from ecgviz.explain import METHODS, applicable
from ecgviz.figures.style import percent
from ecgviz.records import demo_names
from ecgviz.records.demo import PREFIX
from ecgviz.types import Record
from ecgviz.ui import state, widgets, words

_UNITS = ("mV", "uV", "V")
DEMO, LIBRARY, UPLOAD = "Demo", "Library", "Upload"


def pickers() -> None:
    """Draw recording, model, label and method in the sidebar, and keep what was chosen; say where an address errs."""
    refused = list(state.arrive())
    with st.sidebar:
        picked, link = _record_picker()
        record = picked if isinstance(picked, Record) else None
        name = _model_picker()
        label = None if record is None or name is None else _label_picker(record, name, refused)
        method = state.Choice.method if record is None else _method_picker(name, refused)
    refusal = picked if isinstance(picked, str) else ""
    chosen = state.Choice(record, link if record is not None else None, refusal, name, label, method)
    state.choose(chosen)
    state.leave(chosen)
    for sentence in refused:
        st.warning(widgets.plain(sentence))


def _model_picker() -> str | None:
    names, first = available_models(), default_model()
    index = 0 if first is None else names.index(first)
    return st.selectbox(
        "Model", names, index=index, key="model", placeholder="no model is installed", help=glossary.define("model")
    )


def _method_picker(name: str | None, refused: list[str]) -> str:
    """Offer what the model can be asked; where that is nothing, the page with the explanation says why."""
    try:
        methods = tuple(METHODS) if name is None else applicable(state.model(name))
    except EcgvizError:
        methods = tuple(METHODS)  # the pages that need the model say why it was refused
    first = state.Choice.method
    sentence = "" if name is None else state.not_applicable(methods)
    refused += [sentence] if sentence else []
    method = st.selectbox(
        "Method",
        methods,
        index=methods.index(first) if first in methods else 0,
        format_func=words.method_name,
        key="method",
        placeholder="none applies to this model",
        help="What is held against the guideline, and drawn behind the trace on the Attributions page.\n\n"
        + glossary.define("method"),
    )
    if method in METHODS:
        widgets.note(words.sentence(METHODS[method].definition))
    return method or first


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
        format_func=words.readable,
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
    return state.upload(
        {file.name: file.getvalue() for file in files},
        fs=fs,
        unit=unit,
        age_years=None if age is None else float(age),
        sex=sex,
    )


def _label_picker(record: Record, name: str, refused: list[str]) -> str | None:
    try:
        network = state.model(name)
        prediction = state.prediction(record, network)
    except EcgvizError:
        return None  # the pages that need the model say why: see `need_case`
    texts = {
        label: f"{label}  {percent(prediction.probability(label))}{', called' if prediction.positive(label) else ''}"
        for label in prediction.labels
    }
    key = f"label {record.key} {network.digest}"
    sentence = state.take_label(key, prediction.labels)
    refused += [sentence] if sentence else []
    label = st.selectbox(
        "Label",
        prediction.labels,
        index=int(prediction.probabilities.argmax()),
        format_func=texts.__getitem__,
        key=key,
        help="Superclasses first, then statements, with their probability.\n\n"
        + glossary.define("label", "superclass", "threshold"),
    )
    widgets.note(words.label_name(label))
    return label
