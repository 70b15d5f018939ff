"""Leads that may not be what they are called: limb leads that contradict one another, and electrodes that are swapped.

A swap of the arms obeys Einthoven's law, so that only a lead tells of it that is upside down beside those that look at
the heart from nearby, and it looks like a lateral infarct. The limits were chosen on the recordings that they are
counted on: 434 of PTB-XL at 100 Hz, 70 of LUDB and six others.
"""

from collections.abc import Sequence

import numpy as np

from ecgviz.measure.median_beat import MedianBeat
from ecgviz.records.leads import CHEST
from ecgviz.records.quality import contradictions
from ecgviz.types.arrays import FloatArray

ARMS = -0.5
"""Lead I is so far opposite to V6, with no upright P wave: in none of 510 recordings, in 484 with the arms swapped."""
UPRIGHT_P_MV = 0.01
INNER, FIRST, LAST = 0.0, -0.5, -0.7
"""A chest lead is opposite to both leads beside it, or V1 to V2 and V6 to V5 so far: in none of 510 recordings, and in
469 to 498 with V2 to V5 turned over, in 420 with V1 and in 496 with V6."""

LIMB_SHARE = 0.15
"""Limb leads of a median beat contradict one another where their disagreement is more than this share of them, root
mean square: a median of sums is not quite the sum of medians. In none of 435 recordings, and of 74 with a limb lead
turned over in 73 or 74."""


def electrode_remark(median: MedianBeat, leads: Sequence[str], p_mv: FloatArray, *, kind: str) -> str:
    """Return in a sentence which leads may not be what they are called, "" where nothing tells of it.

    Parameters
    ----------
    median : MedianBeat
        Of the dominant beats; likeness is the cosine of two leads over it, whose zero is the level at QRS onset.
    leads : sequence of str
        Its leads.
    p_mv : FloatArray of shape (L,)
        Height of the P wave in each, mV; NaN without one.
    kind : str
        Of those beats: paced ones may turn leads over by themselves.
    """
    told = _at_fault(median, leads)
    if kind == "paced":
        return "; ".join(told)
    if _likeness(median, leads, "I", "V6") < ARMS and not p_mv[leads.index("I")] > UPRIGHT_P_MV:
        told.append(
            "lead I is upside down beside V6 and has no upright P wave: the electrodes of the arms may be swapped (or "
            "the heart lies on the right), and what limb leads say of axis, infarct and hypertrophy may be wrong"
        )
    opposite = _opposite(median, leads)
    if opposite:
        told.append(f"{', '.join(opposite)}: swapped electrodes, or a lead that was turned over, look like this")
    return "; ".join(told)


def _at_fault(median: MedianBeat, leads: Sequence[str]) -> list[str]:
    """Return what is said of limb leads that contradict the others, as swapped electrodes alone never do."""
    there = [n for n, row in enumerate(median.mv) if np.isfinite(row).any()]
    names = [leads[n] for n in there]
    found = contradictions(names, median.mv[there], share=LIMB_SHARE, at_one_sample_mv=np.inf)
    said: dict[str, list[str]] = {}
    for lead, reasons in found.items():
        said.setdefault(", ".join(reasons), []).append(lead)
    return [f"lead {same[0]} {why}" if len(same) == 1 else why for why, same in said.items()]


def _opposite(median: MedianBeat, leads: Sequence[str]) -> list[str]:
    """Return which chest leads are opposite to those beside them, the outer ones where the inner ones are not so."""
    inner = [
        lead
        for before, lead, after in zip(CHEST, CHEST[1:], CHEST[2:], strict=False)
        if all(_likeness(median, leads, lead, beside) < INNER for beside in (before, after))
    ]
    ends = [
        f"{end} and {beside} are upside down to one another"
        for end, beside, limit in ((CHEST[0], CHEST[1], FIRST), (CHEST[-1], CHEST[-2], LAST))
        if beside not in inner and _likeness(median, leads, end, beside) < limit
    ]
    return [*(f"{lead} is upside down beside the chest leads next to it" for lead in inner), *ends]


def _likeness(median: MedianBeat, leads: Sequence[str], one: str, other: str) -> float:
    """Return the cosine of two leads of the median beat, -1 to 1; NaN, which is below nothing, where one is missing."""
    if one not in leads or other not in leads:
        return float("nan")
    a, b = median.mv[leads.index(one)], median.mv[leads.index(other)]
    known = np.isfinite(a) & np.isfinite(b)
    size = float(np.sqrt((a[known] @ a[known]) * (b[known] @ b[known])))
    return float(a[known] @ b[known]) / size if size > 0 else float("nan")
