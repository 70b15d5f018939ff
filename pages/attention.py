"""Attention: where the network pooled, at the level of beat, rhythm and channel, as far as the network has them."""

import streamlit as st

from ecgviz.ui import linked, pointing, pooling, state, titles, widgets, wording, words

record = titles.need_record()
network = widgets.need_model(state.choice().model)
attended = widgets.need_attention()
beats = state.reading(record).beats
if not attended.maps:
    st.info(wording.plain(f"{network.name} shows no attention, so there is nothing to draw; Attributions has maps."))

if attended.maps:
    pooling.behind_trace(record, network, attended, pointing.focus(record))

if attended.maps and not len(beats):
    st.info(wording.plain(f"No beats to pool over: {beats.reason}"))
rhythm, channel, beat = (attended.grid(each) for each in ("rhythm", "channel", "beat"))
pooling.level_note(network, "rhythm")
if rhythm is not None:
    linked.rhythm(record, rhythm, beats, what="Rhythm: share of attention", key="attention rhythm")
left, right = st.columns(2)
with left:
    pooling.level_note(network, "channel")
    if channel is not None:
        linked.channels(record, channel, what="Channel: share of attention", key="attention channels")
with right:
    pooling.level_note(network, "beat")
    if beat is not None:
        linked.matrix(record, beat, beats, what="Beat: share of attention", key="attention matrix")
        widgets.note(words.outside(beat))
