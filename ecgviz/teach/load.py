"""Teaching files in, checked lessons and cases out; every fault names its file and field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from ecgviz import yaml_text
from ecgviz.criteria import load as load_criteria
from ecgviz.errors import TeachingError
from ecgviz.records.load import GROUP, READERS
from ecgviz.registry import available
from ecgviz.simulate import FINDINGS
from ecgviz.teach.schema import Case, CaseFile, Lesson, LessonFile, LookAlike

OURS = Path(__file__).resolve().parent / "catalogue"
CASES = "cases.yaml"

_File = TypeVar("_File", bound=BaseModel)


@dataclass(frozen=True)
class Library:
    """Lessons by id, and cases by id in the order in which they are taught.

    ``paths`` are the recordings of cases that are not simulated, ``licence`` is that of all recordings, ``title`` says
    whose cases these are, and ``folder`` where they lie.
    """

    title: str
    licence: str
    lessons: Mapping[str, Lesson]
    cases: Mapping[str, Case]
    look_alikes: tuple[LookAlike, ...] = ()
    paths: Mapping[str, Path] = field(default_factory=dict)
    folder: Path = OURS

    def case(self, name: str) -> Case:
        """Return one case; raises TeachingError where there is none of that id."""
        if name not in self.cases:
            raise TeachingError(f"there is no case {name!r}; there are {_few(self.cases)}")
        return self.cases[name]

    def lesson(self, name: str) -> Lesson:
        """Return one lesson; raises TeachingError where there is none of that id."""
        if name not in self.lessons:
            raise TeachingError(f"there is no lesson {name!r}; there are {', '.join(self.lessons)}")
        return self.lessons[name]


@lru_cache(maxsize=1)
def lessons() -> Mapping[str, Lesson]:
    """Return the shipped lessons by id, in the order of their files.

    Raises
    ------
    TeachingError
        When a file is malformed, or names a criterion, source, finding or lesson that does not exist.
    """
    read = [one for path in sorted(OURS.glob("lessons_*.yaml")) for one in _read(path, LessonFile).lessons]
    found = _by_id(read, "lessons")
    known = load_criteria()
    for lesson in found.values():
        _check_lesson(lesson, found, known.entries.keys(), known.sources.keys())
        for ref in lesson.criteria:
            keys = {one.key for one in known.entries[ref.entry].definitions}
            if not set(ref.definitions) <= keys:
                raise TeachingError(f"lesson {lesson.id}: {ref.entry} has no definition {set(ref.definitions) - keys}")
    excluded = {
        name: {*one.excludes, *(o.id for o in found.values() if name in o.excludes)} for name, one in found.items()
    }
    return {name: one.model_copy(update={"excludes": tuple(sorted(excluded[name]))}) for name, one in found.items()}


def as_stated(known: Mapping[str, Lesson]) -> dict[str, Lesson]:
    """Return lessons under the names that hold for recorded cases, too: readers state hypertrophy without strain."""
    return {name: one.model_copy(update={"name": one.stated_name or one.name}) for name, one in known.items()}


@lru_cache(maxsize=1)
def shipped_cases() -> Library:
    """Return the shipped lessons, cases and look-alikes; raises TeachingError as `lessons`."""
    return _library(OURS / CASES, "Shipped cases")


def own_cases(folder: Path) -> Library:
    """Return a teacher's own cases: ``cases.yaml`` in ``folder``, with the recordings beside it.

    Raises
    ------
    TeachingError
        When there is none, the file is malformed, or a case names a recording that is not in the folder.
    """
    path = folder / CASES
    if not path.is_file():
        raise TeachingError(f"{folder.name} holds no {CASES}")
    return _library(path, f"Cases of the folder {folder.name}")


def _library(path: Path, title: str) -> Library:
    content = _read(path, CaseFile)
    known = lessons()
    cases = _by_id(content.cases, path.name)
    for case in cases.values():
        for name in (*case.answers, *case.unsettled):
            if name not in known:
                raise TeachingError(f"{path.name}: case {case.id}: there is no lesson {name!r}")
    for pair in content.look_alikes:
        for name in pair.cases:
            if name not in cases:
                raise TeachingError(f"{path.name}: look_alikes: there is no case {name!r}")
    paths = {case.id: _beside(path, case) for case in cases.values() if case.record is not None}
    named = as_stated(known) if paths else known
    return Library(title, content.licence, named, cases, content.look_alikes, paths, path.parent.resolve())


def _beside(path: Path, case: Case) -> Path:
    """Return the recording of a case: one of the names in the folder's own listing, never a path from the file.

    The whole name goes before the name without suffix, for which the header of a recording of many files stands.
    """
    listed = [each for each in path.parent.iterdir() if case.record in (each.name, each.stem)]
    found = [each for each in listed if each.is_file() and not each.is_symlink()]
    known = available(READERS, GROUP)
    readable = [each for each in found if each.name == case.record or each.suffix.lower() in known]
    if readable:
        return min(readable, key=lambda each: (each.name != case.record, each.suffix.lower() != ".hea", each.name))
    raise TeachingError(f"{path.name}: case {case.id} names the recording {case.record!r}, which is not beside it")


def _read(path: Path, kind: type[_File]) -> _File:
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml_text.ours(text) if OURS in path.parents else yaml_text.theirs(text)
        return kind.model_validate(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise TeachingError(f"{path.name}: this is not YAML: {' '.join(str(fault).split())}") from fault
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(map(str, first["loc"])) or "top"
        raise TeachingError(f"{path.name}, field {place}: {yaml_text.wrong_with(first)}") from fault


_Named = TypeVar("_Named", Lesson, Case)


def _by_id(items: Iterable[_Named], where: str) -> dict[str, _Named]:
    found: dict[str, _Named] = {}
    for one in items:
        if one.id in found:
            raise TeachingError(f"{where}: the id {one.id!r} is given twice")
        found[one.id] = one
    return found


def _check_lesson(lesson: Lesson, known: Mapping[str, Lesson], entries: Iterable[str], sources: Iterable[str]) -> None:
    asked = {
        "criterion": ([ref.entry for ref in lesson.criteria], entries),
        "source": (lesson.references, sources),
        "simulated finding": ([lesson.finding], FINDINGS),
        "lesson": (lesson.excludes, known),
    }
    for what, (names, there) in asked.items():
        missing = sorted(set(names) - set(there))
        if missing:
            raise TeachingError(f"lesson {lesson.id}: there is no {what} {missing[0]!r}")


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed) if len(listed) <= 12 else f"{', '.join(listed[:12])} and {len(listed) - 12} more"
