"""Compare: two recordings, networks, labels or methods, on shared scales."""

import streamlit as st

from ecgviz.ui import compare, sides, widgets

widgets.title(
    "Compare",
    "Two sides that differ in one thing: both papers have the same millimetres, both maps the same colours.",
)
shown = compare.pick(widgets.need_record())
found = sides.explained(shown)

left, right = st.columns([3, 2])
with left:
    st.markdown("**What the network says**")
    sides.predictions(shown)
with right:
    st.markdown("**Measured on the dominant beats**")
    sides.measured(shown)
st.markdown("**Lead by wave**, supporting minus opposing mass, % of both; one scale for both")
sides.matrices(shown, found, key="compare")
compare.papers(shown, found)
st.markdown("**Held against the guideline**")
sides.verdicts(shown)
widgets.note(
    "A logit of one network is no unit of another's: across networks compare where a map lies, not how strong it is."
)
