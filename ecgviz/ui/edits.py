"""Edits as evidence on the page on criteria: what has no mass that a map could show is asked by changing it."""

import pandas as pd
import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.explain.edits import EditEvidence
from ecgviz.types import Case
from ecgviz.ui import state, widgets


def evidence(case: Case) -> None:
    """List what edits of rhythm, rate, P waves and PR do to the logit, beside sham edits, once the reader asks."""
    network = widgets.need_model(state.choice().model)
    title = "Edits: what the model makes of rhythm, rate, P waves and PR"
    with st.expander(title, key=f"edits {case.record.key} {network.digest} {case.label}", on_change="rerun") as box:
        if not box.open:
            return
        try:
            found = state.edited(case.record, network, case.label)
        except EcgvizError as refusal:
            st.warning(widgets.plain(str(refusal)))
            return
        st.dataframe(table(found), hide_index=True)
        widgets.note(
            "An interval, a rate or a missing wave has no mass that a map could fall on. Each edit stands beside ten "
            "sham edits that change the recording as much and leave what is asked about alone: a logit that moves as "
            "far for those says nothing."
        )


def table(found: tuple[EditEvidence, ...]) -> pd.DataFrame:
    """Return a row an edit: the change of the logit, that of the sham edits, and how many of them moved it as far."""
    rows: list[tuple[str, float | None, str, str, str]] = []
    for each in found:
        if each.why:
            rows.append((each.title, None, "", "", each.why))
            continue
        shams = f"{each.sham_mean:+.2f} ± {each.sham_sd:.2f}"
        rows.append(
            (each.title, round(each.change, 2), shams, f"{each.n_as_large} of {len(each.sham_changes)}", each.done)
        )
    return pd.DataFrame(
        rows, columns=["edit", "logit moves by", "by sham edits", "shams that move it as far", "what was done"]
    )
