"""How alike two maps are: by rank, by direction, and by what they put in which wave of which lead."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.stats import rankdata

from ecgviz.evidence import evidence
from ecgviz.types import Beats, Explanation
from ecgviz.types.arrays import FloatArray

LEAST_VALUES = 3
"""Fewer values than this have no rank correlation worth its name."""


def spearman(a: FloatArray, b: FloatArray) -> float:
    """Return the rank correlation of two arrays of one shape; NaN where either is constant or has under 3 values."""
    a, b = np.ravel(a), np.ravel(b)
    if a.size < LEAST_VALUES or np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan
    ranks = rankdata(a) - (a.size + 1) / 2, rankdata(b) - (b.size + 1) / 2
    return float(ranks[0] @ ranks[1] / np.sqrt((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1])))


def cosine(a: FloatArray, b: FloatArray) -> float:
    """Return the cosine of the angle between two arrays of one shape; NaN where either is zero throughout."""
    a, b = np.ravel(a), np.ravel(b)
    length = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / length) if length > 0 else np.nan


def mean_pairwise(arrays: Sequence[FloatArray]) -> float:
    """Return the mean rank correlation over the pairs of several arrays; NaN where no pair has one."""
    return mean_known([spearman(a, b) for a, b in combinations(arrays, 2)])


def mean_known(values: Sequence[float]) -> float:
    """Return the mean of the values that are not NaN; NaN without any."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


def signed_cells(explanation: Explanation, beats: Beats) -> FloatArray:
    """Return supporting less opposing mass of each cell of the evidence grid, (L or 1, B or 1, S or 1)."""
    grid = evidence(explanation, beats)
    cells: FloatArray = grid.pos - grid.neg
    return cells


def on_common_axes(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sum two arrays of as many axes over each axis that one of them lacks (has length 1 on)."""
    missing = tuple(n for n, sizes in enumerate(zip(a.shape, b.shape, strict=True)) if 1 in sizes)
    return a.sum(axis=missing), b.sum(axis=missing)
