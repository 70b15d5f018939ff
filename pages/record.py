"""Record: the recording on paper, what was measured on it, and how far each lead can be trusted."""

import streamlit as st

from ecgviz.figures import tables
from ecgviz.ui import files, predictions, state, titles, tracing, widgets, wording

record = titles.need_record()
reading = state.reading(record)

tracing.show(record, "paper", shows=files.facts(record))
if not len(reading.beats):
    st.warning(wording.plain(f"No beats were found, so nothing was measured: {reading.beats.reason}"))

predictions.chosen_model(record)

left, right = st.columns([3, 2])
with left:
    widgets.heading("Measured on the dominant beats", "dominant", "pr", "qrs", "qtc", "axis")
    if len(reading.beats):
        for remark in reading.measured.remarks:
            widgets.note(wording.sentence(remark))
        widgets.table_of_words(tables.measurement_table(reading.measured))
    else:
        widgets.note("Nothing: there are no beats to measure.")
with right:
    widgets.heading("Quality of each lead", "lead", "quality")
    widgets.table_of_words(tables.quality_table(reading.quality))
widgets.show_table(
    "Amplitudes and durations in each lead", tables.lead_table(reading.measured, reading.quality), "leads"
)
widgets.sentences("Assumed or derived when the recording was read", record.assumptions, "Nothing.")
