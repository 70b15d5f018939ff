"""P waves that the network doubts in each beat of a regular rhythm and sees in all of them together.

Dimensions: B beats, T samples at the network's rate, K classes (none, P, QRS, T), W samples of a window.
"""

from collections.abc import Mapping

import numpy as np

from ecgviz.beats.assemble import LONGEST_PR_S, VERY_LONG_PR_S
from ecgviz.beats.atrial import IRREGULAR, NO_GAPS, variation
from ecgviz.beats.scaled import NETWORK_HZ
from ecgviz.beats.spans import CLASS, SHORTEST_S
from ecgviz.types.arrays import BoolArray, FloatArray

FEWEST_BEATS = 5
"""So many beats are asked together at least."""
LEAST = 0.10
"""A P wave is there where the beats together give it this share. Of the recordings of PTB-XL and LUDB in a regular
rhythm in which most beats seem to have none, two with long PR have 0.28 and 0.53, two with flutter 0.006 and 0.014."""
LEAST_OF_BEAT = 0.05
"""... and a beat has it where the network gives it this much in the beat itself."""
SMALLEST_MV = 0.020
"""So large is the median of such waves in some lead. In a rhythm without P waves the network can expect one all the
same, where the median has 0.005 to 0.018 mV; in the 18 recordings of PTB-XL and LUDB that gain such a wave it has 0.024
and more."""
SURE = 9.0
"""Bounds of a doubted wave lie where its odds are this much below their highest, as those of one that the network is
sure of (nine to one) lie where it is as likely as not."""
NEAREST_S = 0.060
"""The middle of a P wave is further from QRS onset than this: a pacing spike at a coarse rate is nearer."""


def with_doubted(
    probabilities: FloatArray,
    whole: Mapping[str, FloatArray],
    own: BoolArray,
    gaps_s: FloatArray,
    signal: FloatArray,
    fs: float,
) -> FloatArray:
    """Return the P waves of `p_together` where the ``signal`` (L, N) mV shows something there, else those of ``whole``.

    ``whole`` has onsets and offsets (B, 2) of P, QRS and T; the others are as for `p_together`.
    """
    p, qrs = whole["P"], whole["QRS"]
    together = p_together(probabilities, p, qrs, whole["T"], own, gaps_s)
    added = np.isnan(p[:, 0]) & np.isfinite(together[:, 0])
    return together if added.any() and large_enough(signal, fs, together[added], qrs[added, 0]) else p


def p_together(
    probabilities: FloatArray,
    p: FloatArray,
    qrs: FloatArray,
    t: FloatArray,
    own: BoolArray,
    gaps_s: FloatArray = NO_GAPS,
) -> FloatArray:
    """Return the P waves (B, 2) with those added that the beats of a regular rhythm show together.

    A P wave keeps its distance to QRS from beat to beat, and so does what the network makes of it; what looks like one
    by chance does not. The geometric mean of the class probabilities over beats, aligned at QRS onset, has the P wave
    where P takes its largest share.

    Nothing is added in an irregular rhythm, in which f waves have likenesses of P; nor in a beat that itself shows
    nothing there, such as one after a blocked P wave.

    Parameters
    ----------
    probabilities
        Of the beat as a whole, (K, T).
    p, qrs, t
        Onset and offset of each wave in seconds, (B, 2), NaN where it was not found.
    own
        The beats to ask, (B,): those that look like most, and that no pacing spike starts.
    gaps_s
        Spans that no lead recorded, (G, 2).
    """
    missing = own & np.isnan(p[:, 0])
    if not missing.any() or variation(qrs[:, 0], own, gaps_s) > IRREGULAR:
        return p
    windows = _before(probabilities, qrs[own, 0], _reach_s(qrs, t))
    span = _together(windows) if len(windows) >= FEWEST_BEATS else None
    if span is None:
        return p
    found = p.copy()
    for b in np.flatnonzero(missing):
        on, off = qrs[b, 0] + span
        earliest = 0.0 if b == 0 else np.nanmax([qrs[b - 1, 1], t[b - 1, 1]])
        first, stop = round(on * NETWORK_HZ), round(off * NETWORK_HZ) + 1
        seen = probabilities[CLASS["P"], max(first, 0) : max(stop, 0)].max(initial=0.0)
        if (on + off) / 2 > earliest and on > 0 and seen >= LEAST_OF_BEAT:
            found[b] = max(on, earliest), off
    return found


def large_enough(signal: FloatArray, fs: float, added: FloatArray, qrs_on_s: FloatArray) -> bool:
    """Return whether the beats together have a wave where P waves were ``added`` (n, 2) before their QRS onsets (n,).

    ``signal`` (L, N) mV. What is measured is the median of the stretches, less the line between its ends.
    """
    on_s, off_s = np.median(added - qrs_on_s[:, None], axis=0)
    n = round((off_s - on_s) * fs) + 1
    starts = np.round((qrs_on_s + on_s) * fs).astype(int)
    stretches = [signal[:, first : first + n] for first in starts if 0 <= first <= signal.shape[1] - n]
    if not stretches:
        return False
    wave = np.median(stretches, axis=0)
    wave = wave - np.linspace(wave[:, 0], wave[:, -1], n, axis=1)
    return bool(np.ptp(wave, axis=1).max() >= SMALLEST_MV)


def _reach_s(qrs: FloatArray, t: FloatArray) -> float:
    """Return how long before QRS a P wave is looked for: a very long PR, where the T waves before leave room for it."""
    room = (qrs[1:, 0] - t[:-1, 1])[np.isfinite(t[:-1, 1])]
    return float(np.clip(np.median(room), LONGEST_PR_S, VERY_LONG_PR_S)) if room.size else LONGEST_PR_S


def _before(probabilities: FloatArray, qrs_on_s: FloatArray, reach_s: float) -> FloatArray:
    """Return the stretches before each QRS onset that the recording holds, (B, K, W)."""
    width = round(reach_s * NETWORK_HZ)
    ends = np.round(qrs_on_s * NETWORK_HZ).astype(int)
    return np.stack([probabilities[:, end - width : end] for end in ends if end >= width] or [probabilities[:, :0]])


def _together(windows: FloatArray) -> FloatArray | None:
    """Return where windows (B, K, W) together show a P wave, in seconds from QRS onset, (2,), or None."""
    mean = np.exp(np.log(windows + 1e-6).mean(axis=0))
    share = mean[CLASS["P"]] / mean.sum(axis=0)
    far_enough = share[: share.size - round(NEAREST_S * NETWORK_HZ)]
    top = int(far_enough.argmax())
    if far_enough[top] < LEAST:
        return None
    odds = share / (1 - share)
    level = min(odds[top] / SURE, 1.0)
    above = odds >= level
    first = top - int(np.argmin(above[top::-1])) if not above[: top + 1].all() else -1
    stop = top + int(np.argmin(above[top:])) if not above[top:].all() else share.size
    if first < 0 or stop == share.size:
        return None
    on = first + (level - odds[first]) / (odds[first + 1] - odds[first])
    off = stop - (level - odds[stop]) / (odds[stop - 1] - odds[stop])
    span = (np.array([on, off]) - share.size) / NETWORK_HZ
    return span if span[1] - span[0] >= SHORTEST_S["P"] else None
