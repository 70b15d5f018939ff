"""QRS complex and ST segment in each lead of the median beat."""

from collections.abc import Mapping

import numpy as np

from ecgviz.measure.complexes import deflections, last_top, named, notches, pattern, slope, slow_share
from ecgviz.measure.median_beat import MedianBeat
from ecgviz.types.arrays import FloatArray

LETTERS: Mapping[str, str] = {"Q": "q", "R": "r", "S": "s", "R'": "r2", "S'": "s2"}
QRS: Mapping[str, str] = {
    "q_mv": "depth of Q (of QS too), >= 0; 0 without Q",
    "r_mv": "height of R, >= 0; 0 without R",
    "s_mv": "depth of S, >= 0; 0 without S",
    "r2_mv": "height of R', >= 0; 0 without R'",
    "s2_mv": "depth of S', >= 0; 0 without S'",
    "q_ms": "duration of Q (of QS too); 0 without Q",
    "r_ms": "duration of R; 0 without R",
    "s_ms": "duration of S; 0 without S",
    "r2_ms": "duration of R'; 0 without R'",
    "s2_ms": "duration of S'; 0 without S'",
    "r_peak_ms": "QRS onset to the R peak; to R', or to the second top of a notched R; NaN without R",
    "qs": "1 when the complex is one negative deflection",
    "notch": "1 when the middle half of QRS has a notch or slur",
    "delta_fraction": "share of the time from QRS onset to the largest deflection at under 30 % of the steepest slope",
    "qrs_pp_mv": "highest less lowest point of QRS",
    "qrs_area_mv_ms": "net area of QRS, signed",
}
ST: Mapping[str, str] = {
    "j_mv": "level at the J point (QRS offset), signed",
    "st60_mv": "level 60 ms after J, signed",
    "st80_mv": "level 80 ms after J, signed",
    "st_slope_mv_per_s": "slope from J to 80 ms after it",
}
PER_LEAD: Mapping[str, str] = {**QRS, **ST}
"""Per-lead measurements of the median beat; the zero of every amplitude is the level at QRS onset."""


def lead_measurements(median: MedianBeat) -> tuple[dict[str, FloatArray], tuple[str, ...], dict[str, str]]:
    """Return the per-lead measurements (L,) by name, the QRS pattern of each lead, and reasons for what is NaN."""
    table = {name: np.full(len(median.mv), np.nan) for name in PER_LEAD}
    patterns = [""] * len(median.mv)
    start, end = median.marks_s["qrs_on"], median.marks_s["qrs_off"]
    time_s, complexes = median.part(start, end)
    if time_s.size >= 4:
        speeds = np.abs(slope(complexes, median.fs))
        for lead in np.flatnonzero(np.isfinite(complexes).all(axis=1)):
            found, patterns[lead] = _waves(time_s, complexes[lead], speeds[lead], start)
            for name, value in found.items():
                table[name][lead] = value
        table["qrs_pp_mv"] = complexes.max(axis=1) - complexes.min(axis=1)
        table["qrs_area_mv_ms"] = np.asarray(1000 * np.trapezoid(complexes, time_s, axis=1))
    table["j_mv"], table["st60_mv"], table["st80_mv"] = (median.at(end + delay) for delay in (0.0, 0.060, 0.080))
    table["st_slope_mv_per_s"] = (table["st80_mv"] - table["j_mv"]) / 0.080
    reasons = {
        "r_peak_ms": "the lead has no R wave with a top before the J point",
        "delta_fraction": "the lead has no deflection of 0.05 mV",
    }
    return table, tuple(patterns), reasons


def _waves(time_s: FloatArray, mv: FloatArray, speed: FloatArray, start_s: float) -> tuple[dict[str, float], str]:
    """Return what the waves of one lead's complex (K,) measure, and their pattern; ``speed`` is the absolute slope."""
    waves = named(deflections(time_s, mv))
    slow = notches(time_s, speed, [wave.peak_s for wave in waves.values()])
    found = {"qs": float("QS" in waves), "notch": float(bool(slow)), "delta_fraction": slow_share(mv, speed)}
    for letter, name in LETTERS.items():
        wave = waves.get("QS" if letter == "Q" and "QS" in waves else letter)
        found[f"{name}_mv"] = abs(wave.mv) if wave else 0.0
        found[f"{name}_ms"] = 1000 * (wave.end_s - wave.start_s) if wave else 0.0
    upright = waves.get("R'") or waves.get("R")
    if upright and upright.peak_s < time_s[-1]:  # an R that rises to the J point has no top of its own
        found["r_peak_ms"] = 1000 * (last_top(time_s, mv, upright) - start_s)
    return found, pattern(waves)
