"""Whether a P wave precedes a QRS complex: the test that no waveform detector makes by itself."""

import warnings

import numpy as np

from ecgviz.beats.complexes import windows
from ecgviz.types.arrays import BoolArray, FloatArray

HALF_S = 0.060
"""Half of the window around the expected P peak in which the beats are compared."""
CLEAR_S = 0.010
"""The window ends this long before the QRS complex, whose first deflection is locked to itself."""
LOCKED = 0.55
"""Median correlation of the beats' P windows with that of the other beats, above which a P wave is locked to the QRS."""
LOCKED_IRREGULAR = 0.85
"""The same where the RR intervals are as irregular as in atrial fibrillation."""
IRREGULAR = 0.10
"""Coefficient of variation of the RR intervals from which that stricter limit holds."""
SEEN = 0.30
"""Correlation with the record's own P wave that a single beat must reach to be said to have it."""


def locked_p(signal: FloatArray, p_peak: FloatArray, qrs_on: FloatArray, chosen: BoolArray, fs: float) -> FloatArray:
    """Return each beat's correlation with the P wave of the other beats, shape (B,); NaN where it cannot be had.

    A P wave keeps its shape and its distance to the QRS complex from beat to beat; the waves of atrial fibrillation,
    which a waveform detector marks as readily, do not. The window lies at the median distance of ``p_peak`` (B,) from
    ``qrs_on`` (B,) over ``chosen`` beats; each lead's straight line is taken off, so that a sloping T wave before it
    does not pass for a P wave.
    """
    scores = np.full(qrs_on.size, np.nan)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="All-NaN slice|Mean of empty", category=RuntimeWarning)
        lead_time = np.nanmedian((qrs_on - p_peak)[chosen]) if chosen.any() else np.nan
    if not np.isfinite(lead_time):
        return scores
    half = max(3, round(HALF_S * fs))
    known = np.isfinite(qrs_on)
    centres = np.round((np.where(known, qrs_on, 0.0) - lead_time) * fs).astype(int)
    after = min(half, round((lead_time - CLEAR_S) * fs))
    if half + after < 4:
        return scores
    cut, inside = windows(signal, centres, half, after)
    flat = _without_line(cut).reshape(cut.shape[0], -1)
    usable = known & inside
    members = np.flatnonzero(usable & chosen)
    if members.size < 3:
        return scores
    total = flat[members].sum(axis=0)
    for b in np.flatnonzero(usable):
        others = (total - flat[b]) if b in members else total
        norm = np.linalg.norm(others) * np.linalg.norm(flat[b])
        scores[b] = float(others @ flat[b] / norm) if norm > 0 else np.nan
    return scores


def _without_line(cut: FloatArray) -> FloatArray:
    """Return windows (B, L, W) less the straight line fitted to each row."""
    x = np.linspace(-1.0, 1.0, cut.shape[2])
    centred = cut - cut.mean(axis=2, keepdims=True)
    slope = (centred @ x) / (x @ x)
    return np.asarray(centred - slope[:, :, None] * x)


def p_verdicts(scores: FloatArray, p_peak: FloatArray, chosen: BoolArray, r_s: FloatArray) -> tuple[str, ...]:
    """Return for each beat why it has no P wave, or "" when it has one.

    ``scores`` (B,) come from `locked_p`, ``p_peak`` (B,) is NaN where the leads do not agree on a peak, ``chosen`` (B,)
    are the dominant beats.
    """
    known = scores[chosen & np.isfinite(scores)]
    if known.size < 3:
        return ("fewer than 3 beats to compare a P wave over",) * scores.size
    locked = float(np.median(known))
    rr = np.diff(r_s)
    between = rr[chosen[:-1] & chosen[1:]]
    irregular = between.size > 2 and float(np.std(between) / np.mean(between)) > IRREGULAR
    limit = LOCKED_IRREGULAR if irregular else LOCKED
    if locked < limit:
        return (
            f"no wave keeps its shape and its distance to the QRS complex (median correlation {locked:.2f}, "
            f"at least {limit} is needed)",
        ) * scores.size
    reasons = []
    for score, peak in zip(scores, p_peak, strict=True):
        if np.isnan(peak):
            reasons.append("the leads do not agree on a P wave")
        elif not score >= SEEN:
            reasons.append("nothing like the P wave of the other beats precedes it")
        else:
            reasons.append("")
    return tuple(reasons)
