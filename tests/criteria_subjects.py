"""Constructed measurements and beats for the tests of criteria: a healthy adult, and what a test changes in it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ecgviz.criteria.vocabulary import MEASURES
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import Beats, Measurements

HEALTHY_VALUES = {
    "rate_bpm": 72.0,
    "rr_cv": 0.03,
    "rr_range_fraction": 0.08,
    "nrmssd": 0.03,
    "p_fraction": 1.0,
    "p_ms": 100.0,
    "pr_ms": 160.0,
    "qrs_ms": 90.0,
    "qt_ms": 390.0,
    "qtc_bazett_ms": 427.0,
    "qtc_fridericia_ms": 415.0,
    "qrs_axis_deg": 40.0,
    "p_axis_deg": 50.0,
    "t_axis_deg": 40.0,
    "ptf_v1_mv_ms": 1.0,
    "f_mv": 0.01,
    "f_regularity": 0.2,
}
NO_F_WAVES = "nothing is left in V1 when the heart beats are taken off"
_R = (0.7, 1.0, 0.4, 0.1, 0.35, 0.7, 0.2, 0.4, 0.7, 1.1, 1.3, 1.1)
_S = (0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.9, 1.1, 0.8, 0.4, 0.2, 0.1)
_P = (0.06, 0.12, 0.06, -0.09, 0.02, 0.09, 0.04, 0.05, 0.05, 0.05, 0.05, 0.05)
_T = (0.2, 0.3, 0.1, -0.25, 0.05, 0.2, 0.05, 0.4, 0.5, 0.5, 0.4, 0.3)


def measurements(
    values: Mapping[str, float] | None = None,
    per_lead: Mapping[str, Mapping[str, float]] | None = None,
    *,
    patterns: Mapping[str, str] | None = None,
    fs: float = 500.0,
    leads: tuple[str, ...] = STANDARD_LEADS,
) -> Measurements:
    """Return a healthy adult's measurements, with ``values`` and ``per_lead[measure][lead]`` changed."""
    table: dict[str, Any] = {name: np.zeros(12) for name, measure in MEASURES.items() if measure.per_lead}
    table |= {"r_mv": np.array(_R), "s_mv": np.array(_S), "p_mv": np.array(_P), "t_mv": np.array(_T)}
    table |= {"r_ms": np.full(12, 45.0), "s_ms": np.full(12, 25.0), "r_peak_ms": np.full(12, 35.0)}
    table |= {"delta_fraction": np.full(12, 0.1), "p_width_ms": np.full(12, 95.0)}
    table |= {"qrs_pp_mv": table["r_mv"] + table["s_mv"], "qrs_area_mv_ms": 30 * (table["r_mv"] - table["s_mv"])}
    for name, changed in (per_lead or {}).items():
        for lead, value in changed.items():
            table[name][STANDARD_LEADS.index(lead)] = value
    shapes = dict(zip(STANDARD_LEADS, ("Rs",) * 3 + ("rS",) + ("Rs",) * 2 + ("rS",) * 2 + ("Rs",) * 4, strict=True))
    shapes |= patterns or {}
    rows = [STANDARD_LEADS.index(lead) for lead in leads]
    return Measurements(
        values=HEALTHY_VALUES | dict(values or {}),
        per_lead={name: row[rows] for name, row in table.items()},
        leads=leads,
        fs=fs,
        median_mv=np.zeros((len(leads), 10)),
        median_s=np.arange(10) / fs,
        median_marks_s={},
        patterns=tuple(shapes[lead] for lead in leads),
        reasons={
            "pr_ms": "no P wave was found",
            "qtc_fridericia_ms": "the end of T was not found",
            "f_rate_hz": NO_F_WAVES,
        },
    )


def beats(kinds: tuple[str, ...] = ("normal",) * 4, without_p: tuple[int, ...] = (), reason: str = "") -> Beats:
    """Return one beat a second of the given kinds; those at the indices ``without_p`` have no P wave."""
    r = 0.5 + np.arange(len(kinds), dtype=float)
    has_p = np.array([b not in without_p for b in range(len(kinds))], dtype=bool)
    return Beats(
        r_s=r,
        p_on=np.where(has_p, r - 0.20, np.nan),
        p_off=np.where(has_p, r - 0.10, np.nan),
        qrs_on=r - 0.045,
        qrs_off=r + 0.045,
        t_on=r + 0.16,
        t_off=r + 0.36,
        kind=kinds,
        duration_s=len(kinds) + 0.0,
        leads=STANDARD_LEADS,
        reason=reason,
    )
