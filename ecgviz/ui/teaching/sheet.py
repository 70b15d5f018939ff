"""The recording of a case on paper: without its answer, or annotated with where the finding lies."""

from dataclasses import replace

import streamlit as st

from ecgviz import figures
from ecgviz.figures import annotated, tables
from ecgviz.figures.header import SEPARATOR
from ecgviz.figures.heat import Heat
from ecgviz.teach import Opened
from ecgviz.teach.opened import findings_of
from ecgviz.types import Record
from ecgviz.types.paper import SHEET_S
from ecgviz.ui import files, widgets, wording
from ecgviz.ui.teaching import classroom

ADULT_YEARS = 18
"""Who is younger is a girl or a boy."""
LEGEND_LETTERS = 80
"""So much of a region's text stands above the paper in a narrow window; of a longer one the entries' names do."""


def heading(opened: Opened, place: str) -> None:
    """Tell what a reader is told: which case, age and sex, and the history."""
    told = f": {opened.case.history}" if opened.case.history else ""
    st.markdown(f"**{wording.plain(place)}** · {wording.plain(f'{who(opened.record)}{told}')}")


def window(opened: Opened) -> float:
    """Let the reader page through a case that is longer than a sheet; return where all its sheets begin, seconds."""
    return widgets.window_start(opened.record, SHEET_S)


def who(record: Record) -> str:
    """Return whose recording it is: woman, man, girl or boy, with the age."""
    child = record.age_years is not None and record.age_years < ADULT_YEARS
    names = {"female": "Girl", "male": "Boy"} if child else {"female": "Woman", "male": "Man"}
    return f"{names.get(record.sex or '', 'Child' if child else 'Adult')}, {_age(record)}"


def _age(record: Record) -> str:
    """Return an age in whole years, as it is counted: who is nearly 18 is 17."""
    return "age unknown" if record.age_years is None else f"{int(record.age_years)} years"


def paper(
    opened: Opened,
    start_s: float,
    *,
    heat: Heat | None = None,
    measured: bool = False,
    key: str = "case",
    shows: files.Shows | None = None,
) -> None:
    """Draw the case from ``start_s`` on.

    Intervals stand above it only where ``measured`` says that they give nothing away any more. ``shows`` is what its
    files tell of it, with the map of a network; without it, its recording alone.
    """
    record = opened.record
    if measured:
        header: tuple[str, ...] = figures.header(record, opened.measured)
    else:
        simulated = ["simulated recording"] * record.simulated
        header = (SEPARATOR.join([record.id, _age(record), record.sex or "sex unknown", *simulated]),)
    drawn = figures.paper(opened.clean, start_s=start_s, header=header, footer=figures.footer(record), heat=heat)
    table = tables.sample_table(opened.clean, start_s, start_s + SHEET_S) if heat is None else tables.heat_table(heat)
    classroom.draw(drawn, table, key=f"{key} {opened.case.id}", shows=shows or files.facts(record))
    widgets.note(f"Licence of the recording: {opened.licence}.")


def annotation(opened: Opened) -> Heat | None:
    """Return where the finding lies: as planted; of a recorded case, where the met criteria of all its answers look."""
    if opened.simulation is not None:
        return annotated.from_truth(opened.simulation.truth)
    region = opened.place()
    if region is None:
        return None
    if len(region.text) > LEGEND_LETTERS:
        region = replace(region, text=", ".join(_codes(opened)))
    return annotated.from_region(region, opened.beats)


def _codes(opened: Opened) -> list[str]:
    """Return which entries of the catalogue give a case its place."""
    found = [each for one in opened.lessons for each in findings_of(one, opened.findings)]
    return list(dict.fromkeys(each.criterion for each in found if each.state == "met" and "primary" in each.regions))


def _why_nowhere(opened: Opened) -> str:
    """Return why a case has no place to mark."""
    if opened.case.answers == ("normal",):
        why = "a normal ECG" if opened.simulation is None else "nothing was planted"
        return f"{why}: there is no place to mark"
    if opened.simulation is None and opened.unmet:
        of = "" if len(opened.lessons) == 1 else f" of {', '.join(one.name for one in opened.unmet)}"
        return (
            f"criteria mark the place in a recorded case, and no definition{of} is met here, so that no place is marked"
        )
    return "a rate or an interval without a place: nothing is marked, read the numbers above the paper"


def annotated_paper(opened: Opened, start_s: float, key: str) -> None:
    """Draw the annotated example, or say why there is no place to mark."""
    heat = annotation(opened)
    if heat is None:
        widgets.note(f"Annotated example: {_why_nowhere(opened)}.")
    elif opened.simulation is None:
        widgets.note("Annotated example: brown where the criteria that are met look. No truth was planted here.")
    else:
        truth = opened.simulation.truth
        share = truth.share_in(truth.guideline_leads)
        told = "" if share != share else f" {100 * share:.0f} % of it lies in the leads that a reader looks at first."
        widgets.note(
            f"Annotated example: brown where this heart differs from the same heart without the finding.{told}"
        )
    paper(opened, start_s, heat=heat, measured=True, key=key)
