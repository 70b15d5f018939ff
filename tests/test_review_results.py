"""Results of a study whose answers were invented so that every statistic is known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from review_studies import AFTER, BEFORE, answer, definition, founded, item, read_all

from ecgviz import NOTICE
from ecgviz.review import agreed, founding, reporting, store
from ecgviz.review.answers import Answer, JudgedSpan
from ecgviz.review.counted import Counting, Given
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
    assert value(found, "IoU of spans", "pairs of readers") == 1  # R3 marked cells alone
    assert "pairs of readers that agreement on spans leaves out, since one of the two marked cells only: 20" in (
        found.notes
    )
    assert value(found, "Explanation plausible, 1 to 5", "both") == pytest.approx(10 / 3)
    assert value(found, "Places judged relevant", "both") == 0.5


def read(i: int, reader: str, own: Answer, **more: str) -> Given:
    return Given(item(i, **more), reader, "before", own)


def test_patients_are_counted_over_the_recordings_that_a_statistic_uses():
    """Two of three readers read each of ten recordings, and one more all three, on which -0.5 is Fleiss' kappa."""
    labels = dict(zip(READERS, ("MI", "NORM", "MI"), strict=True))
    given = [
        read(i, name, replace(BEFORE, label=labels[name]))
        for i in range(N + 1)
        for name in READERS
        if i == N or name != READERS[i % 3]
    ]
    counting = Counting(draws=20, seed=0)
    made = {each.name: each for each in agreed.label_agreement(counting, ("MI", "NORM", "none of these"), given)}
    (icc,) = [each for each in agreed.rating_agreement(counting, given) if each.name == "ICC(2,1)"]
    fleiss, ac1 = made["Fleiss' kappa"], made["Gwet's AC1"]
    assert fleiss.estimate.value == pytest.approx(-0.5)
    for each in (fleiss, icc):
        assert (each.n, each.estimate.n_patients) == (1, 1)
        assert each.estimate.why == "an interval needs 5 patients or more"
        assert np.isnan([each.estimate.low, each.estimate.high]).all()
    assert (ac1.n, ac1.estimate.n_patients, ac1.estimate.why) == (N + 1, N + 1, "")


def test_a_pair_of_readers_counts_patients_and_not_recordings():
    given = [read(i, name, BEFORE, patient_id=f"P{i // 2}") for i in range(6) for name in READERS]
    made = agreed.label_agreement(Counting(draws=20, seed=0), ("MI", "NORM"), given)
    assert {(each.n, each.estimate.n_patients) for each in made if each.name == "Cohen's kappa"} == {(6, 3)}


def test_marks_are_compared_where_both_readers_marked_with_the_same_tool():
    """Cells with cells, spans with spans; who marked nothing at all agrees in nothing."""
    cells, spans = replace(BEFORE, cells=(("II", "P"),)), replace(BEFORE, cells=(), spans=(Span("II", 1.0, 1.2),))
    nothing = replace(BEFORE, cells=(), spans=())
    pairs = [(cells, cells), (cells, nothing), (spans, spans), (nothing, spans), (cells, spans), (nothing, nothing)]
    given = [read(i, name, own) for i, pair in enumerate(pairs) for name, own in zip(READERS, pair, strict=False)]
    made = list(agreed.mark_agreement(Counting(draws=20, seed=0), given))
    assert {each.name: (each.estimate.value, each.n) for each in made} == dict.fromkeys(
        ("Dice of cells", "IoU of spans", "Spans hit within 50 ms"), (1 / 2, 2)
    )
    assert agreed.left_out(given) == [
        "pairs of readers that agreement on cells leaves out, since one of the two marked spans only: 1",
        "pairs of readers that agreement on spans leaves out, since one of the two marked cells only: 1",
    ]


def test_a_first_meeting_counts_though_it_was_corrected_after_the_second(memory: Path):
    folder = memory / "twice"
    folder.mkdir()
    order = ["item-0", "item-1", "again-0", "again-1"]
    items = [item(i, item_id=f"{name}-{i}") for name in ("item", "again") for i in range(2)]
    study = definition(n_records=2, rounds=2, protocol={"revise": True})
    founding.found(folder, study, items, {"R1": order, "R2": order})
    given = {}
    for name, labels in (("R1", ("NORM",) * 4), ("R2", ("MI", "NORM", "NORM", "NORM"))):
        for met, label in zip(order, labels, strict=True):
            answer(folder, name, met, "before", BEFORE)
            given[name, met] = answer(folder, name, met, "after", replace(AFTER, label=label))
    answer(folder, "R1", "item-0", "after", replace(AFTER, label="MI"), supersedes=given["R1", "item-0"])
    standing = [row for row in store.current(folder) if (row["reader_id"], row["phase"]) == ("R1", "after")]
    assert [(row["item_id"], row["label"]) for row in standing][:2] == [("item-0", "MI"), ("item-1", "NORM")]
    assert len(standing) == 4
    assert value(results(folder, draws=2), "Cohen's kappa", "after, 2 readers") == 1


@pytest.mark.parametrize(
    ("second", "reference", "why"),
    [
        (None, None, "not all adjudicators have answered yet"),
        ("NORM", "NORM", ""),
        ("MI", None, "adjudicators differ"),
    ],
)
def test_a_reference_needs_the_answer_of_every_adjudicator(
    memory: Path, second: str | None, reference: str | None, why: str
):
    folder = memory / "adjudicated"
    folder.mkdir()
    roles = {"R1": "reader", "A1": "adjudicator", "A2": "adjudicator", "O1": "owner"}
    study = definition(n_records=1, readers=[{"pseudonym": name, "role": role} for name, role in roles.items()])
    items = [item(0, reference=None), item(0, item_id="plain", arm=REFERENCE, model="", reference=None)]
    founding.found(folder, study, items, {"R1": ["item-0"], "A1": ["plain"], "A2": ["plain"]})
    read_all(folder, "R1")
    for name, label in {"A1": "NORM", "A2": second}.items():
        if label is not None:
            answer(folder, name, "plain", "reference", replace(BEFORE, label=label))
    found = results(folder, draws=2)
    assert [pair.reference for pair in found.pairs] == [reference]
    told = [note for note in found.notes if "without a reference because" in note]
    assert told == ([f"recordings without a reference because {why}: 1"] if why else [])
    assert any(each.name == "Accuracy before" for each in found.results) == (reference is not None)


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
    assert filled["Errors of the system"] == "the model was wrong in 3 of 30 readings with a reference"
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


def said(found: Results, asked: str) -> str:
    (one,) = [field.said for field in fields(found) if field.asked.startswith(asked)]
    return one


def test_errors_of_the_system_are_counted_where_there_is_a_reference(found: Results):
    pairs = tuple(replace(pair, reference=None) for pair in found.pairs[:18]) + found.pairs[18:]
    assert said(replace(found, pairs=pairs), "Errors of the system") == (
        "the model was wrong in 3 of 12 readings with a reference"
    )
    unknown = tuple(replace(pair, reference=None) for pair in pairs)
    assert said(replace(found, pairs=unknown), "Errors of the system") == NOT_STATED


def test_adjudicators_are_told_of_where_the_owner_left_them_something(found: Results):
    assert said(found, "Reference standard").startswith("stated by the owner for 0 of 10 recordings")
    assert "read by one adjudicator without the model" in said(found, "Reference standard")
    stated = tuple(record.model_copy(update={"reference": "MI"}) for record in found.study.records)
    by_owner = replace(found, study=found.study.model_copy(update={"records": stated}))
    assert said(by_owner, "Reference standard") == "stated by the owner for 10 of 10 recordings (10 × MI)"


def test_the_time_of_a_question_holds_that_of_all_its_corrections(memory: Path):
    folder = memory / "timed"
    founded(folder, definition(n_readers=1, n_records=1, protocol={"revise": True}))
    answer(folder, "R1", "item-0", "before", replace(BEFORE, active_seconds=60.0))
    last = answer(folder, "R1", "item-0", "after", replace(AFTER, active_seconds=120.0))
    for _ in range(2):
        last = answer(folder, "R1", "item-0", "after", replace(AFTER, active_seconds=4.0), supersedes=last)
    timed = results(folder, draws=2)
    assert said(timed, "Time spent") == "before 60 s, after 128 s, with corrections"
    assert [row["active_seconds"] for row in store.rows(folder, "answers")] == [60.0, 120.0, 4.0, 4.0]


def test_text_of_the_owner_cannot_become_markup(tmp_path: Path):
    folder = tmp_path / "hostile"
    folder.mkdir()
    founding.found(folder, definition(question="![x](http://evil.example/b.png) <script> | `a`"), [], {})
    text = reporting.to_markdown(results(folder, draws=10))
    assert r"\!\[x\](http://evil.example/b.png) \<script\> \| \`a\`" in text
