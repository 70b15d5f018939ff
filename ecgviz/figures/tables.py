"""The table twin of every figure: the same numbers as rows, for readers who cannot or would not read colours."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ecgviz.criteria.vocabulary import MEASURES
from ecgviz.figures.heat import Heat
from ecgviz.figures.style import MISSING, number, percent
from ecgviz.measure.grades import grade, grain_ms
from ecgviz.types import (
    WAVES,
    Agreement,
    Beats,
    Finding,
    InputSpec,
    LeadQuality,
    Measurements,
    ObservedRate,
    Prediction,
    Record,
)
from ecgviz.types.arrays import FloatArray

_STEP_S = 0.1

MEASUREMENTS: Mapping[str, tuple[str, str, int]] = {
    "rate_bpm": ("heart rate", "bpm", 0),
    "pr_ms": ("PR interval", "ms", 0),
    "p_ms": ("P duration", "ms", 0),
    "qrs_ms": ("QRS duration", "ms", 0),
    "qt_ms": ("QT interval", "ms", 0),
    "qtc_bazett_ms": ("QTc, Bazett", "ms", 0),
    "qtc_fridericia_ms": ("QTc, Fridericia", "ms", 0),
    "qtc_framingham_ms": ("QTc, Framingham", "ms", 0),
    "qtc_hodges_ms": ("QTc, Hodges", "ms", 0),
    "jt_ms": ("JT interval", "ms", 0),
    "jtc_bazett_ms": ("JTc, Bazett", "ms", 0),
    "p_axis_deg": ("P axis, frontal", "°", 0),
    "qrs_axis_deg": ("QRS axis, frontal", "°", 0),
    "t_axis_deg": ("T axis, frontal", "°", 0),
    "ptf_v1_mv_ms": ("P-terminal force in V1", "mV ms", 1),
    "rr_mean_ms": ("RR, mean", "ms", 0),
    "rr_sd_ms": ("RR, standard deviation", "ms", 0),
    "rr_cv": ("RR, deviation over mean", "", 3),
    "rr_range_fraction": ("RR, range over mean", "", 3),
    "nrmssd": ("RR, successive differences over mean", "", 3),
    "prr50": ("RR, changes of 50 ms or more", "of 1", 2),
    "coupling_ms": ("coupling interval of premature beats", "ms", 0),
    "p_fraction": ("beats with a P wave", "of 1", 2),
    "f_rate_hz": ("atrial waves, frequency", "Hz", 1),
    "f_regularity": ("atrial waves, regularity", "of 1", 2),
    "f_mv": ("atrial waves, peak to peak", "mV", 2),
    "n_beats": ("beats", "", 0),
    "n_measured": ("beats in the median", "", 0),
    "n_ectopic": ("ectopic beats", "", 0),
}
"""Global measurements in words, with unit and decimals, in the order of a report."""


def channel_table(shares: FloatArray, leads: Sequence[str]) -> pd.DataFrame:
    """Return lead, share in percent, and the ratio to an even spread."""
    return pd.DataFrame(
        {"lead": list(leads), "share, %": 100 * np.asarray(shares), "times even": np.asarray(shares) * len(leads)}
    )


def rhythm_table(shares: FloatArray, beats: Beats) -> pd.DataFrame:
    """Return a row a beat: time, kind, RR interval that ends in it, share in percent."""
    rr = np.append(np.nan, 1000 * beats.rr_s) if len(beats) else np.empty(0)
    return pd.DataFrame(
        {
            "beat": np.arange(1, len(beats) + 1),
            "R peak, s": beats.r_s,
            "kind": list(beats.kind),
            "RR, ms": rr,
            "share, %": 100 * np.asarray(shares),
        }
    )


def matrix_table(shares: FloatArray, leads: Sequence[str]) -> pd.DataFrame:
    """Return shares in percent, a row a lead and a column a wave."""
    table = pd.DataFrame(100 * np.asarray(shares), columns=[f"{wave}, %" for wave in WAVES])
    table.insert(0, "lead", list(leads) or ["all leads"])
    return table


def heat_table(heat: Heat) -> pd.DataFrame:
    """Return the relevance behind the trace: a row a lead and 100 ms (or longer token), its mean and its extreme."""
    widths = np.diff(heat.edges_s)
    middles = heat.edges_s[:-1] + widths / 2
    bins = (
        np.floor(middles / _STEP_S + 1e-9).astype(int)
        if widths.size and widths.max() < _STEP_S
        else np.arange(widths.size)
    )
    rows = []
    for lead, values in zip(heat.leads or ("all leads",), heat.values, strict=True):
        for index in np.unique(bins):
            inside = bins == index
            part = values[inside]
            if np.isfinite(part).any():
                span = float(heat.edges_s[:-1][inside][0]), float(heat.edges_s[1:][inside][-1])
                extreme = float(part[np.nanargmax(np.abs(part))])
                rows.append((lead, *span, float(np.nanmean(part)), extreme))
    return pd.DataFrame(rows, columns=["lead", "from, s", "to, s", "mean", "largest"])


def sample_table(record: Record, start_s: float, end_s: float) -> pd.DataFrame:
    """Return the samples between two times, a column a lead, in millivolts."""
    first, last = (int(np.ceil(at * record.fs - 1e-6)) for at in (start_s, end_s))
    part = record.signal[:, first:last]
    table = pd.DataFrame(part.T, columns=[f"{lead}, mV" for lead in record.leads])
    table.insert(0, "time, s", np.round(first / record.fs + np.arange(part.shape[1]) / record.fs, 4))
    return table


def measurement_table(measured: Measurements) -> pd.DataFrame:
    """Return every global measurement with its unit, its grade, and the reason where it could not be measured."""
    rows = []
    names = [*(name for name in MEASUREMENTS if name in measured.values), *(set(measured.values) - set(MEASUREMENTS))]
    for name in names:
        value = measured.value(name)
        words, unit, decimals = MEASUREMENTS.get(name, (name, "", 2))
        why = measured.why(name) if value != value else ""
        grain = grain_ms(name, measured.fs)
        fineness = "" if grain != grain or not unit else f", to {grain:.0f} ms"
        rows.append((words, number(value, decimals), unit + fineness, grade(name, measured.fs).word, why))
    return pd.DataFrame(rows, columns=["measurement", "value", "unit", "grade", "not measurable because"])


def lead_table(measured: Measurements, quality: Sequence[LeadQuality]) -> pd.DataFrame:
    """Return a row a lead: quality, QRS pattern, and every per-lead measurement with its grade in the column's name."""
    verdicts: Mapping[str, LeadQuality] = {entry.lead: entry for entry in quality}
    table = pd.DataFrame(
        {f"{_words(name)} ({grade(name, measured.fs).word})": row for name, row in measured.per_lead.items()}
    )
    table.insert(0, "lead", list(measured.leads))
    table.insert(1, "QRS", list(measured.patterns) or [""] * len(measured.leads))
    table.insert(2, "quality", [verdicts[lead].verdict if lead in verdicts else "" for lead in measured.leads])
    return table


def _words(name: str) -> str:
    """Return a per-lead measurement in words, with its unit."""
    measure = MEASURES[name]
    return measure.label if measure.unit == "1" else f"{measure.label}, {measure.unit.replace('*', ' ')}"


def quality_table(quality: Sequence[LeadQuality]) -> pd.DataFrame:
    """Return each lead's verdict with its reasons."""
    rows = [(entry.lead, entry.verdict, "; ".join(entry.reasons)) for entry in quality]
    return pd.DataFrame(rows, columns=["lead", "quality", "reasons"])


def rule_table(finding: Finding) -> pd.DataFrame:
    """Return the rules of one finding: state, rule, measured value, limit, margin (positive = meets it), source."""
    rows = [
        (
            r.state.replace("_", " "),
            r.role,
            r.text,
            amount(r.measured, r.unit),
            amount(r.limit, r.unit),
            amount(r.margin, r.unit, sign="+"),
            ", ".join(r.leads),
            r.source,
        )
        for r in finding.rules
    ]
    columns = ["state", "role", "rule", "measured", "limit", "margin", "decided in", "source"]
    return pd.DataFrame(rows, columns=columns)


def amount(value: float, unit: str, sign: str = "") -> str:
    """Return a value with its unit, with the digits that an ECG can carry; a dash for NaN."""
    if value != value:
        return MISSING
    decimals = {"ms": 0, "bpm": 0, "deg": 0, "°": 0}.get(unit, 2)
    shown = unit if unit not in ("", "1") else ""
    return f"{round(value, decimals) + 0.0:{sign}.{decimals}f} {shown}".strip()


def control_table(agreement: Agreement) -> pd.DataFrame:
    """Return the explanation's share of the region beside that of each trivial map, and its excess over that map."""
    rows = [(f"{agreement.method.replace('_', ' ')} (this explanation)", percent(agreement.share), "", "")]
    rows += [
        (c.name, percent(c.share), f"{100 * c.excess:+.1f}", f"{100 * c.excess_low:+.1f} to {100 * c.excess_high:+.1f}")
        for c in agreement.controls
    ]
    columns = ["map", "share in the region", "explanation exceeds it by, points", "95 % interval"]
    return pd.DataFrame(rows, columns=columns)


def prediction_table(
    prediction: Prediction, names: Mapping[str, str], past: Mapping[str, ObservedRate | None]
) -> pd.DataFrame:
    """Return a row a label: what it stands for, probability, threshold, whether it is called, and past scores.

    ``past`` is how many records with a similar score had the label; None where that is not known.
    """
    rows = [
        (
            label,
            names[label],
            percent(prediction.probability(label)),
            percent(float(threshold)),
            "yes" if prediction.positive(label) else "no",
            _rate(past[label]),
        )
        for label, threshold in zip(prediction.labels, prediction.thresholds, strict=True)
    ]
    return pd.DataFrame(
        rows, columns=["label", "stands for", "probability", "threshold", "called", "had it, of records scored alike"]
    )


def _rate(past: ObservedRate | None) -> str:
    if past is None:
        return MISSING
    return f"{percent(past.rate)} of n = {past.n} ({100 * past.low:.0f} to {100 * past.high:.0f} %)"


def label_table(labels: Sequence[str], thresholds: Sequence[float], metrics: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row a label: its threshold, and its AUC with a 95 % interval on every set it was scored on.

    A set holds reports (of superclasses, of statements), each with its ``n`` and an ``auc`` by label; both n are told.
    """
    table = pd.DataFrame({"label": list(labels), "threshold": [f"{value:.2f}" for value in thresholds]})
    for name, scores in metrics.items():
        reports = [each for each in scores.values() if isinstance(each, Mapping) and "auc" in each]
        if reports:
            found = {label: score for each in reports for label, score in each["auc"].items()}
            n = " and ".join(dict.fromkeys(str(each["n"]) for each in reports))
            table[f"AUC, {name} (n = {n})"] = [_area(found.get(label)) for label in labels]
    return table


def _area(score: Mapping[str, float | None] | None) -> str:
    if score is None or score["value"] is None:
        return MISSING
    interval = "" if score["low"] is None else f" ({score['low']:.2f} to {score['high']:.2f})"
    return f"{score['value']:.2f}{interval}"


def curve_table(curve: Mapping[str, Sequence[Mapping[str, float | None]]]) -> pd.DataFrame:
    """Return a row an epoch of each fit: its loss, and the area under the ROC curve where one was measured."""
    rows = [
        (fit, line["epoch"], line["loss"], line["validation_auc"]) for fit, lines in curve.items() for line in lines
    ]
    return pd.DataFrame(rows, columns=["fit", "epoch", "loss", "AUC of held-out records"])


def spec_table(spec: InputSpec) -> pd.DataFrame:
    """Return what a network is fed."""
    rows = [
        ("leads", ", ".join(spec.leads)),
        ("rate", f"{spec.fs:g} Hz"),
        ("window", f"{spec.duration_s:g} s"),
        ("scaling", f"minus {spec.mean_mv:.3g} mV, over {spec.std_mv:.3g} mV"),
        ("shorter recordings", "padded" if spec.pads else "refused"),
        ("also needs", ", ".join(spec.needs) or "nothing"),
    ]
    return pd.DataFrame(rows, columns=["input", "value"])
