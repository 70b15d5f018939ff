"""Global intervals over the dominant beats, QT corrected for rate, and frontal axes."""

import numpy as np

from ecgviz.measure.median_beat import MedianBeat
from ecgviz.measure.rhythm import adapted_rr_s
from ecgviz.measure.waves import p_wave
from ecgviz.types import Beats
from ecgviz.types.arrays import BoolArray, FloatArray

SMALLEST_AREA_MV_S = {"qrs": 0.0015, "p": 0.0004, "t": 0.002}
"""Below this net frontal area the direction of a wave is not defined (1 mV ms is a wave of 0.02 mV over 50 ms)."""


FROM_QT = ("qtc_bazett_ms", "qtc_fridericia_ms", "qtc_framingham_ms", "qtc_hodges_ms", "jt_ms", "jtc_bazett_ms")
CORRECTED = tuple(name for name in FROM_QT if name != "jt_ms")


def intervals(beats: Beats, chosen: BoolArray) -> tuple[dict[str, float], dict[str, str]]:
    """Return P, PR, QRS, QT, JT and the corrected QT in ms: medians over the chosen beats (B,), and reasons for NaN."""
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
        if known.size and 2 * known.size >= lengths.size:
            values[name] = float(1000 * np.median(known))
        else:
            values[name] = float("nan")
            reasons[name] = _why(beats, chosen, wave, known.size)
    rr_s = adapted_rr_s(beats)
    values |= corrected(values["qt_ms"], values["qrs_ms"], rr_s)
    if "qt_ms" in reasons:
        reasons |= dict.fromkeys(FROM_QT, reasons["qt_ms"])
    elif np.isnan(rr_s):
        reasons |= dict.fromkeys(CORRECTED, "nearly every RR interval begins or ends in a premature beat")
    return values, reasons


def corrected(qt_ms: float, qrs_ms: float, rr_s: float) -> dict[str, float]:
    """Return QT corrected to 60 beats a minute by four formulas, JT, and JT corrected, all in ms; ``rr_s`` in seconds.

    Bazett (Heart 1920;7:353) divides QT by the square root of RR, Fridericia (Acta Med Scand 1920;53:469) by its cube
    root; Framingham (Sagie et al., Am J Cardiol 1992;70:797) adds 154 ms a second of 1 - RR, Hodges (J Am Coll
    Cardiol 1983;1:694) 1.75 ms a beat a minute above 60. JT is QT less QRS, for wide complexes, whose own duration
    lengthens QT; corrected JT is Bazett's QTc less QRS.
    """
    bazett = qt_ms / np.sqrt(rr_s)
    formulas = (bazett, qt_ms / np.cbrt(rr_s), qt_ms + 154 * (1 - rr_s), qt_ms + 1.75 * (60 / rr_s - 60))
    found = (*formulas, qt_ms - qrs_ms, bazett - qrs_ms)
    return {name: float(value) for name, value in zip(FROM_QT, found, strict=True)}


def _why(beats: Beats, chosen: BoolArray, wave: str, found: int) -> str:
    total = int(chosen.sum())
    why = f"a {wave} was found in {found} of {total} dominant beats"
    if wave == "P wave" and beats.why_no_p:
        given = [beats.why_no_p[b] for b in np.flatnonzero(chosen) if beats.why_no_p[b]]
        why += f": {max(set(given), key=given.count)}" if given else ""
    return why


def axes(median: MedianBeat, leads: tuple[str, ...], no_p: str) -> tuple[dict[str, float], dict[str, str]]:
    """Return the frontal axes of QRS, P and T in degrees (-180 to 180), and reasons for what is NaN.

    The angle of the vector whose components are the net areas in I and in aVF, the latter scaled by 2 / sqrt(3) to the
    length of a bipolar lead. Without aVF it is formed from I and II (aVF = II - I / 2). ``no_p`` is why the P wave
    cannot be measured, "" when it can.
    """
    values, reasons = {}, {}
    for wave in ("qrs", "p", "t"):
        name = f"{wave}_axis_deg"
        values[name] = float("nan")
        times, part = median.part(median.marks_s[f"{wave}_on"], median.marks_s[f"{wave}_off"])
        if wave == "p" and no_p:
            reasons[name] = no_p
            continue
        if times.size < 2:
            reasons[name] = f"no {wave.upper()} wave was found in most dominant beats"
            continue
        frontal = _frontal(p_wave(median)[1] if wave == "p" else part, leads)
        if frontal is None:
            reasons[name] = "leads I and aVF (or II) are needed for a frontal axis"
            continue
        x, y = (float(np.trapezoid(row, times)) for row in frontal)
        y *= 2 / np.sqrt(3)
        if not np.hypot(x, y) >= SMALLEST_AREA_MV_S[wave]:
            reasons[name] = f"the {wave.upper()} wave has no net direction in the frontal plane"
        else:
            values[name] = float(np.degrees(np.arctan2(y, x)))
    return values, reasons


def _frontal(mv: FloatArray, leads: tuple[str, ...]) -> tuple[FloatArray, FloatArray] | None:
    rows = {lead: row for lead, row in zip(leads, mv, strict=True) if np.isfinite(row).any()}
    if "I" not in rows or not {"aVF", "II"} & set(rows):
        return None
    return rows["I"], rows["aVF"] if "aVF" in rows else rows["II"] - rows["I"] / 2
