"""What if: change the recording, and see what the network, its evidence and the criteria make of it."""

import streamlit as st

from ecgviz.ui import sides, titles, what_if, widgets, wording

record = titles.need_record()
what_if.editor(record)
edited = what_if.altered(record)
if edited is None:
    st.info("Nothing is altered yet. Try removing P waves, or raising ST by 0.2 mV in V1 to V4, and press Apply.")
    st.stop()

st.warning(wording.plain(wording.sentence(edited.sentence)), icon=":material/edit:")
shown = what_if.both(record, edited)
found = sides.explained(shown)
what_if.tracing(record, edited, shown, found)
what_if.cautions(record, edited)

left, right = st.columns(2)
with left:
    widgets.heading("What the network says", "label", "threshold")
    sides.predictions(shown)
with right:
    widgets.heading("Measured on the dominant beats", "dominant", "pr", "qrs", "qtc", "axis")
    sides.measured(shown)

widgets.heading("Lead by wave", "evidence_grid", "shared_scale")
sides.matrices(shown, found, key="what if")
widgets.heading("Held against the guideline", "verdict", "region", "control")
sides.verdicts(shown)
