"""Heart beats: R peaks, wave marks over all leads, and what kind of beat each is."""

import numpy as np

from ecgviz.beats.atrial import locked_p, p_verdicts
from ecgviz.beats.complexes import ALIKE, alignment, beat_kinds, dominant_template, qrs_bounds
from ecgviz.beats.fusion import global_marks, lead_marks, middle
from ecgviz.beats.peaks import SHORTEST_S, bridged, cleaned, r_peaks, steepness, usable_leads
from ecgviz.beats.waves import LISTS, lead_waves
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import FloatArray
from ecgviz.types.beats import MARKS

__all__ = ["delineate"]

METHOD = "neurokit2 R peaks over leads, neurokit2 prominence a lead, fused over leads, QRS by steepness over leads"
RESEMBLANCE = 0.6
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
    shape = dominant_template(clean, peaks, fs)
    shifts, likeness = alignment(clean, peaks, shape, fs)
    if np.median(likeness) < RESEMBLANCE:
        return _none(
            record,
            f"the {peaks.size} candidate beats do not resemble each other (median correlation "
            f"{np.median(likeness):.2f}, at least {RESEMBLANCE} is needed): noise, not heart beats",
        )
    # A notched R has two tops of like size: the shift puts every R peak at the same place of its complex.
    peaks = np.clip(np.where(likeness > ALIKE, peaks + shifts, peaks), 0, clean.shape[1] - 1)
    return _delineated(record, clean, usable, peaks, likeness)


def _delineated(
    record: Record, clean: FloatArray, usable: np.ndarray, peaks: np.ndarray, likeness: FloatArray
) -> Beats:
    fs = record.fs
    marks = {mark: np.full((len(record.leads), peaks.size), np.nan) for mark in LISTS}
    for lead, row in zip(np.flatnonzero(usable), clean, strict=True):
        for mark, times in lead_waves(row, peaks, fs).items():
            marks[mark][lead] = times
    qrs_on, qrs_off = qrs_bounds(steepness(clean, fs), peaks, fs)
    alike = likeness > ALIKE
    p_peak = middle(marks["p_peak"][usable])
    scores = locked_p(clean, p_peak, qrs_on, alike, fs)
    why_no_p = p_verdicts(scores, p_peak, alike, peaks / fs)
    has_p = np.array([why == "" for why in why_no_p])
    whole = global_marks({k: v[usable] for k, v in marks.items()}, qrs_on, qrs_off, has_p)
    lost = has_p & np.isnan(whole["p_on"])
    return Beats(
        r_s=peaks / fs,
        **whole,
        kind=beat_kinds(peaks / fs, likeness, qrs_off - qrs_on, whole["t_off"], record.duration_s),
        duration_s=record.duration_s,
        leads=record.leads,
        lead_marks=lead_marks(marks, whole),
        why_no_p=tuple("its onset was not found" if gone else why for gone, why in zip(lost, why_no_p, strict=True)),
        method=METHOD,
    )


def _none(record: Record, reason: str) -> Beats:
    none = np.empty(0)
    return Beats(
        r_s=none,
        **dict.fromkeys(MARKS, none),
        kind=(),
        duration_s=record.duration_s,
        leads=record.leads,
        lead_marks={mark: np.empty((len(record.leads), 0)) for mark in MARKS},
        method=METHOD,
        reason=reason,
    )
