"""Heart beats: R peaks, wave marks over all leads, and what kind of beat each is."""

import numpy as np

from ecgviz.beats.atrial import locked_p, p_lead_time, p_verdicts
from ecgviz.beats.complexes import ALIKE, alignment, qrs_bounds, steepness
from ecgviz.beats.fusion import lead_marks, middle, p_marks, t_marks_by_leads
from ecgviz.beats.kinds import beat_kinds
from ecgviz.beats.peaks import SHORTEST_S, bridged, cleaned, fine_grid, r_peaks, usable_leads
from ecgviz.beats.repolarisation import t_marks
from ecgviz.beats.waves import waves_of_leads
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.beats import MARKS

__all__ = ["delineate"]

METHOD = "neurokit2 R peaks over leads, neurokit2 prominence a lead, fused over leads, QRS by steepness over leads"
RESEMBLANCE = 0.75
"""Median likeness of the beats to their median below which the peaks were not heart beats."""


def delineate(record: Record) -> Beats:
    """Find the beats of a conditioned record and the waves of each.

    R peaks are neurokit2's on the root mean square of its cleaned leads; each lead is delineated by neurokit2's
    "prominence" method at its own rate (Emrich et al., EUSIPCO 2024), which on cardiologists' marks misses the fewest
    waves of its methods. What single leads say is then fused: a mark more than 40 ms from the median over leads is
    dropped, onsets are the earliest decile over leads, offsets the latest.

    Departures from neurokit2: QRS bounds come from the steepness over all leads, because the prominence method
    starts the complex late and ends it at the lowest point of S; a P wave counts only when it keeps its shape and its
    distance to the QRS complex over the beats, because every method of neurokit2 marks P waves in atrial fibrillation.

    Not solved: where a P wave runs into a slurred QRS onset without a pause (some pre-excited beats), QRS onset may be
    placed inside the P wave; flutter waves in a fixed relation to QRS are taken for P waves; paced beats are not told
    apart; P waves that no QRS follows are not looked for.

    Parameters
    ----------
    record : Record
        Any set of leads, any length; mV, conditioned. Flat and mostly missing leads are left out.

    Returns
    -------
    Beats
        NaN where a wave is not there or was not found. Without any beat ``reason`` says why; nothing is raised, since
        a record without readable beats is a finding about the record, and no mistake of the caller.
    """
    usable = usable_leads(record)
    if record.duration_s < SHORTEST_S:
        return _none(record, f"{record.duration_s:.1f} s is too short for three beats (at least {SHORTEST_S:.0f} s)")
    if not usable.any():
        return _none(record, "no lead has a signal: all are flat or mostly missing")
    fs = record.fs
    clean = cleaned(bridged(record.signal[usable]), fs)
    peaks, reason = r_peaks(clean, fs)
    if reason:
        return _none(record, reason)
    fine, factor = fine_grid(clean, fs)
    shifts, likeness = alignment(fine, factor * peaks, factor * fs)
    if np.median(likeness) < RESEMBLANCE:
        return _none(
            record,
            f"the {peaks.size} candidate beats do not resemble each other (median correlation "
            f"{np.median(likeness):.2f}, at least {RESEMBLANCE} is needed): noise, not heart beats",
        )
    alike = likeness > ALIKE
    # A notched R has two tops of like size: the shift puts every R peak at the same place of its complex.
    aligned = np.clip(factor * peaks + np.where(alike, shifts, 0), 0, fine.shape[1] - 1)
    bounds = qrs_bounds(steepness(fine, factor * fs), aligned, factor * fs)
    marks = waves_of_leads(clean, peaks, fs, bounds[0], alike)
    return _fused(record, marks, usable, fine, factor * fs, aligned, alike, bounds)


def _fused(
    record: Record,
    marks: dict[str, FloatArray],
    usable: BoolArray,
    fine: FloatArray,
    fs: float,
    peaks: np.ndarray,
    alike: BoolArray,
    bounds: tuple[FloatArray, FloatArray],
) -> Beats:
    """Put the marks of the usable leads together; ``fine`` (L, N) at ``fs`` and ``peaks`` (B,) are on one grid."""
    r_s, (qrs_on, qrs_off) = peaks / fs, bounds
    lead_time, spread = p_lead_time(middle(marks["p_peak"]), qrs_on, alike)
    why_no_p = p_verdicts(locked_p(fine, lead_time, qrs_on, alike, fs), spread, alike, r_s)
    p_on, p_off = p_marks(marks, qrs_on, np.array([why == "" for why in why_no_p]), alike)
    usual = [_usual(mark - r_s, alike) for mark in (qrs_on, qrs_off, p_on)]
    following = _usual(np.diff(r_s), alike[:-1]) + (usual[2] if np.isfinite(usual[2]) else usual[0])
    t_on, t_off = t_marks(fine, fs, peaks, (usual[0], usual[1]), following, alike)
    of_leads = t_marks_by_leads(marks, qrs_off)
    whole = {
        "p_on": p_on,
        "p_off": p_off,
        "qrs_on": qrs_on,
        "qrs_off": qrs_off,
        "t_on": np.where(alike, t_on, of_leads[0]),
        "t_off": np.where(alike, t_off, of_leads[1]),
    }
    return Beats(
        r_s=r_s,
        p_on=p_on,
        p_off=p_off,
        qrs_on=qrs_on,
        qrs_off=qrs_off,
        t_on=whole["t_on"],
        t_off=whole["t_off"],
        kind=beat_kinds(r_s, alike, qrs_off - qrs_on, whole["t_off"], record.duration_s),
        duration_s=record.duration_s,
        leads=record.leads,
        lead_marks=lead_marks(marks, usable, whole),
        why_no_p=tuple(
            "the leads do not agree on its bounds" if why == "" and np.isnan(on) else why
            for why, on in zip(why_no_p, p_on, strict=True)
        ),
        method=METHOD,
    )


def _usual(distance: FloatArray, chosen: BoolArray) -> float:
    """Return the median over chosen beats of a distance in seconds (B,); NaN where most of them lack it."""
    known = distance[chosen & np.isfinite(distance)]
    return float(np.median(known)) if known.size and 2 * known.size >= chosen.sum() else float("nan")


def _none(record: Record, reason: str) -> Beats:
    none = np.empty(0)
    return Beats(
        r_s=none,
        p_on=none,
        p_off=none,
        qrs_on=none,
        qrs_off=none,
        t_on=none,
        t_off=none,
        kind=(),
        duration_s=record.duration_s,
        leads=record.leads,
        lead_marks={mark: np.empty((len(record.leads), 0)) for mark in MARKS},
        method=METHOD,
        reason=reason,
    )
