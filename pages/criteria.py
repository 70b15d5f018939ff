"""Criteria: how a cardiologist reasons about this recording, and whether the model looked where the guideline looks."""

import streamlit as st

from ecgviz.ui import against_guideline, edits, reasoning, widgets

case = widgets.need_case()

widgets.verdict(case)
finding = reasoning.pick(case)
if finding is None:
    st.info("The catalogue holds no criterion for this label yet, so there is nothing to hold the model against.")
    st.stop()

reasoning.rules(finding)
against_guideline.matrices(case, finding)
against_guideline.controls(case)
against_guideline.tracing(case, finding)
against_guideline.median(case, finding)
against_guideline.methods(case)
edits.evidence(case)
reasoning.caveats(finding)
