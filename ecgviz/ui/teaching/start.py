"""What a sitting begins with: whose cases, in which mode, which of them, and how hard."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.teach import Library, order
from ecgviz.teach.history import readings
from ecgviz.teach.schema import LEVELS
from ecgviz.teach.spacing import due
from ecgviz.ui import wording
from ecgviz.ui.state import teaching
from ecgviz.ui.state.teaching import Sitting


def library(mode: str) -> Library:
    """Return the cases of the sitting under way, else let the teacher pick one of several libraries."""
    found, refused = teaching.libraries()
    held = teaching.sitting(mode)
    if held is not None and held.library in found:
        return found[held.library]
    for sentence in refused:
        st.warning(wording.plain(sentence))
    titles = list(found)
    if len(titles) == 1:
        return found[titles[0]]
    return found[st.selectbox("Cases", titles, key=teaching.LIBRARY, width=360)]


def mode(names: Sequence[str]) -> str:
    """Let the learner pick a mode; on coming back from another page it is that of the sitting under way."""
    teaching.resume_mode()
    picked = st.segmented_control("Mode", list(names), default=names[0], required=True, key=teaching.MODE)
    return str(picked or names[0])


def sitting(library: Library, mode: str, *, seconds: Sequence[int] = ()) -> Sitting | None:
    """Return the sitting under way in a mode; without one, let the learner set it up.

    With ``seconds`` the time for each case is limited to one of these.
    """
    held = teaching.sitting(mode)
    if held is not None and held.library == library.title:
        return held
    names = _entry(library)
    n, limit_s = len(names), None
    if seconds:
        left, right, _ = st.columns([1, 1, 2])
        n = left.number_input(
            "Cases in the set", 1, max(len(names), 1), min(10, max(len(names), 1)), key=f"set size {len(names)}"
        )
        limit_s = right.selectbox("Seconds a case", list(seconds), index=1, key="set seconds")
    begun = Sitting(mode, library.title, names[:n], limit_s=None if limit_s is None else float(limit_s))
    st.button(
        f"Start: {min(n, len(names))} case{'s' if n != 1 else ''}",
        type="primary",
        shortcut="Ctrl+S",
        disabled=not names,
        on_click=teaching.start,
        args=(begun,),
        key=f"start {mode}",
    )
    return None


def _entry(library: Library) -> tuple[str, ...]:
    """Return the cases that the learner asks for, in order."""
    st.markdown("**Which cases?** Tab moves between the fields, Ctrl+S starts.")
    entries = [each for each in order.ENTRIES if each != "Due for repeat" or not teaching.classroom()]
    entry = st.segmented_control("Entry", entries, default=entries[0], required=True, key="entry")
    levels = st.pills(
        "Levels",
        list(LEVELS),
        selection_mode="multi",
        default=list(LEVELS),
        format_func={level: f"{level} {said}" for level, said in LEVELS.items()}.__getitem__,
        key="levels",
    )
    if entry == "At random":
        seed = int(st.number_input("Number of the shuffle", 0, 999_999, int(time.time()) % 1000, key="shuffle"))
        return order.at_random(library, levels, seed)
    if entry == "By diagnosis":
        lessons = st.multiselect(
            "Diagnoses",
            [one.id for one in library.lessons.values() if order.by_diagnosis(library, LEVELS, [one.id])],
            format_func={name: one.name for name, one in library.lessons.items()}.__getitem__,
            key="diagnoses",
        )
        return order.by_diagnosis(library, levels, lessons)
    try:
        if entry == "Own list":
            return order.own_list(library, st.text_area("Numbers of cases, in your order", key="own list"))
        if entry == "Due for repeat":
            return _due(library, levels)
    except EcgvizError as refusal:
        st.error(wording.plain(str(refusal)))
        return ()
    return order.in_sequence(library, levels)


def _due(library: Library, levels: Sequence[int]) -> tuple[str, ...]:
    if not teaching.learner():
        st.info("Repeats need a history: take a code under *History and repeats* below.")
        return ()
    names = order.those_due(library, due(readings(teaching.history()), datetime.now(UTC)), levels)
    if not names:
        st.info("No case of these levels is due. A case comes back two and ten weeks after it was first read.")
    return names
