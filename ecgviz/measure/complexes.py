"""The waves of one lead's QRS complex: Q, R, S, R', their sizes and durations, notches and slow upstrokes."""

from dataclasses import dataclass, replace

import numpy as np
import scipy

from ecgviz.types.arrays import FloatArray

SMALLEST_MV = 0.05
"""A deflection is a wave from half a millimetre on, what a reader sees on paper, ..."""
SHORTEST_S = 0.010
"""... and from this long on."""
FIRST_MV, FIRST_S = 0.03, 0.012
"""The first deflection is one from this size and duration on, the least that IEC 60601-2-51 (annex GG.5) asks programs
to see: it decides between QS and rS, and whether an R has a q before it. Of 1680 leads of PTB-XL, each measured in two
halves of its beats, 78 begin with another wave in the one half than in the other; at 0.05 mV and 10 ms it is 86."""
FLAT_MV, FLAT_S = 0.02, 0.006
"""What stays within this before the first wave, for so long, is isoelectric and no part of the wave (IEC 60601-2-25).
The size is that of the least half of a P wave that is told from noise (`ecgviz.measure.waves`). Without it the sign of
a few microvolts lengthens a Q: of 426 Q waves of PTB-XL, each measured in two halves of its beats, 25 differ by 8 ms or
more, with it 12. More would cut the foot of a Q: in the leads of LUDB its cardiologists set the onset of 296 of them
2 ms before ours without it, 4 ms with it, and 7 ms before one at 0.03 mV."""
SMALL_SHARE = 0.4
"""Waves below this share of the complex's largest one are written small (q, r, s), but never those above 0.5 mV."""
CAPITAL_MV = 0.5
SMOOTH_S = 0.010
"""Slopes are taken after a moving average of this length."""
SLOW = 0.40
"""Notch or slur: the slope falls below this share of the steepest slopes on both its sides, away from a wave's peak."""
STEEP_MV_PER_S = 2.0
"""... and both those slopes exceed this, so that noise at the foot of a complex is no notch."""
NOTCH_PLACE = (0.25, 0.75)
"""Part of the QRS complex in which a notch or slur counts."""
DELTA_SLOPE = 0.30
"""Slow part of an upstroke: below this share of the complex's steepest slope."""


@dataclass(frozen=True)
class Wave:
    """One deflection: signed ``mv`` at its peak, ``peak_s``, and where it leaves and meets the baseline, in seconds."""

    mv: float
    peak_s: float
    start_s: float
    end_s: float


def deflections(
    time_s: FloatArray,
    mv: FloatArray,
    smallest_mv: float = SMALLEST_MV,
    first_mv: float = FIRST_MV,
    flat_mv: float = FLAT_MV,
) -> list[Wave]:
    """Return the deflections of a complex in order, cut where the lead crosses its level at QRS onset.

    ``time_s`` and ``mv`` (K,) run from QRS onset to J point. A last stretch that only leads to a raised or lowered
    ST segment is no wave: its extreme must stand ``smallest_mv`` beyond the J point, unless it is upright and takes
    more than half of the complex, as an R does that runs into a raised ST segment; after a QS complex it is shorter. A
    deflection before all others may be as small as ``first_mv`` when it lasts 12 ms; alone it is none. An isoelectric
    stretch at its start, within ``flat_mv``, counts for that, but not for its duration.
    """
    waves: list[Wave] = []
    firsts = np.concatenate([[0], np.flatnonzero(np.diff(mv >= 0)) + 1])
    stops = np.append(firsts[1:], mv.size)
    size = np.abs(mv)
    heights = np.maximum.reduceat(size, firsts)
    if mv[-1] < 0 or 2 * firsts[-1] >= mv.size:
        heights[-1] -= size[-1]
    for run in np.flatnonzero(heights >= min(smallest_mv, first_mv)):
        wave = _wave(time_s, mv, int(firsts[run]), int(stops[run]))
        lasts_s = wave.end_s - wave.start_s
        opens = not waves and heights[run] >= first_mv and lasts_s >= FIRST_S
        if opens or (heights[run] >= smallest_mv and lasts_s >= SHORTEST_S):
            waves.append(wave)
    if not any(abs(wave.mv) >= smallest_mv for wave in waves):
        return []
    waves[0] = _after_level(time_s, mv, waves[0], flat_mv)
    return _joined(waves)


def _wave(time_s: FloatArray, mv: FloatArray, first: int, stop: int) -> Wave:
    """Return the deflection that fills samples ``first`` to ``stop`` less one."""
    start = _crossing(time_s, mv, first) if first else time_s[0]
    end = _crossing(time_s, mv, stop) if stop < mv.size else time_s[-1]
    peak = first + int(np.abs(mv[first:stop]).argmax())
    return Wave(float(mv[peak]), float(time_s[peak]), float(start), float(end))


def _after_level(time_s: FloatArray, mv: FloatArray, wave: Wave, flat_mv: float) -> Wave:
    """Return the first wave of a complex without an isoelectric stretch at its start."""
    inside = np.flatnonzero((time_s >= wave.start_s) & (time_s <= wave.peak_s))
    left = int(np.argmax(np.abs(mv[inside]) > flat_mv))
    level_s = time_s[inside[max(left - 1, 0)]]
    return replace(wave, start_s=float(level_s)) if level_s - wave.start_s > FLAT_S - 1e-9 else wave


def _crossing(time_s: FloatArray, mv: FloatArray, index: int) -> float:
    """Return when the lead crosses zero between samples ``index - 1`` and ``index``."""
    before, after = mv[index - 1], mv[index]
    return float(time_s[index - 1] + (time_s[index] - time_s[index - 1]) * before / (before - after))


def _joined(waves: list[Wave]) -> list[Wave]:
    """Return the waves with neighbours of one sign made one: what lay between them was too small to count."""
    joined: list[Wave] = []
    for wave in waves:
        if joined and (joined[-1].mv > 0) == (wave.mv > 0):
            last = joined.pop()
            top = last if abs(last.mv) >= abs(wave.mv) else wave
            wave = Wave(top.mv, top.peak_s, last.start_s, wave.end_s)
        joined.append(wave)
    return joined


def named(waves: list[Wave]) -> dict[str, Wave]:
    """Name deflections Q, R, S, R', S'; a complex of one negative deflection alone is QS."""
    positive = [k for k, wave in enumerate(waves) if wave.mv > 0]
    if not positive:
        return {"QS": waves[0]} if waves else {}
    first = positive[0]
    names = {}
    if first == 1:
        names["Q"] = waves[0]
    for wave, name in zip(waves[first:], ("R", "S", "R'", "S'"), strict=False):
        names[name] = wave
    return names


def pattern(names: dict[str, Wave]) -> str:
    """Write a complex in the usual letters, such as qR, rS, rsR': small letters for small waves."""
    if "QS" in names:
        return "QS"
    largest = max((abs(wave.mv) for wave in names.values()), default=0.0)
    limit = min(SMALL_SHARE * largest, CAPITAL_MV)
    return "".join(name if abs(wave.mv) >= limit else name.lower() for name, wave in names.items())


def slope(mv: FloatArray, fs: float) -> FloatArray:
    """Return the smoothed slope along the last axis, of the shape of ``mv``, in mV/s."""
    width = max(1, round(SMOOTH_S * fs)) | 1
    smooth = scipy.ndimage.uniform_filter1d(mv, width, axis=-1, mode="nearest")
    return np.asarray(np.gradient(smooth, 1 / fs, axis=-1))


def notches(time_s: FloatArray, speed: FloatArray, peaks_s: list[float]) -> list[float]:
    """Return the times of notches and slurs: slow points between two steep ones that are no peak of a named wave.

    ``speed`` (K,) is the absolute smoothed slope; ``peaks_s`` the peaks of the named waves.
    """
    duration = time_s[-1] - time_s[0]
    found = []
    slow = np.flatnonzero((speed[1:-1] <= speed[:-2]) & (speed[1:-1] < speed[2:])) + 1
    bounds = [0, *slow, speed.size - 1]
    for k, index in enumerate(slow, start=1):
        place = (time_s[index] - time_s[0]) / duration
        at_peak = any(abs(time_s[index] - peak) <= SMOOTH_S for peak in peaks_s)
        if at_peak or not NOTCH_PLACE[0] <= place <= NOTCH_PLACE[1]:
            continue
        beside = min(speed[bounds[k - 1] : index + 1].max(), speed[index : bounds[k + 1] + 1].max())
        if speed[index] < SLOW * beside and beside > STEEP_MV_PER_S:
            found.append(float(time_s[index]))
    return found


def last_top(time_s: FloatArray, mv: FloatArray, wave: Wave) -> float:
    """Return the time of the last top of an upright wave: its second one when it is notched by at least 0.05 mV."""
    inside = np.flatnonzero((time_s >= wave.start_s) & (time_s <= wave.end_s))
    if inside.size < 3:
        return wave.peak_s
    part = mv[inside]
    tops = np.flatnonzero((part[1:-1] >= part[:-2]) & (part[1:-1] > part[2:])) + 1
    for top in tops[::-1]:
        peak = int(np.abs(time_s[inside] - wave.peak_s).argmin())
        if top <= peak:
            break
        if part[top] - part[peak : top + 1].min() >= SMALLEST_MV:
            return float(time_s[inside[top]])
    return wave.peak_s


def slow_share(mv: FloatArray, speed: FloatArray) -> float:
    """Return the share of the time from QRS onset to the largest deflection at under 30 % of the steepest slope."""
    top = int(np.abs(mv).argmax())
    if top < 2 or np.abs(mv[top]) < SMALLEST_MV:
        return float("nan")
    return float(np.mean(speed[:top] < DELTA_SLOPE * speed.max()))
