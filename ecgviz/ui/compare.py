"""What the Compare page is made of: a first side as chosen in the sidebar, a second that differs in one thing."""

from functools import partial

import streamlit as st

from ecgviz.checkpoint import Model, available_models
from ecgviz.edit import Edited
from ecgviz.errors import EcgvizError
from ecgviz.explain import applicable
from ecgviz.figures.tables import heat_table, sample_table
from ecgviz.types import Record
from ecgviz.ui import files, method_words, sides, state, widgets, wording
from ecgviz.ui.state import looking

RECORDING, NETWORK, LABEL, METHOD = "Recording", "Network", "Label", "Method"
ORIGINAL, ALTERED = "original", "altered"


def pick(record: Record) -> tuple[sides.Side, sides.Side]:
    """Let the reader choose in what a second side differs from the choices on the left; without it the page ends."""
    chosen = state.choice()
    network = widgets.need_model(chosen.model)
    label = chosen.label or network.labels[0]
    left, right = st.columns(2)
    differs = left.segmented_control(
        "What differs",
        (RECORDING, NETWORK, LABEL, METHOD),
        default=RECORDING,
        required=True,
        key="differs",
        wrap=True,
        help="All else is as chosen in the sidebar, on both sides.",
    )
    with right:
        if differs == RECORDING:
            return _recordings(record, network, label, chosen.method)
        if differs == NETWORK:
            return _networks(record, network, label, chosen.method)
        if differs == LABEL:
            others = [each for each in network.labels if each != label]
            second = _chosen("second label", others, f"second label {network.digest} {label}")
            return _sides((label, record, network, label), (second, record, network, second), chosen.method)
        others = [each for each in applicable(network) if each != chosen.method]
        method = st.selectbox(
            "Second method", others, format_func=method_words.method_name, key=f"second method {network.digest}"
        )
        return (
            sides.Side(method_words.method_name(chosen.method), record, network, label, chosen.method),
            sides.Side(method_words.method_name(method), record, network, label, method),
        )


def _recordings(record: Record, network: Model, label: str, method: str) -> tuple[sides.Side, sides.Side]:
    names = [name for name in state.entries() if name != state.choice().link]
    picked = st.selectbox("Second recording", names, index=None, key="second recording", placeholder="Choose one")
    edited = None if picked else _altered(record)
    if picked is None and edited is None:
        st.info("Choose a second recording above. An upload is compared with what was edited on the What if page.")
        st.stop()
    second = edited.record if edited is not None else state.open_recording(str(picked))
    if not isinstance(second, Record):
        st.error(wording.plain(str(second)))
        st.stop()
    if edited is not None:  # its id grows with every edit, and is written above its paper
        widgets.note(wording.sentence(edited.sentence))
        return _sides((ORIGINAL, record, network, label), (ALTERED, second, network, label), method)
    return _sides((record.id, record, network, label), (second.id, second, network, label), method)


def _altered(record: Record) -> Edited | None:
    try:
        return state.altered(record)
    except EcgvizError:
        return None  # the What if page says why its edits cannot be made


def _networks(record: Record, network: Model, label: str, method: str) -> tuple[sides.Side, sides.Side]:
    name = _chosen("second network", [each for each in available_models() if each != network.name], "second network")
    other = widgets.need_model(name)
    return _sides((network.name, record, network, label), (name, record, other, label), method)


def _chosen(what: str, options: list[str], key: str) -> str:
    if not options:
        st.info(f"There is no {what} to choose.")
        st.stop()
    return st.selectbox(what.capitalize(), options, key=key)


def _sides(
    first: tuple[str, Record, Model, str], second: tuple[str, Record, Model, str], method: str
) -> tuple[sides.Side, sides.Side]:
    """Return two sides asked by one method; the second of one title, as of a recording and its copy, is numbered."""
    title, *_ = first
    name, record, network, label = second
    unique = f"{name} (2)" if name == title else name
    return sides.Side(*first, method), sides.Side(unique, record, network, label, method)


def papers(shown: sides.Sides, found: dict[str, state.Explained]) -> None:
    """Draw the tracing of each side with its map behind it, one above the other, so that seconds stand over seconds."""
    heats, form = sides.heats(shown, found), looking.view().form
    sheets_s = [form.sheet_s(side.record.duration_s) for side in shown]
    start_s = widgets.window_start(min((side.record for side in shown), key=_duration), min(sheets_s))
    sides.say_scale(heats.values())
    if len(set(sheets_s)) > 1:
        widgets.note("At this speed the sheet of the longer recording is wider, so that its millimetres are smaller.")
    for side, sheet_s in zip(shown, sheets_s, strict=True):
        heat = heats.get(side.title)
        st.markdown(f"**{wording.plain(side.title)}**")
        sheet = sides.paper(side, heat, start_s)
        samples = partial(sample_table, state.reading(side.record).clean, start_s, start_s + sheet_s)
        table = samples if heat is None else partial(heat_table, heat)
        shows = files.facts(side.record) if heat is None else sides.shows(side, found)
        widgets.draw(sheet, table, key=f"compare paper {side.title}", shows=shows)


def _duration(record: Record) -> float:
    return record.duration_s
