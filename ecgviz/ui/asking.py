"""The pickers of what a network is asked about a recording: a label, and a method."""

import streamlit as st

from ecgviz import glossary
from ecgviz.errors import EcgvizError
from ecgviz.explain import applicable
from ecgviz.explain.methods import all_methods
from ecgviz.figures.style import percent
from ecgviz.types import Record
from ecgviz.ui import method_words, state, widgets, wording, words


def label(record: Record, name: str, refused: list[str]) -> str | None:
    """Draw the picker of a label, with what the model says of each where it reads the recording; None without one."""
    try:
        network = state.model(name)
    except EcgvizError:
        return None  # the pages that need the model say why: see `widgets.need_model`
    first, texts = 0, {each: each for each in network.labels}
    try:
        prediction = state.prediction(record, network)
    except EcgvizError:
        pass  # criteria can be asked for a label all the same, and pages that need the network say why
    else:
        first = int(prediction.probabilities.argmax())
        texts = {
            each: f"{each}  {percent(prediction.probability(each))}{', called' if prediction.positive(each) else ''}"
            for each in network.labels
        }
    key = f"label {record.key} {network.digest}"
    sentence = state.take_label(key, network.labels)
    refused += [sentence] if sentence else []
    picked = st.selectbox(
        "Label",
        network.labels,
        index=first,
        format_func=texts.__getitem__,
        key=key,
        help="Superclasses first, then statements, with their probability.\n\n"
        + glossary.define("label", "superclass", "threshold"),
    )
    widgets.note(words.label_name(picked))
    return picked


def method(name: str | None, refused: list[str]) -> str:
    """Offer what the model can be asked; where that is nothing, the page with the explanation says why."""
    known, faults = all_methods()
    try:
        methods = tuple(known) if name is None else applicable(state.model(name))
    except EcgvizError:
        methods = tuple(known)  # the pages that need the model say why it was refused
    first = state.Choice.method
    sentence = "" if name is None else state.not_applicable(methods)
    refused += [sentence] if sentence else []
    picked = st.selectbox(
        "Method",
        methods,
        index=methods.index(first) if first in methods else 0,
        format_func=method_words.method_name,
        key="method",
        placeholder="none applies to this model",
        help="What is held against the guideline, and drawn behind the trace on the Attributions page.\n\n"
        + glossary.define("method"),
    )
    if picked in known:
        widgets.note(wording.sentence(known[picked].definition))
    for fault in faults:
        widgets.note(wording.sentence(fault))
    return picked or first
