"""A teacher's own folder as a library of cases: its case file, else what the readers of PTB-XL stated."""

from collections.abc import Collection, Mapping
from pathlib import Path

from ecgviz.errors import EcgvizError, RecordError, TeachingError
from ecgviz.records import ptbxl
from ecgviz.records.library import open_library as list_recordings
from ecgviz.records.load import load_record
from ecgviz.teach.load import CASES, Library, as_stated, lessons, own_cases
from ecgviz.teach.opened import examined, is_met
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
    known = as_stated(lessons())
    cases: dict[str, Case] = {}
    paths: dict[str, Path] = {}
    for entry in listed.values():
        row = None if entry.path is None else ptbxl.find_entry(entry.path.with_suffix(""))
        if row is None or entry.path is None or row.duplicate:
            continue
        answers, unsettled = _answers(row, entry.path, known)
        if not answers:
            continue
        cases[entry.id] = _case(entry.id, answers, unsettled, row, known)
        paths[entry.id] = entry.path
        if len(cases) == MOST:
            break
    if not cases:
        raise TeachingError(
            f"{folder.name} has no {CASES}, and none of its recordings is one of PTB-XL whose readers state a finding "
            "that is taught here"
        )
    return Library(f"PTB-XL in {folder.name}", LICENCE, known, cases, paths=paths, folder=folder.resolve())


def _answers(row: ptbxl.Entry, path: Path, known: Mapping[str, Lesson]) -> tuple[list[str], list[str]]:
    """Return the lessons that the statements of one recording name, and those that they leave open.

    A statement that names several lessons proves that one of them or more are there ("ischaemic ST-T changes", or an
    infarct between two stages): those of them are named whose criteria are met on the recording, or that another
    statement names alone. Where there is none, all of them are left open. An infarct of unknown stage names no lesson.
    """
    named = {tuple(_named(code, row, known)) for code in _sure(row)}
    settled = {name for names in named for name in names if len(names) == 1}
    asked = {name for names in named for name in names} - settled
    settled |= _met(path, [known[name] for name in asked]) if asked else set()
    left = {name for names in named if not settled & set(names) for name in names}
    return [name for name in known if name in settled], [name for name in known if name in left]


def _sure(row: ptbxl.Entry) -> set[str]:
    return {code for code, likelihood in row.scp_codes.items() if likelihood == 0 or likelihood >= SURE_PERCENT}


def _named(code: str, row: ptbxl.Entry, known: Mapping[str, Lesson]) -> list[str]:
    """Return the lessons that one statement names in a row."""
    stages = set(row.infarct_stages)
    return [one.id for one in known.values() if code in one.statements and (not one.stages or stages & set(one.stages))]


def _met(path: Path, asked: Collection[Lesson]) -> set[str]:
    """Return the lessons whose criteria are met on a recording; none where it cannot be read or measured."""
    try:
        findings = examined(load_record(path))[-1]
    except EcgvizError:
        return set()
    return {one.id for one in asked if is_met(one, findings)}


def _case(name: str, answers: list[str], unsettled: list[str], row: ptbxl.Entry, known: Mapping[str, Lesson]) -> Case:
    taught = {code for one in answers for code in known[one].statements}
    others = sorted(set(row.scp_codes) - taught)
    point = f"Its readers also stated {', '.join(others)}, which is not part of the answer." if others else ""
    if unsettled:
        either = ", ".join(known[one].name for one in unsettled)
        point += f" They leave open which of these they mean: {either}. The criteria of none are met."
    return Case(
        id=name,
        lesson=answers[0],
        also=tuple(answers[1:]),
        level=2,
        point=point.strip()[:400],
        record=name,
        unsettled=tuple(unsettled),
        stated=(*sorted(_sure(row)), *row.superclasses),
    )
