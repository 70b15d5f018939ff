"""Teaching: shipped cases hold what they promise, answers are scored, cases come back, and nothing names a learner."""

import json
import re
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import yaml

from ecgviz.cli import main
from ecgviz.criteria import load as load_criteria
from ecgviz.errors import TeachingError
from ecgviz.figures import annotated
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.simulate import FINDINGS
from ecgviz.teach import Opened, open_case, open_library, order, score, shipped_cases
from ecgviz.teach.answers import Score
from ecgviz.teach.check import Verdict, check_cases, check_lessons
from ecgviz.teach.flaw import p_of_guessing, trained_side
from ecgviz.teach.history import attempt, attempts, case_of, forget, keep, kept_as, learner_code, new_code, readings
from ecgviz.teach.load import OURS
from ecgviz.teach.spacing import Reading, due, due_at

LIBRARY = shipped_cases()
START = datetime(2024, 3, 1, 9, tzinfo=UTC)
SAMPLE = ("006", "013", "021", "048")
"""A normal ECG, an infarct, a rhythm, and a subtle block that has a look-alike."""


@pytest.fixture(scope="module")
def infarct() -> Opened:
    return open_case(LIBRARY, "013")


def test_sixty_cases_and_more_of_all_that_can_be_planted_at_each_level() -> None:
    assert len(LIBRARY.cases) >= 60
    assert {lesson.finding for lesson in LIBRARY.lessons.values()} == set(FINDINGS)
    for name in LIBRARY.lessons:
        assert {case.level for case in LIBRARY.cases.values() if case.lesson == name} == {1, 2, 3}, name
    levels = [case.level for case in LIBRARY.cases.values()]
    assert levels == sorted(levels)


def test_an_id_and_a_history_give_no_answer_away() -> None:
    for case in LIBRARY.cases.values():
        assert case.id.isdigit()
        lesson = LIBRARY.lessons[case.lesson]
        for word in (lesson.name, lesson.id, *lesson.statements):
            assert word.lower() not in case.history.lower().split()


def test_every_lesson_has_its_five_parts_and_references_with_a_doi() -> None:
    sources = load_criteria().sources
    for lesson in LIBRARY.lessons.values():
        assert all((lesson.what, lesson.criteria, lesson.look, lesson.causes, lesson.references))
        assert lesson.review == "awaiting review by a cardiologist"
        assert all(key in sources for key in lesson.references)
    assert check_lessons(LIBRARY.lessons.values()) == ()


def test_a_lesson_writes_no_limit_of_its_own() -> None:
    for path in OURS.glob("lessons_*.yaml"):
        for lesson in yaml.safe_load(path.read_text(encoding="utf-8"))["lessons"]:
            for part in ("what", "look", "causes"):
                assert not re.search(r"\d (ms|mV|bpm)", lesson[part])


def test_exclusion_goes_both_ways() -> None:
    for name, lesson in LIBRARY.lessons.items():
        for other in lesson.excludes:
            assert name in LIBRARY.lessons[other].excludes


@cache
def checked(name: str) -> Verdict:
    (verdict,) = check_cases(LIBRARY, [name])
    return verdict


@pytest.mark.parametrize("name", SAMPLE)
def test_a_case_is_measured_and_is_not_what_it_resembles(name: str) -> None:
    assert checked(name).faults == ()


@pytest.mark.slow
def test_every_case_is_measured_and_is_not_what_it_resembles() -> None:
    verdicts = [checked(name) for name in LIBRARY.cases]
    assert [one for one in verdicts if one.faults] == []


def test_the_check_finds_a_case_that_does_not_show_its_finding() -> None:
    case = LIBRARY.cases["013"]
    weak = case.model_copy(update={"simulate": case.simulate.model_copy(update={"severity": 0.3, "seed": 5})})
    broken = type(LIBRARY)("broken", "none", LIBRARY.lessons, {"013": weak.model_copy(update={"also": ("lbbb",)})})
    (verdict,) = check_cases(broken, ["013"])
    assert any(fault.startswith("complete left bundle branch block is not measured: ") for fault in verdict.faults)


def test_the_check_finds_a_look_alike_that_is_the_real_thing() -> None:
    pair = LIBRARY.look_alikes[0].model_copy(update={"cases": ("013", "035")})  # two inferior infarcts
    alike = type(LIBRARY)("alike", "none", LIBRARY.lessons, LIBRARY.cases, (pair,))
    (verdict,) = check_cases(alike, ["013"])
    assert verdict.faults == (
        "it is shown as a look-alike of acute inferior infarction (ST elevation), whose criteria are met on it",
    )


def test_an_opened_case_says_nothing_of_its_answer_where_a_page_shows_it(infarct: Opened) -> None:
    shown = json.dumps([infarct.record.id, infarct.record.codes, infarct.record.assumptions, infarct.clean.id]).lower()
    assert infarct.record.id == "case 013"
    for word in ("stemi", "inferior", "imi", "infarct"):
        assert word not in shown


def test_the_same_patient_at_less_severity_meets_the_criteria_no_more(infarct: Opened) -> None:
    milder, faint = (open_case(LIBRARY, "013", severity=severity) for severity in (0.5, 0.3))
    assert "inferior_stemi" in milder.met
    assert set() == set(faint.met) < set(milder.met) <= set(infarct.met)
    assert not [one for one in faint.findings if one.state == "met" and one.superclass in ("MI", "STTC")]
    for one in (milder, faint):
        assert (one.record.age_years, one.record.sex) == (infarct.record.age_years, infarct.record.sex)
        np.testing.assert_allclose(one.simulation.truth.beats.r_s, infarct.simulation.truth.beats.r_s)
    lead = STANDARD_LEADS.index("III")
    assert faint.measured.per_lead["j_mv"][lead] < 0.5 * infarct.measured.per_lead["j_mv"][lead]


def test_what_is_annotated_is_what_was_planted(infarct: Opened) -> None:
    truth = infarct.simulation.truth
    heat = annotated.from_truth(truth)
    by_lead = dict(zip(heat.leads, heat.values.sum(axis=1), strict=True))
    assert min(by_lead["III"], by_lead["aVF"], by_lead["II"]) > max(by_lead["V1"], by_lead["V6"])
    np.testing.assert_allclose(heat.values.max(), truth.evidence.max())


def test_a_rate_has_no_annotation_and_fibrillation_marks_absent_p_waves() -> None:
    assert annotated.from_truth(open_case(LIBRARY, "002").simulation.truth) is None
    opened = open_case(LIBRARY, "021")
    heat = annotated.from_truth(opened.simulation.truth)
    beats = opened.simulation.truth.beats
    middles = (heat.edges_s[1:] + heat.edges_s[:-1]) / 2
    in_qrs = np.zeros(middles.size, dtype=bool)
    for start, end in zip(beats.qrs_on, beats.qrs_off, strict=True):
        in_qrs |= (middles >= start) & (middles < end)
    assert heat.values[STANDARD_LEADS.index("V1")][in_qrs].max() == 0
    assert heat.values.max() == 1


LESSONS = LIBRARY.lessons


@pytest.mark.parametrize(
    ("answered", "truth", "met", "expected"),
    [
        (["lbbb"], ["lbbb"], ["lbbb"], Score(right=("lbbb",))),
        ([], ["lbbb"], ["lbbb"], Score(missed=("lbbb",))),
        (["lafb"], ["rbbb"], ["rbbb"], Score(missed=("rbbb",), wrong=("lafb",))),
        (["normal"], ["lbbb"], ["lbbb"], Score(missed=("lbbb",), contradictory=("normal",))),
        (["rvh", "lbbb"], ["rvh"], ["rvh"], Score(right=("rvh",), wrong=("lbbb",))),
        (["lvh", "sinus_tachycardia", "sinus_bradycardia"], ["lvh"], ["lvh"],
         Score(right=("lvh",), contradictory=("sinus_tachycardia", "sinus_bradycardia"))),
        (["inferior_stemi", "st_depression"], ["inferior_stemi"], ["inferior_stemi", "st_depression"],
         Score(right=("inferior_stemi",), also=("st_depression",))),
        (["normal"], ["pvc"], ["pvc", "normal"], Score(missed=("pvc",), also=("normal",))),
    ],
)  # fmt: skip
def test_answers_are_right_missed_wrong_or_contradictory(
    answered: list[str], truth: list[str], met: list[str], expected: Score
) -> None:
    assert score(answered, truth, met, LESSONS) == expected


def test_only_a_whole_and_clean_answer_passes() -> None:
    assert score(["lbbb"], ["lbbb"], ["lbbb"], LESSONS).outcome == "right"
    assert score(["lbbb", "af"], ["lbbb"], ["lbbb"], LESSONS).outcome == "partly right"
    assert score(["normal"], ["lbbb"], ["lbbb"], LESSONS).outcome == "contradictory"
    assert score(["rvh"], ["lbbb"], ["lbbb"], LESSONS).outcome == "wrong"
    assert score([], ["lbbb"], ["lbbb"], LESSONS).outcome == "missed"


def test_cases_come_in_the_order_that_was_asked_for() -> None:
    assert order.in_sequence(LIBRARY, [1])[0] == "001"
    shuffled = order.at_random(LIBRARY, [1, 2, 3], seed=4)
    assert sorted(shuffled) == list(LIBRARY.cases)
    assert shuffled == order.at_random(LIBRARY, [1, 2, 3], seed=4) != order.at_random(LIBRARY, [1, 2, 3], seed=5)
    found = order.by_diagnosis(LIBRARY, [1, 3], ["wpw"])
    assert [(LIBRARY.cases[name].lesson, LIBRARY.cases[name].level) for name in found] == [("wpw", 1), ("wpw", 3)]
    assert order.own_list(LIBRARY, "13, 006\n13") == ("013", "006")
    with pytest.raises(TeachingError, match="there is no case '999'"):
        order.own_list(LIBRARY, "999")
    assert order.those_due(LIBRARY, ("from elsewhere", "013"), [1]) == ("013",)


def test_a_number_stands_for_the_case_whose_id_ends_in_it() -> None:
    names = ("ptbxl-00030", "ptbxl-00266", "a7", "b07", "normal")
    cases = {name: LIBRARY.cases["013"].model_copy(update={"id": name}) for name in names}
    library = replace(LIBRARY, cases=cases)
    assert order.own_list(library, "30, 00030 266") == ("ptbxl-00030", "ptbxl-00266")
    for typed, sentence in {
        "66": "there is no case '66'",
        "000": "there is no case '000'",
        "²": "there is no case '²'",
        "9" * 5000: "there is no case '999",
        "7": "the number '7' is that of several cases: a7, b07",
    }.items():
        with pytest.raises(TeachingError, match=sentence):
            order.own_list(library, typed)


WEEK = timedelta(weeks=1)


@pytest.mark.parametrize(
    ("read_at", "expected"),
    [
        ([(0, False)], 2),
        ([(0, True), (1, False)], 2),  # practice before the repeat changes nothing
        ([(0, True), (2, True)], 10),
        ([(0, True), (3, False)], 5),  # anew, two weeks from then
        ([(0, True), (2, True), (10, True)], None),
        ([(0, True), (12, True)], None),  # later than both repeats, and right
    ],
)
def test_a_case_comes_back_after_two_and_ten_weeks(read_at: list[tuple[int, bool]], expected: int | None) -> None:
    done = [Reading("013", START + at * WEEK, passed) for at, passed in read_at]
    assert due_at(reversed(done)) == (None if expected is None else START + expected * WEEK)


def test_the_longest_due_comes_first() -> None:
    done = [Reading("001", START + WEEK, True), Reading("002", START, False), Reading("003", START + 3 * WEEK, True)]
    assert due(done, START + 4 * WEEK) == ("002", "001")
    assert due(done, START + 1.9 * WEEK) == ()


def test_a_history_is_kept_read_back_and_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "below" / "teaching.sqlite"
    ours, other = new_code(), new_code()
    scored = score(["rvh", "normal"], ["lbbb"], ["lbbb"], LESSONS)
    assert attempts(path, ours) == ()
    one = attempt("015", "Quiz", scored, 12.5, START)
    keep(path, ours, one)
    keep(path, other, one)
    assert attempts(path, ours.lower()) == (one,)
    assert (one.n_missed, one.n_wrong, one.n_contradictory) == (1, 0, 2)
    assert due(readings(attempts(path, ours)), START + 2 * WEEK) == ("015",)
    forget(path, ours)
    assert attempts(path, ours) == ()
    assert attempts(path, other) == (one,)


def test_no_name_can_be_a_learner(tmp_path: Path) -> None:
    for name in ("Maria", "J. Smith", "ANNA22", "1234567", "o'neil", ""):
        with pytest.raises(TeachingError, match="six consonants or digits"):
            learner_code(name)
        with pytest.raises(TeachingError, match="six consonants or digits"):
            keep(tmp_path / "t.sqlite", name, attempt("015", "Quiz", Score(), 1.0, START))
    assert len({new_code() for _ in range(50)}) == 50
    with sqlite3.connect(tmp_path / "t.sqlite") as database:
        assert database.execute("SELECT count(*) FROM attempts").fetchone() == (0,)


def test_a_history_that_is_no_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "teaching.sqlite"
    path.write_text("no database at all, and longer than a header of one" * 30)
    with pytest.raises(TeachingError, match=r"the history teaching\.sqlite cannot be used"):
        attempts(path, new_code())


def test_the_trained_map_stands_on_either_side_by_case_and_seed() -> None:
    sides = [trained_side(name, seed) for name in LIBRARY.cases for seed in range(8)]
    assert 0.4 < sides.count("A") / len(sides) < 0.6
    assert sides == [trained_side(name, seed) for name in LIBRARY.cases for seed in range(8)]
    assert p_of_guessing(5, 5) == pytest.approx(1 / 32)
    assert p_of_guessing(1, 2) == pytest.approx(0.75)


@cache
def recorded() -> str:
    """Return a recording as a teacher might have it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "first.csv"
        main(["simulate", "lbbb", "--fs", "250", "--seed", "1", "--out", str(path)])
        return path.read_text(encoding="utf-8")


def own_folder(tmp_path: Path, **changed: object) -> Path:
    """Return a teacher's folder: one recording, one case that names it, and one that is simulated."""
    simulated = {"severity": 1.2, "seed": 3, "age_years": 50, "sex": "male"}
    content = {
        "schema_version": 1,
        "licence": "CC0, made for this course",
        "cases": [
            {"id": "a1", "lesson": "lbbb", "level": 2, "record": "first", "history": "A first one."},
            {"id": "a2", "lesson": "rbbb", "level": 1, "simulate": simulated},
        ],
    }
    content |= changed
    (tmp_path / "first.csv").write_text(recorded(), encoding="utf-8")
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def test_a_teachers_own_cases_are_opened_beside_their_recordings(tmp_path: Path) -> None:
    library = open_library(own_folder(tmp_path))
    opened = open_case(library, "a1")
    assert opened.simulation is None
    assert "lbbb" in opened.met
    assert opened.licence == "CC0, made for this course"
    assert opened.record.id == "case a1"


def test_repeats_are_of_the_library_in_which_a_case_was_read(tmp_path: Path) -> None:
    """A teacher's cases may bear the numbers of shipped ones."""
    simulated = {"severity": 1.2, "seed": 3, "age_years": 50, "sex": "male"}
    cases = [{"id": name, "lesson": "rbbb", "level": 1, "simulate": simulated} for name in ("001", "002")]
    own = open_library(own_folder(tmp_path, cases=cases))
    for library, other in ((own, LIBRARY), (LIBRARY, own)):
        kept = kept_as(library, "001")
        assert (case_of(library, kept), case_of(other, kept)) == ("001", None)
        again = due([Reading(kept, START, False)], START + 3 * WEEK)
        assert order.those_due(library, again, [1, 2, 3]) == ("001",)
        assert order.those_due(other, again, [1, 2, 3]) == ()


@pytest.mark.parametrize(
    ("beside", "named", "taken"),
    [
        (("56.avf", "56.dat", "56.hea", "56.atr"), "56", "56.hea"),
        (("56.csv", "56.HEA", "56.aaa"), "56", "56.HEA"),
        (("56.avf", "56.csv"), "56", "56.csv"),
        (("56.csv", "56.csv.csv", "56.csv.avf"), "56.csv", "56.csv"),
        (("56.hea", "56.dat"), "56.dat", "56.dat"),
    ],
)
def test_of_the_files_of_a_recording_the_header_is_read(
    tmp_path: Path, beside: tuple[str, ...], named: str, taken: str
) -> None:
    folder = own_folder(tmp_path, cases=[{"id": "a1", "lesson": "lbbb", "level": 2, "record": named}])
    for name in beside:
        (folder / name).touch()
    assert open_library(folder).paths["a1"].name == taken


def test_marks_alone_are_no_recording(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, cases=[{"id": "a1", "lesson": "lbbb", "level": 2, "record": "56"}])
    (folder / "56.avf").touch()
    with pytest.raises(TeachingError, match="names the recording '56', which is not beside it"):
        open_library(folder)


@pytest.mark.parametrize("name", ["../first.csv", "/etc/passwd", "..", "sub/first.csv", ".hidden"])
def test_a_case_file_names_no_path(tmp_path: Path, name: str) -> None:
    folder = own_folder(tmp_path, cases=[{"id": "a1", "lesson": "lbbb", "level": 2, "record": name}])
    with pytest.raises(TeachingError, match=r"cases\.yaml, field cases\.0\.record"):
        open_library(folder)


def test_a_malformed_case_file_is_refused_by_its_field(tmp_path: Path) -> None:
    refused = {
        "there is no lesson 'plague'": [{"id": "a1", "lesson": "plague", "level": 2, "record": "first"}],
        "which is not beside it": [{"id": "a1", "lesson": "lbbb", "level": 2, "record": "second"}],
        "either `simulate` or `record`": [{"id": "a1", "lesson": "lbbb", "level": 2}],
        r"field cases\.0\.level": [{"id": "a1", "lesson": "lbbb", "level": 7, "record": "first"}],
        "an answer is given twice": [{"id": "a1", "lesson": "lbbb", "also": ["lbbb"], "level": 2, "record": "first"}],
        "cases.0: an answer is": [{"id": "a1", "lesson": "lbbb", "also": ["af", "af"], "level": 2, "record": "first"}],
        "the id 'a1' is given twice": [{"id": "a1", "lesson": "lbbb", "level": 2, "record": "first"}] * 2,
    }
    for sentence, cases in refused.items():
        with pytest.raises(TeachingError, match=sentence):
            open_library(own_folder(tmp_path, cases=cases))
    for text in ("cases: [", "[" * 10**5):
        (tmp_path / "cases.yaml").write_text(text)
        with pytest.raises(TeachingError, match="this is not YAML"):
            open_library(tmp_path)


@pytest.mark.data
def test_a_folder_of_ptbxl_is_a_library_whose_readers_are_the_authority(data_dir: Path) -> None:
    library = open_library(data_dir / "ptbxl")
    assert "CC BY 4.0" in library.licence
    assert len(library.cases) > 50
    name = next(name for name, case in library.cases.items() if case.lesson == "lbbb")
    opened = open_case(library, name)
    assert opened.record.codes == ()
    assert opened.lesson.id == "lbbb"


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    (tmp_path / "first.csv").write_text(recorded(), encoding="utf-8")
    with pytest.raises(TeachingError, match=r"has no cases\.yaml, and none of its recordings is one of PTB-XL"):
        open_library(tmp_path)


def test_the_command_line_lists_shows_and_checks(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["teach", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["cases"]) == len(LIBRARY.cases)
    assert main(["teach", "show", "013", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in told["lessons"]] == ["inferior_stemi"]
    assert "met" in [finding["state"] for finding in told["findings"]]
    assert all("https://doi.org/" in reference for reference in told["references"])
    assert main(["teach", "check", "013"]) == 0
    assert "1 of 1 cases hold" in capsys.readouterr().out
    assert main(["teach", "show", "no such case"]) == 2
    assert "there is no case 'no such case'" in capsys.readouterr().err
    made = {"severity": 1.0, "seed": 1, "age_years": 60, "sex": "male"}
    both = {"id": "a1", "lesson": "lbbb", "also": ["af"], "level": 1, "simulate": made}
    wrong = own_folder(tmp_path, cases=[both])
    assert main(["teach", "check", "--cases", str(wrong)]) == 2
    said = capsys.readouterr()
    assert "case a1: atrial fibrillation is not measured" in said.out
    assert said.err == "ecgviz: 1 of 1 cases do not hold what they promise\n"
