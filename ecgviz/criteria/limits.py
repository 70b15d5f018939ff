"""A value held against a limit: met, borderline, not met, or why it cannot be told."""

import math
from operator import itemgetter

import numpy as np

from ecgviz.criteria import wording
from ecgviz.criteria.judged import Check, Patient
from ecgviz.criteria.rule_schema import Comparison, Limit, Table
from ecgviz.criteria.vocabulary import FINE_FS, MEASURES


def known(patient: Patient, name: str, lead: str | None) -> tuple[float, str]:
    """Return a measurement and, when it cannot be used, why."""
    if name in MEASURES and MEASURES[name].fine and patient.measured.fs < FINE_FS:
        return np.nan, f"{patient.measured.fs:.0f} Hz is too coarse for it"
    value = patient.value(name, lead)
    if not math.isnan(value):
        return value, ""
    return value, patient.why(name, lead)


def hold(rule: Comparison, label: str, value: float, unknown: str, patient: Patient, lead: str | None = None) -> Check:
    """Hold a value against a limit; with a table and unknown sex or age, against every limit that may hold.

    Where the value is NaN, ``unknown`` says why.
    """
    limits = limits_for(rule.value, patient)
    slack = max(rule.slack, 1000 / patient.measured.fs) if rule.unit == "ms" and rule.slack > 0 else rule.slack
    if math.isnan(value):
        return Check("not_evaluable", label, value, rule.op, limits[0], rule.unit, np.nan, lead, unknown)
    if len(limits) == 1:
        state, margin = _compare(value, rule.op, limits[0], slack)
        return Check(state, label, value, rule.op, limits[0], rule.unit, margin, lead)
    tried = [(*_compare(value, rule.op, limit, slack), limit) for limit in limits]
    state, margin, limit = min(tried, key=itemgetter(1))
    if any(other != state for other, _, _ in tried):
        unknown = wording.table(value, rule.unit, limits, patient.sex is None, patient.age_years is None)
        return Check("not_evaluable", label, value, rule.op, limit, rule.unit, np.nan, lead, unknown)
    return Check(state, label, value, rule.op, limit, rule.unit, margin, lead)


def limits_for(limit: Limit, patient: Patient) -> tuple[float, ...]:
    """Return the limits that may hold for a patient: several where a table asks for a sex or age that is unknown."""
    if isinstance(limit, Table):
        rows = (row.value for row in limit.rows if row.fits(patient.age_years, patient.sex))
        return tuple(dict.fromkeys(rows))
    return (limit,)


def _compare(value: float, op: str, limit: float, slack: float) -> tuple[str, float]:
    margin = value - limit if op in (">=", ">") else limit - value
    if abs(margin) < slack - 1e-9:
        return "borderline", margin
    holds = margin > 0 or (margin == 0 and op in (">=", "<="))
    return ("met" if holds else "not_met"), margin
