"""What a model says of a recording: the superclasses and every label that is called first, the others on demand."""

from typing import TYPE_CHECKING

import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.figures import tables
from ecgviz.records.ptbxl import SUPERCLASSES
from ecgviz.records.quality import as_read
from ecgviz.types import Prediction, Record
from ecgviz.ui import state, widgets, wording, words

if TYPE_CHECKING:
    from ecgviz.checkpoint import Model


def chosen_model(record: Record) -> None:
    """Show what the chosen model says; without one nothing, and one sentence where it cannot read the recording."""
    name = state.choice().model
    if name is None:
        return
    st.markdown(f"**What {wording.plain(name)} says** (each with its own threshold; several may hold)")
    try:
        network = state.model(name)
        prediction = state.prediction(record, network)
    except EcgvizError as refusal:
        widgets.note(wording.sentence(str(refusal)))
        return
    widgets.doubt(state.reading(record).quality)
    for told in as_read(record, network.spec.fs, network.spec.duration_s):
        widgets.note(wording.sentence(told))
    show(network, prediction)


def show(network: "Model", prediction: Prediction) -> None:
    """Show a prediction: a table that fits under a tracing, the labels that nobody asks for in an expander."""
    from ecgviz.checkpoint import past_rate

    labels = prediction.labels
    try:
        past = {label: past_rate(network, label, prediction.probability(label)) for label in labels}
    except EcgvizError as refusal:
        widgets.note(wording.sentence(str(refusal)))
        past = dict.fromkeys(labels)
    table = tables.prediction_table(prediction, words.label_names(labels), past)
    first = [label in SUPERCLASSES or prediction.positive(label) for label in labels]
    if any(first):
        widgets.small_table(table[first], "label", "stands for")
    widgets.note(words.past_scores(network))
    if not all(first):
        rest = table[[not each for each in first]]
        widgets.show_table(f"{len(rest)} more labels, none of them called", rest, "not called")
