"""Compare: two recordings, networks, labels or methods, on shared scales."""

import streamlit as st

from ecgviz.ui import compare, sides, titles, widgets

shown = compare.pick(titles.need_record())
found = sides.explained(shown)

left, right = st.columns(2)
with left:
    widgets.heading("What the network says", "label", "threshold")
    sides.predictions(shown)
with right:
    widgets.heading("Measured on the dominant beats", "dominant", "pr", "qrs", "qtc", "axis")
    sides.measured(shown)
widgets.heading("Lead by wave", "evidence_grid", "shared_scale")
sides.matrices(shown, found, key="compare")
compare.papers(shown, found)
widgets.heading("Held against the guideline", "verdict", "region", "control")
sides.verdicts(shown)
widgets.note(
    "A logit of one network is no unit of another's: across networks compare where a map lies, not how strong it is."
)
