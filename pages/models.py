"""Models: what each shipped network was made from, how good it is, and what it is fed."""

import streamlit as st

from ecgviz import figures
from ecgviz.beats.network import card
from ecgviz.checkpoint import available_models
from ecgviz.figures import tables
from ecgviz.ui import files, pooling, state, widgets, wording, words

model = widgets.need_model(state.choice().model)
labels = tables.label_table(model.labels, model.thresholds, model.metrics)
labels.insert(1, "stands for", list(words.label_names(model.labels).values()))
widgets.show_table("Labels, thresholds and scores", labels, "labels")
left, right = st.columns([3, 2])
with left:
    st.markdown(wording.without_images(model.card))
with right:
    st.markdown("**Attention it shows**")
    for level in ("beat", "rhythm", "channel"):
        pooling.level_note(model, level)
    if model.training.get("curve"):
        curve = model.training["curve"]
        drawn = figures.training_curve(curve, title=f"Training of {model.name}: a line a fit")
        widgets.draw(drawn, tables.curve_table(curve), key=f"curve {model.digest}", shows=files.facts(network=model))
    st.markdown("**What it is fed**")
    widgets.small_table(tables.spec_table(model.spec), "value")
    st.markdown("**Identity**")
    st.text(f"{model.name} version {model.version}, {model.n_parameters:,} parameters")
    st.code(f"sha256 {model.digest}", language=None, wrap_lines=True)
    st.caption(f"Models installed: {len(available_models())}.")
with st.expander("The network that marks P, QRS and T in every recording"):
    st.markdown(wording.without_images(card()))
