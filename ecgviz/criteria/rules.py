"""One rule on one record: a handful of plain functions, one a form of rule. Nothing of a catalogue file is executed."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from ecgviz.beats.spikes import LOWEST_HZ
from ecgviz.criteria import wording
from ecgviz.criteria.judged import Check, Outcome, Patient
from ecgviz.criteria.limits import hold, known, limits_for
from ecgviz.criteria.logic import at_least, every, some
from ecgviz.criteria.rule_schema import (
    BeatsRule,
    Case,
    Condition,
    Count,
    Evaluable,
    FindingRule,
    LeadsRule,
    PatternRule,
    Stated,
    SumRule,
    Term,
    UnmeasuredRule,
    ValueRule,
)
from ecgviz.criteria.vocabulary import MEASURES, OF_BEATS, OF_RHYTHM, contiguous_pairs
from ecgviz.types import Measurements, RuleResult

_ORDER = ("not_evaluable", "not_met", "borderline", "met")


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
        label = (OF_RHYTHM if rule.measure in OF_RHYTHM else MEASURES)[rule.measure].label
        value, unknown = known(patient, rule.measure, None)
        return _single(hold(rule, label, value, unknown, patient))
    if isinstance(rule, SumRule):
        value, unknown, label = _sum(rule, patient)
        leads = tuple(dict.fromkeys(lead for term in (*rule.terms, *rule.over) for lead in term.leads))
        return _single(hold(rule, label, value, unknown, patient), leads)
    if isinstance(rule, LeadsRule):
        key = rule.count, *((id(case.any_of), case.leads) for case in rule.cases)
        if key not in patient.rules_judged:
            patient.rules_judged[key] = _leads(rule, patient)
        return patient.rules_judged[key]
    if isinstance(rule, PatternRule):
        return _pattern(rule, patient.measured)
    if isinstance(rule, BeatsRule):
        return _beats(rule, patient)
    if isinstance(rule, UnmeasuredRule):
        return Outcome("not_evaluable", (), (), rule.why)
    if isinstance(rule, FindingRule):
        state = finding_state(rule)
        return Outcome(state, (), (), wording.finding(rule.finding, state))
    raise TypeError(f"{type(rule).__name__} is not evaluated")


def _single(check: Check, leads: tuple[str, ...] = ()) -> Outcome:
    return Outcome(check.state, (check,), leads, wording.checks((check,)))


def _sum(rule: SumRule, patient: Patient) -> tuple[float, str, str]:
    """Return the sum of a rule, why it cannot be formed, and what is summed."""
    total, label, unknown = _terms(rule.terms, patient)
    if unknown:
        return np.nan, unknown, rule.text
    if rule.add is not None:
        added = set(limits_for(rule.add, patient))
        if len(added) > 1:
            return np.nan, "sex is unknown, and the sum depends on it", rule.text
        extra = added.pop()
        total, label = total + extra, f"{label} + {extra:.1f}" if extra else label
    if rule.times is not None:
        factor, why = known(patient, rule.times, None)
        return total * factor, why, f"({label}) x {MEASURES[rule.times].label}"
    if rule.over:
        divisor, below, unknown = _terms(rule.over, patient)
        if unknown or divisor == 0:
            return np.nan, unknown or f"{below} is no divisor", rule.text
        return total / divisor, "", f"({label}) / ({below})"
    return total, "", label


def _terms(terms: tuple[Term, ...], patient: Patient) -> tuple[float, str, str]:
    """Return the sum of terms, what is summed, and why it cannot be."""
    total, label = 0.0, ""
    for term in terms:
        name = MEASURES[term.measure].label
        found = [(*known(patient, term.measure, lead), lead) for lead in term.leads]
        absent = [f"{name} {lead}: {why}" for value, why, lead in found if math.isnan(value)]
        if absent:
            return np.nan, "", absent[0]
        value, _, lead = max(found, key=lambda one: one[0])
        total += term.factor * value
        size = "" if abs(term.factor) == 1 else f"{abs(term.factor):g} x "
        joint = (" - " if label else "-") if term.factor < 0 else (" + " if label else "")
        label += f"{joint}{size}{name} {lead} {value:.2f}"
    return total, label, ""


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
    place = {lead: number for number, lead in enumerate(found)}
    in_order = sorted(shown, key=lambda check: place.get(check.lead or "", 0))
    return Outcome(state, shown, deciding, wording.checks(tuple(in_order)))


def _lead(case: Case, lead: str, patient: Patient) -> tuple[str, Check]:
    """Return the state of one lead, and the check to show: of its best list of conditions, the first that decides."""
    key = id(case.any_of), lead
    if key in patient.leads_judged:
        return patient.leads_judged[key]
    options = [_group(group, lead, patient) for group in case.any_of]
    state = some([check.state for check in options])
    best = next((check for check in options if check.state == state), options[0])
    patient.leads_judged[key] = state, best
    return state, best


def _group(group: tuple[Condition, ...], lead: str, patient: Patient) -> Check:
    """Return the check that decides whether all of these hold: the first that fails, else the first of the lowest."""
    lowest = _condition(group[0], lead, patient)
    for condition in group[1:]:
        if lowest.state == "not_met":
            break
        check = _condition(condition, lead, patient)
        if every((lowest.state, check.state)) != lowest.state:
            lowest = check
    return lowest


def _condition(condition: Condition, lead: str, patient: Patient) -> Check:
    label = MEASURES[condition.measure].label
    value, unknown = known(patient, condition.measure, lead)
    if condition.other is not None:
        other, why = known(patient, condition.other, lead)
        unknown = unknown or why
        sign = "-" if condition.minus else "/"
        label = f"{label} {sign} {MEASURES[condition.other].label}"
        if condition.minus:
            value -= other
        elif other == 0:
            value, unknown = np.nan, unknown or f"{MEASURES[condition.other].label} is 0"
        else:
            value /= other
    return hold(condition, label, value, unknown, patient, lead)


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


def _beats(rule: BeatsRule, patient: Patient) -> Outcome:
    """Judge each beat of the kinds that a rule names, and count those that hold."""
    if patient.beats is None or patient.beats.reason:
        why = "there are no beats" if patient.beats is None else patient.beats.reason
        return Outcome("not_evaluable", (), (), f"beats not measurable: {why}")
    if "paced" in rule.kinds and patient.measured.fs < LOWEST_HZ:
        why = f"pacing spikes not measurable: {patient.measured.fs:.0f} Hz is too coarse for them"
        return Outcome("not_evaluable", (), (), why)
    chosen = [b for b, kind in enumerate(patient.beats.kind) if not rule.kinds or kind in rule.kinds]
    judged = [_beat(rule, b, patient) for b in chosen]
    state = at_least([one for one, _ in judged], rule.count)
    count = sum(one in _ORDER[_ORDER.index(state) :] for one, _ in judged) if state != "not_met" else 0
    shown = max((checks for one, checks in judged if one == state), key=_least_margin, default=())
    return Outcome(state, shown, (), wording.beats(rule.kinds, len(chosen), count, rule.count, shown))


def _beat(rule: BeatsRule, beat: int, patient: Patient) -> tuple[str, tuple[Check, ...]]:
    """Return the state of one beat, and its checks: all that hold, or those that decide."""
    checks = []
    for condition in rule.all_of:
        value = float(patient.beat_rows[condition.measure][beat])
        label = OF_BEATS[condition.measure].label
        unknown = "the recording or its marks do not hold it" if math.isnan(value) else ""
        checks.append(hold(condition, label, value, unknown, patient))
    state = every([check.state for check in checks])
    return state, tuple(check for check in checks if check.state == state)


def _least_margin(checks: tuple[Check, ...]) -> float:
    return min((check.margin for check in checks if not math.isnan(check.margin)), default=-math.inf)
