"""Whether a P wave precedes a QRS complex: the test that no waveform detector makes by itself."""

import numpy as np

from ecgviz.beats.windows import mutual_likeness, windows
from ecgviz.types.arrays import BoolArray, FloatArray

HALF_S = 0.060
"""Half of the window around the expected P peak in which the beats are compared."""
CLEAR_S = 0.010
"""The window ends this long before the QRS complex, whose first deflection is locked to itself."""
LOCKED = 0.55
"""Median correlation of the beats' P windows with those of the other beats, above which a P wave is locked to QRS."""
LOCKED_IRREGULAR = 0.85
"""The same where RR intervals are irregular and the distance to the QRS complex is not constant."""
IRREGULAR = 0.10
"""Coefficient of variation of the RR intervals from which a rhythm may be atrial fibrillation."""
CONSTANT_PR_S = 0.008
"""Median absolute deviation of the distance from P peak to QRS onset up to which it is constant."""
SEEN = 0.30
"""Correlation with the record's own P wave that a single beat must reach to be said to have it."""


def p_lead_time(p_peak: FloatArray, qrs_on: FloatArray, chosen: BoolArray) -> tuple[float, float]:
    """Return the median time from P peak to QRS onset over the chosen beats (B,), and its median absolute deviation."""
    known = (qrs_on - p_peak)[chosen & np.isfinite(qrs_on - p_peak)]
    if known.size == 0:
        return float("nan"), float("nan")
    middle = float(np.median(known))
    return middle, float(np.median(np.abs(known - middle)))


def locked_p(signal: FloatArray, lead_time_s: float, qrs_on: FloatArray, chosen: BoolArray, fs: float) -> FloatArray:
    """Return each beat's correlation with the P wave of the other beats, shape (B,); NaN where it cannot be had.

    A P wave keeps its shape and its distance to the QRS complex from beat to beat; the waves of atrial fibrillation,
    which a waveform detector marks as readily, do not. The window lies ``lead_time_s`` before ``qrs_on`` (B,).
    """
    half = round(HALF_S * fs)
    after = min(half, round((lead_time_s - CLEAR_S) * fs)) if np.isfinite(lead_time_s) else -half
    if half + after < 4:
        return np.full(qrs_on.size, np.nan)
    known = np.isfinite(qrs_on)
    centres = np.round((np.where(known, qrs_on, 0.0) - lead_time_s) * fs).astype(int)
    cut, inside = windows(signal, centres, half, after)
    return np.where(known & inside, mutual_likeness(cut, known & inside & chosen), np.nan)


def p_verdicts(scores: FloatArray, spread_s: float, chosen: BoolArray, r_s: FloatArray) -> tuple[str, ...]:
    """Return for each beat why it has no P wave, or "" when it has one.

    ``scores`` (B,) come from `locked_p`, ``spread_s`` from `p_lead_time`; ``chosen`` (B,) are the dominant beats.
    """
    known = scores[chosen & np.isfinite(scores)]
    if known.size < 3:
        return ("fewer than 3 beats to compare a P wave over",) * scores.size
    locked = float(np.median(known))
    limit = LOCKED_IRREGULAR if _irregular(r_s, chosen) and spread_s > CONSTANT_PR_S else LOCKED
    if locked < limit:
        return (
            f"no wave keeps its shape and its distance to the QRS complex (median correlation {locked:.2f}, "
            f"at least {limit} is needed)",
        ) * scores.size
    other = "nothing like the P wave of the other beats precedes it"
    return tuple(
        "" if score >= SEEN else "the record begins before it" if np.isnan(score) else other for score in scores
    )


def _irregular(r_s: FloatArray, chosen: BoolArray) -> bool:
    rr = np.diff(r_s)[chosen[:-1] & chosen[1:]]
    return rr.size > 2 and float(np.std(rr) / np.mean(rr)) > IRREGULAR
