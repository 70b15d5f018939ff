"""The T wave over all leads: found once on the median of the dominant beats, then followed from beat to beat."""

import numpy as np

from ecgviz.beats.windows import best_shift, mutual_likeness, windows
from ecgviz.types.arrays import BoolArray, FloatArray

AFTER_QRS_S = 0.060
"""The T wave's peak is looked for from here on after the QRS complex ..."""
LATEST_S = 0.750
"""... up to here after the R peak, or to the next beat's P wave (or QRS complex) when that comes first."""
SMOOTH_S = 0.020
TOP_SHARE = 0.85
"""The last top with this share of the highest is the T wave's: a shifted ST segment may be higher, a U wave is less."""
FLANK_S = 0.160
"""The steepest rise and fall of the T wave lie within this of its peak."""
ONSET_SHARE, END_SHARE = 0.30, 0.20
"""The T wave begins and ends where its slope falls below this share of the steepest slope of that flank."""
CLEAR_S = 0.010
"""A T wave begins no earlier than this after the QRS complex."""
FOLLOW_S = 0.060
"""From beat to beat the T wave moves by no more than this."""
SEEN = 0.50
"""Correlation over leads with the other beats' T waves, at its best shift, that a beat's T wave must reach."""


def t_marks(
    signal: FloatArray, fs: float, peaks: np.ndarray, qrs_s: tuple[float, float], next_s: float, chosen: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return T onset and offset of each beat in seconds, shape (B,) each, NaN without T wave or for beats not chosen.

    ``peaks`` (B,) are R peaks in samples of ``signal`` (L, N); ``qrs_s`` the usual QRS bounds and ``next_s`` the usual
    start of the next beat, in seconds from the R peak; ``chosen`` (B,) are the dominant beats.

    neurokit2's prominence method is not used here, since it looks no further than half an RR interval after the R peak
    and so loses or cuts the T wave in tachycardia and in long QT.
    """
    marks = np.full((2, peaks.size), np.nan)
    if not np.isfinite([*qrs_s, next_s]).all():
        return marks[0], marks[1]
    before, after = round((0.02 - qrs_s[0]) * fs), round(min(next_s, LATEST_S) * fs)
    if chosen.sum() < 3 or after <= round((qrs_s[1] + AFTER_QRS_S) * fs) + 3:
        return marks[0], marks[1]
    cut, inside = windows(signal, peaks, before, after)
    template = np.median(cut[chosen & inside] if (chosen & inside).sum() >= 3 else cut[chosen], axis=0)
    onset, end = _bounds(template, before, qrs_s, fs)
    if np.isnan(onset + end):
        return marks[0], marks[1]
    first, last = round(onset * fs), round(end * fs)
    wave, whole = windows(signal, peaks + first, 0, last - first)
    inner = chosen & whole
    if inner.sum() < 3 or np.median(mutual_likeness(wave, inner)[inner]) < SEEN:
        return marks[0], marks[1]
    shape = template[:, before + first : before + last]
    shifts, scores = best_shift(signal, peaks + first, 0, shape, round(FOLLOW_S * fs))
    ends = peaks + shifts + end * fs
    seen = chosen & (scores >= SEEN) & (ends < np.append(peaks[1:], signal.shape[1]))
    marks[0, seen] = ((peaks + shifts) / fs + onset)[seen]
    marks[1, seen] = ends[seen] / fs
    return marks[0], marks[1]


def _bounds(template: FloatArray, before: int, qrs_s: tuple[float, float], fs: float) -> tuple[float, float]:
    """Return T onset and end on the median beat (L, W) in seconds from the R peak; NaN without a peak after QRS."""
    quiet = template[:, : before + round(qrs_s[0] * fs) + 1]
    size = np.sqrt(np.mean((template - quiet.mean(axis=1, keepdims=True)) ** 2, axis=0))
    width = max(1, round(SMOOTH_S * fs)) | 1
    size = np.convolve(np.pad(size, width // 2, mode="edge"), np.ones(width) / width, mode="valid")
    start = before + round((qrs_s[1] + AFTER_QRS_S) * fs)
    inner = size[start:]
    tops = np.flatnonzero((inner[1:-1] >= inner[:-2]) & (inner[1:-1] > inner[2:])) + 1
    if tops.size == 0:
        return float("nan"), float("nan")
    peak = start + int(tops[inner[tops] >= TOP_SHARE * inner[tops].max()][-1])
    flank = max(3, round(FLANK_S * fs))
    fall = _flat_after(-np.gradient(size)[peak:], flank, END_SHARE)
    rise = _flat_after(np.gradient(size)[: peak + 1][::-1], flank, ONSET_SHARE)
    onset = max((peak - rise - before) / fs, qrs_s[1] + CLEAR_S)
    return onset, (peak + fall - before) / fs


def _flat_after(slope: FloatArray, flank: int, share: float) -> int:
    """Return the sample after the steepest one (within ``flank``) at which ``slope`` falls below ``share`` of it."""
    steepest = int(slope[:flank].argmax())
    flat = np.flatnonzero(slope[steepest:] < share * slope[steepest])
    return steepest + (int(flat[0]) if flat.size else slope.size - 1 - steepest)
