"""Criteria: what the guideline says of this recording, and whether the model looked where it looks."""

import streamlit as st

from ecgviz import figures
from ecgviz.figures import tables
from ecgviz.ui import edits, widgets, words

widgets.title("Criteria", "Each published rule with its measured value; then the model's evidence on the same cells.")
case = widgets.need_case()
grid, leads = case.grid, case.grid.leads

widgets.verdict(case)
finding = widgets.finding_picker(case)
if finding is None:
    st.info("The catalogue holds no criterion for this label yet, so there is nothing to hold the model against.")
    st.stop()

st.table(tables.rule_table(finding), hide_index=True)
edits.evidence(case)
widgets.sentences("Caveats", finding.caveats, "None stated.")

left, right = st.columns(2)
rows = leads or case.record.leads
with left:
    place = figures.region_matrix(finding.regions, rows, title="Where the guideline looks")
    widgets.draw(place, tables.region_table(finding.regions), key="region")
with right:
    if grid.beat() is None or not len(case.beats):
        st.info("This map has no time axis or the recording no beats: there are no waves to compare on.")
    else:
        framed = figures.framed_cells(finding.regions, leads)
        title = f"Where the model looked: share of {words.mass(grid)}, %"
        below = (
            "framed: where the guideline looks first" if framed is not None else "the guideline names no first place"
        )
        matrix = figures.wave_matrix(grid.beat(), leads, title=title, outlined=framed, below=below)
        widgets.draw(matrix, tables.matrix_table(grid.beat(), leads), key="model matrix")

if case.agreement.controls:
    st.markdown(f"**What trivial maps get in the same region** ({widgets.plain(case.agreement.criterion)})")
    st.table(tables.control_table(case.agreement), hide_index=True)
    widgets.note(words.nulls(case.agreement))
