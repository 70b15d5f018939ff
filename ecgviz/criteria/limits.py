"""A value held against a limit: met, borderline, not met, or why it cannot be told."""

from math import isnan, nan
from operator import itemgetter

from ecgviz.criteria import wording
from ecgviz.criteria.judged import Check, Patient
from ecgviz.criteria.rule_schema import ANY_AGE, Comparison, Limit, Table
from ecgviz.criteria.vocabulary import FINE


def known(patient: Patient, name: str, lead: str | None) -> tuple[float, str]:
    """Return a measurement and, when it cannot be used, why."""
    if patient.coarse and name in FINE:
        return nan, f"{patient.measured.fs:.0f} Hz is too coarse for it"
    value = patient.value(name) if lead is None else patient.in_lead(name, lead)
    return value, (patient.why(name, lead) if isnan(value) else "")


def hold(rule: Comparison, label: str, value: float, unknown: str, patient: Patient, lead: str | None = None) -> Check:
    """Hold a value against a limit; with a table and unknown sex or age, against every limit that may hold.

    Where the value is NaN, ``unknown`` says why.
    """
    limit, slack = rule.value, rule.slack
    if slack > 0 and rule.unit == "ms":
        slack = max(slack, patient.sample_ms)
    if isinstance(limit, Table):
        limits = limits_for(limit, patient)
        limit = limits[0]
        if len(limits) > 1 and not isnan(value):
            return _hold_any(rule, label, value, limits, slack, patient, lead)
    if isnan(value):
        return Check("not_evaluable", label, value, rule.op, limit, rule.unit, nan, lead, unknown)
    state, margin = _compare(value, rule.op, limit, slack)
    return Check(state, label, value, rule.op, limit, rule.unit, margin, lead)


def _hold_any(
    rule: Comparison,
    label: str,
    value: float,
    limits: tuple[float, ...],
    slack: float,
    patient: Patient,
    lead: str | None,
) -> Check:
    """Hold a value against several limits of which one holds: it decides only where all come to the same."""
    tried = [(*_compare(value, rule.op, limit, slack), limit) for limit in limits]
    state, margin, limit = min(tried, key=itemgetter(1))
    if any(other != state for other, _, _ in tried):
        no_sex, no_age = _undecided(rule.value, patient)
        unknown = wording.table(value, rule.unit, limits, no_sex, no_age)
        return Check("not_evaluable", label, value, rule.op, limit, rule.unit, nan, lead, unknown)
    return Check(state, label, value, rule.op, limit, rule.unit, margin, lead)


def _undecided(limit: Limit, patient: Patient) -> tuple[bool, bool]:
    """Return whether the limits of a table that may hold are told apart by a sex, and by an age, that is unknown."""
    rows = [row for row in limit.rows if row.fits(patient.age_years, patient.sex)] if isinstance(limit, Table) else []
    by_sex = any(row.sex is not None for row in rows)
    by_age = any(row.age_from > ANY_AGE[0] or row.age_to < ANY_AGE[1] for row in rows)
    return patient.sex is None and by_sex, patient.age_years is None and by_age


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
