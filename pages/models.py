"""Models: what each shipped network was made from, how good it is, and what it is fed."""

import streamlit as st

from ecgviz.beats.network import card
from ecgviz.checkpoint import available_models
from ecgviz.figures import tables
from ecgviz.ui import state, widgets

widgets.title(
    "Models", "The card tells what a network was trained on; scores come with the interval that so few records allow."
)
model = widgets.need_model(state.choice().model)
left, right = st.columns([3, 2])
with left:
    st.markdown(model.card)
with right:
    st.markdown("**Labels, thresholds and scores**")
    st.table(tables.label_table(model.labels, model.thresholds, model.metrics), hide_index=True)
    st.markdown("**What it is fed**")
    st.table(tables.spec_table(model.spec), hide_index=True)
    st.markdown("**Identity**")
    st.text(f"{model.name} version {model.version}, {model.n_parameters:,} parameters")
    st.code(f"sha256 {model.digest}", language=None, wrap_lines=True)
    st.caption(f"{len(available_models())} model(s) installed.")
with st.expander("The network that marks P, QRS and T in every recording"):
    st.markdown(card())
