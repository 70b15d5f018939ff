"""Teaching from patients' recordings: what their readers state is the answer, and no more than they state."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml
from streamlit.testing.v1 import AppTest
from test_teaching_page import hand_in, press, said, start

from ecgviz import checkpoint
from ecgviz.errors import RecordError
from ecgviz.records import load_record, ptbxl
from ecgviz.records.write import save_record
from ecgviz.review.marks import cells_of_region, score_cells
from ecgviz.teach import Opened, open_case, open_library, published, score, shipped_cases
from ecgviz.teach.load import Library, as_stated, lessons
from ecgviz.types import Prediction, Record
from ecgviz.ui import state
from ecgviz.ui.state.library import VARIABLE
from ecgviz.ui.teaching import reveal, sheet

LIBRARY = shipped_cases()
ENTRY = ptbxl.Entry(1, 1, 60.0, False, "male", 1, {}, (), (), "records100/00000/00001_lr", "x", False)


@pytest.fixture(scope="module")
def patients(data_dir: Path) -> Library:
    return open_library(data_dir / "ptbxl")


def opened(patients: Library, number: int) -> Opened:
    return open_case(patients, f"ptbxl-{number:05d}")


PLANTED = {"t_inversion": "005", "normal": "006", "st_depression": "007", "inferior_stemi": "013"}
"""Shipped cases on which the criteria of nothing else among these are met, but for ST depression beside the infarct."""


@cache
def planted(finding: str) -> Record:
    return open_case(LIBRARY, PLANTED[finding]).record


@contextmanager
def on(monkeypatch: pytest.MonkeyPatch, finding: str) -> Iterator[None]:
    with monkeypatch.context() as changed:
        changed.setattr(published, "load_record", lambda path: planted(finding))
        yield


def answers(codes: Mapping[str, float], *stages: str) -> tuple[list[str], list[str]]:
    """Return what a row with these statements teaches, and what it leaves open."""
    return published._answers(replace(ENTRY, scp_codes=codes, infarct_stages=stages), Path("one.hea"), lessons())


@pytest.mark.parametrize(
    ("finding", "codes", "expected"),
    [
        ("t_inversion", {"ISC_": 100.0}, (["t_inversion"], [])),
        ("st_depression", {"ISC_": 100.0}, (["st_depression"], [])),
        ("normal", {"ISC_": 100.0, "LVH": 100.0}, (["lvh"], ["st_depression", "t_inversion"])),
        ("normal", {"ISC_": 100.0}, ([], ["st_depression", "t_inversion"])),
        ("normal", {"ISC_": 100.0, "STD_": 0.0}, (["st_depression"], [])),
        ("t_inversion", {"ISC_": 100.0, "STD_": 0.0}, (["st_depression", "t_inversion"], [])),
        ("t_inversion", {"ISC_": 50.0, "LVH": 100.0}, (["lvh"], [])),
    ],
)
def test_ischaemic_changes_name_the_one_of_two_findings_whose_criteria_are_met(
    monkeypatch: pytest.MonkeyPatch, finding: str, codes: Mapping[str, float], expected: tuple[list[str], list[str]]
) -> None:
    with on(monkeypatch, finding):
        assert answers(codes) == expected


def test_an_infarct_between_two_stages_is_the_one_whose_criteria_are_met(monkeypatch: pytest.MonkeyPatch) -> None:
    with on(monkeypatch, "inferior_stemi"):
        assert answers({"IMI": 100.0}, "I", "II") == (["inferior_stemi"], [])
        assert answers({"IMI": 100.0}, "II", "III") == (["old_inferior_mi"], [])
        assert answers({"IMI": 100.0}) == ([], [])


def test_a_statement_that_names_one_lesson_needs_no_recording_and_two_are_open_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(path: Path) -> Record:
        raise RecordError("cut short")

    monkeypatch.setattr(published, "load_record", refused)
    assert answers({"CLBBB": 100.0, "INVT": 0.0}) == (["lbbb", "t_inversion"], [])
    assert answers({"ISC_": 100.0}) == ([], ["st_depression", "t_inversion"])


@pytest.mark.data
@pytest.mark.parametrize(
    ("number", "truth", "left"),
    [
        (173, ("lvh",), ("st_depression", "t_inversion")),
        (386, ("lvh", "t_inversion"), ()),
        (349, ("lvh", "pvc", "st_depression"), ()),
        (413, ("first_degree_av_block", "pvc"), ("st_depression", "t_inversion")),
        (223, ("lvh", "st_depression", "t_inversion"), ()),
    ],
)
def test_a_right_reading_of_ischaemic_changes_is_right(
    patients: Library, number: int, truth: tuple[str, ...], left: tuple[str, ...]
) -> None:
    case = opened(patients, number)
    assert (case.case.answers, case.case.unsettled) == (truth, left)
    assert score(truth, case.case.answers, case.uncounted, patients.lessons).outcome == "right"
    assert score((*truth, *left), case.case.answers, case.uncounted, patients.lessons).outcome == "right"
    named = [patients.lessons[each].name for each in left]
    assert all(name in case.case.point for name in named)
    assert ("leave open" in case.case.point) == bool(left)


@pytest.mark.data
def test_readers_stated_every_answer_and_only_what_they_stated_is_held_against_a_model(
    patients: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = checkpoint.load_model("resnet1d")
    told = {}
    for positive in (False, True):
        labels = network.labels
        prediction = Prediction(
            labels, np.zeros(len(labels)), np.full(len(labels), 0.9 * positive), np.full(len(labels), 0.5)
        )
        monkeypatch.setattr(state, "prediction", lambda record, network, p=prediction, **beats: p)
        for number in (468, 341):
            case = opened(patients, number)
            told[number, positive] = reveal.judged(case, network, reveal.outputs(case, network))
    assert reveal.outputs(opened(patients, 341), network) == ["STTC", "ISC_"]
    assert [each.split("; ")[-1] for each in told[468, False]] == [
        f"its readers did not state {label}, so that this is not held against the model." for label in ("ISC_", "STTC")
    ]
    assert [each.split("; ")[-1] for each in told[468, True]] == [
        f"its readers did not state {label}, so that this is neither right nor wrong." for label in ("ISC_", "STTC")
    ]
    assert "the model is right** about STTC" in told[341, True][0]
    assert "no published definition of the finding is met on this recording either" in told[341, False][0]
    assert "did not state ISC_" in told[341, False][1]


@pytest.mark.data
def test_a_miss_counts_where_readers_state_a_finding_whose_criteria_are_met(
    patients: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = checkpoint.load_model("resnet1d")
    n = len(network.labels)
    prediction = Prediction(network.labels, np.zeros(n), np.zeros(n), np.full(n, 0.5))
    monkeypatch.setattr(state, "prediction", lambda record, network, **beats: prediction)
    name = next(name for name, case in patients.cases.items() if case.answers == ("lbbb",))
    case = open_case(patients, name)
    met = replace(case, met=("lbbb",))
    assert all("**the model is wrong**" in each for each in reveal.judged(met, network, ["CLBBB", "CD"]))
    assert not any("the model is wrong" in each for each in reveal.judged(replace(case, met=()), network, ["CLBBB"]))


@pytest.mark.data
def test_readers_who_state_hypertrophy_state_no_strain(patients: Library) -> None:
    names = [patients.lessons[each].name for case in patients.cases.values() for each in case.answers]
    assert {"left ventricular hypertrophy", "right ventricular hypertrophy"} <= set(names)
    assert not [name for name in names if "strain" in name]
    assert "with strain" in LIBRARY.lessons["lvh"].name
    changed = {name for name, one in as_stated(LIBRARY.lessons).items() if one != LIBRARY.lessons[name]}
    assert changed == {"lvh", "rvh"}


@pytest.mark.data
def test_marks_of_any_answer_are_right(patients: Library) -> None:
    case = opened(patients, 266)
    assert case.case.answers == ("lafb", "pvc", "old_inferior_mi", "t_inversion")
    scored = score_cells([(lead, "T") for lead in ("V3", "V4", "V5", "V6")], reveal.asked_region(case), case.beats)
    assert (len(scored.right), scored.wrong, scored.share) == (4, (), 1.0)
    beside = score_cells([("V3", "P")], reveal.asked_region(case), case.beats)
    assert (beside.right, len(beside.wrong), beside.share) == ((), 1, 0.0)


@pytest.mark.data
@pytest.mark.parametrize("number", [256, 266, 349])
def test_an_exact_answer_has_all_its_time_in_the_region_where_answers_speak_of_different_beats(
    patients: Library, number: int
) -> None:
    case = opened(patients, number)
    region = reveal.asked_region(case)
    assert "pvc" in case.case.answers
    for lesson in case.lessons:
        own = case.place([lesson])
        if own is not None:
            scored = score_cells(cells_of_region(own), region, case.beats)
            assert scored.wrong == ()
            assert scored.share == pytest.approx(1.0)
            assert scored.area < 1.0


@pytest.mark.data
def test_the_annotation_and_the_table_show_every_answer(patients: Library) -> None:
    case = opened(patients, 266)
    rows = reveal.criteria_rows(case)
    assert list(dict.fromkeys(rows["answer"])) == [one.name for one in case.lessons]
    assert len({len(column) for column in rows.values()}) == 1
    heat = sheet.annotation(case)
    assert heat.values[heat.leads.index("V4")].max() == 1.0
    assert heat.name == "where the criterion looks: LAFB, PVC, INVT"
    assert "answer" not in reveal.criteria_rows(opened(patients, 30))


def test_what_one_answer_explains_in_another_keeps_its_place() -> None:
    """The mirror image of an infarct is no place of that, yet it is one of ST depression where both are stated."""
    case = open_case(LIBRARY, "013")
    case = replace(case, findings=tuple(each for each in case.findings if each.criterion != "STD_"))
    assert "ISC_" in {each.criterion for each in case.findings if each.state == "met" and each.explained_by}
    both = (case.lesson, LIBRARY.lessons["st_depression"])
    alone = [case.place([one]) for one in both]
    whole = case.place(both)
    np.testing.assert_array_equal(whole.weight, np.maximum(alone[0].weight, alone[1].weight))
    assert whole.text == " + ".join(one.text for one in alone)
    assert "ISC_" in whole.text


@pytest.mark.parametrize(("stated", "expected"), [(("III",), ("III",)), ((), ("II", "III")), (("I",), ("II", "III"))])
def test_the_stages_of_an_infarct_are_the_readers_whichever_answer_is_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stated: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    record = replace(load_record("demo:inferior_stemi"), infarct_stages=stated)
    monkeypatch.setattr("ecgviz.teach.opened.load_record", lambda path: record)
    both = ("rbbb", "old_anterior_mi")
    for first, second in (both, both[::-1]):
        case = LIBRARY.cases["013"].model_copy(
            update={"lesson": first, "also": (second,), "simulate": None, "record": "x"}
        )
        found = open_case(replace(LIBRARY, cases={"013": case}, paths={"013": tmp_path}), "013")
        assert (found.record.infarct_stages, found.clean.infarct_stages) == (expected, expected)


def test_two_infarcts_have_the_stages_of_both_in_one_order() -> None:
    for first, second in (("inferior_stemi", "old_anterior_mi"), ("old_anterior_mi", "inferior_stemi")):
        case = LIBRARY.cases["013"].model_copy(update={"lesson": first, "also": (second,)})
        found = open_case(replace(LIBRARY, cases={"013": case}), "013")
        stated = found.simulation.record.infarct_stages
        assert found.record.infarct_stages == (stated or ("I", "II", "III"))


@pytest.mark.data
def test_a_stage_that_readers_state_with_a_second_answer_is_kept(patients: Library) -> None:
    case = opened(patients, 310)
    assert case.case.answers == ("rbbb", "old_anterior_mi")
    assert case.record.infarct_stages == ("III",)


def own_case(page: AppTest, monkeypatch: pytest.MonkeyPatch, folder: Path, mode: str, **case: object) -> AppTest:
    """Begin a mode with one recorded case of a teacher's folder: an inferior infarct, whatever is said of it."""
    folder.mkdir()
    save_record(replace(load_record("demo:inferior_stemi"), id="x", simulated=False), folder / "one.npz")
    content = {"schema_version": 1, "licence": "mine", "cases": [{"id": "a1", "level": 1, "record": "one", **case}]}
    (folder / "cases.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setenv(VARIABLE, str(folder))
    page.run().selectbox(key="teaching library").set_value("Cases of the folder mine").run()
    return start(page, mode, "a1")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    for module in ("ecgviz.ui.state.teaching", "ecgviz.ui.teaching.history"):
        monkeypatch.setattr(f"{module}.default_path", lambda: tmp_path / "teaching.sqlite")
    app = AppTest.from_file(str(Path(__file__).parents[1] / "app.py"), default_timeout=240).run()
    return app.switch_page("pages/teaching.py").run()


def test_what_a_patients_readers_left_open_or_criteria_meet_is_not_counted_and_nothing_was_planted(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own_case(page, monkeypatch, tmp_path / "mine", "Quiz", lesson="lvh", unsettled=["af", "t_inversion"])
    hand_in(page, "lvh", "inferior_stemi", "af")
    told = said(page)
    assert "Your reading was **right**" in told
    assert "Answer: left ventricular hypertrophy**" in told
    met = "Not part of the answer, but its criteria are met here: not counted against you: acute inferior infarction"
    assert met in told
    assert "but its readers left it open: not counted against you: atrial fibrillation" in told
    assert "planted" not in told


def test_a_planted_case_says_what_was_planted(page: AppTest) -> None:
    start(page, "Quiz", "13")
    hand_in(page, "inferior_stemi", "st_depression")
    assert "Not planted, but its criteria are met here: not counted against you: ischaemic ST" in said(page)


def test_a_case_of_several_answers_scores_shows_and_explains_all_of_them(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answered = {"lesson": "lbbb", "also": ["inferior_stemi", "pvc"]}
    own_case(page, monkeypatch, tmp_path / "mine", "Quiz", **answered)
    hand_in(page, "lbbb", "inferior_stemi", "pvc", leads=("III", "aVF"), waves=("ST",))
    press(page, "Show the criteria")
    assert "**Your marks.** 2 right, 0 beside it" in said(page)
    unmet = "complete left bundle branch block, premature ventricular complexes"
    assert f"No definition of {unmet} is met here" in said(page)
    (table,) = [each.value for each in page.table if "criterion" in each.value.columns]
    assert list(dict.fromkeys(table["answer"])) == [LIBRARY.lessons[each].name for each in ("lbbb", *answered["also"])]
    assert [tab.label.replace("\\", "") for tab in page.tabs] == [
        LIBRARY.lessons[each].name for each in ("lbbb", *answered["also"])
    ]
    for lesson in ("lbbb", *answered["also"]):
        assert LIBRARY.lessons[lesson].causes in said(page)
    press(page, "Show what the model saw")
    told = said(page)
    for label in ("CLBBB", "CD", "IMI", "MI", "PVC"):
        assert f"gives {label} " in told
    assert "**Where its map for CLBBB lies**" in told
    asked = next(each for each in page.segmented_control if each.label == "Its map for")
    assert list(asked.options) == ["CLBBB", "CD", "IMI", "MI", "PVC"]
    for label in ("CLBBB", "IMI"):
        next(each for each in page.segmented_control if each.label == "Its map for").set_value(label).run()
        assert f"**Where its map for {label} lies**" in said(page)
        (shares,) = [each.value for each in page.table if "share" in each.value.columns]
        assert f"the model, asked for {label} alone" in list(shares.iloc[:, 0])


def test_study_names_which_of_several_answers_no_definition_finds(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own_case(page, monkeypatch, tmp_path / "mine", "Study", lesson="inferior_stemi", also=["lbbb"])
    assert "No published definition of complete left bundle branch block is met on this recording" in said(page)


def test_a_network_is_judged_on_every_answer_and_each_label_stands_for_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of two answers one is measured: the miss of the other is no fault; a third has no output."""
    save_record(replace(load_record("demo:inferior_stemi"), id="x", simulated=False), tmp_path / "one.npz")
    case = {"id": "a1", "level": 1, "record": "one", "lesson": "lbbb", "also": ["inferior_stemi", "wpw"]}
    content = {"schema_version": 1, "licence": "mine", "cases": [case]}
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump(content))
    opened = open_case(open_library(tmp_path), "a1")
    assert [one.id for one in opened.unmet] == ["lbbb", "wpw"]
    network = checkpoint.load_model("imle_net")
    assert reveal.outputs(opened, network) == ["CLBBB", "CD", "IMI", "MI"]
    of = {each: [one.id for one in reveal.spoken_of(opened, each)] for each in ("CLBBB", "CD", "IMI")}
    assert of == {"CLBBB": ["lbbb"], "CD": ["lbbb", "wpw"], "IMI": ["inferior_stemi"]}
    nothing = Prediction(network.labels, *(np.full(len(network.labels), each) for each in (-2.0, 0.1, 0.5)))
    monkeypatch.setattr(state, "prediction", lambda record, network, **beats: nothing)
    block, infarct, silent = reveal.judged(opened, network, ["CLBBB", "IMI"])
    assert "no published definition of the finding is met on this recording either" in block
    assert "**the model is wrong**, it misses IMI" in infarct
    assert "has no output for ventricular pre-excitation" in silent.replace("\\", "")


def test_a_normal_ecg_may_have_a_premature_beat_beside_it() -> None:
    assert "pvc" not in LIBRARY.lessons["normal"].excludes
    both = score(["normal", "pvc"], ["pvc"], ["pvc", "normal"], LIBRARY.lessons)
    assert (both.outcome, both.also) == ("right", ("normal",))
    assert score(["normal", "pvc"], ["normal"], ["normal"], LIBRARY.lessons).wrong == ("pvc",)
