"""Timed set: cases against the clock, the answers at the end."""

import time

import streamlit as st

from ecgviz.teach import Library
from ecgviz.ui.state import teaching
from ecgviz.ui.state.teaching import Sitting
from ecgviz.ui.teaching import answering, controls, opening, sheet

SECONDS = (30, 60, 120, 300)


def run(library: Library) -> None:
    """Go through a set; a case whose time is up counts as missed."""
    found = opening.asked(library, "Timed set", seconds=SECONDS)
    if found is None:
        return
    opened, held = found[1], teaching.shown()
    if _left_s(held) <= 0:
        teaching.answer(opened, library, (), ())
        _on()
    _clock()
    sheet.heading(opened, controls.place(held))
    sheet.paper(opened, sheet.window(opened), key="timed")
    if answering.ask(opened, library, held):
        _on()
    end, _ = st.columns([1, 5])
    with end:
        controls.ending()


def _on() -> None:
    teaching.go(1)
    st.rerun()


def _left_s(held: Sitting) -> float:
    return (held.limit_s or 0.0) - (time.time() - held.shown_at_s)


@st.fragment(run_every=1.0)
def _clock() -> None:
    """Show the time that is left, and run the page again once it is up."""
    held = teaching.sitting("Timed set")
    if held is None or held.limit_s is None or held.case is None:
        return
    left = _left_s(held)
    if left <= 0:
        st.rerun()
    st.progress(min(max(left / held.limit_s, 0.0), 1.0), text=f"{left:.0f} s left for this case")
