"""Findings that are worked out when they are read: the same as plain ones, and asked no more than they need."""

import pickle
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest

from ecgviz.criteria import definition_state, evaluate, evaluate_all, load
from ecgviz.types import Finding
from tests.criteria_subjects import beats, measurements

STEMI = measurements(per_lead={"j_mv": {"II": 0.3, "III": 0.4, "aVF": 0.35}})


def found(order: int = 1) -> tuple[Finding, ...]:
    findings = evaluate_all(STEMI, beats(), age_years=60, sex="male")
    for finding in findings[::order]:
        assert finding.why
    return findings


def text(finding: Finding) -> str:
    regions = {role: (region.text, region.weight.tolist()) for role, region in finding.regions.items()}
    return repr([regions if one.name == "regions" else getattr(finding, one.name) for one in fields(finding)])


def test_findings_say_the_same_whichever_is_read_first() -> None:
    assert [text(finding) for finding in found(1)] == [text(finding) for finding in found(-1)]


def test_a_finding_travels_to_another_process_as_a_plain_one() -> None:
    finding = next(f for f in found() if f.criterion == "IMI" and f.state == "met")
    there = pickle.loads(pickle.dumps(finding))  # noqa: S301 - pickled in the line itself
    assert type(there) is Finding
    assert text(there) == text(finding)


def test_a_field_of_a_finding_can_be_replaced() -> None:
    finding = next(f for f in found() if f.criterion == "IMI" and f.state == "met")
    changed = replace(finding, state="borderline")
    assert (changed.state, changed.why, changed.rules) == ("borderline", finding.why, finding.rules)
    with pytest.raises(AttributeError, match="no 'verdict'"):
        _ = finding.verdict  # type: ignore[attr-defined]


def test_the_state_is_what_the_rules_combine_to() -> None:
    definitions = {(e.id, d.key): d for e in load().entries.values() for d in e.definitions}
    for finding in found():
        if "not evaluable: " in finding.why:
            continue
        definition = definitions[finding.criterion, finding.definition]
        roles, states = [r.role for r in finding.rules], [r.state for r in finding.rules]
        worth = [rule.points for rule in definition.resolved]
        assert finding.state == definition_state(roles, states, definition.at_least, worth), finding.why


def test_no_more_rules_are_asked_than_the_state_needs() -> None:
    drawn = []

    def states() -> Iterator[str]:
        for state in ("met", "not_met", "not_evaluable"):
            drawn.append(state)
            yield state

    assert definition_state(("required", "required", "required"), states()) == "not_met"
    assert drawn == ["met", "not_met"]


def test_evaluating_one_label_gives_what_evaluating_all_gives() -> None:
    some = {(f.criterion, f.definition): text(f) for f in evaluate("MI", STEMI, beats(), age_years=60, sex="male")}
    every = {(f.criterion, f.definition): text(f) for f in found()}
    assert some
    assert all(every[key] == one for key, one in some.items())
