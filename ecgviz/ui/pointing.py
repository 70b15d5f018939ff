"""What a click means: following a beat, a lead or a wave through all figures, or putting down a caliper."""

from functools import partial
from typing import Any

import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.figures import calipers
from ecgviz.figures.calipers import MINUS, Caliper
from ecgviz.figures.sheet import Sheet, sheet
from ecgviz.types import WAVES, Beats, Record
from ecgviz.types.focus import Focus
from ecgviz.ui import widgets
from ecgviz.ui.state import looking

_MODES = (looking.FOLLOW, looking.CALIPER, looking.MARCH)
_HELP = (
    "Follow: click a beat, a lead or a wave in any figure, and all figures follow; click it again to let go. Caliper: "
    "draw a box on the tracing from one leg to the other. March: the same, and the interval is repeated on the sheet."
)

_PICKER_PX = 116
"""Room for "QRS" beside the cross and the arrow of its box."""


def focus(record: Record) -> Focus:
    """Return what the reader points at in a recording."""
    return looking.focus(record.key)


def follow(record: Record) -> dict[str, Any]:
    """Return what makes a figure follow clicks, for `widgets.draw`."""
    return {"on_pick": partial(looking.clicked, record.key)}


def tools(record: Record, beats: Beats) -> str:
    """Draw what a click on the tracing means, and the same choices for the keyboard; return the mode."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        mode = st.segmented_control(
            "On the tracing", _MODES, default=looking.FOLLOW, required=True, key="mode", help=_HELP,
        )  # fmt: skip
        if mode == looking.FOLLOW:
            _follow_picker(record, beats)
        else:
            _legs_picker(record)
    return str(mode)


def _follow_picker(record: Record, beats: Beats) -> None:
    at = looking.focus(record.key)
    choices = (
        ("Lead", at.lead, list(record.leads)),
        ("Beat", None if at.beat is None else at.beat + 1, list(range(1, len(beats) + 1))),
        ("Wave", at.wave, list(WAVES)),
    )
    for name, value, options in choices:
        widget = f"follow {name} {record.key}"
        looking.set_widget(widget, value if value in options else None)
        st.selectbox(
            name, options, index=None, key=widget, placeholder="all", width=_PICKER_PX,
            on_change=_followed, args=(record.key,),
        )  # fmt: skip


def _followed(key: str) -> None:
    lead, beat, wave = (looking.widget_value(f"follow {name} {key}") for name in ("Lead", "Beat", "Wave"))
    looking.point_at(key, Focus(None if beat is None else beat - 1, lead, wave))


def _legs_picker(record: Record) -> None:
    legs = looking.legs(record.key)
    names = [*record.leads, *([f"{MINUS}aVR"] if "aVR" in record.leads else [])]
    values = (names[0], 0.0, 0.0) if legs is None else (legs.lead, legs.from_s, legs.to_s)
    keys = [f"leg {name} {record.key}" for name in ("lead", "from", "to")]
    for widget, value in zip(keys, values, strict=True):
        looking.set_widget(widget, value)
    typed = partial(_legs_typed, record.key)
    st.selectbox("Lead", names, key=keys[0], width=92, on_change=typed)
    for name, widget in (("From, s", keys[1]), ("To, s", keys[2])):
        st.number_input(
            name, 0.0, record.duration_s, step=1 / record.fs, format="%.3f", key=widget, width=150, on_change=typed
        )


def _legs_typed(key: str) -> None:
    lead, start, end = (looking.widget_value(f"leg {name} {key}") for name in ("lead", "from", "to"))
    looking.put_legs(key, looking.Legs(lead, start, end))


def drawn(key: str, clean: Record, start_s: float, across: tuple[float, float], up: tuple[float, float]) -> None:
    """Put the caliper where a box was drawn on the paper; a box too small for two samples changes nothing."""
    try:
        put = calipers.from_box(clean, sheet(clean, start_s, looking.view().form), across, up)
    except EcgvizError:
        return  # a click, not a box
    looking.put_legs(key, looking.Legs(put.lead, put.start_s, put.end_s))


def caliper(record: Record, clean: Record) -> Caliper | None:
    """Return the caliper on a recording as drawn (``clean``); None where it was put nowhere, or on one sample."""
    legs = looking.legs(record.key)
    if legs is None:
        return None
    try:
        return calipers.place(clean, legs.lead, legs.from_s, legs.to_s)
    except EcgvizError:
        return None


def caliper_readings(caliper: Caliper | None, page: Sheet, beats: Beats, *, marching: bool) -> None:
    """Show what the caliper reads, and how far each R peak is from where it marches."""
    if caliper is None:
        widgets.note(
            "Draw a box on the tracing, from where the interval begins to where it ends, or type both times above."
        )
        return
    widgets.small_table(calipers.reading_table(caliper), "lead")
    if not any(
        strip.name == caliper.lead and strip.start_s < caliper.end_s and strip.end_s > caliper.start_s
        for strip in page.strips
    ):
        widgets.note(f"This sheet does not show {caliper.lead} at that time, so the legs are not drawn.")
    if marching and len(beats):
        widgets.show_table(
            "R peaks beside the marching caliper", partial(calipers.march_table, caliper, beats), "march"
        )
