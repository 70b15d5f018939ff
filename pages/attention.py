"""Attention: where the network pooled, at the level of beat, rhythm and channel, as far as the network has them."""

import streamlit as st

from ecgviz.ui import pooling, state, titles, widgets, wording

record = titles.need_record()
network = widgets.need_model(state.choice().model)
attended = widgets.need_attention()
if not attended.maps:
    st.info(wording.plain(f"{network.name} shows no attention, so there is nothing to draw; Attributions has maps."))
pooling.levels(record, network, attended)
