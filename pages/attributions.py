"""Attributions: which samples moved the logit of the chosen label, and how, by the chosen method."""

import streamlit as st

from ecgviz import figures
from ecgviz.figures import tables
from ecgviz.ui import predictions, widgets, words

widgets.title(
    "Attributions", "What moved the model's output for the label on the left: orange supports, purple opposes."
)
case = widgets.need_case()
grid, leads = case.grid, case.grid.leads

widgets.note(words.explanation_facts(case))
heat = figures.from_explanation(case.explanation, case.record.duration_s)
widgets.draw_heat(case.record, heat, case.explanation.start_s, key="attribution paper")

left, right = st.columns(2)
if grid.channel() is not None:
    with left:
        bars = figures.channel_bars(grid.channel(), leads, title=f"Share of {words.mass(grid)} in each lead")
        widgets.draw(bars, tables.channel_table(grid.channel(), leads), key="attribution channels")
if grid.beat() is not None and len(case.beats):
    with right:
        net = figures.signed_matrix(grid)
        title = "Supporting minus opposing mass by lead and wave, % of both"
        matrix = figures.wave_matrix(net, leads, title=title, signed=True, durations=figures.wave_durations(grid))
        widgets.draw(matrix, tables.matrix_table(net, leads), key="attribution matrix")
    title = f"Share of {words.mass(grid)} in each beat, %, above the RR interval that ends in it"
    rhythm = figures.rhythm_strip(grid.rhythm(), case.beats, title=title)
    widgets.draw(rhythm, tables.rhythm_table(grid.rhythm(), case.beats), key="attribution rhythm")
widgets.note(words.outside(grid))
predictions.chosen_model(case.record)
