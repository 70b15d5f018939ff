"""Where readers and catalogue differ on a recording, and the likely cause."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from ecgviz.criteria.session import BARRED
from ecgviz.criteria.vocabulary import TOLERANCES
from ecgviz.types import Finding, RuleResult

CAUSES: Mapping[str, str] = {
    "not measured": "stated; no definition could be evaluated, because a measurement is missing or too coarse",
    "not judged": "stated; another finding, pacing or age bars the definitions",
    "near a limit": "a definition is missed, or met, by less than twice the measurement tolerance",
    "rule or label": "stated; every definition fails by more: rules are narrower, or the statement looser",
    "not named": "met by more than that; readers did not name it, or the definition is wider than what they mean",
}
"""Likely causes of a disagreement: the second and third are of measurement, the last two of rules and labels."""
NEAR = 2.0
"""So many measurement tolerances from a limit are near to it: our value and a reader's may lie on its two sides."""


@dataclass(frozen=True)
class Disagreement:
    """A recording in which readers and catalogue differ: ``stated`` by the readers, the catalogue's ``state``, why.

    ``cause`` is one of `CAUSES`.
    """

    record: str
    criterion: str
    stated: bool
    state: str
    cause: str
    why: str


def likely_cause(stated: bool, state: str, findings: Sequence[Finding]) -> str:
    """Return the likely cause, of `CAUSES`, for which the catalogue comes to ``state`` against the readers.

    Parameters
    ----------
    stated
        Whether the readers stated the diagnosis.
    state
        What all its definitions together come to.
    findings
        One for each of its definitions.
    """
    if state == "not_evaluable":
        return "not judged" if all(one.why.startswith(BARRED) for one in findings) else "not measured"
    if state == "borderline":
        return "near a limit"
    own = [one for one in findings if one.state == state]
    deciding = [rules for one in own if (rules := _deciding(one))]
    if any(all(_near(rule) for rule in rules) for rules in deciding):
        return "near a limit"
    return "rule or label" if stated else "not named"


def _deciding(finding: Finding) -> list[RuleResult]:
    """Return the rules that make a finding what it is: if it is met the nearest to its limit, else those that fail."""
    if finding.state == "met":
        numbers = [rule for rule in finding.rules if rule.role == "required" and isfinite(rule.margin)]
        return [min(numbers, key=_tolerances)] if numbers else list(finding.rules[:1])
    failing = [rule for rule in finding.rules if rule.role == "required" and rule.state == "not_met"]
    failing += [rule for rule in finding.rules if rule.role == "excluding" and rule.state == "met"]
    if not failing:
        failing = [rule for rule in finding.rules if rule.role == "alternative" and rule.state != "met"]
    return failing


def _near(rule: RuleResult) -> bool:
    return _tolerances(rule) < NEAR


def _tolerances(rule: RuleResult) -> float:
    """Return how many measurement tolerances a value lies from its limit; infinitely many where that has no meaning."""
    tolerance = TOLERANCES.get(rule.unit, 0.0)
    return abs(rule.margin) / tolerance if tolerance > 0 and isfinite(rule.margin) else float("inf")


def by_cause(disagreements: Iterable[Disagreement]) -> dict[str, dict[tuple[bool, str], int]]:
    """Return for each statement how many disagreements have a cause, by whether readers stated it and the cause."""
    found: dict[str, Counter[tuple[bool, str]]] = {}
    for one in disagreements:
        found.setdefault(one.criterion, Counter())[one.stated, one.cause] += 1
    return {name: dict(counts) for name, counts in found.items()}
