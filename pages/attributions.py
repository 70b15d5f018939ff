"""Attributions: what moved the logit of the chosen label, by up to four methods or networks side by side."""

import streamlit as st

from ecgviz import figures
from ecgviz.figures import tables
from ecgviz.ui import predictions, side_by_side, state, widgets, words

widgets.title(
    "Attributions", "What moved the model's output for the label on the left: orange supports, purple opposes."
)
record = widgets.need_record()
beats = state.reading(record).beats
shown = side_by_side.pick(record)
one = side_by_side.behind(shown)
explanation, grid = one.explained.explanation, one.explained.grid
heat = figures.from_explanation(explanation, record.duration_s)
widgets.draw_heat(record, heat, explanation.start_s, key="attribution paper")

st.markdown("**Lead by wave**, supporting minus opposing mass, % of both; one scale for all")
side_by_side.columns(shown, len(beats))
side_by_side.checks(shown, record)

left, right = st.columns(2)
with left:
    side_by_side.agreement(shown, record)
if grid.channel() is not None:
    with right:
        bars = figures.channel_bars(grid.channel(), grid.leads, title=f"{one.title}: share of {words.mass(grid)}")
        widgets.draw(bars, tables.channel_table(grid.channel(), grid.leads), key="attribution channels")
if grid.rhythm() is not None and len(beats):
    title = f"{one.title}: share of {words.mass(grid)} in each beat, %, above the RR interval that ends in it"
    rhythm = figures.rhythm_strip(grid.rhythm(), beats, title=title)
    widgets.draw(rhythm, tables.rhythm_table(grid.rhythm(), beats), key="attribution rhythm")
widgets.note(words.outside(grid))
predictions.chosen_model(record)
