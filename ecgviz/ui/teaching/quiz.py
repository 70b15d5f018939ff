"""Quiz: read and answer; then the label, then the criteria, then what the model saw."""

import streamlit as st

from ecgviz.teach import Library, Opened
from ecgviz.ui.state import teaching
from ecgviz.ui.state.teaching import Sitting
from ecgviz.ui.teaching import answering, controls, opening, parts, reveal, sheet

_NEXT = ("", "Show the criteria", "Show what the model saw")


def run(library: Library) -> None:
    """Go through a sitting, case by case and part by part."""
    found = opening.asked(library, "Quiz")
    if found is None:
        return
    held, opened = found
    if held.step == 0:
        _read(opened, library, held)
    else:
        _answered(opened, library, held)


def _read(opened: Opened, library: Library, held: Sitting) -> None:
    teaching.shown()
    sheet.heading(opened, controls.place(held))
    sheet.paper(opened, sheet.window(opened))
    if answering.ask(opened, library, held):
        st.rerun()
    left, right, _ = st.columns([2, 1, 5])
    with left:
        controls.backwards(held)
    with right:
        controls.ending()


def _answered(opened: Opened, library: Library, held: Sitting) -> None:
    """Show what is revealed so far, the newest part first, so that a class need not scroll."""
    given = held.given[opened.case.id]
    sheet.heading(opened, controls.place(held))
    _buttons(held)
    reveal.label(opened, library, given)
    start_s = sheet.window(opened)
    if held.step == 1:
        sheet.paper(opened, start_s, measured=True, key="answered")
        return
    if held.step >= len(teaching.STEPS) - 1:
        st.markdown("**What the model saw**")
        reveal.model(opened, given, "quiz", start_s)
    st.markdown("**Criteria**")
    reveal.criteria(opened, given, "quiz", start_s)
    parts.show(opened.lessons)


def _buttons(held: Sitting) -> None:
    back, on, end, _ = st.columns([2, 3, 1, 2])
    with back:
        controls.backwards(held)
    with on:
        if 0 < held.step < len(_NEXT):
            controls.forwards(_NEXT[held.step], reveals=True)
        else:
            last = held.at + 1 == len(held.cases)
            controls.forwards("Result" if last else "Next case", reveals=False)
    with end:
        controls.ending()
