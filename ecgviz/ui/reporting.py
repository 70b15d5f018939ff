"""What the Report page is made of: one case as a file to keep, and the commands that make and verify the same."""

import re
from functools import partial

import streamlit as st

from ecgviz import glossary
from ecgviz.report import render, render_pdf
from ecgviz.types import Case
from ecgviz.ui import marks, state, viewing, widgets, wording
from ecgviz.ui.state import looking


def need_case() -> Case:
    """Return the case of what was chosen; where the network or the method refuses it, say why and end the page."""
    found = widgets.find_case()
    if isinstance(found, str):
        st.error(wording.plain(found))
        widgets.note(
            "A report is about what a network says and where it looked, so there is none without it. What was measured "
            "is on the Record page, and what published criteria make of it on the Criteria page."
        )
        st.stop()
    return found


def downloads(case: Case) -> None:
    """Offer the report as PDF and HTML; a file is made when it is asked for."""
    form = looking.view().form
    name = re.sub(r"[^\w.-]+", "-", f"{case.record.id}-{case.label}-{case.explanation.method}")
    left, right, _ = st.columns([2, 2, 1])
    left.download_button(
        "PDF, A4 landscape",
        partial(render_pdf, case, form),
        f"{name}.pdf",
        "application/pdf",
        type="primary",
        width="stretch",
        key="report pdf",
        help="Vectors only, true to the millimetre when printed at 100 %: 250 mm for 10 s at 25 mm/s.",
    )
    right.download_button(
        "HTML, one file",
        partial(render, case, form),
        f"{name}.html",
        "text/html",
        width="stretch",
        key="report html",
        help="Needs nothing else: no script, no link, nothing fetched.",
    )
    widgets.note(f"Its tracings are laid out as under Paper and colours on the left: {viewing.in_words(form)}.")


def commands(case: Case) -> None:
    """Show the commands that make the same case and compute it again, where a command can open the recording."""
    st.markdown("**The same on the command line**", help=glossary.define("case", "provenance"))
    source = state.choice().link
    if source is None or not source.startswith("demo:") or case.record.altered:
        widgets.note("Give the path of the recording in place of RECORD; what was edited here is not edited there.")
        source = "RECORD"
    with_marks = ""
    if case.beats.edits:
        name = marks.file_name(case.record)
        with_marks = f" --marks {name}"
        widgets.note(f"Marks were changed here: download them on the Beats page, as {wording.plain(name)}.")
    method, model = case.explanation.method, case.provenance["model"]
    st.code(
        f"ecgviz explain {source} --model {model} --label {case.label} --method {method}{with_marks} --out case\n"
        "ecgviz report case --out report.pdf\necgviz verify case",
        language=None,
        wrap_lines=True,
    )
