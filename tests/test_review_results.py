"""Results of a study whose answers were invented so that every statistic is known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from review_studies import AFTER, BEFORE, answer, definition, item

from ecgviz import NOTICE
from ecgviz.review import founding, reporting
from ecgviz.review.answers import JudgedSpan
from ecgviz.review.design import REFERENCE
from ecgviz.review.fields import NOT_STATED, fields, missing
from ecgviz.review.marks import Span
from ecgviz.review.results import Results, results

N = 10
READERS = ("R1", "R2", "R3")


@pytest.fixture(scope="module")
def found(in_memory: Path) -> Results:
    """Ten recordings, MI the truth of all but the last, of which the adjudicator says NORM; the model always says MI.

    R1 answers MI throughout. R2 answers NORM before and MI after. R3 answers as R1 in the first five and NORM in the
    others, never changing.
    """
    folder = in_memory / "known"
    folder.mkdir()
    people = [
        {"pseudonym": p, "qualification": "cardiologist", "years": y} for p, y in zip(READERS, (3, 10, 20), strict=True)
    ]
    people += [{"pseudonym": "A1", "role": "adjudicator"}, {"pseudonym": "O1", "role": "owner"}]
    study = definition(n_records=N, readers=people, statements={"reader_training": "one hour"}, seed=4)
    arms = ["both" if i % 2 else "randomised" for i in range(N)]
    items = [item(i, arm=arms[i], reference=None if i == N - 1 else "MI", predicted="MI") for i in range(N)]
    plain = item(N - 1, item_id="plain", arm=REFERENCE, model="", reference=None)
    order = {name: [each.item_id for each in items] for name in READERS} | {"A1": ["plain"]}
    founding.found(folder, study, [*items, plain], order)
    answer(folder, "A1", "plain", "reference", replace(BEFORE, label="NORM"))
    for i in range(N):
        for name in READERS:
            own = {"R1": "MI", "R2": "NORM", "R3": "MI" if i < 5 else "NORM"}[name]
            cells = (("II", "ST"),) if name == "R1" else (("II", "ST"), ("III", "ST"))
            spans = (Span("II", 1.0, 1.2),) if name != "R3" else ()
            answer(folder, name, f"item-{i}", "before", replace(BEFORE, label=own, cells=cells, spans=spans))
            later = "MI" if name == "R2" else own
            verdicts = tuple(JudgedSpan("II", 1.0, 1.2, v) for v in ("relevant", "irrelevant"))
            rating = {"R1": 4, "R2": 4, "R3": 2}[name]
            answer(
                folder,
                name,
                f"item-{i}",
                "after",
                replace(AFTER, label=later, explanation_plausible=rating, span_verdicts=verdicts),
            )
    return results(folder, draws=200)


def value(found: Results, name: str, of: str) -> float:
    (one,) = [each for each in found.results if (each.name, each.of) == (name, of)]
    return one.estimate.value


def test_accuracy_before_and_after_by_hand(found: Results):
    # right before: R1 9, R2 1 (NORM on the last), R3 5 + 1; after: R1 9, R2 9, R3 6
    assert value(found, "Accuracy before", "all arms") == pytest.approx(16 / 30)
    assert value(found, "Accuracy after", "all arms") == pytest.approx(24 / 30)
    assert value(found, "Change of accuracy", "all arms") == pytest.approx(8 / 30)
    assert value(found, "Change of confidence, points", "both") == 20
    # R2 differed from a right model nine times and went over each time; R3 four times and never
    assert value(found, "Went over to the model where it was right", "all arms") == pytest.approx(9 / 13)
    # the model was wrong on the last: R2 went over, R3 did not
    assert value(found, "Went over to the model where it was wrong", "all arms") == pytest.approx(1 / 2)
    assert {arm: (s.to_right, s.to_wrong) for arm, s in found.switches.items()} == {
        "both": (4, 1),
        "randomised": (5, 0),
    }


def test_intervals_hold_the_value_and_count_patients(found: Results):
    (one,) = [each for each in found.results if (each.name, each.of) == ("Accuracy before", "all arms")]
    assert one.estimate.low < one.estimate.value < one.estimate.high
    assert (one.estimate.n_patients, one.n) == (N, 3 * N)
    assert (found.seed, found.draws) == (4, 200)


def test_agreement_on_labels_ratings_and_marks_by_hand(found: Results):
    assert value(found, "Cohen's kappa", "after, R1 and R2") != value(found, "Cohen's kappa", "before, R1 and R3")
    assert np.isnan(
        value(found, "Cohen's kappa", "after, R1 and R2")
    )  # both always MI: chance leaves nothing to explain
    assert value(found, "Cohen's kappa", "before, R1 and R3") == 0  # R1 never varies
    # before, all three: on five recordings MI MI NORM, on five MI NORM NORM: one pair in three agrees
    assert value(found, "Fleiss' kappa", "before, 3 readers") == pytest.approx((1 / 3 - 0.5) / 0.5)
    by_chance = (0.5 * 0.5 + 0.5 * 0.5 + 0 * 1) / 2  # of three answers, one of which nobody gave
    assert value(found, "Gwet's AC1", "before, 3 readers") == pytest.approx((1 / 3 - by_chance) / (1 - by_chance))
    assert value(found, "Dice of cells", "pairs of readers") == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert value(found, "IoU of spans", "pairs of readers") == pytest.approx((1 + 0 + 0) / 3)
    assert value(found, "Explanation plausible, 1 to 5", "both") == pytest.approx(10 / 3)
    assert value(found, "Places judged relevant", "both") == 0.5


def test_adjudicators_give_the_reference_that_the_owner_did_not(found: Results):
    assert {pair.reference for pair in found.pairs if pair.item_id == f"item-{N - 1}"} == {"NORM"}
    assert found.expected == 3 * N * 2 + 1 == len(found.given)


def test_without_maps_their_scores_are_missing_with_a_sentence(found: Results):
    assert found.marked == ()
    assert any("imported without its recordings" in note for note in found.notes)


def test_the_report_fills_what_the_guidelines_ask(found: Results):
    filled = {field.asked: field.said for field in fields(found)}
    assert filled["Number, qualification and experience of readers"] == (
        "3 readers: 3 × cardiologist; 3 to 20 years of reading ECGs (median 10); besides 1 × adjudicator, 1 × owner"
    )
    assert filled["How readers were trained with the system"] == "one hour"
    assert filled["Networks and their version"] == f"imle_net, SHA-256 {'f' * 64}"
    assert filled["Answers"] == "61 of 61 given"
    assert filled["Agreement of readers with the system"] == "83 % of second answers are the model's"
    assert filled["Errors of the system"] == "the model was wrong in 3 of 30 readings"
    assert filled["Ethics"] == NOT_STATED
    assert "Ethics" in missing(fields(found))
    assert "How readers were trained with the system" not in missing(fields(found))


def test_the_report_is_markdown_and_json_of_the_same_numbers(found: Results):
    plain = reporting.report(found)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["notice"] == NOTICE
    text = reporting.to_markdown(found)
    assert NOTICE in text
    assert "| Accuracy before | all arms | 53 % |" in text
    for each in plain["results"]:
        assert f"| {each['name']} | " in text
    assert "imported without its recordings" in text


def test_text_of_the_owner_cannot_become_markup(tmp_path: Path):
    folder = tmp_path / "hostile"
    folder.mkdir()
    founding.found(folder, definition(question="![x](http://evil.example/b.png) <script> | `a`"), [], {})
    text = reporting.to_markdown(results(folder, draws=10))
    assert r"\!\[x\](http://evil.example/b.png) \<script\> \| \`a\`" in text
