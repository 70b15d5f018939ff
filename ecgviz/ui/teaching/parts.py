"""A lesson's own words: what it is, where to look, causes, references, and who has signed it off."""

import streamlit as st

from ecgviz.criteria import load
from ecgviz.teach import Lesson
from ecgviz.ui import widgets, wording


def show(lesson: Lesson) -> None:
    """Show the parts of a lesson that are words; criteria and the annotated example stand beside them."""
    st.markdown(f"**What it is.** {wording.plain(lesson.what)}")
    st.markdown(f"**Where to look.** {wording.plain(lesson.look)}")
    st.markdown(f"**Causes.** {wording.plain(lesson.causes)}")
    sources = load().sources
    listed = "\n".join(f"- {wording.plain(sources[key].full)}" for key in lesson.references)
    st.markdown(f"**References.**\n{listed}")
    widgets.note(f"Clinical text: {lesson.review}.")
