"""What the page on attention is made of: which level, behind the trace or beyond its habit, and what leans on it."""

import streamlit as st

from ecgviz import figures
from ecgviz.checkpoint import Model
from ecgviz.errors import EcgvizError
from ecgviz.types import Record
from ecgviz.ui import state, widgets, words


def level_picker(network: Model, attended: state.Attended) -> str | None:
    """Let the reader pick the level behind the trace: all together at first; None for a network without attention."""
    levels = list(attended.maps)
    if not levels:
        return None
    first = "joint" if "joint" in levels else levels[0]
    return st.segmented_control(
        "Level behind the trace", levels, default=first, required=True, key=f"level {network.digest}"
    )


def heat(record: Record, network: Model, attended: state.Attended, level: str) -> None:
    """Draw one level behind the trace: as it is, or what exceeds the network's habit; and say what it cannot tell."""
    label = state.choice().label or network.labels[0]
    wanted = st.toggle(
        "Subtract the network's habit",
        key=f"prior {network.digest}",
        help="Its attention on a flat line, on noise, and on healthy beats at this recording's R peaks, on average.",
    )
    if not wanted:
        widgets.draw_heat(record, figures.from_attention(attended.maps[level]), attended.start_s, key="attention paper")
        widgets.note(words.attention_facts(attended.maps[level]))
        return
    try:
        made = state.explained(record, network, label, f"attention_{level}", prior="subtract").explanation
    except EcgvizError as refusal:
        st.warning(widgets.plain(str(refusal)))
        return
    widgets.draw_heat(record, figures.from_explanation(made, record.duration_s), made.start_s, key="attention paper")
    widgets.note(words.habit(made))


def leaning(record: Record, network: Model) -> None:
    """Say how much the logit of the chosen label leans on the network's attention."""
    label = state.choice().label or network.labels[0]
    try:
        widgets.note(words.leaning(state.even(record, network, label), label))
    except EcgvizError as refusal:
        widgets.note(str(refusal))


def level_note(network: Model, level: str) -> None:
    """Say in small type what a network shows at one level of attention."""
    st.markdown(f":small[**{level.capitalize()} level.** {widgets.plain(words.level_sentence(network, level))}]")
