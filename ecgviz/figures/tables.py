"""The table twin of every figure: the same numbers as rows, for readers who cannot or would not read colours."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ecgviz.figures.heat import Heat
from ecgviz.types import WAVES, Beats, ControlScore, Finding, LeadQuality, Measurements, Prediction, Record
from ecgviz.types.arrays import FloatArray

_STEP_S = 0.1


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
    """Return every global measurement with its unit, and the reason where it could not be measured."""
    units = {"bpm": "bpm", "ms": "ms", "deg": "°", "mv": "mV"}
    rows = []
    for name, value in measured.values.items():
        words, _, unit = name.rpartition("_")
        known = unit in units
        why = measured.why(name) if value != value else ""
        rows.append(((words if known else name).replace("_", " "), value, units.get(unit, ""), why))
    return pd.DataFrame(rows, columns=["measurement", "value", "unit", "not measurable because"])


def lead_table(measured: Measurements, quality: Sequence[LeadQuality]) -> pd.DataFrame:
    """Return a row a lead: quality with its reasons, QRS pattern, and every per-lead measurement."""
    verdicts: Mapping[str, LeadQuality] = {entry.lead: entry for entry in quality}
    table = pd.DataFrame(
        {name.replace("_mv", ", mV").replace("_ms", ", ms"): row for name, row in measured.per_lead.items()}
    )
    table.insert(0, "lead", list(measured.leads))
    table.insert(1, "QRS", list(measured.patterns) or [""] * len(measured.leads))
    table.insert(2, "quality", [verdicts[lead].verdict if lead in verdicts else "" for lead in measured.leads])
    return table


def quality_table(quality: Sequence[LeadQuality]) -> pd.DataFrame:
    """Return each lead's verdict with its reasons."""
    rows = [(entry.lead, entry.verdict, "; ".join(entry.reasons)) for entry in quality]
    return pd.DataFrame(rows, columns=["lead", "quality", "reasons"])


def rule_table(finding: Finding) -> pd.DataFrame:
    """Return the rules of one finding: rule, measured value, limit, margin, state and source."""
    rows = [
        (
            rule.role,
            rule.text,
            rule.measured,
            rule.limit,
            rule.unit,
            rule.margin,
            rule.state.replace("_", " "),
            rule.why,
            rule.source,
        )
        for rule in finding.rules
    ]
    return pd.DataFrame(rows, columns=["role", "rule", "measured", "limit", "unit", "margin", "state", "why", "source"])


def control_table(share: float, controls: Sequence[ControlScore]) -> pd.DataFrame:
    """Return the share of each trivial map in the same region, and by how much the explanation exceeds it."""
    rows = [("this explanation", 100 * share, np.nan, np.nan, np.nan)]
    rows += [(c.name, 100 * c.share, 100 * c.excess, 100 * c.excess_low, 100 * c.excess_high) for c in controls]
    return pd.DataFrame(rows, columns=["map", "share, %", "excess, points", "95 % from", "95 % to"])


def prediction_table(prediction: Prediction) -> pd.DataFrame:
    """Return each label's probability, its threshold, and whether the model calls it."""
    called = [prediction.positive(label) for label in prediction.labels]
    return pd.DataFrame(
        {
            "label": list(prediction.labels),
            "probability": prediction.probabilities,
            "threshold": prediction.thresholds,
            "called": ["yes" if yes else "no" for yes in called],
        }
    )
