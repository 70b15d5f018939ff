"""From the network's stretches to beats: global marks, the marks of each lead, and where a P wave is absent, why.

Dimensions: B beats, L leads (usable ones), T samples at the network's rate.
"""

from dataclasses import dataclass

import numpy as np

from ecgviz.beats.network import Waves
from ecgviz.beats.spans import around, between, overlapping, spans
from ecgviz.types.arrays import FloatArray

LONGEST_PR_S = 0.450
"""A P wave that begins earlier than this before a QRS complex does not belong to it."""
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
    t = between(t_found, qrs[:, 1], np.minimum(following, r_s + LATEST_T_S), "longest")
    whole = {"P": p, "QRS": qrs, "T": t}
    rows = {wave: [overlapping(spans(lead, wave), span) for lead in waves.of_lead] for wave, span in whole.items()}
    of_lead = {wave: np.stack(each) for wave, each in rows.items()}
    spare = p_found[~np.isin(p_found[:, 0], p[:, 0])]
    # After the last complex a P wave may belong to a beat that the recording cuts; before the first, likewise.
    extra = spare[(spare[:, 0] > qrs[0, 1]) & (spare[:, 1] < qrs[-1, 0])] if len(qrs) else spare[:0]
    return Found(r_s, whole, of_lead, extra)


def _complexes(waves: Waves, r_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the R peaks that have a QRS complex of their own, (B,), and its onset and offset, (B, 2)."""
    found = spans(waves.whole, "QRS")
    rows = around(r_s, found)
    kept = rows >= 0
    kept[1:] &= rows[1:] != rows[:-1]
    return r_s[kept], found[rows[kept]].reshape(-1, 2)
