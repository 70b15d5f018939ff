"""A case made ready to be read: its recording, what is measured on it, and which lessons hold by published criteria."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ecgviz.beats import delineate
from ecgviz.criteria import evaluate_all, union_region
from ecgviz.errors import EcgvizError, TeachingError
from ecgviz.measure import measure
from ecgviz.records.load import load_record
from ecgviz.signal import condition
from ecgviz.simulate import Simulation, simulate
from ecgviz.teach.load import Library
from ecgviz.teach.schema import Case, Lesson
from ecgviz.types import Beats, Finding, Measurements, Record, Region

FS, DURATION_S = 500.0, 10.0
"""Every simulated case is ten seconds at 500 Hz, as a resting ECG is recorded."""


@dataclass(frozen=True, eq=False)
class Opened:
    """One case on its recording.

    ``record`` carries the id of the case, and no statement that gives the answer away. ``simulation`` is None for a
    recorded case. ``findings`` are those of the whole catalogue, ``met`` the ids of all lessons whose criteria are met.
    ``lessons`` are all that are true of it, ``lesson`` the first of them.
    """

    case: Case
    lesson: Lesson
    record: Record
    clean: Record
    beats: Beats
    measured: Measurements
    findings: tuple[Finding, ...]
    met: tuple[str, ...]
    simulation: Simulation | None
    licence: str
    lessons: tuple[Lesson, ...]

    @property
    def unmet(self) -> tuple[Lesson, ...]:
        """Lessons that are true of this case though no published definition of them is met."""
        return tuple(one for one in self.lessons if one.id not in self.met)

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Ids of lessons that are not held against a learner: criteria are met, or readers left them open."""
        return tuple(dict.fromkeys((*self.met, *self.case.unsettled)))

    def place(self, lessons: Sequence[Lesson] | None = None) -> Region | None:
        """Return where the met criteria of all answers, or of ``lessons``, look first; None where they name no place.

        Each lesson counts by itself: what one of them explains in another is no reason to leave that out.
        """
        asked = self.lessons if lessons is None else lessons
        each = [union_region(findings_of(one, self.findings)) for one in asked]
        places = [one for one in each if one is not None]
        if not places:
            return None
        text = " + ".join(dict.fromkeys(one.text for one in places))
        return replace(places[0], weight=np.max([one.weight for one in places], axis=0), text=text)


def open_case(library: Library, name: str, *, severity: float | None = None) -> Opened:
    """Read or simulate the recording of a case, and hold it against every criterion.

    Parameters
    ----------
    library : Library
    name : str
        Id of one of its cases.
    severity : float, optional
        Plant the finding in the same patient at another severity; simulated cases only.

    Raises
    ------
    TeachingError
        When there is no such case, or the recording cannot be read or simulated as the case says.
    """
    case = library.case(name)
    lesson = library.lesson(case.lesson)
    try:
        made = None if case.simulate is None else _simulate(case, lesson, severity)
        given = _recorded(library, case) if made is None else made.record
        clean, beats, measured, findings = examined(given)
    except TeachingError:
        raise
    except EcgvizError as refusal:
        raise TeachingError(f"case {name}: {refusal}") from refusal
    hidden: dict[str, Any] = {"id": f"case {name}", "codes": (), "infarct_stages": _stages(library, case, given)}
    if made is not None:
        hidden["assumptions"] = ("simulated for teaching; no patient was recorded",)
    return Opened(
        case=case,
        lesson=lesson,
        record=replace(given, **hidden),
        clean=replace(clean, **hidden),
        beats=beats,
        measured=measured,
        findings=findings,
        met=tuple(one.id for one in library.lessons.values() if is_met(one, findings)),
        simulation=made,
        licence=library.licence,
        lessons=tuple(library.lesson(one) for one in case.answers),
    )


def _stages(library: Library, case: Case, given: Record) -> tuple[str, ...]:
    """Return the stages that the answers allow: those of them that the recording states, all where it states none."""
    told = sorted({stage for one in case.answers for stage in library.lesson(one).stages})
    return tuple(stage for stage in told if stage in given.infarct_stages) or tuple(told)


def examined(given: Record) -> tuple[Record, Beats, Measurements, tuple[Finding, ...]]:
    """Return a recording filtered, with its beats, what is measured on it, and all findings; raises EcgvizError."""
    clean = condition(given)
    beats = delineate(clean)
    measured = measure(clean, beats)
    return clean, beats, measured, evaluate_all(measured, beats, age_years=given.age_years, sex=given.sex)


def _simulate(case: Case, lesson: Lesson, severity: float | None) -> Simulation:
    asked = case.simulate
    assert asked is not None  # noqa: S101 - `open_case` asks only for simulated cases
    return simulate(
        lesson.finding,
        seed=asked.seed,
        fs=FS,
        duration_s=DURATION_S,
        severity=asked.severity if severity is None else severity,
        heart_rate_bpm=asked.heart_rate_bpm,
        sex=asked.sex,
        age_years=asked.age_years,
    )


def _recorded(library: Library, case: Case) -> Record:
    return load_record(library.paths[case.id])


def findings_of(lesson: Lesson, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings that a lesson speaks of, in the order of its criteria."""
    wanted = {ref.entry: ref.definitions for ref in lesson.criteria}
    return tuple(
        found
        for found in findings
        if found.criterion in wanted and (not wanted[found.criterion] or found.definition in wanted[found.criterion])
    )


def is_met(lesson: Lesson, findings: Sequence[Finding]) -> bool:
    """Return whether any published definition of a lesson is met."""
    return any(found.state == "met" for found in findings_of(lesson, findings))
