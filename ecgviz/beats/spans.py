"""From class probabilities to onsets and offsets: stretches of one class, and the beat that each belongs to.

Dimensions: B beats, L leads, T samples at the network's rate, K classes (none, P, QRS, T).
"""

from collections.abc import Mapping

import numpy as np

from ecgviz.beats.scaled import NETWORK_HZ
from ecgviz.types.arrays import FloatArray

CLASS: Mapping[str, int] = {"P": 1, "QRS": 2, "T": 3}
SHORTEST_S: Mapping[str, float] = {"P": 0.030, "QRS": 0.030, "T": 0.060}
"""A shorter stretch is no wave."""
BRIDGED_S: Mapping[str, float] = {"P": 0.030, "QRS": 0.040, "T": 0.080}
"""Two stretches of one class with less than this between them are one wave."""
NEAR_R_S = 0.080
"""A QRS complex holds its R peak, or lies this near to it."""
STEP_S = 0.0001
"""Marks are rounded to this, far below what anyone can tell, so that the last bits of a sum decide nothing."""


def spans(probabilities: FloatArray, wave: str) -> FloatArray:
    """Return onset and offset in seconds, (n, 2), of each stretch in which ``wave`` is the likeliest class of (K, T).

    A bound lies where the wave and its strongest rival are equally likely, between samples by linear interpolation.
    """
    own = probabilities[CLASS[wave]]
    lead = own - np.delete(probabilities, CLASS[wave], axis=0).max(axis=0)
    edges = np.diff(np.concatenate([[False], lead > 0, [False]]).astype(np.int8))
    first, stop = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if first.size == 0:
        return np.empty((0, 2))
    on, off = _crossings(lead, first, -1), _crossings(lead, stop - 1, 1)
    apart = on[1:] - off[:-1] >= BRIDGED_S[wave] * NETWORK_HZ
    on, off = on[np.concatenate([[True], apart])], off[np.concatenate([apart, [True]])]
    found = np.stack([on, off], axis=1) / NETWORK_HZ
    return np.asarray(found[found[:, 1] - found[:, 0] >= SHORTEST_S[wave]])


def _crossings(lead: FloatArray, inner: np.ndarray, step: int) -> FloatArray:
    """Return where ``lead`` crosses zero between the samples ``inner`` (above) and ``inner + step`` (not above)."""
    outer = np.clip(inner + step, 0, lead.size - 1)
    above, below = lead[inner], lead[outer]
    share = np.divide(above, above - below, out=np.zeros(inner.size), where=above > below)
    return np.asarray(inner + step * share)


def around(peaks_s: FloatArray, found: FloatArray) -> np.ndarray:
    """Return for each R peak (B,) the row of ``found`` (n, 2) that holds it or is nearest to it; -1 for none near."""
    if found.size == 0:
        return np.full(peaks_s.size, -1)
    away = np.maximum(found[:, 0] - peaks_s[:, None], peaks_s[:, None] - found[:, 1])
    rows = away.argmin(axis=1)
    return np.where(away[np.arange(peaks_s.size), rows] <= NEAR_R_S, rows, -1)


def between(found: FloatArray, after_s: FloatArray, before_s: FloatArray, pick: str) -> FloatArray:
    """Return for each beat the stretch (B, 2) whose middle lies between ``after_s`` and ``before_s``; NaN for none.

    Of several, ``pick`` takes the "last" or the "longest".
    """
    chosen = np.full((after_s.size, 2), np.nan)
    middle = found.mean(axis=1)
    for b, (after, before) in enumerate(zip(after_s, before_s, strict=True)):
        rows = np.flatnonzero((middle > after) & (middle < before))
        if rows.size:
            lengths = found[rows, 1] - found[rows, 0]
            chosen[b] = found[rows[-1] if pick == "last" else rows[lengths.argmax()]]
    return chosen


def overlapping(found: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return for each of ``wanted`` (B, 2) the row of ``found`` (n, 2) that shares most time with it; NaN for none."""
    chosen = np.full(wanted.shape, np.nan)
    if found.size:
        shared = np.minimum(found[:, 1], wanted[:, 1:]) - np.maximum(found[:, 0], wanted[:, :1])
        shared = np.where(np.isnan(shared), -1.0, shared)
        rows = shared.argmax(axis=1)
        known = shared[np.arange(len(wanted)), rows] > 0
        chosen[known] = found[rows[known]]
    return chosen


def rounded(marks: FloatArray) -> FloatArray:
    """Return marks in seconds rounded to `STEP_S`."""
    return np.asarray(np.round(marks / STEP_S) * STEP_S)
