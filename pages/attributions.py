"""Attributions: what moved the logit of the chosen label, by up to four methods or networks side by side."""

import streamlit as st

from ecgviz import figures
from ecgviz.ui import linked, predictions, side_by_side, state, titles, tracing, widgets, words

record = titles.need_record()
beats = state.reading(record).beats
shown = side_by_side.pick(record)
one = side_by_side.behind(shown)
explanation, grid = one.explained.explanation, one.explained.grid
heat = figures.from_explanation(explanation, record.duration_s)
tracing.show(record, "attribution paper", heat=heat, start_s=explanation.start_s)

st.markdown("**Lead by wave**, supporting minus opposing mass, % of both; one scale for all")
side_by_side.columns(shown, record)
side_by_side.checks(shown, record)

left, right = st.columns(2)
with left:
    side_by_side.agreement(shown, record)
with right:
    linked.channels(record, grid, what=f"{one.title}: share of {words.mass(grid)}", key="attribution channels")
linked.rhythm(record, grid, beats, what=f"{one.title}: share of {words.mass(grid)}", key="attribution rhythm")
widgets.note(words.outside(grid))
predictions.chosen_model(record)
