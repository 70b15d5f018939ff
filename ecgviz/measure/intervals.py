"""Global intervals over the dominant beats, QT correction, and frontal axes."""

import numpy as np

from ecgviz.measure.median_beat import MedianBeat
from ecgviz.measure.rhythm import usual_rr_s
from ecgviz.types import Beats
from ecgviz.types.arrays import BoolArray, FloatArray

SMALLEST_AREA_MV_S = {"qrs": 0.0015, "p": 0.0004, "t": 0.002}
"""Below this net frontal area the direction of a wave is not defined (1 mV ms is a wave of 0.02 mV over 50 ms)."""


def intervals(beats: Beats, chosen: BoolArray) -> tuple[dict[str, float], dict[str, str]]:
    """Return P, PR, QRS, QT and both QTc in ms: medians over the chosen beats (B,), and reasons for what is NaN.

    Bazett divides QT by the square root of RR in seconds, Fridericia by its cube root; RR is the median one.
    """
    spans = {
        "p_ms": (beats.p_on, beats.p_off, "P wave"),
        "pr_ms": (beats.p_on, beats.qrs_on, "P wave"),
        "qrs_ms": (beats.qrs_on, beats.qrs_off, "QRS complex"),
        "qt_ms": (beats.qrs_on, beats.t_off, "T wave"),
    }
    values, reasons = {}, {}
    for name, (start, end, wave) in spans.items():
        lengths = (end - start)[chosen]
        known = lengths[np.isfinite(lengths)]
        if 2 * known.size >= lengths.size:
            values[name] = float(1000 * np.median(known))
        else:
            values[name] = float("nan")
            reasons[name] = _why(beats, chosen, wave, known.size)
    rr = usual_rr_s(beats)
    values["qtc_bazett_ms"] = float(values["qt_ms"] / np.sqrt(rr))
    values["qtc_fridericia_ms"] = float(values["qt_ms"] / np.cbrt(rr))
    if "qt_ms" in reasons:
        reasons |= dict.fromkeys(("qtc_bazett_ms", "qtc_fridericia_ms"), reasons["qt_ms"])
    return values, reasons


def _why(beats: Beats, chosen: BoolArray, wave: str, found: int) -> str:
    total = int(chosen.sum())
    why = f"a {wave} was found in {found} of {total} dominant beats"
    if wave == "P wave" and beats.why_no_p:
        given = [beats.why_no_p[b] for b in np.flatnonzero(chosen) if beats.why_no_p[b]]
        why += f": {max(set(given), key=given.count)}" if given else ""
    return why


def axes(median: MedianBeat, leads: tuple[str, ...]) -> tuple[dict[str, float], dict[str, str]]:
    """Return the frontal axes of QRS, P and T in degrees (-180 to 180), and reasons for what is NaN.

    The angle of the vector whose components are the net areas in I and in aVF, the latter scaled by 2 / sqrt(3) to the
    length of a bipolar lead. Without aVF it is formed from I and II (aVF = II - I / 2).
    """
    values, reasons = {}, {}
    frontal = _frontal(median.mv, leads)
    for wave in ("qrs", "p", "t"):
        name = f"{wave}_axis_deg"
        values[name] = float("nan")
        if frontal is None:
            reasons[name] = "leads I and aVF (or II) are needed for a frontal axis"
            continue
        start, end = median.marks_s[f"{wave}_on"], median.marks_s[f"{wave}_off"]
        inside = (median.time_s >= start) & (median.time_s <= end)
        step = float(np.diff(median.time_s[:2])[0])
        x, y = (float(np.sum(row[inside]) * step) for row in frontal)
        y *= 2 / np.sqrt(3)
        if not inside.any():
            reasons[name] = f"no {wave.upper()} wave was found in most dominant beats"
        elif not np.hypot(x, y) >= SMALLEST_AREA_MV_S[wave]:
            reasons[name] = f"the {wave.upper()} wave has no net direction in the frontal plane"
        else:
            values[name] = float(np.degrees(np.arctan2(y, x)))
    return values, reasons


def _frontal(mv: FloatArray, leads: tuple[str, ...]) -> tuple[FloatArray, FloatArray] | None:
    rows = {lead: row for lead, row in zip(leads, mv, strict=True) if np.isfinite(row).any()}
    if "I" not in rows or not {"aVF", "II"} & set(rows):
        return None
    return rows["I"], rows["aVF"] if "aVF" in rows else rows["II"] - rows["I"] / 2
