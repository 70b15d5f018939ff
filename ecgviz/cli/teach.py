"""``teach``: the cases of the Teaching page, listed, shown and checked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgviz.cli.arguments import Json
from ecgviz.cli.console import counted, write_json, write_lines, write_table
from ecgviz.errors import TeachingError

if TYPE_CHECKING:
    from ecgviz.teach import Lesson, Library

Cases = Annotated[
    Path | None,
    typer.Option("--cases", metavar="DIR", help="A folder with cases.yaml and its recordings, or of PTB-XL."),
]


def listed(folder: Cases = None, as_json: Json = False) -> None:
    """List the cases: their answers, level, and what a reader is told."""
    library = _library(folder)
    answers = {one.id: [library.lessons[each].name for each in one.answers] for one in library.cases.values()}
    if as_json:
        cases = [
            {"id": one.id, "answers": answers[one.id], "level": one.level, "history": one.history}
            for one in library.cases.values()
        ]
        return write_json({"licence": library.licence, "cases": cases})
    rows = [(one.id, ", ".join(answers[one.id]), str(one.level), one.history) for one in library.cases.values()]
    write_table(f"{library.title}: {len(rows)} cases", ("case", "answer", "level", "history"), rows)
    write_lines(f"Licence: {library.licence}")
    return None


def show(
    name: Annotated[str, typer.Argument(metavar="CASE", help="Id of a case, as ecgviz teach list gives it.")],
    folder: Cases = None,
    as_json: Json = False,
) -> None:
    """Show one case in its five parts, with what is measured on it beside each published limit."""
    from ecgviz.criteria import load
    from ecgviz.teach import open_case
    from ecgviz.teach.opened import findings_of

    library = _library(folder)
    opened = open_case(library, name)
    sources = load().sources
    cited = dict.fromkeys(sources[key].full for one in opened.lessons for key in one.references)
    found = [finding for one in opened.lessons for finding in findings_of(one, opened.findings)]
    if as_json:
        verdicts = [
            {"criterion": f.criterion, "definition": f.definition, "state": f.state, "why": f.why} for f in found
        ]
        return write_json(
            {
                "case": opened.case.model_dump(mode="json"),
                "lessons": [one.model_dump(mode="json") for one in opened.lessons],
                "findings": verdicts,
                "references": list(cited),
                "licence": opened.licence,
            }
        )
    write_lines(f"Case {opened.case.id}: {', '.join(one.name for one in opened.lessons)}")
    write_lines(*(line for one in opened.lessons for line in _words(one, named=len(opened.lessons) > 1)))
    if opened.case.point:
        write_lines(f"This case: {opened.case.point}")
    rows = [(f.criterion, f.definition, f.state.replace("_", " "), f.why) for f in found]
    write_table("Criteria", ("criterion", "definition", "state", "why"), rows)
    write_lines(*(f"Reference: {each}" for each in cited), f"Licence: {opened.licence}")
    return None


def _words(lesson: "Lesson", *, named: bool) -> list[str]:
    """Return the parts of a lesson that are words, with its name where a case has several."""
    of = f", {lesson.name}" if named else ""
    return [
        f"What it is{of} ({lesson.review}): {lesson.what}",
        f"Where to look{of}: {lesson.look}",
        f"Causes{of}: {lesson.causes}",
    ]


def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Ids of cases; all when left out.")
    ] = None,
    folder: Cases = None,
    as_json: Json = False,
) -> None:
    """Check that every case can be opened, that its finding is measured, and that its references are there."""
    from ecgviz.teach.check import check_cases, check_lessons

    library = _library(folder)
    of_lessons = check_lessons(library.lessons.values())
    with counted("Cases") as progress:
        verdicts = check_cases(library, names or list(library.cases), progress)
    failed = [one for one in verdicts if one.faults]
    if as_json:
        checked: list[dict[str, Any]] = [
            {"case": one.case, "lesson": one.lesson, "level": one.level, "faults": list(one.faults)} for one in verdicts
        ]
        write_json({"cases": checked, "lessons": list(of_lessons)})
    else:
        write_lines(*of_lessons, *(f"case {one.case}: {fault}" for one in failed for fault in one.faults))
        write_lines(f"{len(verdicts) - len(failed)} of {len(verdicts)} cases hold")
    if failed or of_lessons:
        raise TeachingError(f"{len(failed)} of {len(verdicts)} cases do not hold what they promise")


def _library(folder: Path | None) -> "Library":
    from ecgviz.teach import open_library, shipped_cases

    return shipped_cases() if folder is None else open_library(folder)
