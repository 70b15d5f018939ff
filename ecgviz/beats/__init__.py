"""Heart beats: R peaks, wave marks over all leads, and what kind of beat each is."""

from typing import TYPE_CHECKING

import numpy as np

from ecgviz.beats.assemble import Found, assemble, unconducted
from ecgviz.beats.atrial import p_verdicts
from ecgviz.beats.belonging import check_belongs
from ecgviz.beats.complexes import basic_fit
from ecgviz.beats.gaps import gaps_s, without_hidden
from ecgviz.beats.kinds import Signs, at_edges, beat_kinds
from ecgviz.beats.network import load_network, read_waves
from ecgviz.beats.neurokit import neurokit_beats
from ecgviz.beats.overlooked import with_overlooked
from ecgviz.beats.peaks import SHORTEST_S, bridged, fine_grid, r_peaks, smoothed, usable_leads
from ecgviz.beats.scaled import at_network_rate
from ecgviz.beats.spans import rounded
from ecgviz.beats.spikes import spikes, started_by, without_spikes
from ecgviz.beats.together import with_doubted
from ecgviz.errors import InputError
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.beats import MARKS, cut_by_ends

if TYPE_CHECKING:
    from ecgviz.nets.delineator import Delineators

__all__ = ["METHODS", "check_belongs", "delineate", "network_beats"]

METHODS = ("network", "neurokit")
METHOD = "neurokit2 R peaks over leads; P, QRS and T by ecgviz's delineating network over leads"
RESEMBLANCE = 0.75
"""Median likeness of the beats to their median below which the peaks were not heart beats."""
WAVES = ("P", "QRS", "T")


def delineate(record: Record, method: str = "network") -> Beats:
    """Find the beats of a conditioned record and the waves of each.

    R peaks are neurokit2's on the root mean square of the leads. With "network", a small network that was fitted to
    cardiologists' marks and to simulated recordings (`ecgviz.nets.delineator`, whose card lies in this folder) says
    which wave each sample belongs to, in the beat as a whole and in each lead. The global marks are those of the beat
    as a whole, which lie where the median of a cardiologist's marks over the leads would. With "neurokit", nothing
    is asked but neurokit2, with its default method (see `ecgviz.beats.neurokit`).

    Beats without P wave stay without: those that a pacing spike starts, those of an irregular rhythm of which most
    beats have none, and those before which the network sees none, neither in the beat alone nor in the beats of a
    regular rhythm together (`ecgviz.beats.together`).

    Not solved: flutter waves in a fixed relation to QRS may be taken for P waves; paced beats without visible spikes
    (or below 400 Hz) are not told apart; retrograde and fused P waves are missed.

    Parameters
    ----------
    record : Record
        Any set of leads, any length; mV, conditioned. Flat and mostly missing leads are left out. Where no lead has
        samples for 40 ms or more, nothing is marked (`Beats.gaps_s`); shorter gaps are bridged by straight lines.
    method : {"network", "neurokit"}

    Returns
    -------
    Beats
        NaN where a wave is not there or was not found. Without any beat ``reason`` says why; nothing is raised, since
        a record without readable beats is a finding about the record, and no mistake of the caller.

    Raises
    ------
    InputError
        For a method that is not there.
    """
    if method == "neurokit":
        return neurokit_beats(record, "dwt")
    if method != "network":
        raise InputError(f"there is no delineation {method!r}; there are {', '.join(METHODS)}")
    return network_beats(record)


def network_beats(record: Record, net: "Delineators | None" = None) -> Beats:
    """Do what `delineate` does with a network of one's own, such as one that has not seen the record."""
    usable = usable_leads(record)
    if record.duration_s < SHORTEST_S:
        return _none(record, f"{record.duration_s:.1f} s is too short for three beats (at least {SHORTEST_S:.0f} s)")
    if not usable.any():
        return _none(record, "no lead has a signal: all are flat or mostly missing")
    signal = bridged(record.signal[usable])
    smooth = smoothed(signal, record.fs)
    peaks, reason = r_peaks(smooth, record.fs)
    if reason:
        return _none(record, reason)
    net = net or load_network()
    waves = read_waves(at_network_rate(signal, record.fs), net)
    peaks = with_overlooked(peaks, waves, smooth, record.fs)
    found = assemble(waves, peaks / record.fs)
    spikes_s = spikes(signal, record.fs, found.whole["QRS"][:, 0])
    if np.isfinite(spikes_s).any():
        signal = without_spikes(signal, record.fs, spikes_s)
        waves = read_waves(at_network_rate(signal, record.fs), net)
        found = assemble(waves, peaks / record.fs)
    if found.r_s.size < 3:
        return _none(record, f"only {found.r_s.size} of {peaks.size} candidate beats hold a QRS complex (3 are needed)")
    fine, factor = fine_grid(signal, record.fs)
    fs = factor * record.fs
    at = np.round(found.r_s * fs).astype(int)
    basic, likeness = basic_fit(fine, at, fs)
    if np.median(likeness) < RESEMBLANCE:
        return _none(
            record,
            f"the {at.size} candidate beats do not resemble each other (median correlation "
            f"{np.median(likeness):.2f}, at least {RESEMBLANCE} is needed): noise, not heart beats",
        )
    alike = basic.alike
    # A notched R has two tops of like size: the shift puts every R peak at the same place of its complex.
    moved = np.clip(at + np.where(alike, basic.shift, 0), 0, fine.shape[1] - 1) / fs
    on, off = found.whole["QRS"].T
    spiked = started_by(spikes_s, on)
    found.whole["P"] = with_doubted(
        waves.whole, found.whole, alike & ~spiked, gaps_s(record, usable), signal, record.fs
    )
    return _beats(record, usable, found, np.clip(moved, on, off), alike, spiked)


def _beats(
    record: Record, usable: BoolArray, found: Found, r_s: FloatArray, alike: BoolArray, spiked: BoolArray
) -> Beats:
    pr_s = found.whole["QRS"][:, 0] - found.whole["P"][:, 0]
    gaps = gaps_s(record, usable)
    why_no_p = p_verdicts(np.isfinite(pr_s), spiked, r_s, alike, gaps)
    no_p = np.array([why != "" for why in why_no_p])
    whole = {wave: rounded(found.whole[wave]) for wave in WAVES}
    of_lead = {wave: np.full((usable.size, r_s.size, 2), np.nan) for wave in WAVES}
    for wave in WAVES:
        of_lead[wave][usable] = rounded(found.of_lead[wave])
    whole["P"][no_p] = np.nan
    of_lead["P"][:, no_p] = np.nan
    marks = {mark: whole[wave][:, side] for mark, wave, side in _places()}
    width_s = marks["qrs_off"] - marks["qrs_on"]
    extra_p_s = np.empty(0) if no_p.all() else unconducted(found.extra_p, found.whole["P"], found.whole["QRS"])
    cut = cut_by_ends(marks["qrs_on"], marks["qrs_off"], record.duration_s)
    beats = Beats(
        r_s=r_s,
        p_on=marks["p_on"],
        p_off=marks["p_off"],
        qrs_on=marks["qrs_on"],
        qrs_off=marks["qrs_off"],
        t_on=marks["t_on"],
        t_off=marks["t_off"],
        kind=beat_kinds(Signs(r_s, alike, width_s, pr_s, spiked, cut, gaps, extra_p_s)),
        edge=at_edges(r_s, marks["t_off"], alike, record.duration_s),
        duration_s=record.duration_s,
        leads=record.leads,
        lead_marks={mark: of_lead[wave][:, :, side] for mark, wave, side in _places()},
        why_no_p=why_no_p,
        extra_p_s=extra_p_s,
        gaps_s=gaps,
        method=METHOD,
    )
    return without_hidden(beats)


def _places() -> tuple[tuple[str, str, int], ...]:
    """Return for each mark its name, its wave, and 0 for onset or 1 for offset."""
    return tuple((mark, WAVES[k // 2], k % 2) for k, mark in enumerate(MARKS))


def _none(record: Record, reason: str) -> Beats:
    return Beats.none(record.leads, record.duration_s, METHOD, reason)
