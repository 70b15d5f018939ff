"""The answer sheet: findings by name, and the cells of lead and wave that decide; all of it by keyboard."""

import streamlit as st

from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.teach import Library, Opened
from ecgviz.teach.schema import GROUPS
from ecgviz.types import WAVES
from ecgviz.ui.state import teaching
from ecgviz.ui.state.teaching import Sitting


def ask(opened: Opened, library: Library, held: Sitting) -> bool:
    """Show the answer sheet of a case; score and keep what is handed in, and return whether something was."""
    names = sorted(library.lessons, key=lambda name: GROUPS.index(library.lessons[name].group))
    with st.form(f"answer {held.case}", border=True):
        lessons = st.multiselect(
            "Your reading: one finding or more",
            names,
            format_func={name: library.lessons[name].name for name in names}.__getitem__,
            select_all=False,
            placeholder="Type a few letters, Enter takes one",
            key=f"reading {held.mode} {held.case}",
        )
        left, right = st.columns(2)
        with left:
            leads = st.pills(
                "Leads in which you see it (optional)",
                [lead for lead in STANDARD_LEADS if lead in opened.record.leads],
                selection_mode="multi",
                wrap=True,
                key=f"leads {held.mode} {held.case}",
            )
        with right:
            waves = st.pills(
                "Part of the beat in which you see it (optional)",
                list(WAVES),
                selection_mode="multi",
                wrap=True,
                key=f"waves {held.mode} {held.case}",
            )
        handed_in = st.form_submit_button("Hand in", type="primary", shortcut="Ctrl+S")
    if not handed_in:
        return False
    if not lessons and held.limit_s is None:
        st.warning("Name at least one finding: an ECG without any is a normal ECG.")
        return False
    cells = tuple((lead, wave) for lead in leads for wave in waves)
    teaching.answer(opened, library, tuple(lessons), cells)
    return True
