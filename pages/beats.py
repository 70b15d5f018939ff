"""Beats: the median beat with its marks, every beat of the rhythm with its kind, and marks that a reader can change."""

import streamlit as st

from ecgviz import figures
from ecgviz.figures import beat_tables
from ecgviz.measure.median_beat import members
from ecgviz.types.paper import SHEET_S
from ecgviz.ui import files, marks, state, titles, widgets, wording

record = titles.need_record()
reading = state.reading(record)
beats = reading.beats
if not len(beats):
    st.warning(wording.plain(f"There are no beats to show: {beats.reason}"))
    marks.editor(record)
    st.stop()

picked = marks.kind_picker(reading)
left, right = st.columns([3, 1])
with left:
    if picked is None:
        st.info("No whole beat with both QRS marks was found, so there is no median beat.")
    else:
        kind, median = picked
        name = f"Median of {median.n_beats} {wording.readable(kind)} beat{'s' if median.n_beats > 1 else ''}"
        ticks = figures.lead_ticks(beats, members(beats, kind))
        sheet = figures.median_sheet(median, record.leads, title=name, ticks=ticks)
        table = beat_tables.median_table(median, record.leads)
        widgets.draw(sheet, table, key="median", shows=files.facts(record))
with right:
    widgets.heading("Measured on the dominant beats", "dominant", "pr", "qrs", "qtc", "axis")
    st.table(beat_tables.interval_table(reading.measured), hide_index=True)
    for sentence in (*beat_tables.why_not(reading.measured), *reading.measured.remarks):
        widgets.note(wording.sentence(sentence))
    if picked is not None and picked[0] != marks.dominant_kind(reading):
        st.markdown(f"**On the {wording.readable(picked[0])} beats**")
        st.table(beat_tables.median_interval_table(picked[1].marks_s), hide_index=True)

lead = marks.lead_picker(record)
start_s = widgets.window_start(record, SHEET_S)
strip = figures.beat_strip(reading.clean, beats, lead, start_s=start_s)
widgets.draw(strip, beat_tables.beat_table(beats), key="strip", shows=files.facts(record))
widgets.sentences("Why there is no P wave", beat_tables.why_no_p(beats), "Every beat has one.")
marks.editor(record)
