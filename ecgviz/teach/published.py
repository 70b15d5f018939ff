"""A teacher's own folder as a library of cases: its case file, else what the readers of PTB-XL stated."""

from collections.abc import Mapping
from pathlib import Path

from ecgviz.errors import RecordError, TeachingError
from ecgviz.records import ptbxl
from ecgviz.records.library import open_library as list_recordings
from ecgviz.teach.load import CASES, Library, lessons, own_cases
from ecgviz.teach.schema import Case, Lesson

LICENCE = "CC BY 4.0, PTB-XL, Wagner et al. 2020, doi:10.1038/s41597-020-0495-6"
SURE_PERCENT = 80.0
"""Statements with a smaller likelihood are no answer; 0 means that the reader gave none, and counts as sure."""
MOST = 500
"""Cases that are taken from a folder without case file, by ascending number: lists of a page stay readable."""


def open_library(folder: Path) -> Library:
    """Return the cases of a teacher's folder: those of its ``cases.yaml``, else what PTB-XL's readers stated in it.

    Raises
    ------
    TeachingError
        When the case file is malformed; when there is none, and no recording states a finding that is taught here.
    """
    if (folder / CASES).is_file():
        return own_cases(folder)
    try:
        listed = list_recordings([folder]).entries
    except RecordError as refusal:
        raise TeachingError(str(refusal)) from refusal
    known = lessons()
    cases: dict[str, Case] = {}
    paths: dict[str, Path] = {}
    for entry in listed.values():
        row = None if entry.path is None else ptbxl.find_entry(entry.path.with_suffix(""))
        answers = [] if row is None or row.duplicate else _answers(row, known)
        if row is None or entry.path is None or not answers:
            continue
        cases[entry.id] = _case(entry.id, answers, row, known)
        paths[entry.id] = entry.path
        if len(cases) == MOST:
            break
    if not cases:
        raise TeachingError(
            f"{folder.name} has no {CASES}, and none of its recordings is one of PTB-XL whose readers state a finding "
            "that is taught here"
        )
    return Library(f"PTB-XL in {folder.name}", LICENCE, known, cases, paths=paths, folder=folder.resolve())


def _answers(row: ptbxl.Entry, known: Mapping[str, Lesson]) -> list[str]:
    """Return the lessons that the statements of one recording name; an infarct of unknown stage names none."""
    sure = {code for code, likelihood in row.scp_codes.items() if likelihood == 0 or likelihood >= SURE_PERCENT}
    return [
        one.id
        for one in known.values()
        if sure & set(one.statements) and (not one.stages or set(one.stages) & set(row.infarct_stages))
    ]


def _case(name: str, answers: list[str], row: ptbxl.Entry, known: Mapping[str, Lesson]) -> Case:
    taught = {code for one in answers for code in known[one].statements}
    others = sorted(set(row.scp_codes) - taught)
    point = f"Its readers also stated {', '.join(others)}, which is not part of the answer." if others else ""
    return Case(id=name, lesson=answers[0], also=tuple(answers[1:]), level=2, point=point[:400], record=name)
