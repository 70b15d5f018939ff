"""The order in which findings are told: what is met first, by what it claims and how clearly."""

from collections.abc import Iterable
from math import inf, isfinite

from ecgviz.criteria.vocabulary import TOLERANCES
from ecgviz.types import Finding, RuleResult

_STATES = ("met", "borderline", "not_met", "not_evaluable")


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings in the order in which a reader would name them.

    Met ones come first, then borderline ones, then those that are not met, then those that could not be evaluated.
    Among the met ones a sign that stands for itself comes before one that another explains (`Finding.explained_by`),
    a diagnosis (with a superclass of PTB-XL) before a word for a shape or a rhythm, and what lies further beyond its
    limits before what just reaches them. The others, and equals, keep their order.
    """
    return tuple(sorted(findings, key=_place))


def clearness(finding: Finding) -> float:
    """Return by how many measurement tolerances a finding that is met passes the nearest of its limits.

    The least over its required rules, and over the alternatives that are met the largest; 0 for a finding that no
    number decides.
    """
    required = [beyond for rule in finding.rules if rule.role == "required" and (beyond := _beyond(rule)) < inf]
    others = [_beyond(rule) for rule in finding.rules if rule.role == "alternative" and rule.state == "met"]
    others = [beyond for beyond in others if beyond < inf]
    return min([*required, *([max(others)] if others else [])], default=0.0)


def _beyond(rule: RuleResult) -> float:
    tolerance = TOLERANCES.get(rule.unit, 0.0)
    return rule.margin / tolerance if tolerance > 0 and isfinite(rule.margin) else inf


def _place(finding: Finding) -> tuple[int, bool, bool, float]:
    state = _STATES.index(finding.state)
    if state > 0:
        return state, False, False, 0.0
    return state, bool(finding.explained_by), finding.superclass is None, -clearness(finding)
