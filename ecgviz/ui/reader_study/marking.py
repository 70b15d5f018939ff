"""Where readers mark what made them decide: cells of leads and waves, and spans of the paper; all of it by keyboard."""

import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.review.marks import Span
from ecgviz.types import WAVES, Record
from ecgviz.ui import widgets, wording
from ecgviz.ui.state import review
from ecgviz.ui.state.review import Question


def cells(question: Question, record: Record) -> None:
    """Show a row of waves for each lead, in two columns as on paper."""
    st.markdown("**Which waves in which leads made you decide?**")
    widgets.note("A mark speaks of that wave in every beat of the basic rhythm; under premature beats, in these.")
    half = (len(record.leads) + 1) // 2
    for column, leads in zip(st.columns(2), (record.leads[:half], record.leads[half:]), strict=True):
        for lead in leads:
            name, row = column.columns([1, 5], gap="xsmall", vertical_alignment="center")
            name.markdown(f"**{wording.plain(lead)}**")
            row.pills(
                f"Waves of lead {lead}",
                list(WAVES),
                selection_mode="multi",
                key=question.key(f"cells {lead}"),
                label_visibility="collapsed",
                wrap=True,
            )


def spans(question: Question, record: Record) -> None:
    """List the spans that were drawn on the paper, and let others be typed."""
    widgets.note("Or draw a box on the paper over the stretch that you mean. A stretch can also be typed here.")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        lead = st.selectbox("Lead", record.leads, key=question.key("typed lead"), width=110)
        start = st.number_input("From, s", 0.0, record.duration_s, value=None, key=question.key("from"), width=130)
        end = st.number_input("To, s", 0.0, record.duration_s, value=None, key=question.key("to"), width=130)
        added = st.button("Mark", key=question.key("mark"), disabled=start is None or end is None)
    if added and start is not None and end is not None:
        try:
            review.add_span(question, Span(lead, round(start, 3), round(end, 3)))
        except EcgvizError as refusal:
            st.warning(wording.plain(str(refusal)))
        else:
            st.rerun()
    for n, span in enumerate(review.spans(question), start=1):
        if st.button(
            f":material/close: {n}: {span.lead}, {span.start_s:.2f} to {span.end_s:.2f} s",
            key=question.key(f"remove {n}"),
            help="Take this mark away",
        ):
            review.remove_span(question, span)
            st.rerun()
