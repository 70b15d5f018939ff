"""The median beat: what most dominant beats look like, free of what only one of them shows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ecgviz.beats.peaks import bridged, usable_leads
from ecgviz.beats.spikes import SMEARED_S, spikes, without_spikes
from ecgviz.beats.windows import windows
from ecgviz.signal import resample
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.beats import KINDS, MARKS

LONGEST_BEFORE_S, LONGEST_AFTER_S = 0.50, 0.80
"""The window never reaches further from the R peak than this (PR intervals to 0.4 s, QT intervals to 0.7 s fit)."""
BEFORE_RR, AFTER_RR = 0.70, 0.95
"""... nor further than these shares of the RR interval, so that fast rhythms do not show their neighbours twice."""
MARGIN_S = 0.020
"""... but always this far beyond the first and the last mark: a level is read before P and after T."""
LEVEL_S = 0.010
"""The level at QRS onset is the mean over this long before it; in paced beats before the spike, which is no level."""
FEWEST_BEATS = 3
GRID_HZ = 500.0
"""Beats are put together at this rate at least: on a grid of 4 ms, QRS would lose 0.015 mV from peak to peak."""


@dataclass(frozen=True, eq=False)
class MedianBeat:
    """Median beat ``mv`` (L, W), zero at QRS onset; its axis ``time_s`` (W,), 0 at the R peak; the marks on it.

    Paced beats are zero before their spike, which is bridged by a straight line: it is neither a level nor a wave.
    """

    mv: FloatArray
    time_s: FloatArray
    marks_s: Mapping[str, float]
    n_beats: int
    fs: float

    def at(self, time_s: float) -> FloatArray:
        """Return each lead's value (L,) at a time, linearly interpolated; NaN outside the window or without a time."""
        if not self.time_s[0] <= time_s <= self.time_s[-1]:
            return np.full(len(self.mv), np.nan)
        return np.array([np.interp(time_s, self.time_s, row) for row in self.mv])

    def level(self, start_s: float, end_s: float) -> FloatArray:
        """Return each lead's mean (L,) from ``start_s`` to ``end_s``; of the nearest sample when none lies between."""
        half = 0.5 / self.fs
        _, values = self.part(start_s - half, end_s + half)
        return values.mean(axis=1) if values.shape[1] else self.at((start_s + end_s) / 2)

    def part(self, start_s: float, end_s: float) -> tuple[FloatArray, FloatArray]:
        """Return times (K,) and values (L, K) from ``start_s`` to ``end_s``; empty when a bound is NaN."""
        inside = (self.time_s >= start_s - 1e-9) & (self.time_s <= end_s + 1e-9)
        return self.time_s[inside], self.mv[:, inside]


def members(beats: Beats, kind: str | None = None) -> BoolArray:
    """Return the beats (B,) that a median is taken over: whole ones with both QRS marks, of ``kind`` or dominant."""
    of_kind = np.array([one == kind for one in beats.kind], dtype=bool)
    whole = beats.dominant if kind is None else of_kind & ~beats.edge
    return np.asarray(whole & np.isfinite(beats.qrs_on) & np.isfinite(beats.qrs_off))


def median_marks(beats: Beats, chosen: BoolArray) -> dict[str, float]:
    """Return the six global marks in seconds from the R peak: medians over the chosen beats, NaN if most lack one."""
    marks = {}
    for name in MARKS:
        distance = (getattr(beats, name) - beats.r_s)[chosen]
        known = distance[np.isfinite(distance)]
        marks[name] = float(np.median(known)) if known.size and 2 * known.size >= distance.size else float("nan")
    return marks


def median_beat(
    record: Record, beats: Beats, usable: BoolArray, chosen: BoolArray, fewest: int = FEWEST_BEATS
) -> MedianBeat | None:
    """Return the median over ``chosen`` beats (B,), or None when there are fewer than ``fewest`` of them.

    Each beat is first brought to zero at its own QRS onset in each lead, so that wander does not widen the spread; the
    median is then brought to zero once more. Below 500 Hz this is done on a finer grid, where beats
    can be aligned and their peaks are found between samples. Leads that are not ``usable`` (L,) are NaN.
    """
    if chosen.sum() < max(fewest, 1):
        return None
    factor = int(np.ceil(GRID_HZ / record.fs))
    fs = factor * record.fs
    signal, spikes_s = _without_spikes(record, beats, chosen)
    fine = resample(signal, record.fs, fs)
    marks = median_marks(beats, chosen)
    before, after = (round(span * fs) for span in _spans_s(beats, chosen, marks))
    known = np.repeat(np.isfinite(record.signal), factor, axis=1)[:, : fine.shape[1]]
    shown = np.where(usable[:, None] & known, fine, np.nan)
    peaks = np.round(beats.r_s[chosen] * fs).astype(int)
    padded = np.pad(shown, ((0, 0), (before, after)), constant_values=np.nan)
    cut, _ = windows(padded, peaks + before, before, after)
    time_s = np.arange(-before, after) / fs
    level = _level_window(time_s, _level_end(marks["qrs_on"], spikes_s - beats.r_s[chosen]), fs)
    aligned = cut - _mean(cut[:, :, level], 2)[:, :, None]
    middle = over_beats(aligned)
    middle -= _mean(middle[:, level], 1)[:, None]
    return MedianBeat(mv=middle, time_s=time_s, marks_s=marks, n_beats=int(chosen.sum()), fs=fs)


def median_beats_by_kind(record: Record, beats: Beats) -> dict[str, MedianBeat]:
    """Return a median beat for each kind of beat that the record has, in the order of `ecgviz.types.beats.KINDS`.

    For showing, so a kind with one or two beats has one too; ``n_beats`` tells of how many it is. Beats that the
    recording cuts are left out. What `ecgviz.measure.measure` gives comes from the dominant kind alone.
    """
    usable = usable_leads(record)
    found = {kind: median_beat(record, beats, usable, members(beats, kind), fewest=1) for kind in KINDS}
    return {kind: median for kind, median in found.items() if median is not None}


def _spans_s(beats: Beats, chosen: BoolArray, marks: Mapping[str, float]) -> tuple[float, float]:
    """Return how far the window reaches before and after R: a share of the usual RR, but never less than the marks."""
    rr = beats.rr_s
    own = _median(rr, 1.0)
    usual_before, usual_after = _median(rr[chosen[1:]], own), _median(rr[chosen[:-1]], own)
    earliest, latest = (-np.nan_to_num(marks["p_on"]) + MARGIN_S, np.nan_to_num(marks["t_off"]) + MARGIN_S)
    before = max(min(LONGEST_BEFORE_S, BEFORE_RR * usual_before), float(earliest))
    return before, max(min(LONGEST_AFTER_S, AFTER_RR * usual_after), float(latest))


def _median(rr_s: FloatArray, otherwise: float) -> float:
    known = rr_s[np.isfinite(rr_s)]
    return float(np.median(known)) if known.size else otherwise


def _without_spikes(record: Record, beats: Beats, chosen: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Return the samples (L, N) without gaps and pacing spikes, and the spike of each chosen beat (seconds), or NaN."""
    signal, spikes_s = bridged(record.signal), np.full(int(chosen.sum()), np.nan)
    if "paced" in np.array(beats.kind)[chosen]:
        spikes_s = spikes(signal, record.fs, beats.qrs_on[chosen])
        signal = without_spikes(signal, record.fs, spikes_s)
    return signal, spikes_s


def _level_end(qrs_on: float, spikes_s: FloatArray) -> float:
    """Return where the level is read to, in seconds from R: to QRS onset, or to before the spikes, if there are any."""
    known = spikes_s[np.isfinite(spikes_s)] - SMEARED_S
    return min(qrs_on, float(np.median(known))) if known.size else qrs_on


def _level_window(time_s: FloatArray, end_s: float, fs: float) -> BoolArray:
    window: BoolArray = (time_s <= end_s + 0.5 / fs) & (time_s > end_s - LEVEL_S - 0.5 / fs)
    return window


def _mean(values: FloatArray, axis: int) -> FloatArray:
    """Return the mean over known values, NaN where none is known."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def over_beats(beats: FloatArray) -> FloatArray:
    """Return the median over beats (B, L, W) of known values, NaN where none is known."""
    known = np.isfinite(beats)
    count = known.sum(axis=0)
    ordered = np.sort(beats, axis=0)  # NaN go last
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[None], axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(beats) - 1)[None], axis=0)[0]
    return np.where(count > 0, (low + high) / 2, np.nan)
