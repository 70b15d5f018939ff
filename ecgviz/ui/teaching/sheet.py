"""The recording of a case on paper: without its answer, or annotated with where the finding lies."""

import streamlit as st

from ecgviz import figures
from ecgviz.criteria import union_region
from ecgviz.figures import annotated, tables
from ecgviz.figures.header import SEPARATOR
from ecgviz.figures.heat import Heat
from ecgviz.teach import Opened
from ecgviz.teach.opened import findings_of
from ecgviz.types.paper import SHEET_S
from ecgviz.ui import files, widgets, wording
from ecgviz.ui.teaching import classroom


def heading(opened: Opened, place: str) -> None:
    """Tell what a reader is told: which case, age and sex, and the history."""
    record = opened.record
    sex = {"female": "Woman", "male": "Man"}.get(record.sex or "", "Adult")
    age = "age unknown" if record.age_years is None else f"{record.age_years:.0f} years"
    told = f": {opened.case.history}" if opened.case.history else ""
    st.markdown(f"**{wording.plain(place)}** · {wording.plain(f'{sex}, {age}{told}')}")


def paper(
    opened: Opened,
    *,
    heat: Heat | None = None,
    measured: bool = False,
    key: str = "case",
    shows: files.Shows | None = None,
) -> None:
    """Draw the case; intervals stand above it only where ``measured`` says that they give nothing away any more.

    ``shows`` is what its files tell of it, with the map of a network; without it, its recording alone.
    """
    record = opened.record
    if measured:
        header: tuple[str, ...] = figures.header(record, opened.measured)
    else:
        age = "age unknown" if record.age_years is None else f"{record.age_years:.0f} years"
        simulated = ["simulated recording"] * record.simulated
        header = (SEPARATOR.join([record.id, age, record.sex or "sex unknown", *simulated]),)
    drawn = figures.paper(opened.clean, header=header, footer=figures.footer(record), heat=heat)
    table = tables.sample_table(opened.clean, 0.0, SHEET_S) if heat is None else tables.heat_table(heat)
    classroom.draw(drawn, table, key=f"{key} {opened.case.id}", shows=shows or files.facts(record))
    widgets.note(f"Licence of the recording: {opened.licence}.")


def annotation(opened: Opened) -> Heat | None:
    """Return where the finding lies: as it was planted; of a recorded case, where its met criteria look."""
    if opened.simulation is not None:
        return annotated.from_truth(opened.simulation.truth)
    region = union_region(findings_of(opened.lesson, opened.findings))
    return None if region is None else annotated.from_region(region, opened.beats)


def annotated_paper(opened: Opened, key: str) -> None:
    """Draw the annotated example, or say why there is no place to mark."""
    heat = annotation(opened)
    if heat is None:
        why = (
            "nothing was planted: there is no place to mark"
            if opened.lesson.id == "normal"
            else "a rate or an interval without a place: nothing is marked, read the numbers above the paper"
        )
        widgets.note(f"Annotated example: {why}.")
    elif opened.simulation is None:
        widgets.note("Annotated example: brown where the criteria that are met look. No truth was planted here.")
    else:
        truth = opened.simulation.truth
        share = truth.share_in(truth.guideline_leads)
        told = "" if share != share else f" {100 * share:.0f} % of it lies in the leads that a reader looks at first."
        widgets.note(
            f"Annotated example: brown where this heart differs from the same heart without the finding.{told}"
        )
    paper(opened, heat=heat, measured=True, key=key)
