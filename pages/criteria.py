"""Criteria: how a cardiologist reasons about this recording, and whether the model looked where the guideline looks."""

import streamlit as st

from ecgviz.ui import against_guideline, edits, reasoning, widgets
from ecgviz.ui.state import criteria

case = widgets.find_case()
if isinstance(case, str):
    reasoning.without_network(case)
    st.stop()

widgets.verdict(case)
finding = reasoning.pick(case.record, case.label, criteria.findings(case))
if finding is None:
    st.stop()

reasoning.rules(finding)
against_guideline.matrices(case, finding)
against_guideline.controls(case)
against_guideline.tracing(case, finding)
against_guideline.median(case, finding)
against_guideline.methods(case)
edits.evidence(case)
reasoning.caveats(finding)
