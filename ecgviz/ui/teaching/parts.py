"""The lessons' own words: what it is, where to look, causes, references, and who has signed it off."""

from collections.abc import Sequence

import streamlit as st

from ecgviz.criteria import load
from ecgviz.teach import Lesson
from ecgviz.ui import widgets, wording


def show(lessons: Sequence[Lesson]) -> None:
    """Show the parts of a case's lessons that are words; criteria and the annotated example stand beside them."""
    if len(lessons) == 1:
        _words(lessons[0])
        return
    for tab, lesson in zip(st.tabs([wording.plain(one.name) for one in lessons]), lessons, strict=True):
        with tab:
            _words(lesson)


def _words(lesson: Lesson) -> None:
    st.markdown(f"**What it is.** {wording.plain(lesson.what)}")
    st.markdown(f"**Where to look.** {wording.plain(lesson.look)}")
    st.markdown(f"**Causes.** {wording.plain(lesson.causes)}")
    sources = load().sources
    listed = "\n".join(f"- {wording.plain(sources[key].full)}" for key in lesson.references)
    st.markdown(f"**References.**\n{listed}")
    widgets.note(f"Clinical text: {lesson.review}.")
