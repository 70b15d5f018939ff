"""The median beat: what most dominant beats look like, free of what only one of them shows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ecgviz.beats.peaks import bridged, fine_grid
from ecgviz.beats.windows import windows
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.beats import MARKS

LONGEST_BEFORE_S, LONGEST_AFTER_S = 0.50, 0.80
"""The window never reaches further from the R peak than this (PR intervals to 0.4 s, QT intervals to 0.7 s fit)."""
BEFORE_RR, AFTER_RR = 0.70, 0.95
"""... nor further than these shares of the RR interval, so that fast rhythms do not show their neighbours twice."""
LEVEL_S = 0.010
"""The level at QRS onset is the mean over this long before it."""
FEWEST_BEATS = 3


@dataclass(frozen=True, eq=False)
class MedianBeat:
    """Median beat ``mv`` (L, W), zero at QRS onset; its axis ``time_s`` (W,), 0 at the R peak; the marks on it."""

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

    def part(self, start_s: float, end_s: float) -> tuple[FloatArray, FloatArray]:
        """Return times (K,) and values (L, K) from ``start_s`` to ``end_s``; empty when a bound is NaN."""
        inside = (self.time_s >= start_s - 1e-9) & (self.time_s <= end_s + 1e-9)
        return self.time_s[inside], self.mv[:, inside]


def members(beats: Beats) -> BoolArray:
    """Return the beats (B,) that the median is taken over: the dominant ones with both QRS marks."""
    return beats.dominant & np.isfinite(beats.qrs_on) & np.isfinite(beats.qrs_off)


def median_marks(beats: Beats, chosen: BoolArray) -> dict[str, float]:
    """Return the six global marks in seconds from the R peak: medians over the chosen beats, NaN if most lack one."""
    marks = {}
    for name in MARKS:
        distance = (getattr(beats, name) - beats.r_s)[chosen]
        known = distance[np.isfinite(distance)]
        marks[name] = float(np.median(known)) if known.size and 2 * known.size >= distance.size else float("nan")
    return marks


def median_beat(record: Record, beats: Beats, usable: BoolArray) -> MedianBeat | None:
    """Return the median over the dominant beats, or None when there are fewer than three.

    Each beat is first brought to zero at its own QRS onset in each lead, so that wander does not widen the spread; the
    median is then brought to zero once more. Below 250 Hz this is done on a finer grid, where beats
    can be aligned. Leads that are not ``usable`` (L,) are NaN.
    """
    chosen = members(beats)
    if chosen.sum() < FEWEST_BEATS:
        return None
    fine, factor = fine_grid(bridged(record.signal), record.fs)
    fs = factor * record.fs
    rr = float(np.median(np.diff(beats.r_s)))
    before = round(min(LONGEST_BEFORE_S, BEFORE_RR * rr) * fs)
    after = round(min(LONGEST_AFTER_S, AFTER_RR * rr) * fs)
    marks = median_marks(beats, chosen)
    known = np.repeat(np.isfinite(record.signal), factor, axis=1)[:, : fine.shape[1]]
    signal = np.where(usable[:, None] & known, fine, np.nan)
    peaks = np.round(beats.r_s[chosen] * fs).astype(int)
    padded = np.pad(signal, ((0, 0), (before, after)), constant_values=np.nan)
    cut, _ = windows(padded, peaks + before, before, after)
    time_s = np.arange(-before, after) / fs
    level = _level_window(time_s, marks["qrs_on"], fs)
    aligned = cut - _mean(cut[:, :, level], 2)[:, :, None]
    middle = _median(aligned)
    middle -= _mean(middle[:, level], 1)[:, None]
    return MedianBeat(mv=middle, time_s=time_s, marks_s=marks, n_beats=int(chosen.sum()), fs=fs)


def _level_window(time_s: FloatArray, qrs_on: float, fs: float) -> BoolArray:
    window: BoolArray = (time_s <= qrs_on + 0.5 / fs) & (time_s > qrs_on - LEVEL_S - 0.5 / fs)
    return window


def _mean(values: FloatArray, axis: int) -> FloatArray:
    """Return the mean over known values, NaN where none is known."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _median(beats: FloatArray) -> FloatArray:
    """Return the median over beats (B, L, W) of known values, NaN where none is known."""
    known = np.isfinite(beats)
    count = known.sum(axis=0)
    ordered = np.sort(beats, axis=0)  # NaN go last
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[None], axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(beats) - 1)[None], axis=0)[0]
    return np.where(count > 0, (low + high) / 2, np.nan)
