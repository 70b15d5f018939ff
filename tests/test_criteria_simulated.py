"""From samples to verdict: a simulated finding meets its own criterion, its healthy twin does not."""

import pytest

from ecgviz.beats import delineate
from ecgviz.criteria import catalogue, evaluate_all
from ecgviz.measure import measure
from ecgviz.signal import condition
from ecgviz.simulate import FINDINGS, simulate
from ecgviz.types import Finding, Record

KNOWN = {entry.id for entry in catalogue()}
PLANTED = [name for name, spec in FINDINGS.items() if KNOWN & set(spec.criteria)]


def verdicts(record: Record, criteria: tuple[str, ...]) -> list[Finding]:
    clean = condition(record)
    beats = delineate(clean)
    findings = evaluate_all(measure(clean, beats), beats, age_years=record.age_years, sex=record.sex)
    return [finding for finding in findings if finding.criterion in criteria]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_finding_meets_its_criterion_and_its_twin_does_not(name: str, seed: int) -> None:
    simulation = simulate(name, seed=seed, fs=500.0, duration_s=10.0)
    own = verdicts(simulation.record, FINDINGS[name].criteria)
    assert any(finding.state == "met" for finding in own), [finding.why for finding in own]
    if name != "normal":
        twin = verdicts(simulation.twin, FINDINGS[name].criteria)
        assert all(finding.state != "met" for finding in twin), [finding.why for finding in twin]


def test_every_planted_finding_has_a_criterion() -> None:
    assert list(FINDINGS) == PLANTED
