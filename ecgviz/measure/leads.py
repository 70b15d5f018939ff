"""What is measured in each lead of the median beat."""

from collections.abc import Mapping

import numpy as np

from ecgviz.measure.complexes import deflections, last_top, named, notches, pattern, slope, slow_share
from ecgviz.measure.median_beat import MedianBeat
from ecgviz.types.arrays import FloatArray

PER_LEAD: Mapping[str, str] = {
    "p_mv": "largest deflection between P onset and offset, signed",
    "q_mv": "depth of Q (of QS too), >= 0; 0 without Q",
    "r_mv": "height of R, >= 0; 0 without R",
    "s_mv": "depth of S, >= 0; 0 without S",
    "r2_mv": "height of R', >= 0; 0 without R'",
    "q_ms": "duration of Q (of QS too); 0 without Q",
    "r_ms": "duration of R; 0 without R",
    "s_ms": "duration of S; 0 without S",
    "r_peak_ms": "QRS onset to the R peak; to R', or to the second top of a notched R; NaN without R",
    "qs": "1 when the complex is one negative deflection",
    "notch": "1 when the middle half of QRS has a notch or slur",
    "delta_fraction": "share of the time from QRS onset to the largest deflection at under 30 % of the steepest slope",
    "j_mv": "level at the J point (QRS offset), signed",
    "st60_mv": "level 60 ms after J, signed",
    "st80_mv": "level 80 ms after J, signed",
    "st_slope_mv_per_s": "slope from J to 80 ms after it",
    "t_mv": "largest deflection between T onset and offset, signed",
}
"""Per-lead measurements of the median beat; the zero of every amplitude is the level at QRS onset."""


def lead_measurements(median: MedianBeat) -> tuple[dict[str, FloatArray], tuple[str, ...], dict[str, str]]:
    """Return the per-lead measurements (L,) by name, the QRS pattern of each lead, and reasons for what is NaN."""
    table = {name: np.full(len(median.mv), np.nan) for name in PER_LEAD}
    patterns = []
    for lead, row in enumerate(median.mv):
        found, letters = _qrs(median, row)
        patterns.append(letters)
        for name, value in found.items():
            table[name][lead] = value
    off = median.marks_s["qrs_off"]
    table["j_mv"], table["st60_mv"], table["st80_mv"] = (median.at(off + delay) for delay in (0.0, 0.060, 0.080))
    table["st_slope_mv_per_s"] = (table["st80_mv"] - table["j_mv"]) / 0.080
    reasons = {"r_peak_ms": "the lead has no R wave", "delta_fraction": "the lead has no deflection of 0.05 mV"}
    for wave in ("p", "t"):
        table[f"{wave}_mv"] = _largest(median, median.marks_s[f"{wave}_on"], median.marks_s[f"{wave}_off"])
        if np.isnan(median.marks_s[f"{wave}_on"]):
            reasons[f"{wave}_mv"] = f"no {wave.upper()} wave was found in most dominant beats"
    return table, tuple(patterns), reasons


def _largest(median: MedianBeat, start_s: float, end_s: float) -> FloatArray:
    """Return each lead's largest deflection (L,) between two times, signed; of a biphasic wave the larger half."""
    _, part = median.part(start_s, end_s)
    if part.shape[1] == 0:
        return np.full(len(part), np.nan)
    where = np.abs(np.nan_to_num(part)).argmax(axis=1)
    return np.asarray(part[np.arange(len(part)), where])


def _qrs(median: MedianBeat, row: FloatArray) -> tuple[dict[str, float], str]:
    start, end = median.marks_s["qrs_on"], median.marks_s["qrs_off"]
    inside = (median.time_s >= start - 1e-9) & (median.time_s <= end + 1e-9)
    time_s, mv = median.time_s[inside], row[inside]
    if mv.size < 4 or not np.isfinite(mv).all():
        return {}, ""
    waves = named(deflections(time_s, mv))
    speed = np.abs(slope(time_s, mv, median.fs))
    slow = notches(time_s, speed, [wave.peak_s for wave in waves.values()])
    found = {"qs": float("QS" in waves), "notch": float(bool(slow)), "delta_fraction": slow_share(time_s, mv, speed)}
    for letter, name in (("Q", "q"), ("R", "r"), ("S", "s"), ("R'", "r2")):
        wave = waves.get("QS" if letter == "Q" and "QS" in waves else letter)
        found[f"{name}_mv"] = abs(wave.mv) if wave else 0.0
        if name != "r2":
            found[f"{name}_ms"] = 1000 * (wave.end_s - wave.start_s) if wave else 0.0
    upright = waves.get("R'") or waves.get("R")
    if upright:
        found["r_peak_ms"] = 1000 * (last_top(time_s, mv, upright) - start)
    return found, pattern(waves)
