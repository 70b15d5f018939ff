"""What the Beats page shares with nobody: pickers of kind and lead, and the table in which a reader changes marks."""

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from ecgviz.edit import COLUMNS, NAMES, to_csv
from ecgviz.measure import MedianBeat
from ecgviz.types import KINDS, Record
from ecgviz.ui import files, state, widgets, wording

_STEP_S = 0.001
_ROW_PX = 35


def kind_picker(reading: state.Reading) -> tuple[str, MedianBeat] | None:
    """Let the reader pick the kind of beat whose median is shown, where there are several; None without any."""
    kinds = list(reading.medians)
    if not kinds:
        return None
    usual = dominant_kind(reading)
    first = usual if usual in kinds else kinds[0]
    kind = first
    if len(kinds) > 1:
        kind = st.segmented_control(
            "Median of the beats of kind",
            kinds,
            default=first,
            required=True,
            key=f"kind {reading.clean.key}",
            format_func=wording.readable,
        )
    return (kind, reading.medians[kind]) if kind in kinds else (first, reading.medians[first])


def dominant_kind(reading: state.Reading) -> str:
    """Return the kind that most whole beats have, "" without beats."""
    kinds = [kind for kind, same in zip(reading.beats.kind, reading.beats.dominant, strict=True) if same]
    return kinds[0] if kinds else ""


def lead_picker(record: Record) -> str:
    """Let the reader pick the lead of the rhythm strip; lead II at first, where there is one."""
    first = record.leads.index("II") if "II" in record.leads else 0
    return st.selectbox("Lead of the rhythm strip", record.leads, index=first, key=f"strip {record.key}", width=240)


def editor(record: Record) -> None:
    """Show every beat's kind and marks to be changed, apply what the reader changed, and offer the same as a file."""
    table = state.marks(record)
    if table.empty:
        return
    st.markdown("**Move or delete marks**")
    widgets.note(
        "Seconds from the start of the recording. Empty a mark to take its wave out, "
        "empty an R peak to take the beat out. All pages are then computed anew from these marks, and say so."
    )
    changed = state.edits(record)
    after = st.data_editor(
        table,
        key=f"marks {record.key} {state.marks_digest(record)}",
        hide_index=True,
        num_rows="fixed",
        height=_ROW_PX * (min(len(table), 12) + 1) + 3,
        column_config=_columns(record),
        disabled=["beat"],
        on_change="ignore",
    )
    apply = st.button("Apply the changes", type="primary", key="apply marks")
    if apply:
        refusal = state.change_marks(record, after)
        if refusal:
            st.error(wording.plain(f"Not applied: {refusal}."))
        else:
            st.rerun()
    _leave_or_reset(record, table)
    if changed is not None:
        widgets.sentences("Changed by a reader", changed.edits, "Nothing.")


def _leave_or_reset(record: Record, table: pd.DataFrame) -> None:
    """Offer the marks as a file that says whose they are, and the way back to the automatic ones."""
    left, right, _ = st.columns([2, 2, 1])
    left.download_button(
        "Download these marks",
        partial(files.told_above, to_csv(table), "Marks of P, QRS and T", files.facts(record)),
        file_name(record),
        "text/csv",
        width="stretch",
        key="download marks",
        on_click="ignore",
    )
    right.button(
        "Back to the automatic marks",
        disabled=state.edits(record) is None,
        on_click=state.reset_marks,
        args=(record,),
        width="stretch",
        key="reset marks",
    )


def file_name(record: Record) -> str:
    """Return the name of the file of a recording's marks."""
    return f"{files.name_of(record, 'marks')}.csv"


def _columns(record: Record) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "beat": st.column_config.NumberColumn("Beat", width="small"),
        "kind": st.column_config.SelectboxColumn(
            "Kind", options=list(KINDS), required=True, format_func=lambda kind: wording.readable(str(kind))
        ),
    }
    for mark in COLUMNS[2:]:
        columns[mark] = st.column_config.NumberColumn(
            NAMES[mark], min_value=0.0, max_value=record.duration_s, step=_STEP_S, format="%.3f"
        )
    return columns
