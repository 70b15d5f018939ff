"""One rule on one record: a handful of plain functions, one a form of rule. Nothing of a catalogue file is executed."""

import math
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from ecgviz.criteria import wording
from ecgviz.criteria.judged import Check, Patient
from ecgviz.criteria.logic import at_least, every, some
from ecgviz.criteria.rule_schema import (
    Case,
    Comparison,
    Condition,
    Count,
    Evaluable,
    FindingRule,
    LeadsRule,
    Limit,
    PatternRule,
    Stated,
    SumRule,
    Table,
    ValueRule,
)
from ecgviz.criteria.vocabulary import FINE_FS, INVERTED_AVR, MEASURES, contiguous_pairs
from ecgviz.types import Measurements, RuleResult

_ORDER = ("not_evaluable", "not_met", "borderline", "met")


class Outcome(NamedTuple):
    """State of a rule with the checks to show for it, and the leads that decided."""

    state: str
    shown: tuple[Check, ...]
    leads: tuple[str, ...]
    why: str


def evaluate_rule(
    rule: Evaluable, patient: Patient, source: str, finding_state: Callable[[FindingRule], str]
) -> RuleResult:
    """Evaluate one rule on one record.

    A value nearer to its limit than the rule's tolerance is "borderline"; for durations the tolerance is at least
    one sample. A measurement that is NaN, a lead that is not there, a limit that depends on an unknown sex or age,
    and a duration too fine for the sampling rate make "not_evaluable", unless the rule comes out the same whatever
    they were.

    Parameters
    ----------
    rule
        Any form but `UseRule`, which loading has replaced.
    patient
        Measurements, age and sex.
    source
        Short name of the publication, for the result.
    finding_state
        Gives the state of another entry of the catalogue, for rules that ask for it.
    """
    outcome = _outcome(rule, patient, finding_state)
    head = outcome.shown[0] if outcome.shown else None
    return RuleResult(
        text=rule.text,
        role=rule.role,
        state=outcome.state,
        measured=head.value if head else np.nan,
        limit=head.limit if head else np.nan,
        unit=head.unit if head else "",
        margin=head.margin if head else np.nan,
        leads=outcome.leads,
        why=outcome.why,
        source=source,
        verification=rule.verification,
    )


def _outcome(rule: Stated, patient: Patient, finding_state: Callable[[FindingRule], str]) -> Outcome:
    if isinstance(rule, ValueRule):
        label = MEASURES[rule.measure].label
        value, unknown = _known(patient, rule.measure, None)
        return _single(_check(rule, label, value, unknown, patient))
    if isinstance(rule, SumRule):
        value, unknown, label = _sum(rule, patient)
        leads = tuple(lead for term in rule.terms for lead in term.leads)
        return _single(_check(rule, label, value, unknown, patient), leads)
    if isinstance(rule, LeadsRule):
        return _leads(rule, patient)
    if isinstance(rule, PatternRule):
        return _pattern(rule, patient.measured)
    if isinstance(rule, FindingRule):
        state = finding_state(rule)
        return Outcome(state, (), (), wording.finding(rule.finding, state))
    raise TypeError(f"{type(rule).__name__} is not evaluated")


def _single(check: Check, leads: tuple[str, ...] = ()) -> Outcome:
    return Outcome(check.state, (check,), leads, wording.checks((check,)))


def _known(patient: Patient, name: str, lead: str | None) -> tuple[float, str]:
    """Return a measurement and, when it cannot be used, why."""
    if MEASURES[name].fine and patient.measured.fs < FINE_FS:
        return np.nan, f"{patient.measured.fs:.0f} Hz is too coarse for it"
    value = patient.value(name, lead)
    if not math.isnan(value):
        return value, ""
    return value, patient.measured.why(name, "aVR" if lead == INVERTED_AVR else lead)


def _check(
    rule: Comparison, label: str, value: float, unknown: str, patient: Patient, lead: str | None = None
) -> Check:
    """Hold a value against a limit; with a table and unknown sex or age, against every limit that may hold."""
    limits = _limits(rule.value, patient)
    slack = max(rule.slack, 1000 / patient.measured.fs) if rule.unit == "ms" and rule.slack > 0 else rule.slack
    if math.isnan(value):
        return Check("not_evaluable", label, value, rule.op, limits[0], rule.unit, np.nan, lead, unknown)
    tried = [(*_compare(value, rule.op, limit, slack), limit) for limit in limits]
    state, margin, limit = min(tried, key=itemgetter(1))
    if any(other != state for other, _, _ in tried):
        unknown = wording.table(value, rule.unit, limits, patient.sex is None, patient.age_years is None)
        return Check("not_evaluable", label, value, rule.op, limit, rule.unit, np.nan, lead, unknown)
    return Check(state, label, value, rule.op, limit, rule.unit, margin, lead)


def _limits(limit: Limit, patient: Patient) -> tuple[float, ...]:
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


def _sum(rule: SumRule, patient: Patient) -> tuple[float, str, str]:
    total, labels = 0.0, []
    for term in rule.terms:
        found = [(*_known(patient, term.measure, lead), lead) for lead in term.leads]
        absent = [f"{MEASURES[term.measure].label} {lead}: {why}" for value, why, lead in found if math.isnan(value)]
        if absent:
            return np.nan, absent[0], rule.text
        value, _, lead = max(found, key=lambda one: one[0])
        total += value
        labels.append(f"{MEASURES[term.measure].label} {lead} {value:.2f}")
    label = " + ".join(labels)
    if rule.add is not None:
        added = set(_limits(rule.add, patient))
        if len(added) > 1:
            return np.nan, "sex is unknown, and the sum depends on it", rule.text
        extra = added.pop()
        total, label = total + extra, f"{label} + {extra:.1f}" if extra else label
    if rule.times is not None:
        factor, why = _known(patient, rule.times, None)
        return total * factor, why, f"({label}) x {MEASURES[rule.times].label}"
    return total, "", label


def _leads(rule: LeadsRule, patient: Patient) -> Outcome:
    found = {lead: _lead(case, lead, patient) for case in rule.cases for lead in case.leads}
    states = {lead: state for lead, (state, _) in found.items()}
    state, deciding = _count(states, rule.count)
    if state == "not_met":
        deciding = _nearest(found, rule.count)
    shown = tuple(found[lead][1] for lead in deciding)
    if state == "not_evaluable":
        shown = tuple(check for one, check in found.values() if one == "not_evaluable")
    else:
        pick = min if rule.count == "all" else max
        head = pick(shown, key=lambda check: check.margin)
        shown = (head, *(check for check in shown if check is not head))
    in_order = sorted(shown, key=lambda check: rule.leads.index(check.lead or rule.leads[0]))
    return Outcome(state, shown, deciding, wording.checks(tuple(in_order)))


def _lead(case: Case, lead: str, patient: Patient) -> tuple[str, Check]:
    """Return the state of one lead, and the check to show: of its best list of conditions, the first that decides."""
    key = id(case.any_of), lead
    if key in patient.leads_judged:
        return patient.leads_judged[key]
    options = []
    for group in case.any_of:
        checks = [_condition(condition, lead, patient) for condition in group]
        state = every([check.state for check in checks])
        options.append((state, next(check for check in checks if check.state == state)))
    state = some([one for one, _ in options])
    best = next((option for option in options if option[0] == state), options[0])
    patient.leads_judged[key] = state, best[1]
    return state, best[1]


def _condition(condition: Condition, lead: str, patient: Patient) -> Check:
    label = MEASURES[condition.measure].label
    value, unknown = _known(patient, condition.measure, lead)
    if condition.minus is not None:
        other, why = _known(patient, condition.minus, lead)
        value, unknown = value - other, unknown or why
        label = f"{label} - {MEASURES[condition.minus].label}"
    return _check(condition, label, value, unknown, patient, lead)


def _count(states: Mapping[str, str], count: Count) -> tuple[str, tuple[str, ...]]:
    """Return the state of "in so many leads", and the leads that make it so."""
    leads = tuple(states)
    if count == "contiguous":
        pairs = contiguous_pairs(leads)
        by_pair = {pair: every([states[lead] for lead in pair]) for pair in pairs}
        state = some(list(by_pair.values()))
        chosen = {lead for pair, one in by_pair.items() if one == state for lead in pair}
        return state, tuple(lead for lead in leads if lead in chosen)
    needed = {"any": 1, "all": len(leads)}[count] if isinstance(count, str) else count
    state = at_least(list(states.values()), needed)
    wanted = _ORDER[_ORDER.index(state) :] if state in ("met", "borderline") else (state,)
    return state, tuple(lead for lead in leads if states[lead] in wanted)


def _nearest(found: Mapping[str, tuple[str, Check]], count: Count) -> tuple[str, ...]:
    """Return the leads to show for a rule that is not met: those that fail where all must hold, else the nearest."""
    failing = [lead for lead, (state, _) in found.items() if state == "not_met"]
    if count == "all":
        return tuple(failing)
    return (max(failing, key=lambda lead: found[lead][1].margin),)


def _pattern(rule: PatternRule, measured: Measurements) -> Outcome:
    seen = {lead: _seen(measured, lead) for lead in rule.leads}
    states = {
        lead: ("met" if shape in rule.patterns else "not_met") if shape else "not_evaluable"
        for lead, shape in seen.items()
    }
    state, deciding = _count(states, rule.count)
    return Outcome(state, (), deciding, wording.pattern(seen, deciding, state, rule.patterns))


def _seen(measured: Measurements, lead: str) -> str:
    if lead not in measured.leads or not measured.patterns:
        return ""
    return measured.patterns[measured.leads.index(lead)]
