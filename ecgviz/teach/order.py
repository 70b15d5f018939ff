"""Which cases come next: in sequence, at random, by diagnosis, from a list of one's own, or those that are due."""

import re
from collections.abc import Collection, Sequence

import numpy as np

from ecgviz.errors import TeachingError
from ecgviz.teach.history import case_of
from ecgviz.teach.load import Library

ENTRIES = ("In sequence", "At random", "By diagnosis", "Own list", "Due for repeat")


def in_sequence(library: Library, levels: Collection[int]) -> tuple[str, ...]:
    """Return the ids of all cases of the levels, as the library orders them."""
    return tuple(name for name, case in library.cases.items() if case.level in levels)


def at_random(library: Library, levels: Collection[int], seed: int) -> tuple[str, ...]:
    """Return the same cases in an order that ``seed`` alone decides."""
    names = in_sequence(library, levels)
    return tuple(names[i] for i in np.random.default_rng(seed).permutation(len(names)))


def by_diagnosis(library: Library, levels: Collection[int], lessons: Collection[str]) -> tuple[str, ...]:
    """Return the cases of the levels of which one of ``lessons`` is true."""
    return tuple(name for name in in_sequence(library, levels) if set(library.cases[name].answers) & set(lessons))


def own_list(library: Library, text: str) -> tuple[str, ...]:
    """Return the cases that a teacher typed, in that order: ids apart by spaces, commas or lines.

    A number stands for the case whose id ends in it: "7" for "007", "30" for "ptbxl-00030".

    Raises
    ------
    TeachingError
        For an id that the library does not have, or a number in which several ids end.
    """
    asked = [part.lower() for part in re.split(r"[\s,;]+", text.strip()) if part]
    return tuple(dict.fromkeys(_typed(library, part) for part in asked))


def _typed(library: Library, part: str) -> str:
    if not part.isdigit():
        return library.case(part).id
    exact = [each for each in (part, part.zfill(3)) if each in library.cases]
    found = exact[:1] or _numbered(library, part.lstrip("0"))
    if len(found) > 1:
        raise TeachingError(f"the number {part!r} is that of several cases: {', '.join(found)}")
    return library.case(found[0] if found else part).id


def _numbered(library: Library, number: str) -> list[str]:
    ends = {name: re.search(r"[0-9]+$", name) for name in library.cases}
    return [name for name, end in ends.items() if end is not None and end[0].lstrip("0") == number]


def those_due(library: Library, due: Sequence[str], levels: Collection[int]) -> tuple[str, ...]:
    """Return which of the ``due`` cases, named as in a history, this library has at the levels; longest due first."""
    names = (case_of(library, kept) for kept in due)
    return tuple(name for name in names if name is not None and library.cases[name].level in levels)
