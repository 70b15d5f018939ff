"""Which wave that was found is which wave that was marked, and what is left over on either side."""

from dataclasses import dataclass

import numpy as np

from ecgviz.types.arrays import FloatArray
from ecgviz.validate.marked import place

REACH_S = 0.150
"""A found wave may lie this far from the marked one; AAMI's window for QRS complexes (ANSI/AAMI EC57)."""


@dataclass(frozen=True, eq=False)
class Matches:
    """Found waves against marked ones.

    ``errors_s`` (h, 3) is found minus marked onset, peak and offset of each pair, NaN where either side has none;
    ``at_s`` (h,) the marked places of the pairs, ``missed_s`` and ``extra_s`` the places of marked waves that were not
    found, and of found waves that are not marked.
    """

    errors_s: FloatArray
    at_s: FloatArray
    missed_s: FloatArray
    extra_s: FloatArray


def match(
    found: FloatArray, marked: FloatArray, span_s: tuple[float, float], doubtful: FloatArray | None = None
) -> Matches:
    """Pair found waves (m, 3) one to one with marked waves (n, 3): the nearest pair first, up to `REACH_S` apart.

    A found wave without partner is an extra one only when it lies inside ``span_s``, the annotated stretch. A wave
    that is paired with a ``doubtful`` one (k, 3) counts neither way.
    """
    doubtful = np.empty((0, 3)) if doubtful is None else doubtful
    every = np.concatenate([marked, doubtful])
    found_s, true_s = place(found), place(every)
    pairs = _nearest_first(found_s, true_s)
    pairs_marked = pairs[pairs[:, 1] < len(marked)]
    missed = np.setdiff1d(np.arange(len(marked)), pairs[:, 1])
    extra_s = found_s[np.setdiff1d(np.arange(len(found)), pairs[:, 0])]
    inside = (extra_s >= span_s[0]) & (extra_s <= span_s[1])
    return Matches(
        errors_s=found[pairs_marked[:, 0]] - every[pairs_marked[:, 1]],
        at_s=true_s[pairs_marked[:, 1]],
        missed_s=true_s[missed],
        extra_s=extra_s[inside],
    )


def _nearest_first(found_s: FloatArray, true_s: FloatArray) -> np.ndarray:
    """Return pairs of indices (h, 2) of found and true places."""
    distance = np.abs(found_s[:, None] - true_s)
    rows, columns = np.nonzero(distance <= REACH_S)
    order = np.argsort(distance[rows, columns], kind="stable")
    taken_row, taken_column, pairs = set(), set(), []
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in taken_row and column not in taken_column:
            taken_row.add(row)
            taken_column.add(column)
            pairs.append((row, column))
    return np.array(pairs, dtype=int).reshape(-1, 2)
