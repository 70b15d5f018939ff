"""QRS complexes over all leads: how steep they are, and how much each looks like most of the others."""

import numpy as np

from ecgviz.beats.windows import best_shift, windows
from ecgviz.types.arrays import FloatArray

BODY_S = (0.080, 0.120)
"""Stretch before and after the R peak in which complexes are compared."""
SHIFT_S = 0.040
"""Complexes are compared at their best alignment within this shift."""
ALIKE = 0.85
"""Correlation over all leads above which two complexes have one shape."""
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


def alignment(signal: FloatArray, peaks: np.ndarray, fs: float) -> tuple[np.ndarray, FloatArray]:
    """Return for each beat the shift in samples to its best fit with the dominant complex, and the correlation then."""
    template = dominant_template(signal, peaks, fs)
    return best_shift(signal, peaks, round(BODY_S[0] * fs), template, round(SHIFT_S * fs))
