"""Look-alikes: two cases that resemble each other, one above the other, and what tells them apart."""

import streamlit as st

from ecgviz import figures
from ecgviz.errors import TeachingError
from ecgviz.figures import annotated, beat_tables
from ecgviz.teach import Library, Opened
from ecgviz.teach.opened import findings_of
from ecgviz.types import Finding
from ecgviz.ui import files, wording
from ecgviz.ui.state import teaching
from ecgviz.ui.teaching import classroom, sheet


def run(library: Library) -> None:
    """Let the reader pick a pair, and show both with the criteria of each on either."""
    pairs = library.look_alikes
    if not pairs:
        st.info("This library names no look-alikes.")
        return
    names = [" or ".join(_answers(library, each) for each in pair.cases) for pair in pairs]
    index = st.selectbox("Which of the two is it?", range(len(pairs)), format_func=names.__getitem__, key="pair")
    pair = pairs[index]
    try:
        both = [teaching.opened(library, name) for name in pair.cases]
    except TeachingError as refusal:
        st.error(wording.plain(str(refusal)))
        return
    st.markdown(f"**Alike.** {wording.plain(pair.alike)}")
    st.markdown(f"**Apart.** {wording.plain(pair.apart)}")
    for place, opened in zip(st.columns(2), both, strict=True):
        place.markdown(f"**{wording.plain(_answers(library, opened.case.id))}** (case {opened.case.id})")
    for place, opened in zip(st.columns(2), both, strict=True):  # a row of their own: they begin at one height
        with place:
            _median(opened)
    st.table(_crossed(both), hide_index=True)
    starts: dict[str, float] = {}
    for opened in both:
        sheet.heading(opened, f"Case {opened.case.id}, {_answers(library, opened.case.id)}")
        if opened.record.key not in starts:  # two cases of one recording are paged through together
            starts[opened.record.key] = sheet.window(opened)
        sheet.annotated_paper(opened, starts[opened.record.key], key="look-alike")


def _answers(library: Library, name: str) -> str:
    return ", ".join(library.lessons[each].name for each in library.cases[name].answers)


def _median(opened: Opened) -> None:
    medians = teaching.medians(opened)
    if medians:
        kind, median = next(iter(medians.items()))
        title = f"Median of {median.n_beats} {wording.readable(kind)} beat{'s' * (median.n_beats != 1)}"
        drawn = annotated.half_as_wide(figures.median_sheet(median, opened.record.leads, title=title))
        table = beat_tables.median_table(median, opened.record.leads)
        classroom.draw(drawn, table, key=f"median {opened.case.id}", shows=files.facts(opened.record))


def _crossed(both: list[Opened]) -> dict[str, list[str]]:
    """Return the criteria of all lessons of both cases on either: the nearest definition of each, with its numbers."""
    lessons = {each.id: each for opened in both for each in opened.lessons}.values()
    rows: dict[str, list[str]] = {"criteria of": [each.name for each in lessons]}
    for opened in both:
        column = f"on case {opened.case.id}"
        rows[column] = [_nearest(findings_of(each, opened.findings)) for each in lessons]
    return rows


def _nearest(found: tuple[Finding, ...]) -> str:
    order = ("met", "borderline", "not_met", "not_evaluable")
    best = min(found, key=lambda each: order.index(each.state))
    return f"{wording.readable(best.state)} ({wording.readable(best.definition)}): {best.why}"
