"""Every numeric rule of the catalogue, just below its limit, just above, at it, and where nothing could be measured."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ecgviz.criteria import catalogue
from ecgviz.criteria.judged import Patient
from ecgviz.criteria.rule_schema import (
    AnyAbnormalRule,
    BeatsRule,
    Case,
    Comparison,
    Evaluable,
    FindingRule,
    LeadsRule,
    PatternRule,
    SumRule,
    Table,
    UnmeasuredRule,
    ValueRule,
)
from ecgviz.criteria.rules import evaluate_rule
from ecgviz.criteria.vocabulary import INVERTED_AVR, OF_RHYTHM, contiguous_pairs
from ecgviz.types import RuleResult
from tests.criteria_subjects import beats, measurements

KINDS_AROUND = ("normal",) * 4
PEOPLE = ((50.0, "male"), (30.0, "male"), (50.0, "female"))
STEP = 1e-6
RULES = {
    f"{entry.id}/{definition.key}/{n}": rule
    for entry in catalogue()
    for definition in entry.definitions
    for n, rule in enumerate(definition.rules)
}
NUMERIC = {name: rule for name, rule in RULES.items() if isinstance(rule, ValueRule | SumRule | LeadsRule | BeatsRule)}


@dataclass(frozen=True)
class Setting:
    """A rule, its condition that is moved across the limit (in a case and a group of it), and the leads that hold."""

    rule: ValueRule | SumRule | LeadsRule | BeatsRule
    compared: Comparison
    case: Case | None = None
    group: int = 0
    condition: int = 0
    chosen: tuple[str, ...] = ()


def settings() -> Iterator[tuple[str, Setting]]:
    for name, rule in NUMERIC.items():
        if isinstance(rule, BeatsRule):
            for c, condition in enumerate(rule.all_of):
                yield f"{name}/{condition.measure}", Setting(rule, condition, condition=c)
            continue
        if not isinstance(rule, LeadsRule):
            yield name, Setting(rule, rule)
            continue
        for case in rule.cases:
            for g, group in enumerate(case.any_of):
                for c, condition in enumerate(group):
                    place = f"{name}/{case.leads[0]}-{g}{c}-{condition.measure}"
                    yield place, Setting(rule, condition, case, g, c, just_enough(rule, case))


def just_enough(rule: LeadsRule, case: Case) -> tuple[str, ...]:
    """Return the fewest leads in which the rule can hold, one of ``case`` among them."""
    if rule.count == "contiguous":
        return next(pair for pair in contiguous_pairs(rule.leads) if set(pair) & set(case.leads))
    if rule.count == "all":
        return rule.leads
    own = (*case.leads, *(lead for lead in rule.leads if lead not in case.leads))
    return tuple(sorted(own[: 1 if rule.count == "any" else rule.count], key=rule.leads.index))


def case_of(rule: LeadsRule, lead: str) -> Case:
    return next(case for case in rule.cases if lead in case.leads)


def limit_of(compared: Comparison, age: float, sex: str) -> float:
    if isinstance(compared.value, Table):
        return next(row.value for row in compared.value.rows if row.fits(age, sex))
    return compared.value


def beyond(compared: Comparison, limit: float, holds: bool) -> float:
    """Return a value that holds (or fails) by no more than the tolerance asks."""
    up = (compared.op in (">=", ">")) == holds
    return limit + (1 if up else -1) * (compared.slack + STEP)


def result(setting: Setting, value: float, age: float, sex: str) -> RuleResult:
    """Evaluate the rule where the compared quantity is ``value``, and everything else speaks for it."""
    rule = setting.rule
    patient = Patient(measurements(), age, sex, beats(KINDS_AROUND))
    if isinstance(rule, BeatsRule):
        return judged(rule, with_beats(patient, rule, setting.condition, value))
    if isinstance(rule, ValueRule) and rule.measure in OF_RHYTHM:
        patient.__dict__["rhythm"] = {rule.measure: value}, {}
        return judged(rule, patient)
    if isinstance(rule, ValueRule):
        measured = measurements({rule.measure: value})
    elif isinstance(rule, SumRule):
        measured = measurements(*summing_to(rule, value, age, sex))
    else:
        table: dict[str, dict[str, float]] = {}
        for lead in rule.leads:
            for measure, one in in_lead(setting, case_of(rule, lead), lead, value, age, sex).items():
                sign, name = (-1, "aVR") if lead == INVERTED_AVR else (1, lead)
                table.setdefault(measure, {})[name] = sign * one
        measured = measurements(per_lead=table)
    return judged(rule, Patient(measured, age, sex))


def judged(rule: Evaluable, patient: Patient) -> RuleResult:
    return evaluate_rule(rule, patient, "somebody 2026", lambda _: "not_met")


def with_beats(patient: Patient, rule: BeatsRule, moved: int, value: float) -> Patient:
    """Return a patient with just enough beats of the rule's kinds that hold but for the condition that is moved."""
    kinds = ("normal",) * 4 + (rule.kinds or ("normal",))[:1] * rule.count
    patient = Patient(patient.measured, patient.age_years, patient.sex, beats(kinds))
    rows = {name: np.full(len(kinds), np.nan) for name in patient.beat_rows}
    for c, condition in enumerate(rule.all_of):
        rows[condition.measure][4:] = value if c == moved else beyond(condition, condition.value, True)
    patient.__dict__["beat_rows"] = rows
    return patient


def summing_to(
    rule: SumRule, value: float, age: float, sex: str
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    values = {} if rule.times is None else {rule.times: 100.0}
    total = value if rule.times is None else value / 100.0
    total -= limit_of_add(rule, age, sex)
    table: dict[str, dict[str, float]] = {}
    for term in (*rule.terms, *rule.over):
        table.setdefault(term.measure, {}).update(dict.fromkeys(term.leads, 0.0))
    if rule.over:
        table[rule.over[0].measure][rule.over[0].leads[0]] = 2.0
        total *= 2.0
    term = min(rule.terms, key=lambda one: one.factor)
    table[term.measure][term.leads[0]] = total / term.factor
    return values, table


def limit_of_add(rule: SumRule, age: float, sex: str) -> float:
    if rule.add is None:
        return 0.0
    return next(row.value for row in rule.add.rows if row.fits(age, sex))


def in_lead(setting: Setting, case: Case, lead: str, value: float, age: float, sex: str) -> dict[str, float]:
    """Return what one lead measures: clearly failing, or (where chosen) holding but for the condition that is moved."""
    row: dict[str, float] = {}
    for condition in (condition for group in case.any_of for condition in group):
        if condition.other is not None:
            row[condition.measure], row[condition.other] = (0, 500) if condition.op in (">=", ">") else (500, 0.1)
        else:
            limit = limit_of(condition, age, sex)
            row[condition.measure] = limit + 50 * (beyond(condition, limit, False) - limit)
    return row | (holding_in_lead(setting, case, value, age, sex) if lead in setting.chosen else {})


def holding_in_lead(setting: Setting, case: Case, value: float, age: float, sex: str) -> dict[str, float]:
    """Return what holds in a lead; of two that are compared the second gives way where the first is asked for too."""
    row: dict[str, float] = {}
    moving = case is setting.case
    group = case.any_of[setting.group if moving else 0]
    order = [(condition.other is not None, moving and c == setting.condition) for c, condition in enumerate(group)]
    for (_, moved), condition in sorted(zip(order, group, strict=True), key=lambda one: one[0]):
        wanted = value if moved else beyond(condition, limit_of(condition, age, sex), True)
        first = row.get(condition.measure)
        if condition.other is None:
            row[condition.measure] = wanted
        elif first is None:
            row[condition.other] = 0.2
            row[condition.measure] = 0.2 + wanted if condition.minus else 0.2 * wanted
        else:
            row[condition.other] = first - wanted if condition.minus else first / wanted or 1.0
    return row


SETTINGS: dict[str, dict[str, Setting]] = {}
"""By entry, so that its rules are one test."""
for place, one in settings():
    SETTINGS.setdefault(next(entry.id for entry in catalogue() if place.startswith(f"{entry.id}/")), {})[place] = one


def of_entry(test: Any) -> Any:
    return pytest.mark.parametrize("settled", SETTINGS.values(), ids=SETTINGS)(test)


@of_entry
def test_each_numeric_rule_holds_on_one_side_of_its_limit_only(settled: dict[str, Setting]) -> None:
    for (name, setting), (age, sex) in itertools.product(settled.items(), PEOPLE):
        limit = limit_of(setting.compared, age, sex)
        above = result(setting, beyond(setting.compared, limit, True), age, sex)
        below = result(setting, beyond(setting.compared, limit, False), age, sex)
        assert above.state == "met", (name, above.why)
        assert below.state == "not_met", (name, below.why)
        assert above.margin > 0 > below.margin or setting.compared.unit == "1", name
        if setting.chosen:
            assert above.leads == setting.chosen, name


@of_entry
def test_a_value_inside_the_tolerance_is_borderline(settled: dict[str, Setting]) -> None:
    for name, setting in settled.items():
        limit, slack = limit_of(setting.compared, 50, "male"), setting.compared.slack
        for nudge in (-0.5, 0.0, 0.5) if slack > 0 else ():
            assert result(setting, limit + nudge * slack, 50, "male").state == "borderline", name


@of_entry
def test_what_was_not_measured_is_not_evaluable(settled: dict[str, Setting]) -> None:
    for name, setting in settled.items():
        found = result(setting, np.nan, 50, "male")
        assert found.state == "not_evaluable", name
        assert "not measurable" in found.why, name


PATTERNS = {name: rule for name, rule in RULES.items() if isinstance(rule, PatternRule)}


@pytest.mark.parametrize("name", PATTERNS)
def test_each_pattern_rule_knows_its_patterns(name: str) -> None:
    rule = PATTERNS[name]
    needed = rule.leads[: {"all": len(rule.leads), "any": 1}.get(str(rule.count), rule.count)]

    def state(shape: str) -> str:
        shapes = dict.fromkeys(rule.leads, "Rs" if "Rs" not in rule.patterns else "qr") | dict.fromkeys(needed, shape)
        patient = Patient(measurements(patterns=shapes), 50, "male")
        return judged(rule, patient).state

    assert all(state(shape) == "met" for shape in rule.patterns)
    assert state("no such pattern") == "not_met"
    assert state("") == "not_evaluable"


def test_a_rule_that_nothing_can_decide_says_why() -> None:
    unmeasured = {name: rule for name, rule in RULES.items() if isinstance(rule, UnmeasuredRule)}
    for rule in unmeasured.values():
        found = judged(rule, Patient(measurements(), 50, "male", beats()))
        assert (found.state, found.why) == ("not_evaluable", rule.why)
    assert unmeasured


def test_every_rule_of_the_catalogue_is_tested_by_its_form() -> None:
    moved = {name for name in NUMERIC if any(place.startswith(name) for of in SETTINGS.values() for place in of)}
    asking = {
        name
        for name, rule in RULES.items()
        if isinstance(rule, FindingRule | AnyAbnormalRule | UnmeasuredRule)
        or (isinstance(rule, BeatsRule) and not rule.all_of)
    }
    assert moved | set(PATTERNS) | asking == set(RULES)
