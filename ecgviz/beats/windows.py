"""Stretches cut around the beats, compared over all leads at once."""

import numpy as np

from ecgviz.types.arrays import BoolArray, FloatArray

FEWEST_LEADS, SURELY = 3, 0.95
"""Of so many leads one may be left out where the rest is so much alike: where a lead is loose it is 0.99 as a rule, and
of beats of another shape below 0.91. Chosen on the recordings of PTB-XL that this is counted on."""


def windows(signal: FloatArray, centres: np.ndarray, before: int, after: int) -> tuple[FloatArray, BoolArray]:
    """Cut ``signal`` (L, N) around samples ``centres``: (B, L, before + after), and which windows lie inside, (B,)."""
    inside = (centres - before >= 0) & (centres + after <= signal.shape[1])
    index = np.clip(centres[:, None] + np.arange(-before, after), 0, signal.shape[1] - 1)
    return np.moveaxis(signal[:, index], 0, 1), inside


def without_line(cut: FloatArray) -> FloatArray:
    """Return windows (B, L, W) less the straight line fitted to each row."""
    x = np.linspace(-1.0, 1.0, cut.shape[2])
    centred = cut - cut.mean(axis=2, keepdims=True)
    slope = (centred @ x) / (x @ x)
    return np.asarray(centred - slope[:, :, None] * x)


def likeness(cut: FloatArray, template: FloatArray) -> FloatArray:
    """Return the correlation of each window (B, L, W) with ``template`` (L, W) over leads and time, shape (B,).

    Where all leads fit less than surely, and all but one surely, that one is left out: a loose electrode hides no beat
    that the others show.
    """
    theirs = template - template.mean(axis=1, keepdims=True)
    product = np.einsum("blw,lw->bl", cut, theirs)
    own = np.maximum(np.einsum("blw,blw->bl", cut, cut) - cut.sum(axis=2) ** 2 / cut.shape[2], 0)  # less its level
    its = np.einsum("lw,lw->l", theirs, theirs)
    kept = np.vstack([np.ones((1, its.size)), 1 - np.eye(its.size)])  # (1 + L, L): all leads, then all but one
    norm = np.sqrt((own @ kept.T) * (kept @ its))
    fit = np.divide(product @ kept.T, norm, out=np.zeros_like(norm), where=norm > 0)
    without_one = fit[:, 1:].max(axis=1)
    loose = (its.size >= FEWEST_LEADS) & (fit[:, 0] < SURELY) & (without_one > SURELY)
    return np.where(loose, without_one, fit[:, 0])


def best_shift(
    signal: FloatArray, centres: np.ndarray, before: int, template: FloatArray, furthest: int
) -> tuple[np.ndarray, FloatArray]:
    """Return the shift in samples, up to ``furthest``, to each beat's best fit with ``template`` (L, W), and fit."""
    width = template.shape[1]
    shifts = np.arange(-furthest, furthest + 1)
    wide, _ = windows(signal, centres, before + furthest, width - before + furthest)
    scores = np.stack([likeness(wide[:, :, k : k + width], template) for k in range(shifts.size)])
    best = scores.argmax(axis=0)
    return shifts[best], scores[best, np.arange(centres.size)]


def mutual_likeness(cut: FloatArray, members: BoolArray) -> FloatArray:
    """Return the correlation of each window (B, L, W) with the sum of the others among ``members`` (B,), shape (B,).

    A line is taken off each row first, so that two slopes are not taken for two waves. NaN with fewer than
    three members.
    """
    scores = np.full(len(cut), np.nan)
    if members.sum() < 3:
        return scores
    flat = without_line(cut).reshape(len(cut), -1)
    total = flat[members].sum(axis=0)
    others = total - np.where(members[:, None], flat, 0.0)
    norm = np.linalg.norm(others, axis=1) * np.linalg.norm(flat, axis=1)
    return np.asarray(np.divide(np.sum(others * flat, axis=1), norm, out=scores, where=norm > 0))
