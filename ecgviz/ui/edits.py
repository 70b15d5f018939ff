"""Edits as evidence on the page on criteria: what has no mass that a map could show is asked by changing it."""

import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.figures.edits import edits_figure, edits_table
from ecgviz.figures.style import MISSING
from ecgviz.types import Case
from ecgviz.ui import files, state, widgets, wording


def evidence(case: Case) -> None:
    """Show what edits of rhythm, rate, P waves and PR do to the logit, beside sham edits, once the reader asks."""
    network = widgets.need_model(state.choice().model)
    title = "Edits: what the model makes of rhythm, rate, P waves and PR"
    with st.expander(title, key=f"edits {case.record.key} {network.digest} {case.label}", on_change="rerun") as box:
        if not box.open:
            return
        try:
            found = state.edited(case.record, network, case.label)
        except EcgvizError as refusal:
            st.warning(wording.plain(str(refusal)))
            return
        drawn = edits_figure(found, title=f"Change of the logit of {case.label}")
        if drawn is None:
            st.dataframe(edits_table(found), hide_index=True, placeholder=MISSING)
        else:
            shows = files.facts(case.record, network, label=case.label)
            widgets.draw(drawn, edits_table(found), key=f"edits of {case.label}", shows=shows)
        widgets.note(
            "An interval, a rate or a missing wave has no mass that a map could fall on. Each edit stands beside ten "
            "sham edits that leave what is asked about alone, and change the recording as much, or more where it says "
            "so: a logit that moves as far for those says nothing."
        )
