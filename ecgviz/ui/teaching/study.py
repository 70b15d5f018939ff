"""Study: a case with its answer visible, in five parts, at any severity."""

import streamlit as st

from ecgviz.errors import TeachingError
from ecgviz.simulate import FINDINGS
from ecgviz.teach import Library, Opened
from ecgviz.ui import widgets, wording
from ecgviz.ui.state import teaching
from ecgviz.ui.teaching import controls, parts, reveal, sheet, start


def run(library: Library) -> None:
    """Leaf through cases, each with everything that is known of it."""
    held = start.sitting(library, "Study")
    if held is None:
        return
    if held.case is None:
        st.info("That was the last case.")
        controls.backwards(held)
        controls.ending()
        return
    back, on, end, severe = st.columns([2, 2, 1, 3])
    with back:
        controls.backwards(held)
    with on:
        controls.forwards("Next case", reveals=False)
    with end:
        controls.ending()
    try:
        opened = teaching.opened(library, held.case)
        with severe:
            severity = _severity(opened)
        if severity is not None:
            opened = teaching.opened(library, held.case, severity)
    except TeachingError as refusal:
        st.error(wording.plain(str(refusal)))
        return
    _show(opened, library, controls.place(held))


def _severity(opened: Opened) -> float | None:
    """Let the reader plant the finding in the same patient at another severity; None for the case as it is."""
    asked = opened.case.simulate
    if asked is None or opened.lesson.id == "normal":
        return None
    low, high = FINDINGS[opened.lesson.finding].severity_range
    picked = st.slider(
        "The same patient, at severity",
        float(low),
        float(high),
        float(asked.severity),
        0.1,
        help="1 is clearly past the published limits; below it the finding fades.",
        key=f"severity {opened.case.id}",
    )
    return None if abs(picked - asked.severity) < 0.01 else float(picked)


def _show(opened: Opened, library: Library, place: str) -> None:
    sheet.heading(opened, place)
    reveal.label(opened, library, None)
    if opened.unmet:
        where = "on this recording, whose readers say it is there" if opened.simulation is None else "at this severity"
        what = "it" if len(opened.lessons) == 1 else ", ".join(one.name for one in opened.unmet)
        widgets.note(f"No published definition of {what} is met {where}: see how near the numbers are.")
    start_s = sheet.window(opened)
    reveal.criteria(opened, None, "study", start_s)
    parts.show(opened.lessons)
    with st.expander("What the model saw", key=f"study model {opened.case.id}", on_change="rerun") as box:
        if box.open:
            reveal.model(opened, None, "study", start_s)
