"""Which cases come next: in sequence, at random, by diagnosis, from a list of one's own, or those that are due."""

import re
from collections.abc import Collection, Sequence

import numpy as np

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
    """Return the cases that a teacher typed, in that order: ids apart by spaces, commas or lines; "7" is "007".

    Raises
    ------
    TeachingError
        For an id that the library does not have.
    """
    asked = [part.lower() for part in re.split(r"[\s,;]+", text.strip()) if part]
    names = [part if part in library.cases or not part.isdigit() else part.zfill(3) for part in asked]
    return tuple(dict.fromkeys(library.case(name).id for name in names))


def those_due(library: Library, due: Sequence[str], levels: Collection[int]) -> tuple[str, ...]:
    """Return which of the ``due`` cases, named as in a history, this library has at the levels; longest due first."""
    names = (case_of(library, kept) for kept in due)
    return tuple(name for name in names if name is not None and library.cases[name].level in levels)
