"""What a rule of the catalogue asks, in words with its limits: "V1: R' >= 0.2 mV, in any of them"."""

from collections.abc import Sequence

from ecgviz.criteria.rule_schema import (
    AnyAbnormalRule,
    BeatsRule,
    Comparison,
    Condition,
    Count,
    Evaluable,
    FindingRule,
    LeadsRule,
    Limit,
    PatternRule,
    Row,
    SumRule,
    Table,
    Term,
    UnmeasuredRule,
    ValueRule,
)
from ecgviz.criteria.vocabulary import FLAGS, MEASURES, OF_BEATS, OF_RHYTHM

_OF_RECORD = {**MEASURES, **OF_RHYTHM}
UNITS = {"deg": "°", "1": "", "mV*ms": " mV ms"}
COUNTS = {"any": "in one of them", "all": "in each", "contiguous": "in two neighbours"}
VERIFICATIONS = {
    "primary": "read in the cited document",
    "secondary": "read in a text that quotes it",
    "unverified": "unverified, still to be read in the original",
    "proposal": "no published number; a proposal of this project",
}
"""How well a rule is known, in words."""


def limit_words(rule: Evaluable) -> str:
    """Return what a rule measures and against which limit, without its role and source."""
    if isinstance(rule, ValueRule):
        return f"{_OF_RECORD[rule.measure].label} {_held(rule)}"
    if isinstance(rule, LeadsRule):
        cases = (f"{_leads(case.leads)}: {' or '.join(map(_all_of, case.any_of))}" for case in rule.cases)
        return f"{'; '.join(cases)}{_count(rule.count, len(rule.leads))}"
    if isinstance(rule, SumRule):
        return _sum(rule)
    if isinstance(rule, PatternRule):
        return f"{_leads(rule.leads)}: {', '.join(rule.patterns)}{_count(rule.count, len(rule.leads))}"
    if isinstance(rule, FindingRule):
        return f"the entry {rule.finding}{f' ({rule.definition})' if rule.definition else ''}"
    if isinstance(rule, AnyAbnormalRule):
        return "any entry that makes an ECG abnormal, by any of its definitions"
    if isinstance(rule, BeatsRule):
        return _beats(rule)
    if isinstance(rule, UnmeasuredRule):
        return f"not measured: {rule.why}"
    raise TypeError(f"{type(rule).__name__} has no words")


def _held(rule: Comparison) -> str:
    slack = f" (± {rule.slack:g} is borderline)" if rule.slack else ""
    return f"{rule.op} {_limit(rule.value, rule.unit)}{slack}"


def _limit(limit: Limit, unit: str) -> str:
    suffix = UNITS.get(unit, f" {unit}")
    if isinstance(limit, Table):
        return ", ".join(f"{row.value:g}{suffix} {_who(row)}" for row in limit.rows)
    return f"{limit:g}{suffix}"


def _who(row: Row) -> str:
    """Return for whom a row of a table is."""
    who = {"male": "in men", "female": "in women", None: ""}[row.sex]
    ages = [f"from {row.age_from:g}"] * (row.age_from > 0) + [f"below {row.age_to:g}"] * (row.age_to < 200)
    return " ".join(filter(None, (who, *ages, "years" if ages else "")))


def _all_of(conditions: Sequence[Condition]) -> str:
    return " and ".join(map(_condition, conditions))


def _condition(condition: Condition) -> str:
    label = MEASURES[condition.measure].label
    if condition.measure in FLAGS:
        return label if condition.op in (">=", ">") else f"no {label}"
    if condition.minus:
        label = f"{label} - {MEASURES[condition.minus].label}"
    if condition.over:
        label = f"{label} / {MEASURES[condition.over].label}"
    return f"{label} {condition.op} {_limit(condition.value, condition.unit)}"


def _leads(leads: Sequence[str]) -> str:
    return "all leads" if len(leads) == 12 else ", ".join(leads)


def _count(count: Count, of: int) -> str:
    if of == 1:
        return ""
    return f", {COUNTS[count] if isinstance(count, str) else f'in {count} of them'}"


def _sum(rule: SumRule) -> str:
    words = _terms(rule.terms)
    if rule.add is not None:
        words += f" + {_limit(rule.add, 'mV')}"
    if rule.times is not None:
        words = f"({words}) x {MEASURES[rule.times].label}"
    if rule.over:
        words = f"({words}) / ({_terms(rule.over)})"
    return f"{words} {_held(rule)}"


def _terms(terms: Sequence[Term]) -> str:
    words = ""
    for term in terms:
        size = "" if abs(term.factor) == 1 else f"{abs(term.factor):g} x "
        joint = (" - " if term.factor < 0 else " + ") if words else ("-" if term.factor < 0 else "")
        largest = (
            f"the largest {MEASURES[term.measure].label} of" if len(term.leads) > 1 else MEASURES[term.measure].label
        )
        words += f"{joint}{size}{largest} {', '.join(term.leads)}"
    return words


def _beats(rule: BeatsRule) -> str:
    kinds = " or ".join(rule.kinds).replace("_", " ")
    asked = " and ".join(
        (("a " if condition.op in (">=", ">") else "no ") + OF_BEATS[condition.measure].label)
        if condition.measure in FLAGS
        else f"{OF_BEATS[condition.measure].label} {condition.op} {_limit(condition.value, condition.unit)}"
        for condition in rule.all_of
    )
    return f"at least {rule.count} {kinds} beat{'s' if rule.count > 1 else ''}{f' with {asked}' if asked else ''}"
