"""Every numeric rule of the catalogue, just below its limit, just above, at it, and where nothing could be measured."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from ecgviz.criteria import catalogue
from ecgviz.criteria.judged import Patient
from ecgviz.criteria.rule_schema import Case, Comparison, FindingRule, LeadsRule, PatternRule, SumRule, Table, ValueRule
from ecgviz.criteria.rules import evaluate_rule
from ecgviz.criteria.vocabulary import INVERTED_AVR, contiguous_pairs
from ecgviz.types import RuleResult
from tests.criteria_subjects import measurements

PEOPLE = ((50.0, "male"), (30.0, "male"), (50.0, "female"))
STEP = 1e-6
RULES = {
    f"{entry.id}/{definition.key}/{n}": rule
    for entry in catalogue()
    for definition in entry.definitions
    for n, rule in enumerate(definition.rules)
}
NUMERIC = {name: rule for name, rule in RULES.items() if isinstance(rule, ValueRule | SumRule | LeadsRule)}


@dataclass(frozen=True)
class Setting:
    """A rule, its condition that is moved across the limit (in a case and a group of it), and the leads that hold."""

    rule: ValueRule | SumRule | LeadsRule
    compared: Comparison
    case: Case | None = None
    group: int = 0
    condition: int = 0
    chosen: tuple[str, ...] = ()


def settings() -> Iterator[tuple[str, Setting]]:
    for name, rule in NUMERIC.items():
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
    return evaluate_rule(rule, Patient(measured, age, sex), "somebody 2026", lambda _: "not_met")


def summing_to(
    rule: SumRule, value: float, age: float, sex: str
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    values = {} if rule.times is None else {rule.times: 100.0}
    total = value if rule.times is None else value / 100.0
    total -= limit_of_add(rule, age, sex)
    table: dict[str, dict[str, float]] = {}
    for term in rule.terms:
        table.setdefault(term.measure, {}).update(dict.fromkeys(term.leads, 0.0))
    table[rule.terms[0].measure][rule.terms[0].leads[0]] = total
    return values, table


def limit_of_add(rule: SumRule, age: float, sex: str) -> float:
    if rule.add is None:
        return 0.0
    return next(row.value for row in rule.add.rows if row.fits(age, sex))


def in_lead(setting: Setting, case: Case, lead: str, value: float, age: float, sex: str) -> dict[str, float]:
    """Return what one lead measures: clearly failing, or (where chosen) holding but for the condition that is moved."""
    row: dict[str, float] = {}
    for group in case.any_of:
        for condition in group:
            if condition.minus is not None:
                row[condition.measure], row[condition.minus] = (0, 500) if condition.op in (">=", ">") else (500, 0)
            elif condition.over is None:
                limit = limit_of(condition, age, sex)
                row[condition.measure] = limit + 50 * (beyond(condition, limit, False) - limit)
    if lead not in setting.chosen:
        return row
    group = case.any_of[setting.group if case is setting.case else 0]
    sizes = {c: beyond(condition, limit_of(condition, age, sex), True) for c, condition in enumerate(group)}
    if case is setting.case:
        sizes[setting.condition] = value
    for c, condition in sorted(enumerate(group), key=lambda numbered: numbered[1].over is not None):
        if condition.minus:
            row[condition.minus] = 0.2
        if condition.over is None:
            row[condition.measure] = sizes[c] + row.get(condition.minus or "", 0.0)
        else:
            row[condition.over] = row.setdefault(condition.measure, 1.0) / sizes[c]
    return row


SETTINGS = dict(settings())


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(("age", "sex"), PEOPLE)
def test_each_numeric_rule_holds_on_one_side_of_its_limit_only(name: str, age: float, sex: str) -> None:
    setting = SETTINGS[name]
    limit = limit_of(setting.compared, age, sex)
    above = result(setting, beyond(setting.compared, limit, True), age, sex)
    below = result(setting, beyond(setting.compared, limit, False), age, sex)
    assert above.state == "met", above.why
    assert below.state == "not_met", below.why
    assert above.margin > 0 > below.margin or setting.compared.unit == "1"
    if setting.chosen:
        assert above.leads == setting.chosen


@pytest.mark.parametrize("name", [name for name, one in SETTINGS.items() if one.compared.slack > 0])
def test_a_value_inside_the_tolerance_is_borderline(name: str) -> None:
    setting = SETTINGS[name]
    limit = limit_of(setting.compared, 50, "male")
    for nudge in (-0.5, 0.0, 0.5):
        assert result(setting, limit + nudge * setting.compared.slack, 50, "male").state == "borderline"


@pytest.mark.parametrize("name", SETTINGS)
def test_what_was_not_measured_is_not_evaluable(name: str) -> None:
    found = result(SETTINGS[name], np.nan, 50, "male")
    assert found.state == "not_evaluable"
    assert "not measurable" in found.why


PATTERNS = {name: rule for name, rule in RULES.items() if isinstance(rule, PatternRule)}


@pytest.mark.parametrize("name", PATTERNS)
def test_each_pattern_rule_knows_its_patterns(name: str) -> None:
    rule = PATTERNS[name]
    needed = rule.leads[: {"all": len(rule.leads), "any": 1}.get(str(rule.count), rule.count)]

    def state(shape: str) -> str:
        shapes = dict.fromkeys(rule.leads, "Rs" if "Rs" not in rule.patterns else "qr") | dict.fromkeys(needed, shape)
        patient = Patient(measurements(patterns=shapes), 50, "male")
        return evaluate_rule(rule, patient, "somebody 2026", lambda _: "not_met").state

    assert all(state(shape) == "met" for shape in rule.patterns)
    assert state("no such pattern") == "not_met"
    assert state("") == "not_evaluable"


def test_every_rule_of_the_catalogue_is_tested_by_its_form() -> None:
    moved = {name for name in NUMERIC if any(setting.startswith(name) for setting in SETTINGS)}
    asking = {name for name, rule in RULES.items() if isinstance(rule, FindingRule)}
    assert moved | set(PATTERNS) | asking == set(RULES)
