"""What an owner sees: how far readers are, every statistic with its interval, the report and the answers as files."""

import pandas as pd
import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.figures.style import MISSING
from ecgviz.review import exchange, store
from ecgviz.review.fields import fields, missing
from ecgviz.review.progress import overview
from ecgviz.review.reporting import cells, to_markdown
from ecgviz.ui import widgets, wording
from ecgviz.ui.reader_study import sheet
from ecgviz.ui.state import review
from ecgviz.ui.state.review import Seat

COLUMNS = ["statistic", "of", "value", "95 % interval", "n", "patients"]
DRAWS = 500
"""Resamples on the page; `ecgviz review report` takes more."""


def run(held: Seat) -> None:
    """Show progress, statistics and report."""
    sheet.alone()
    seen = overview(held.folder)
    rows = [(reader, f"{done} of {of}") for reader, done, of in seen.done]
    left, right = st.columns([1, 3], gap="large")
    with left:
        st.markdown("**Answers so far**")
        st.table(pd.DataFrame(rows, columns=["reader", "answers"]), hide_index=True)
        _files(held)
    with right:
        _statistics(held)


def _statistics(held: Seat) -> None:
    found = review.counted(held.folder, len(store.rows(held.folder, "answers")), DRAWS)
    if not found.results:
        st.info("Statistics appear once a reader has given both answers to a recording.")
        return
    for topic, some in found.topics().items():
        st.markdown(f"**{wording.plain(topic)}**")
        shown = pd.DataFrame([cells(each) for each in some], columns=COLUMNS)
        st.dataframe(shown, hide_index=True, placeholder=MISSING, height="content")
    widgets.note(
        f"Intervals by {found.draws} resamples of patients, seed {found.seed}. That answers or confidence change after "
        "a map was shown does not say that the map was right."
    )
    for note in found.notes:
        widgets.note(f"Note: {note}.")
    absent = missing(fields(found))
    with st.expander(f"What DECIDE-AI and CLAIM ask for: {len(absent)} of {len(fields(found))} not stated"):
        told = [(field.asked, field.asked_by, field.said) for field in fields(found)]
        st.table(pd.DataFrame(told, columns=["asked", "by", "said"]), hide_index=True)
    st.download_button(
        "Report (Markdown)", to_markdown(found), f"{found.study.id}-report.md", "text/markdown", key="report"
    )


def _files(held: Seat) -> None:
    """Offer all answers as one ZIP file; making it leaves a row in the audit trail."""
    if st.button("Export the answers", key="export study"):
        try:
            head, packed = exchange.packed(held.folder, actor=held.person.reader_id)
        except EcgvizError as refusal:
            st.error(wording.plain(f"Not exported: {refusal}."))
            return
        st.download_button("Download", packed, f"{held.study.id}.zip", "application/zip", key="download study")
        widgets.note(f"Unpacked, ecgviz review import reads it back. The audit trail ends in {head}.")
