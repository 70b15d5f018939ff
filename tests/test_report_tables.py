"""The tables of a report hold the numbers of the case: every number of the case that is made here is another one."""

from dataclasses import replace

import numpy as np
import pytest

from ecgviz.checkpoint import Model
from ecgviz.pipeline import analyse
from ecgviz.records import load_record
from ecgviz.report import rows
from ecgviz.types import Agreement, Case, ControlScore, Finding, LeadQuality, Prediction, RuleResult

AGREEMENT = Agreement(
    evidence="partly",
    why="made by hand",
    share=0.411,
    area=0.082,
    controls=(
        ControlScore("|x|", 0.133, 0.278, 0.214, 0.345),
        ControlScore("random networks", 0.396, 0.015, -0.057, 0.091),
        ControlScore("|dx/dt|", np.nan, np.nan, np.nan, np.nan),
    ),
    p_time=0.012,
    p_phase=0.34,
    p_place=0.56,
    criterion="IMI",
    method="saliency",
    label="both",
    density=5.01,
    support_share=0.223,
    contra_share=0.064,
)
"""Numbers of which no two are alike."""


@pytest.fixture(scope="module")
def case(narrow_model: Model) -> Case:
    made = analyse(load_record("demo:normal"), narrow_model, "MI", "saliency", seed=3)
    said = Prediction(
        ("MI", "NORM", "CD"), np.array([1.4, -1.4, 0.0]), np.array([0.8, 0.2, 0.5]), np.array([0.7, 0.3, 0.5])
    )
    return replace(made, prediction=said, agreement=AGREEMENT)


def test_each_label_has_its_probability_beside_its_threshold(case: Case) -> None:
    head, found = rows.predictions(case)
    assert head == ("label", "probability", "threshold", "model calls it")
    assert found == [("MI", "0.8", "0.7", "yes"), ("NORM", "0.2", "0.3", "no"), ("CD", "0.5", "0.5", "yes")]


def test_each_share_and_each_p_stands_beside_its_own_words(case: Case) -> None:
    _, found = rows.shares(case)
    assert dict(found) == {
        "inside the primary region": "41.1 %",
        "area of that region": "8.2 %",
        "inside supporting regions": "22.3 %",
        "inside regions where it would hint at a shortcut": "6.4 %",
        "p, circular shifts (time)": "0.012",
        "p, exchange of leads (place)": "0.56",
    }


def test_each_control_has_its_share_the_excess_over_it_and_its_interval(case: Case) -> None:
    _, found = rows.controls(case)
    unknown = "not assessable"
    assert found == [
        ("|x|", "13.3 %", "27.8 %", "21.4 % to 34.5 %"),
        ("random networks", "39.6 %", "1.5 %", "-5.7 % to 9.1 %"),
        ("|dx/dt|", unknown, unknown, f"{unknown} to {unknown}"),
    ]


def test_a_rule_has_what_was_measured_its_limit_and_its_margin() -> None:
    told = {"leads": ("II",), "verification": "primary"}
    number = RuleResult("ST up", "required", "met", 0.21, 0.1, "mV", 0.11, why="it is", source="a paper", **told)
    pattern = RuleResult(
        "rsR'", "alternative", "not_met", np.nan, np.nan, "1", np.nan, why="no", source="another", **told
    )
    unknown = replace(number, role="supporting", state="not_evaluable", measured=np.nan, margin=np.nan, why="no P")
    head, found = rows.rules(Finding("IMI", "infarct", "acute", "met", "", "", (number, pattern, unknown)))
    assert head == ("rule", "role", "measured", "limit", "unit", "margin", "state", "why", "source")
    assert found == [
        ("ST up", "required", "0.21", "0.1", "mV", "0.11", "met", "it is", "a paper"),
        ("rsR'", "alternative", "–", "–", "", "–", "not met", "no", "another"),
        ("ST up", "supporting", "not measurable", "0.1", "mV", "–", "not evaluable", "no P", "a paper"),
    ]


def test_each_measurement_and_each_lead_has_its_own_row(case: Case) -> None:
    measured = replace(case.measurements, values={"pr_ms": 161.26, "qt_ms": np.nan}, reasons={"qt_ms": "no T"})
    quality = (LeadQuality("II", "doubtful", ("noise", "drift")), LeadQuality("V1", "good", ()))
    made = replace(case, measurements=measured, quality=quality)
    assert rows.measurements(made)[1] == [("pr_ms", "161.3", ""), ("qt_ms", "not measurable", "no T")]
    assert rows.quality(made)[1] == [("II", "doubtful", "noise; drift"), ("V1", "good", "")]
