"""The choices of paper and colours in the sidebar, the same on every page with a tracing."""

import streamlit as st

from ecgviz.types.paper import COLUMNS, GAINS_MM_MV, SPEEDS_MM_S, STANDARD, PaperFormat
from ecgviz.ui.state import looking

_LAYOUTS = {"3x4": "3 x 4 + II", "6x2": "6 x 2", "12x1": "12 x 1"}
_BEHIND, _STRIP = "Behind trace", "In a strip"
_ONE, _EACH = "All leads", "Each lead"


def picker() -> None:
    """Draw the choices, and keep them for the pages."""
    with st.sidebar, st.expander("Paper and colours", key="paper and colours"):
        layout = st.segmented_control(
            "Layout",
            list(COLUMNS),
            default=STANDARD.layout,
            required=True,
            key="layout",
            format_func=_LAYOUTS.__getitem__,
        )
        cabrera = st.toggle("Cabrera order, with −aVR", key="cabrera")
        speed = st.segmented_control(
            "Speed, mm/s",
            SPEEDS_MM_S,
            default=STANDARD.speed_mm_s,
            required=True,
            key="speed",
            format_func="{:g}".format,
        )
        gain = st.segmented_control(
            "Gain, mm/mV",
            GAINS_MM_MV,
            default=STANDARD.gain_mm_mv,
            required=True,
            key="gain",
            format_func="{:g}".format,
        )
        where = st.segmented_control("Relevance", [_BEHIND, _STRIP], default=_BEHIND, required=True, key="relevance")
        scale = st.segmented_control("One colour scale for", [_ONE, _EACH], default=_ONE, required=True, key="scale")
        contrast = st.toggle(
            "High contrast",
            key="contrast",
            help="Black on white, a grey grid; where the map is strong it is hatched too.",
        )
    looking.keep_view(
        looking.View(PaperFormat(layout, cabrera, speed, gain), scale == _EACH, where == _STRIP, contrast)
    )


def in_words(form: PaperFormat) -> str:
    """Return the layout and the scales of paper as the sidebar names them."""
    order = ", Cabrera order with −aVR" if form.cabrera else ""
    return f"{_LAYOUTS[form.layout]}{order}, {form.speed_mm_s:g} mm/s, {form.gain_mm_mv:g} mm/mV"
