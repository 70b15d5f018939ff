"""Validation: what each method finds in simulated recordings whose true evidence is known."""

import streamlit as st

from ecgviz.ui import state, validated, widgets

model = widgets.need_model(state.choice().model)
table, score = validated.pick(model)
if table is None:
    st.info(
        "There is no planted-truth table to show. The command above makes one; copy its planted.csv beside the model."
    )
    st.stop()
validated.draw(table, score)
widgets.note(
    "Orange: above the best of four controls (amplitude, slope, networks with random weights, the same map shifted in "
    "time); purple: below it. A recording counts only where the network is right and taking the finding away moves its "
    "logit; a cell with fewer than 100 such recordings tells their number alone (n), and – stands where the map cannot "
    "answer or was not asked. A map can find the planted finding and still be an unfaithful one: the checks on the "
    "Attributions page ask that."
)
