"""P and T waves of the median beat: amplitude, P-terminal force, symmetry of T; and how long each lead's waves last."""

from collections.abc import Mapping

import numpy as np

from ecgviz.measure.complexes import deflections
from ecgviz.measure.median_beat import MedianBeat
from ecgviz.types import Beats
from ecgviz.types.arrays import BoolArray, FloatArray

FOOT_S = 0.010
"""The level at the foot of a P wave is the mean over this long before its onset, and after its offset."""
SMALLEST_P_MV = 0.02
"""A half of a P wave smaller than this is not told from noise in a median beat."""
SMALLEST_T_MV = 0.05
"""The symmetry of a T wave lower than this is not measured."""
PER_LEAD: Mapping[str, str] = {
    "p_mv": "largest deflection between P onset and offset, signed, from the line between the levels beside them",
    "p_width_ms": "P duration in the lead, by its own marks",
    "p_end_mv": "depth of the last part of P where that is negative, from the same line, >= 0; 0 where it is not",
    "p_end_ms": "duration of that part; 0 without one",
    "qrs_width_ms": "QRS duration in the lead, by its own marks",
    "t_mv": "largest deflection between T onset and offset, signed",
    "t_width_ms": "T duration in the lead, by its own marks",
    "t_symmetry": "area of T before its peak over the area after it; 1 is symmetric, normal T waves are above 1",
}


def p_wave(median: MedianBeat) -> tuple[FloatArray, FloatArray]:
    """Return times (K,) and the P wave (L, K) mV from the straight line between the levels before and after it.

    At higher rates a P wave stands on the end of the T wave before, so that the level at QRS onset is not its zero.
    In simulated records of 40 to 110 bpm this line gives its amplitude to 0.0045 mV on average, the level at QRS
    onset to 0.0068 mV, the level at P onset to 0.0089 mV.
    """
    on, off, limit = (median.marks_s[name] for name in ("p_on", "p_off", "qrs_on"))
    time_s, part = median.part(on, off)
    before, after = median.level(on - FOOT_S, on), median.level(off, min(off + FOOT_S, max(limit, off)))
    share = (time_s - on) / (off - on)
    return time_s, part - before[:, None] - (after - before)[:, None] * share


def wave_measurements(
    median: MedianBeat, beats: Beats, chosen: BoolArray, leads: tuple[str, ...]
) -> tuple[dict[str, FloatArray], float, dict[str, str]]:
    """Return what is measured of P and T in each lead (L,), the P-terminal force in V1 (mV ms), and reasons for NaN.

    The force is depth times duration of the last part of P in V1, after Morris et al., Circulation 1964;29:242, whose
    sign is dropped: 1 mm s is 100 mV ms.
    """
    nothing = np.full(len(median.mv), np.nan)
    table, force = dict.fromkeys(PER_LEAD, nothing), float("nan")
    reasons: dict[str, str] = {}
    why = no_p_because(median, beats, chosen)
    if why:
        reasons |= dict.fromkeys(("p_mv", "p_end_mv", "p_end_ms", "ptf_v1_mv_ms"), why)
    else:
        time_s, p = p_wave(median)
        table["p_mv"] = largest(p)
        table["p_end_mv"], table["p_end_ms"] = negative_ends(time_s, p)
        force, reasons["ptf_v1_mv_ms"] = _force_in_v1(table["p_end_mv"] * table["p_end_ms"], leads)
    _, t = median.part(median.marks_s["t_on"], median.marks_s["t_off"])
    table["t_mv"], table["t_symmetry"] = largest(t), symmetry(t)
    reasons["t_symmetry"] = f"the lead has no T wave of {SMALLEST_T_MV} mV above the line between its ends"
    if not t.shape[1]:
        reasons |= dict.fromkeys(("t_mv", "t_symmetry"), "no T wave was found in most dominant beats")
    for wave in ("p", "qrs", "t"):
        table[f"{wave}_width_ms"], reasons[f"{wave}_width_ms"] = _width(wave, beats, chosen, leads)
    return table, force, reasons


def no_p_because(median: MedianBeat, beats: Beats, chosen: BoolArray) -> str:
    """Return why the P wave has no amplitude that could be measured; "" where it has."""
    if not np.isfinite(median.marks_s["p_on"] + median.marks_s["p_off"]):
        return "no P wave was found in most dominant beats"
    with_t = chosen[1:] & np.isfinite(beats.p_on[1:])
    if 2 * int((beats.fused[:-1] & with_t).sum()) > int(with_t.sum()):
        return "the P wave begins before the T wave of the beat before it has ended"
    return ""


def largest(part: FloatArray) -> FloatArray:
    """Return each lead's largest deflection (L,) of a wave (L, K), signed; of a biphasic wave the larger half."""
    if part.shape[1] == 0:
        return np.full(len(part), np.nan)
    where = np.abs(np.nan_to_num(part)).argmax(axis=1)
    return np.asarray(part[np.arange(len(part)), where])


def _force_in_v1(forces: FloatArray, leads: tuple[str, ...]) -> tuple[float, str]:
    if "V1" not in leads:
        return float("nan"), "lead V1 is not in this record"
    force = float(forces[leads.index("V1")])
    return force, "" if np.isfinite(force) else "lead V1 has no signal"


def negative_ends(time_s: FloatArray, p_mv: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return depth in mV and duration in ms of the last part of P waves (L, K), both (L,), where it is negative.

    0 where a P wave ends upright. The part begins where the wave crosses its line for the last time; of a P wave that
    is negative as a whole, that is its onset.
    """
    depth, duration = np.full(len(p_mv), np.nan), np.full(len(p_mv), np.nan)
    for lead in np.flatnonzero(np.isfinite(p_mv).all(axis=1)):
        halves = deflections(time_s, p_mv[lead], SMALLEST_P_MV, SMALLEST_P_MV, flat_mv=0.0)
        last = halves[-1] if halves and halves[-1].mv < 0 else None
        depth[lead] = abs(last.mv) if last else 0.0
        duration[lead] = 1000 * (last.end_s - last.start_s) if last else 0.0
    return depth, duration


def symmetry(t_mv: FloatArray) -> FloatArray:
    """Return the area of T waves (L, K) before their peak over the area after it, (L,); NaN for flat ones.

    The ratio of di Bernardo and Murray (Nature 2000;403:40). Departure: areas are taken from the straight line between
    the ends of T, so that a shifted ST segment adds nothing to the first one.
    """
    if t_mv.shape[1] < 5:
        return np.full(len(t_mv), np.nan)
    wave = t_mv - t_mv[:, :1] - (t_mv[:, -1:] - t_mv[:, :1]) * np.linspace(0, 1, t_mv.shape[1])
    peak = np.abs(np.nan_to_num(wave)).argmax(axis=1)[:, None]
    height = np.take_along_axis(wave, peak, axis=1)
    wave, half = wave * np.sign(height), np.abs(height[:, 0]) / 2
    before = np.arange(t_mv.shape[1]) <= peak
    first, second = np.where(before, wave, 0).sum(axis=1) - half, np.where(before, 0, wave).sum(axis=1) + half
    there = (2 * half >= SMALLEST_T_MV) & (first > 0) & (second > 0)
    return np.divide(first, second, out=np.full(len(t_mv), np.nan), where=there)


def _width(wave: str, beats: Beats, chosen: BoolArray, leads: tuple[str, ...]) -> tuple[FloatArray, str]:
    """Return each lead's median duration of a wave in ms (L,), by the lead's own marks, and why some are NaN."""
    names = f"{wave}_on", f"{wave}_off"
    if not all(name in beats.lead_marks for name in names):
        return np.full(len(leads), np.nan), "the beats have no marks of single leads"
    on, off = (beats.lead_marks[name][:, chosen] for name in names)
    lengths = 1000 * (off - on)
    known = np.isfinite(lengths)
    widths = np.full(len(leads), np.nan)
    for lead in np.flatnonzero(2 * known.sum(axis=1) >= max(lengths.shape[1], 1)):
        widths[lead] = np.median(lengths[lead, known[lead]])
    what = "QRS complex" if wave == "qrs" else f"{wave.upper()} wave"
    return widths, f"no {what} was marked in the lead in most dominant beats"
