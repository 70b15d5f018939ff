"""QRS complexes over all leads: how steep they are, and how much each looks like most of the others."""

from dataclasses import dataclass

import numpy as np

from ecgviz.beats.windows import best_shift, windows
from ecgviz.types.arrays import BoolArray, FloatArray

BODY_S = (0.080, 0.120)
"""Stretch before and after the R peak in which complexes are compared."""
SHIFT_S = 0.040
"""Complexes are compared at their best alignment within this shift."""
ALIKE = 0.85
"""Correlation over all leads above which two complexes have one shape."""
FEWEST_OF_A_FAMILY = 3
EARLY = 0.88
"""A beat is early when its RR interval is below this share of those that it is held against."""
FOUNDERS = 200
"""Of a long recording, this many beats are compared each with each to find the largest family."""


def steepness(signal: FloatArray, fs: float, smooth_s: float = 0.0) -> FloatArray:
    """Return the root mean square slope over leads (N,) in mV/s, smoothed by a moving average of ``smooth_s``."""
    slope = np.gradient(signal, 1 / fs, axis=1)
    envelope: FloatArray = np.sqrt(np.mean(slope**2, axis=0))
    width = round(smooth_s * fs)
    if width > 1:
        envelope = np.convolve(envelope, np.ones(width) / width, mode="same")
    return envelope


def dominant_template(signal: FloatArray, peaks: np.ndarray, fs: float) -> FloatArray:
    """Return the median complex (L, W) of the largest family of beats that look alike.

    The beat that most others resemble founds the family, so that in bigeminy, or with a run of ectopic beats, the
    median is not taken over two shapes.
    """
    cut, _ = windows(signal, peaks, *(round(s * fs) for s in BODY_S))
    some = np.unique(np.linspace(0, peaks.size - 1, min(peaks.size, FOUNDERS)).round().astype(int))
    flat = (cut[some] - cut[some].mean(axis=2, keepdims=True)).reshape(some.size, -1)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    flat = np.divide(flat, norm, out=np.zeros_like(flat), where=norm > 0)
    alike = flat @ flat.T
    founder = int((alike > ALIKE).sum(axis=1).argmax())
    return np.asarray(np.median(cut[some][alike[founder] > ALIKE], axis=0))


@dataclass(frozen=True, eq=False)
class Fit:
    """How beats fit a complex, (B,): the shift in samples to the best fit, and the correlation over all leads then."""

    shift: np.ndarray
    likeness: FloatArray

    @property
    def alike(self) -> BoolArray:
        """True for beats of the complex's shape, (B,)."""
        return self.likeness > ALIKE


def basic_fit(signal: FloatArray, peaks: np.ndarray, fs: float) -> tuple[Fit, FloatArray]:
    """Return how each beat fits the complexes of the basic rhythm, and how well it fits these or another family's.

    Most beats are of the basic rhythm. But where a third and more have another shape, and one of the two comes early,
    as in bigeminy, the other is. A bundle branch block that sets in has another shape, too, but comes in time.
    Beats of two shapes, a third and more of each, are no noise.
    """
    first = _fit(signal, peaks, fs, peaks)
    others = peaks[~first.alike]
    enough = max(FEWEST_OF_A_FAMILY, peaks.size / 3)
    if others.size < enough:
        return first, first.likeness
    second = _fit(signal, peaks, fs, others)
    if second.alike.sum() < enough:
        return first, first.likeness
    before = np.append(np.nan, np.diff(peaks))
    soon, late = sorted((first, second), key=lambda each: float(np.nanmedian(before[each.alike])))
    early = np.nanmedian(before[soon.alike]) < EARLY * np.nanmedian(before[late.alike])
    return late if early else first, np.maximum(first.likeness, second.likeness)


def _fit(signal: FloatArray, peaks: np.ndarray, fs: float, among: np.ndarray) -> Fit:
    """Return how all beats fit the largest family ``among`` some of them."""
    template = dominant_template(signal, among, fs)
    return Fit(*best_shift(signal, peaks, round(BODY_S[0] * fs), template, round(SHIFT_S * fs)))
