"""Whether cases hold what they promise: readable, measured, unlike what they resemble, and with references."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ecgviz.criteria import load as load_criteria
from ecgviz.errors import TeachingError
from ecgviz.teach.load import Library
from ecgviz.teach.opened import Opened, findings_of, is_met, open_case
from ecgviz.teach.schema import Lesson


@dataclass(frozen=True)
class Verdict:
    """One case under check: ``faults`` are sentences, empty when the case holds."""

    case: str
    lesson: str
    level: int
    faults: tuple[str, ...]


def check_lessons(lessons: Iterable[Lesson]) -> tuple[str, ...]:
    """Return a sentence for each lesson without a reference that has a DOI."""
    sources = load_criteria().sources
    return tuple(
        f"lesson {one.id}: none of its references has a DOI"
        for one in lessons
        if not any(sources[key].doi for key in one.references)
    )


def check_cases(
    library: Library, names: Sequence[str], progress: Callable[[int, int], None] = lambda done, total: None
) -> tuple[Verdict, ...]:
    """Open cases, and hold each against its own criteria and those of its look-alikes.

    A simulated case must meet a published definition of its lesson by what is measured on it; what it is shown beside
    must not be met on it. Of a recorded case its readers are the authority: a definition that is not met there is no
    fault.

    Parameters
    ----------
    library : Library
    names : sequence of str
        Ids of the cases to check.
    progress : callable
        Called with cases done and cases in all.

    Raises
    ------
    TeachingError
        For an id that the library does not have.
    """
    verdicts = []
    for done, name in enumerate(names):
        case = library.case(name)
        try:
            faults = tuple(_faults(library, open_case(library, name)))
        except TeachingError as refusal:
            faults = (str(refusal),)
        verdicts.append(Verdict(name, case.lesson, case.level, faults))
        progress(done + 1, len(names))
    return tuple(verdicts)


def _faults(library: Library, opened: Opened) -> Iterable[str]:
    if not len(opened.beats):
        yield f"no beats were found: {opened.beats.reason}"
        return
    if opened.simulation is not None:
        for name in opened.case.answers:
            lesson = library.lesson(name)
            if not is_met(lesson, opened.findings):
                whys = "; ".join(found.why for found in findings_of(lesson, opened.findings))
                yield f"{lesson.name} is not measured: {whys}"
    for pair in library.look_alikes:
        if opened.case.id in pair.cases:
            other = library.lesson(library.case(next(one for one in pair.cases if one != opened.case.id)).lesson)
            if is_met(other, opened.findings):
                yield f"it is shown as a look-alike of {other.name}, whose criteria are met on it"
