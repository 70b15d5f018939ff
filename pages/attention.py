"""Attention: where the network pooled, at the level of beat, rhythm and channel, as far as the network has them."""

import streamlit as st

from ecgviz import figures
from ecgviz.figures import tables
from ecgviz.ui import pooling, state, widgets, words

widgets.title("Attention", "Where the network pooled its input. It has no sign, and need not be what moved the output.")
record = widgets.need_record()
network = widgets.need_model(state.choice().model)
attended = widgets.need_attention()
beats = state.reading(record).beats
if not attended.maps:
    st.info(widgets.plain(f"{network.name} shows no attention, so there is nothing to draw; Attributions has maps."))

level = pooling.level_picker(network, attended)
if level is not None:
    pooling.heat(record, network, attended, level)
    pooling.leaning(record, network)

if attended.maps and not len(beats):
    st.info(widgets.plain(f"No beats to pool over: {beats.reason}"))
rhythm, channel, beat = (attended.grid(each) for each in ("rhythm", "channel", "beat"))
pooling.level_note(network, "rhythm")
if rhythm is not None and rhythm.rhythm() is not None and len(beats):
    title = "Rhythm: share of attention in each beat, %, above the RR interval that ends in it"
    strip = figures.rhythm_strip(rhythm.rhythm(), beats, title=title)
    widgets.draw(strip, tables.rhythm_table(rhythm.rhythm(), beats), key="attention rhythm")

left, right = st.columns(2)
with left:
    pooling.level_note(network, "channel")
    if channel is not None and channel.channel() is not None:
        bars = figures.channel_bars(channel.channel(), channel.leads, title="Channel: share of each lead")
        widgets.draw(bars, tables.channel_table(channel.channel(), channel.leads), key="attention channels")
with right:
    pooling.level_note(network, "beat")
    if beat is not None and beat.beat() is not None and len(beats):
        title, durations = "Beat: share of each lead and wave, %", figures.wave_durations(beat)
        matrix = figures.wave_matrix(beat.beat(), beat.leads, title=title, durations=durations)
        widgets.draw(matrix, tables.matrix_table(beat.beat(), beat.leads), key="attention matrix")
        widgets.note(words.outside(beat))
