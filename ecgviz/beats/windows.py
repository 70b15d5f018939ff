"""Stretches cut around the beats, compared over all leads at once."""

import numpy as np

from ecgviz.types.arrays import BoolArray, FloatArray


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
    """Return the correlation of each window (B, L, W) with ``template`` (L, W) over leads and time, shape (B,)."""
    mine = (cut - cut.mean(axis=2, keepdims=True)).reshape(cut.shape[0], -1)
    theirs = (template - template.mean(axis=1, keepdims=True)).ravel()
    norm = np.linalg.norm(mine, axis=1) * np.linalg.norm(theirs)
    return np.asarray(np.divide(mine @ theirs, norm, out=np.zeros(len(mine)), where=norm > 0))


def best_shift(
    signal: FloatArray, centres: np.ndarray, before: int, template: FloatArray, furthest: int
) -> tuple[np.ndarray, FloatArray]:
    """Return the shift in samples, up to ``furthest``, to each beat's best fit with ``template`` (L, W), and fit."""
    after = template.shape[1] - before
    shifts = np.arange(-furthest, furthest + 1)
    scores = np.stack([likeness(windows(signal, centres + s, before, after)[0], template) for s in shifts])
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
