"""Attention: where the network pooled, at the level of beat, rhythm and channel."""

import streamlit as st

from ecgviz import figures
from ecgviz.figures import tables
from ecgviz.ui import widgets, words

widgets.title("Attention", "Where the network pooled its input. It has no sign, and need not be what moved the output.")
case = widgets.need_case("attention_joint")
grid, leads = case.grid, case.grid.leads

level = st.segmented_control(
    "Level behind the trace", [each.level for each in case.attention], default="joint", required=True, key="level"
)
shown = next(each for each in case.attention if each.level == level)
heat = figures.from_attention(shown)
widgets.draw_heat(case, heat, key="attention paper")
widgets.note(words.attention_facts(shown))

if grid.rhythm() is None or not len(case.beats):
    st.info(widgets.plain(f"No beats to pool over: {case.beats.reason or 'this attention has no time axis'}"))
    st.stop()
title = "Rhythm: share of attention in each beat, %, above the RR interval that ends in it"
rhythm = figures.rhythm_strip(grid.rhythm(), case.beats, title=title)
widgets.draw(rhythm, tables.rhythm_table(grid.rhythm(), case.beats), key="attention rhythm")

left, right = st.columns(2)
with left:
    bars = figures.channel_bars(grid.channel(), leads, title="Channel: share of each lead")
    widgets.draw(bars, tables.channel_table(grid.channel(), leads), key="attention channels")
with right:
    title, durations = "Beat: share of each lead and wave, %", figures.wave_durations(grid)
    matrix = figures.wave_matrix(grid.beat(), leads, title=title, durations=durations)
    widgets.draw(matrix, tables.matrix_table(grid.beat(), leads), key="attention matrix")
widgets.note(words.outside(grid))
