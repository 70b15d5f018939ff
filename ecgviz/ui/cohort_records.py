"""The records of a cohort as a table that the store itself sorts and cuts into pages, and the way to one of them."""

from collections.abc import Iterator, Mapping, Sequence

import streamlit as st

from ecgviz.cohort import Cohort
from ecgviz.cohort.question import Question
from ecgviz.errors import EcgvizError
from ecgviz.figures.style import MISSING
from ecgviz.ui import state, widgets, wording
from ecgviz.ui.state import cohort as kept

PAGE_ROWS = 100
COLUMNS: Mapping[str, str] = {
    "record": "record",
    "patient": "patient",
    "age": "age_years",
    "sex": "sex",
    "stated": "stated",
    "called": "called",
    "probability": "probability",
    "verdict": "evidence",
    "who calls it": "who",
    "share": "share",
    "area": "area",
    "above control": "excess",
    "p time": "p_time",
    "p place": "p_place",
    "rate, bpm": "rate_bpm",
    "PR, ms": "pr_ms",
    "QRS, ms": "qrs_ms",
    "QTc, ms": "qtc_bazett_ms",
    "unusable leads": "n_unusable",
    "why": "why",
}
"""Columns of the table by their names for readers: the only ones that a table is ever sorted by."""
WHERE_FROM = "pages/criteria.py"


def n_records(cohort: Cohort, now: str, question: Question) -> int:
    """Return how many records a question is about."""
    condition, parameters = question.condition()
    counted = f"SELECT count(*) AS n FROM cohort WHERE {condition}"  # noqa: S608
    return int(kept.asked(now, counted, tuple(parameters), cohort).n[0])


def same_guideline(cohort: Cohort, now: str, questions: Sequence[Question]) -> bool:
    """Return whether the guideline points somewhere in the same records of all questions."""
    told = set()
    for question in questions:
        condition, parameters = question.condition()
        query = (
            "SELECT count(*) AS n, coalesce(md5(string_agg(record, ' ' ORDER BY record)), '') AS digest "  # noqa: S608
            f"FROM cohort WHERE {condition} AND region IS NOT NULL"
        )
        found = kept.asked(now, query, tuple(parameters), cohort)
        told.add((int(found.n[0]), str(found.digest[0])))
    return len(told) == 1


def listed(cohort: Cohort, now: str, question: Question) -> None:
    """Show one page of the records of a question, sorted by any column, and let the reader open one."""
    n = n_records(cohort, now, question)
    if not n:
        st.info("No record is of this kind.")
        return
    condition, parameters = question.condition()
    left, middle, right = st.columns([3, 2, 2])
    column = str(
        left.selectbox("Sorted by", list(COLUMNS), index=list(COLUMNS).index("above control"), key="cohort sort")
    )
    falling = middle.segmented_control(
        "Order",
        ["largest first", "smallest first"],
        default="largest first",
        required=True,
        key="cohort order",
        wrap=True,
    )
    n_pages = -(-n // PAGE_ROWS)
    page = int(right.number_input(f"Page of {n_pages}", 1, n_pages, 1, key=f"cohort page {n_pages}"))
    order = "DESC" if falling == "largest first" else "ASC"
    names = ", ".join(f'{COLUMNS[name]} AS "{name}"' for name in COLUMNS)
    query = (
        f"SELECT {names} FROM cohort WHERE {condition} "  # noqa: S608
        f"ORDER BY {COLUMNS[column]} {order} NULLS LAST, record LIMIT {PAGE_ROWS} OFFSET ?"
    )
    rows = kept.asked(now, query, (*parameters, (page - 1) * PAGE_ROWS), cohort)
    event = st.dataframe(
        rows.round(4),
        hide_index=True,
        placeholder=MISSING,
        key=f"cohort records {page} {column} {order}",
        on_select="rerun",
        selection_mode="single-row",
        height=420,
    )
    picked = [row for row in event.selection.rows if row < len(rows)]
    widgets.note(f"{n} records of {question.model}; click the box before a row to choose it.")
    open_one(cohort, now, [] if not picked else [str(rows.record[picked[0]])], question, "")


def open_one(cohort: Cohort, now: str, records: Sequence[str], question: Question, choose: str) -> None:
    """Offer to open a record in the other pages, with the network, label and method that were asked of it."""
    known = state.entries()
    if not any(record in known for record in records):
        missing = bool(records)
        st.button("Open it", disabled=True, key="open cohort record")
        if missing:
            folder = (
                "Start with `ecgviz app --cohort STORE --data DIR`, DIR the folder of the recordings, to open them."
            )
            st.markdown(f":small[{folder}]")
        return
    there = [record for record in records if record in known]
    record = str(st.selectbox(choose, there, key="cohort nearest")) if choose else there[0]
    if st.button(f"Open {wording.plain(record)}", type="primary", key="open cohort record"):
        st.switch_page(WHERE_FROM, query_params=dict(kept.address(record, question)))
    for told in _differs(cohort, now, record, question):
        widgets.note(told)


def _differs(cohort: Cohort, now: str, record: str, question: Question) -> Iterator[str]:
    """Yield why the pages may give a record other numbers than its row: another file, or another network by that name.

    A store of PTB-XL is of its 100 Hz files unless another rate was asked for, and the library opens those of 500 Hz.
    """
    asked = "SELECT record_key, fs, settings FROM cohort WHERE record = ? AND model = ? AND method = ? AND label = ?"
    rows = kept.asked(now, asked, (record, question.model, question.method, question.label), cohort)
    opened = state.open_recording(record)
    if rows.empty or isinstance(opened, str):
        return
    row = rows.iloc[0]
    if isinstance(row.record_key, str) and opened.key != row.record_key:
        yield (
            f"The row was worked out from another file of this recording, of {row.fs:g} Hz where the one that opens "
            f"has {opened.fs:g} Hz: numbers differ, and a verdict near a limit may."
        )
    try:
        network = state.model(question.model)
    except EcgvizError:
        return  # the page that opens says so
    if network.digest != cohort.settings[row.settings]["model_digest"]:
        yield f"The row was worked out by another {wording.plain(question.model)}: weights or thresholds have changed."
