"""One rule on one record: a handful of plain functions, one a form of rule. Nothing of a catalogue file is executed."""

from collections.abc import Callable, Mapping
from functools import partial
from math import inf, isnan, nan
from typing import Any

from ecgviz.beats.spikes import LOWEST_HZ
from ecgviz.criteria import wording
from ecgviz.criteria.judged import Check, Outcome, Patient, Shown
from ecgviz.criteria.limits import hold, known, limits_for
from ecgviz.criteria.logic import at_least, densest, every, some
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
    return result(rule, outcome(rule, patient, finding_state), source)


def result(rule: Evaluable, found: Outcome, source: str) -> RuleResult:
    """Return what a rule came to, with its numbers and its sentence."""
    head = found.shown.checks[0] if found.shown.checks else None
    return RuleResult(
        text=rule.text,
        role=rule.role,
        state=found.state,
        measured=head.value if head else nan,
        limit=head.limit if head else nan,
        unit=head.unit if head else "",
        margin=head.margin if head else nan,
        leads=found.shown.leads,
        why=found.shown.why,
        source=source,
        verification=rule.verification,
    )


def outcome(rule: Stated, patient: Patient, finding_state: Callable[[FindingRule], str]) -> Outcome:
    """Return the state of a rule, and what to show for it when that is asked for."""
    if isinstance(rule, FindingRule):
        state = finding_state(rule)
        return Outcome(state, lambda: Shown((), (), wording.finding(rule.finding, (), state)))
    ask = _ASK.get(type(rule))
    if ask is None:
        raise TypeError(f"{type(rule).__name__} is not evaluated")
    return ask(rule, patient)


def _value(rule: ValueRule, patient: Patient) -> Outcome:
    label = (OF_RHYTHM if rule.measure in OF_RHYTHM else MEASURES)[rule.measure].label
    value, unknown = known(patient, rule.measure, None)
    return _single(hold(rule, label, value, unknown, patient))


def _summed(rule: SumRule, patient: Patient) -> Outcome:
    value, unknown, label = _sum(rule, patient)
    leads = tuple(dict.fromkeys(lead for term in (*rule.terms, *rule.over) for lead in term.leads))
    return _single(hold(rule, label, value, unknown, patient), leads)


def _unmeasured(rule: UnmeasuredRule, patient: Patient) -> Outcome:
    return Outcome("not_evaluable", partial(Shown, (), (), rule.why))


def _single(check: Check, leads: tuple[str, ...] = ()) -> Outcome:
    return Outcome(check.state, lambda: Shown((check,), leads, wording.checks((check,))))


def _sum(rule: SumRule, patient: Patient) -> tuple[float, str, str]:
    """Return the sum of a rule, why it cannot be formed, and what is summed."""
    total, label, unknown = _terms(rule.terms, patient)
    if unknown:
        return nan, unknown, rule.text
    if rule.add is not None:
        added = set(limits_for(rule.add, patient))
        if len(added) > 1:
            return nan, "sex is unknown, and the sum depends on it", rule.text
        extra = added.pop()
        total, label = total + extra, f"{label} + {extra:.1f}" if extra else label
    if rule.times is not None:
        factor, why = known(patient, rule.times, None)
        return total * factor, why, f"({label}) x {MEASURES[rule.times].label}"
    if rule.over:
        divisor, below, unknown = _terms(rule.over, patient)
        if unknown or divisor == 0:
            return nan, unknown or f"{below} is no divisor", rule.text
        return total / divisor, "", f"({label}) / ({below})"
    return total, "", label


def _terms(terms: tuple[Term, ...], patient: Patient) -> tuple[float, str, str]:
    """Return the sum of terms, what is summed, and why it cannot be."""
    total, label = 0.0, ""
    for term in terms:
        name = MEASURES[term.measure].label
        found = [(*known(patient, term.measure, lead), lead) for lead in term.leads]
        absent = [f"{name} {lead}: {why}" for value, why, lead in found if isnan(value)]
        if absent:
            return nan, "", absent[0]
        value, _, lead = max(found, key=lambda one: one[0])
        total += term.factor * value
        size = "" if abs(term.factor) == 1 else f"{abs(term.factor):g} x "
        joint = (" - " if label else "-") if term.factor < 0 else (" + " if label else "")
        label += f"{joint}{size}{name} {lead} {value:.2f}"
    return total, label, ""


def _leads(rule: LeadsRule, patient: Patient) -> Outcome:
    found: dict[str, Check] = {}
    for case in rule.cases:
        conditions = id(case.any_of)
        for lead in case.leads:
            found[lead] = patient.leads_judged.get((conditions, lead)) or _lead(case, lead, patient)
    state = _count({lead: check.state for lead, check in found.items()}, rule.count)
    return Outcome(state, partial(_show_leads, rule, found, state))


def _show_leads(rule: LeadsRule, found: Mapping[str, Check], state: str) -> Shown:
    """Return the checks of the leads that decided, the one with the largest (of all leads: the least) margin first."""
    if state == "not_met":
        deciding = _nearest(found, rule.count)
    else:
        deciding = _deciding({lead: check.state for lead, check in found.items()}, rule.count, state)
    shown = [found[lead] for lead in deciding]
    if state == "not_evaluable":
        shown = [check for check in found.values() if check.state == "not_evaluable"]
    else:
        pick = min if rule.count == "all" else max
        head = pick(shown, key=lambda check: check.margin)
        shown = [head, *(check for check in shown if check is not head)]
    place = {lead: number for number, lead in enumerate(found)}
    in_order = sorted(shown, key=lambda check: place.get(check.lead or "", 0))
    return Shown(tuple(shown), deciding, wording.checks(in_order))


def _lead(case: Case, lead: str, patient: Patient) -> Check:
    """Return the check of one lead to show, whose state is the lead's: of its best list, the first that decides."""
    best = _group(case.any_of[0], lead, patient)
    for group in case.any_of[1:]:
        if best.state == "met":
            break
        check = _group(group, lead, patient)
        if some((best.state, check.state)) != best.state:
            best = check
    patient.leads_judged[id(case.any_of), lead] = best
    return best


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
    if condition.minus or condition.over:
        name = condition.minus or condition.over or ""
        other, why = known(patient, name, lead)
        unknown = unknown or why
        label = f"{label} {'-' if condition.minus else '/'} {MEASURES[name].label}"
        if condition.minus:
            value -= other
        elif other == 0 and value > 0 and condition.op in ("<", "<="):
            value = inf  # beyond any limit
        elif other == 0:
            value, unknown = nan, unknown or f"{MEASURES[name].label} is 0"
        else:
            value /= other
    return hold(condition, label, value, unknown, patient, lead)


def _count(states: Mapping[str, str], count: Count) -> str:
    """Return the state of "in so many leads"."""
    if count == "contiguous":
        pairs = contiguous_pairs(tuple(states))
        if "met" not in states.values() and "not_evaluable" not in states.values():
            states = {lead: state for lead, state in states.items() if state == "borderline"}
            return "borderline" if any(one in states and other in states for one, other in pairs) else "not_met"
        return some([every((states[one], states[other])) for one, other in pairs])
    return at_least(list(states.values()), _needed(count, len(states)))


def _needed(count: int | str, leads: int) -> int:
    return {"any": 1, "all": leads}[count] if isinstance(count, str) else count


def _deciding(states: Mapping[str, str], count: Count, state: str) -> tuple[str, ...]:
    """Return the leads that make the state of "in so many leads" what it is."""
    if count == "contiguous":
        pairs = contiguous_pairs(tuple(states))
        chosen = {lead for pair in pairs if every([states[lead] for lead in pair]) == state for lead in pair}
        return tuple(lead for lead in states if lead in chosen)
    wanted = _ORDER[_ORDER.index(state) :] if state in ("met", "borderline") else (state,)
    return tuple(lead for lead, one in states.items() if one in wanted)


def _nearest(found: Mapping[str, Check], count: Count) -> tuple[str, ...]:
    """Return the leads to show for a rule that is not met: those that fail where all must hold, else the nearest."""
    failing = [lead for lead, check in found.items() if check.state == "not_met"]
    if count == "all":
        return tuple(failing)
    return (max(failing, key=lambda lead: found[lead].margin),)


def _pattern(rule: PatternRule, patient: Patient) -> Outcome:
    seen = {lead: _seen(patient.measured, lead) for lead in rule.leads}
    states = {
        lead: ("met" if shape in rule.patterns else "not_met") if shape else "not_evaluable"
        for lead, shape in seen.items()
    }
    state = _count(states, rule.count)

    def show() -> Shown:
        deciding = _deciding(states, rule.count, state)
        return Shown((), deciding, wording.pattern(seen, deciding, state, rule.patterns))

    return Outcome(state, show)


def _seen(measured: Measurements, lead: str) -> str:
    if lead not in measured.leads or not measured.patterns:
        return ""
    return measured.patterns[measured.leads.index(lead)]


def _beats(rule: BeatsRule, patient: Patient) -> Outcome:
    """Judge each beat of the kinds that a rule names, and count those that hold."""
    if patient.beats is None or patient.beats.reason:
        why = "there are no beats" if patient.beats is None else patient.beats.reason
        return Outcome("not_evaluable", partial(Shown, (), (), f"beats not measurable: {why}"))
    if "paced" in rule.kinds and patient.measured.fs < LOWEST_HZ:
        why = f"pacing spikes not measurable: {patient.measured.fs:.0f} Hz is too coarse for them"
        return Outcome("not_evaluable", partial(Shown, (), (), why))
    chosen = [b for b, kind in enumerate(patient.beats.kind) if not rule.kinds or kind in rule.kinds]
    judged = [_beat(rule, b, patient) for b in chosen]
    if rule.within_s is not None:
        at_s = patient.beats.r_s[chosen].tolist()
        judged = [judged[n] for n in densest([one for one, _ in judged], at_s, rule.within_s, rule.count)]
    state = at_least([one for one, _ in judged], rule.count)

    def show() -> Shown:
        wanted = _ORDER[_ORDER.index(state) :] if state in ("met", "borderline") else ()
        count = sum(one in wanted for one, _ in judged)
        checks = max((checks for one, checks in judged if one == state), key=_least_margin, default=())
        return Shown(checks, (), wording.beats(rule.kinds, len(chosen), count, rule.count, checks))

    return Outcome(state, show)


def _beat(rule: BeatsRule, beat: int, patient: Patient) -> tuple[str, tuple[Check, ...]]:
    """Return the state of one beat, and its checks: all that hold, or those that decide."""
    checks = []
    for condition in rule.all_of:
        value = float(patient.beat_rows[condition.measure][beat])
        label = OF_BEATS[condition.measure].label
        unknown = "the recording or its marks do not hold it" if isnan(value) else ""
        checks.append(hold(condition, label, value, unknown, patient))
    state = every([check.state for check in checks])
    return state, tuple(check for check in checks if check.state == state)


def _least_margin(checks: tuple[Check, ...]) -> float:
    return min((check.margin for check in checks if not isnan(check.margin)), default=-inf)


_ASK: Mapping[type[Stated], Callable[[Any, Patient], Outcome]] = {
    LeadsRule: _leads,
    ValueRule: _value,
    SumRule: _summed,
    PatternRule: _pattern,
    BeatsRule: _beats,
    UnmeasuredRule: _unmeasured,
}
"""What evaluates each form of rule; rules that ask for another entry are answered by the session."""
