"""From the network's stretches to beats: global marks, the marks of each lead, and where a P wave is absent, why.

Dimensions: B beats, L leads (usable ones), T samples at the network's rate.
"""

from dataclasses import dataclass

import numpy as np

from ecgviz.beats.network import Waves
from ecgviz.beats.spans import around, between, overlapping, spans
from ecgviz.types.arrays import FloatArray

LONGEST_PR_S = 0.450
"""A P wave that lies earlier than this before a QRS complex is not its own, unless most do (`_at_usual_pr`)."""
VERY_LONG_PR_S, SAME_PR_S = 0.650, 0.040
"""No P wave that is conducted comes earlier, and the usual PR is one from which others differ by half of the second."""
FEWEST_BEATS = 3
"""So many beats tell what PR is usual."""
SAME_P_S = 0.180
"""Two P waves nearer than this (333 a minute) are one that was found twice."""
LATEST_T_S = 0.800
"""A T wave whose middle comes later than this after the R peak belongs to no beat."""


@dataclass(frozen=True, eq=False)
class Found:
    """``r_s`` (B,); ``whole`` (B, 2) and ``of_lead`` (L, B, 2) hold onsets and offsets by wave; ``extra_p`` (n, 2)."""

    r_s: FloatArray
    whole: dict[str, FloatArray]
    of_lead: dict[str, FloatArray]
    extra_p: FloatArray


def assemble(waves: Waves, r_s: FloatArray) -> Found:
    """Give each R peak (B,) its waves; one without a QRS complex, or a second one in the same complex, is dropped."""
    r_s, qrs = _complexes(waves, r_s)
    before = np.concatenate([[-np.inf], qrs[:-1, 1]])
    following = np.concatenate([qrs[1:, 0], [np.inf]])
    p_found, t_found = spans(waves.whole, "P"), spans(waves.whole, "T")
    p = between(p_found, np.maximum(before, qrs[:, 0] - LONGEST_PR_S), qrs[:, 0], "last")
    p = _at_usual_pr(p_found, p, np.maximum(before, qrs[:, 0] - VERY_LONG_PR_S), qrs[:, 0])
    t = between(t_found, qrs[:, 1], np.minimum(following, r_s + LATEST_T_S), "longest")
    whole = {"P": p, "QRS": qrs, "T": t}
    rows = {wave: [overlapping(spans(lead, wave), span) for lead in waves.of_lead] for wave, span in whole.items()}
    of_lead = {wave: np.stack(each) for wave, each in rows.items()}
    spare = p_found[~np.isin(p_found[:, 0], p[:, 0])]
    # After the last complex a P wave may belong to a beat that the recording cuts; before the first, likewise.
    extra = spare[(spare[:, 0] > qrs[0, 1]) & (spare[:, 1] < qrs[-1, 0])] if len(qrs) else spare[:0]
    return Found(r_s, whole, of_lead, extra)


def unconducted(extra_p: FloatArray, p: FloatArray, qrs: FloatArray) -> FloatArray:
    """Return the middles (n,) of those P waves (N, 2) that are not near a beat's own (B, 2), nor between it and QRS."""
    at_s, with_p = extra_p.mean(axis=1), np.isfinite(p[:, 0])
    own_s = p[with_p].mean(axis=1)
    until_s = np.maximum(own_s + SAME_P_S, qrs[with_p, 0])
    row = np.searchsorted(own_s - SAME_P_S, at_s) - 1
    if not own_s.size:
        return np.asarray(at_s)
    return np.asarray(at_s[(row < 0) | (at_s >= until_s[row])])


def _at_usual_pr(found: FloatArray, p: FloatArray, from_s: FloatArray, to_s: FloatArray) -> FloatArray:
    """Return the P waves (B, 2) with that of ``found`` (n, 2) which stands at the usual PR, where most beats have one.

    What is usual is told by the beats before which a single P wave lies. So a PR above `LONGEST_PR_S` is read where it
    is the same in most beats, and a second P wave, found nearer to QRS, does not make the beat's own a blocked one.
    """
    middle, starts = found.mean(axis=1), found[:, 0]
    first, stop = np.searchsorted(middle, from_s, side="right"), np.searchsorted(middle, to_s)
    single = stop - first == 1
    if single.sum() < FEWEST_BEATS:
        return p
    usual_s = to_s - np.median(to_s[single] - starts[first[single]])
    after = np.clip(np.searchsorted(starts, usual_s), 1, len(starts) - 1)
    nearest = np.where(usual_s - starts[after - 1] < starts[after] - usual_s, after - 1, after)
    own = (nearest >= first) & (nearest < stop) & (np.abs(starts[nearest] - usual_s) <= SAME_PR_S / 2)
    return np.where(own[:, None], found[nearest], p) if own.sum() > len(p) / 2 else p


def _complexes(waves: Waves, r_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the R peaks that have a QRS complex of their own, (B,), and its onset and offset, (B, 2)."""
    found = spans(waves.whole, "QRS")
    rows = around(r_s, found)
    kept = rows >= 0
    kept[1:] &= rows[1:] != rows[:-1]
    return r_s[kept], found[rows[kept]].reshape(-1, 2)
