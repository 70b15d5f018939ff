"""Recordings: everything that can be opened by id, searched by what came with it and by what was found of it."""

import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.ui import recordings, state, widgets, wording

try:
    library = state.library()
except EcgvizError as refusal:
    st.error(wording.plain(str(refusal)))
    st.stop()
if not library.entries:
    st.info("Only the demos are listed. Start with `ecgviz app --data DIR` to list a folder of your own here too.")
for sentence in library.left_out:
    widgets.note(sentence)

chosen, entries = state.choice(), state.entries()
network = None if chosen.model is None else widgets.need_model(chosen.model)
found = recordings.search(entries, network)
picked = recordings.listed(entries, found, network)
if not found:
    st.stop()
opens = "Open it" if picked is None else f"Open {wording.plain(picked)}"
if st.button(opens, disabled=picked is None, type="primary", key="open recording"):
    state.open_next(str(picked))
    st.switch_page("pages/record.py")
if network is not None:
    recordings.ask(found, network, chosen.label or network.labels[0], chosen.method)
