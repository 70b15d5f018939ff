"""Spans that no lead recorded: where they are, and what of the beats is not known because of them."""

from dataclasses import replace
from typing import Any

import numpy as np

from ecgviz.beats.atrial import CUT_S
from ecgviz.beats.kinds import CUT_AFTER_S, CUT_BEFORE_S
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.beats import MARKS, touching

LEAST_S = 0.040
"""A shorter gap hides no beat: of 12 places in the QRS complexes of simulated records, a straight line over 40 ms loses
the beat in 1, over 60 ms in 6, over 120 ms in all."""
WHY = "no lead recorded what lies before it"


def gaps_s(record: Record, usable: BoolArray) -> FloatArray:
    """Return start and end in seconds, (G, 2), of spans of 40 ms or more in which no ``usable`` lead has samples."""
    missing = np.isnan(record.signal[usable]).all(axis=0)
    steps = np.diff(np.concatenate([[0], missing.astype(np.int8), [0]]))
    spans = np.stack([np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)], axis=1) / record.fs
    return np.asarray(spans[spans[:, 1] - spans[:, 0] >= LEAST_S - 1e-9])


def without_hidden(beats: Beats) -> Beats:
    """Return the beats less what their gaps hide: marks of waves that a gap overlaps, and P waves next to one.

    A beat with less recorded before or after it than a whole one takes is cut by the gap as by an end of the recording
    (``edge``), and one whose QRS complex is hidden in part is of no kind. A P wave without QRS between two beats with a
    gap between them may have had its QRS there.
    """
    if not beats.gaps_s.size:
        return beats
    marks: dict[str, Any] = {name: np.array(getattr(beats, name)) for name in MARKS}
    of_leads = {name: np.array(rows) for name, rows in beats.lead_marks.items()}
    for wave in ("p", "qrs", "t"):
        on, off = f"{wave}_on", f"{wave}_off"
        hidden = touching(marks[on], marks[off], beats.gaps_s)
        for name in (on, off):
            marks[name][hidden] = np.nan
            if name in of_leads:
                inside = touching(of_leads[name], of_leads[name], beats.gaps_s)
                of_leads[name][hidden | inside] = np.nan
    no_p, cut = _cut(beats)
    complete = np.isfinite(marks["qrs_on"]) | np.isnan(beats.qrs_on)
    no_p &= np.isnan(marks["p_on"])
    why = beats.why_no_p or ("",) * len(beats)
    changed: dict[str, Any] = {
        "lead_marks": of_leads,
        "edge": beats.edge | cut | ~complete,
        "kind": tuple(kind if whole else "unsure" for kind, whole in zip(beats.kind, complete, strict=True)),
        "why_no_p": tuple(WHY if none else old for none, old in zip(no_p, why, strict=True)),
        "extra_p_s": beats.extra_p_s[~_beside_gap(beats)],
    }
    return replace(beats, **marks, **changed)


def _cut(beats: Beats) -> tuple[BoolArray, BoolArray]:
    """Return for each beat whether a gap lies where its P wave would, and whether a gap cuts it, both (B,)."""
    tails = (beats.t_off - beats.r_s)[np.isfinite(beats.t_off)]
    tail_s = float(np.median(tails)) if tails.size else CUT_AFTER_S
    cut = touching(beats.r_s - CUT_BEFORE_S, beats.r_s + tail_s, beats.gaps_s)
    return touching(beats.r_s - CUT_S, beats.r_s, beats.gaps_s), cut


def _beside_gap(beats: Beats) -> BoolArray:
    """Return True for P waves without QRS (n,) that have a gap between the beat before and the beat after them."""
    bounds = np.concatenate([[0.0], beats.r_s, [beats.duration_s]])
    after = np.searchsorted(beats.r_s, beats.extra_p_s) + 1
    return touching(bounds[after - 1], bounds[after], beats.gaps_s)
