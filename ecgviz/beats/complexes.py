"""QRS complexes over all leads: where each begins and ends, and how much each looks like most of the others."""

import numpy as np

from ecgviz.beats.windows import best_shift, windows
from ecgviz.types.arrays import FloatArray

SLOPE_FRACTIONS = (0.08, 0.12, 0.18)
"""The QRS complex ends where the steepness over leads stays below this share of its greatest value; the higher shares
serve where the lower one finds no end, because the ST segment of an acute infarction rises as steeply."""
NOISE_FACTOR = 2.5
"""... or below this multiple of the steepness of the quiet fifth of the second around the beat, if that is more."""
QUIET_BEFORE_S, QUIET_AFTER_S = 0.008, 0.020
"""How long it must stay below: P may leave a shorter pause before a pre-excited complex than a late notch makes."""
REACH_S = 0.250
"""No bound is looked for further than this from the R peak; beyond it the bound is NaN."""
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


def qrs_bounds(slope: FloatArray, peaks: np.ndarray, fs: float) -> tuple[FloatArray, FloatArray]:
    """Return onset and offset of each QRS complex in seconds, shape (B,) each, NaN where none was found.

    ``slope`` (N,) is the steepness over leads. The bound is where it first stays below its threshold, seen from the
    R peak, placed between samples by linear interpolation.
    """
    bounds = np.full((2, peaks.size), np.nan)
    near, around = round(0.08 * fs), round(0.5 * fs)
    for b, peak in enumerate(peaks):
        top = slope[max(0, peak - near) : peak + near + 1].max()
        floor = np.quantile(slope[max(0, peak - around) : peak + around], 0.2)
        thresholds = [max(share * top, NOISE_FACTOR * floor) for share in SLOPE_FRACTIONS]
        bounds[0, b] = peak - _quiet_after(slope[: peak + 1][::-1], thresholds, QUIET_BEFORE_S, fs)
        bounds[1, b] = peak + _quiet_after(slope[peak:], thresholds, QUIET_AFTER_S, fs)
    return bounds[0] / fs, bounds[1] / fs


def _quiet_after(slope: FloatArray, thresholds: list[float], quiet_s: float, fs: float) -> float:
    """Return the (fractional) sample from which ``slope`` stays below the first threshold that it does stay below.

    NaN when it stays below none of them within reach.
    """
    run = max(2, round(quiet_s * fs))
    near = slope[: round(REACH_S * fs) + run]
    for threshold in thresholds if near.size >= run else ():
        quiet = np.flatnonzero(np.convolve(near < threshold, np.ones(run, dtype=int), mode="valid") == run)
        if quiet.size:
            first = int(quiet[0])
            before, after = slope[max(first - 1, 0)], slope[first]
            return first - 1 + float((before - threshold) / (before - after)) if first else 0.0
    return float("nan")


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
