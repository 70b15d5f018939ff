"""Beats without a P wave, and why: what the network cannot tell from a stretch, the rhythm and the spikes can."""

import numpy as np

from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.beats import steps_s

IRREGULAR = 0.10
"""Coefficient of variation of the RR intervals from which a rhythm may be atrial fibrillation."""
FEW = 0.5
"""Where fewer of the beats of an irregular rhythm than this have a P wave, none has: f waves have likenesses of P."""
NO_GAPS = np.empty((0, 2))
CUT_S = 0.350
"""A first beat this near to the start of the recording may have its P wave before it."""


def p_verdicts(
    has_p: BoolArray, spiked: BoolArray, r_s: FloatArray, own: BoolArray, gaps_s: FloatArray = NO_GAPS
) -> tuple[str, ...]:
    """Return for each beat why it has no P wave, or "" when it has one.

    ``has_p`` (B,) tells where the network saw one, ``spiked`` (B,) which beats a pacing spike starts, ``own`` (B,)
    which beats look like most: others may be premature and say nothing of the rhythm.
    """
    share = float(np.mean(has_p[own])) if own.any() else 0.0
    irregular = share < FEW and variation(r_s, own, gaps_s) > IRREGULAR
    return tuple(
        _why(bool(has), bool(spike), irregular, share, at) for has, spike, at in zip(has_p, spiked, r_s, strict=True)
    )


def _why(has_p: bool, spiked: bool, irregular: bool, share: float, r_s: float) -> str:
    if spiked:
        return "a pacing spike starts the beat: no P wave is judged before it"
    if irregular:
        return (
            f"the rhythm is irregular and only {100 * share:.0f} % of its beats seem to have a P wave, as in atrial "
            "fibrillation"
        )
    if has_p:
        return ""
    return "the record begins before it" if r_s < CUT_S else "no wave before the QRS complex looks like a P wave"


def variation(r_s: FloatArray, own: BoolArray, gaps_s: FloatArray = NO_GAPS) -> float:
    """Return the coefficient of variation of the RR intervals between beats that look like most; 0 for fewer than 3."""
    rr = steps_s(r_s, gaps_s)[own[:-1] & own[1:]]
    rr = rr[np.isfinite(rr)]
    return float(np.std(rr) / np.mean(rr)) if rr.size > 2 else 0.0
