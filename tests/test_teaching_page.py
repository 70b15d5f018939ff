"""The Teaching page as a learner and a teacher use it: every mode, every entry, histories, the classroom."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import on_page
import pytest
import yaml
from streamlit.testing.v1 import AppTest

from ecgviz import NOTICE, checkpoint
from ecgviz.beats import delineate
from ecgviz.edit import delete_beat, marks_table
from ecgviz.records import load_record
from ecgviz.records.write import save_record
from ecgviz.signal import condition
from ecgviz.teach import Opened, open_case, shipped_cases
from ecgviz.teach.flaw import trained_side
from ecgviz.teach.history import Attempt, attempts, keep
from ecgviz.types import Prediction, Record
from ecgviz.ui import state
from ecgviz.ui.state import teaching
from ecgviz.ui.state.library import VARIABLE
from ecgviz.ui.state.recordings import ChangedMarks
from ecgviz.ui.teaching import reveal, sheet

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = shipped_cases()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep histories in a folder of the test."""
    path = tmp_path / "teaching.sqlite"
    for module in ("ecgviz.ui.state.teaching", "ecgviz.ui.teaching.history"):
        monkeypatch.setattr(f"{module}.default_path", lambda: path)
    return path


@pytest.fixture
def page(kept: Path) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240).run()
    return app.switch_page("pages/teaching.py").run()


@pytest.fixture(scope="module")
def infarct() -> Opened:
    return open_case(LIBRARY, "013")


def said(app: AppTest) -> str:
    elements = (*app.markdown, *app.info, *app.warning, *app.error, *app.caption)
    return "\n".join(element.value for element in elements).replace("\\", "")


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [each for each in app.button if each.label == label]
    button.click().run()
    assert not app.exception
    return app


def start(app: AppTest, mode: str, cases: str) -> AppTest:
    """Begin a mode with a list of cases."""
    app.segmented_control(key=teaching.MODE).set_value(mode).run()
    app.segmented_control(key="entry").set_value("Own list").run()
    app.text_area(key="own list").set_value(cases).run()
    (button,) = [each for each in app.button if each.label.startswith("Start: ")]
    button.click().run()
    assert not app.exception
    return app


def hand_in(app: AppTest, *lessons: str, leads: tuple[str, ...] = (), waves: tuple[str, ...] = ()) -> AppTest:
    (reading,) = [each for each in app.multiselect if each.label.startswith("Your reading")]
    reading.set_value(list(lessons))
    for group, chosen in (("Leads", leads), ("Part of the beat", waves)):
        (pills,) = [each for each in app.button_group if each.label.startswith(group)]
        pills.set_value(list(chosen))
    return press(app, "Hand in")


def test_a_quiz_reveals_the_label_then_the_criteria_then_what_the_model_saw(page: AppTest):
    start(page, "Quiz", "13")
    before = said(page)
    assert NOTICE in before
    for word in ("inferior", "STEMI", "IMI", "infarct"):
        assert word not in before.replace("Model", "")
    hand_in(page, "inferior_stemi", "lbbb", leads=("III", "aVF"), waves=("ST",))
    after = said(page)
    assert "Answer: acute inferior infarction (ST elevation)" in after
    assert "Your reading was **partly right**" in after
    assert "Wrong: complete left bundle branch block" in after
    assert "Annotated example" not in after
    press(page, "Show the criteria")
    assert "Annotated example: brown where this heart differs" in said(page)
    assert "**Your marks.** 2 right, 0 beside it" in said(page)
    assert "the model is" not in said(page)
    press(page, "Show what the model saw")
    assert "imle_net gives IMI" in said(page)
    assert "and calls it: **the model is right**" in said(page) or "**the model is wrong**" in said(page)
    press(page, "Result")
    assert "**Result: 0 of 1 right**" in said(page)
    press(page, "Study the 1 that were not right")
    assert page.segmented_control(key=teaching.MODE).value == "Study"
    assert "Causes." in said(page)


@pytest.mark.parametrize(
    ("called", "sentence"),
    [
        (("IMI", "MI"), "and calls it: **the model is right** about IMI."),
        (("MI",), "and does not call it: **the model is wrong**, it misses IMI."),
        (("IMI", "MI", "CLBBB"), "It also calls CLBBB: **the model is wrong**, no criterion of that is met."),
    ],
)
def test_a_wrong_model_is_called_wrong(
    infarct: Opened, monkeypatch: pytest.MonkeyPatch, called: tuple[str, ...], sentence: str
):
    labels = ("IMI", "MI", "CLBBB")
    probabilities = np.array([0.9 if label in called else 0.1 for label in labels])
    prediction = Prediction(labels, np.zeros(3), probabilities, np.full(3, 0.5))
    monkeypatch.setattr(state, "prediction", lambda record, network, **beats: prediction)
    told = reveal.judged(infarct, checkpoint.load_model("imle_net"), ["IMI", "MI"])
    assert any(sentence in each for each in told)
    assert any("the model is wrong" in each for each in told) == (len(called) != 2)


def test_a_finding_that_no_criterion_finds_is_no_miss_of_the_model(monkeypatch: pytest.MonkeyPatch):
    labels = ("IMI", "MI")
    prediction = Prediction(labels, np.zeros(2), np.array([0.1, 0.1]), np.full(2, 0.5))
    monkeypatch.setattr(state, "prediction", lambda record, network, **beats: prediction)
    network = checkpoint.load_model("imle_net")
    faint, plain = (open_case(LIBRARY, "013", severity=severity) for severity in (0.3, 1.2))
    assert ["inferior_stemi" in each.met for each in (faint, plain)] == [False, True]
    told = reveal.judged(faint, network, ["IMI", "MI"])
    assert all("no published definition of the finding is met at this severity either" in each for each in told)
    assert not any("the model is wrong" in each for each in told)
    assert all("the model is wrong" in each for each in reveal.judged(plain, network, ["IMI", "MI"]))
    told = reveal.judged(replace(faint, simulation=None), network, ["IMI", "MI"])
    assert all("no published definition of the finding is met on this recording either" in each for each in told)
    assert not any("the model is wrong" in each for each in told)
    recorded = replace(plain, simulation=None)
    assert all("the model is wrong" in each for each in reveal.judged(recorded, network, ["IMI", "MI"]))


def test_a_network_without_such_an_output_cannot_be_right_or_wrong(infarct: Opened, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(state, "prediction", lambda record, network, **beats: None)
    (told,) = reveal.judged(infarct, checkpoint.load_model("imle_net"), [])
    assert "has no output for acute inferior infarction" in told.replace("\\", "")


def test_no_answer_is_no_reading(page: AppTest):
    start(page, "Quiz", "13")
    hand_in(page)
    assert "Name at least one finding" in said(page)
    assert "Answer:" not in said(page)


def test_an_entry_that_names_no_case_is_refused_in_a_sentence(page: AppTest):
    page.segmented_control(key="entry").set_value("Own list").run()
    page.text_area(key="own list").set_value("013 999").run()
    assert "there is no case '999'" in said(page)
    (button,) = [each for each in page.button if each.label.startswith("Start: ")]
    assert button.disabled


def test_cases_are_picked_by_diagnosis_and_level_and_shuffled(page: AppTest):
    page.segmented_control(key="entry").set_value("By diagnosis").run()
    page.multiselect(key="diagnoses").set_value(["wpw", "af"]).run()
    assert [each.label for each in page.button if each.label.startswith("Start")] == ["Start: 6 cases"]
    page.button_group(key="levels").set_value([3]).run()
    assert [each.label for each in page.button if each.label.startswith("Start")] == ["Start: 2 cases"]
    page.segmented_control(key="entry").set_value("At random").run()
    page.number_input(key="shuffle").set_value(5).run()
    (button,) = [each for each in page.button if each.label.startswith("Start: ")]
    button.click().run()
    assert "Case 1 of 21" in said(page)


def test_study_shows_five_parts_and_the_same_patient_at_less_severity(page: AppTest):
    start(page, "Study", "22 19")
    for part in ("What it is.", "Where to look.", "Causes.", "References.", "Annotated example"):
        assert part in said(page)
    assert "https://doi.org/" in said(page).replace("&#", "")
    assert "awaiting review by a cardiologist" in said(page)
    (slider,) = page.slider
    slider.set_value(slider.min).run()
    assert "No published definition of it is met at this severity" in said(page)
    assert "Answer: long QT interval" in said(page)


def test_look_alikes_stand_side_by_side_with_the_criteria_of_both(page: AppTest):
    page.segmented_control(key=teaching.MODE).set_value("Look-alikes").run()
    assert not page.exception
    assert "**Alike.**" in said(page)
    (crossed,) = [each.value for each in page.table if "criteria of" in each.value.columns]
    own = [str(crossed.iloc[row, row + 1]).startswith("met") for row in range(2)]
    cross = [str(crossed.iloc[row, 2 - row]).startswith("met") for row in range(2)]
    assert (own, cross) == ([True, True], [False, False])


def test_look_alikes_name_and_compare_all_answers_of_both_cases_each_once(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    patient = {"severity": 1.2, "seed": 3, "age_years": 50, "sex": "male"}
    cases = [
        {"id": "a1", "lesson": "rbbb", "also": ["pvc"], "level": 1, "simulate": patient},
        {"id": "a2", "lesson": "lbbb", "also": ["pvc"], "level": 1, "simulate": patient},
    ]
    pair = {"cases": ["a1", "a2"], "alike": "Both are broad.", "apart": "They differ in V1."}
    content = {"schema_version": 1, "licence": "CC0", "cases": cases, "look_alikes": [pair]}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cases.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    page.run().selectbox(key="teaching library").set_value("Cases of the folder mine").run()
    page.segmented_control(key=teaching.MODE).set_value("Look-alikes").run()
    assert not page.exception
    right, pvc, left = (LIBRARY.lessons[each].name for each in ("rbbb", "pvc", "lbbb"))
    assert page.selectbox(key="pair").options == [f"{right}, {pvc} or {left}, {pvc}"]
    for name, answers in (("a1", f"{right}, {pvc}"), ("a2", f"{left}, {pvc}")):
        assert f"**{answers}** (case {name})" in said(page)
        assert f"**Case {name}, {answers}**" in said(page)
    (crossed,) = [each.value for each in page.table if "criteria of" in each.value.columns]
    assert list(crossed["criteria of"]) == [right, pvc, left]


def explain_by(page: AppTest, method: str) -> None:
    page.selectbox(key="demo").set_value("inferior_stemi").run()
    page.selectbox(key="method").set_value(method).run()


COARSE = "the map tells nothing finer than 500 ms"


def test_a_map_that_is_too_coarse_for_the_place_is_given_no_share_of_it(page: AppTest):
    explain_by(page, "attention_rhythm")
    start(page, "Quiz", "13")
    hand_in(page, "inferior_stemi", leads=("III", "aVF"), waves=("ST",))
    press(page, "Show the criteria")
    press(page, "Show what the model saw")
    assert COARSE in said(page).lower()
    assert "The same question to both" not in said(page)
    assert not [each for each in page.table if "share" in each.value.columns]


def test_a_search_for_the_flaw_among_coarse_maps_says_why_it_gives_no_shares(page: AppTest):
    explain_by(page, "attention_rhythm")
    start(page, "Spot the flaw", "13")
    press(page, "A is random")
    assert f"The shares of both maps are not compared: {COARSE}" in said(page)
    assert "Share of each map in" not in said(page)


def test_a_quiz_goes_on_after_a_visit_to_another_page(page: AppTest):
    start(page, "Quiz", "13 15")
    page.switch_page("pages/recordings.py").run()
    page.switch_page("pages/teaching.py").run()
    assert page.segmented_control(key=teaching.MODE).value == "Quiz"
    assert "Case 1 of 2" in said(page)
    page.segmented_control(key=teaching.MODE).set_value("Study").run()
    assert page.segmented_control(key=teaching.MODE).value == "Study"


def test_the_flaw_is_the_map_of_the_network_with_random_weights(page: AppTest):
    start(page, "Spot the flaw", "15")
    trained = trained_side("015", page.session_state["teaching sitting"].seed)
    random = {"A": "B", "B": "A"}[trained]
    assert f"Map {trained} is the trained" not in said(page)
    press(page, f"{random} is random")
    assert f"Map {trained} is the trained network's" in said(page)
    assert "You were right; so far 1 of 1" in said(page)
    press(page, "Next case")
    assert "**1 of 1 right.**" in said(page)


def test_each_search_for_the_flaw_counts_its_own_answers_and_deals_the_sides_anew(page: AppTest):
    seeds = []
    for answer in ("right", "wrong"):
        start(page, "Spot the flaw", "15")
        seeds.append(page.session_state["teaching sitting"].seed)
        trained = trained_side("015", seeds[-1])
        press(page, f"{trained if answer == 'wrong' else {'A': 'B', 'B': 'A'}[trained]} is random")
        assert f"You were {answer}; so far {int(answer == 'right')} of 1." in said(page)
        press(page, "Next case")
        assert f"**{int(answer == 'right')} of 1 right.**" in said(page)
        assert f"Seed of this sitting: {seeds[-1]}." in said(page)
        press(page, "End")
    assert seeds[0] != seeds[1]


def test_a_case_of_a_search_for_the_flaw_counts_once(page: AppTest):
    start(page, "Spot the flaw", "15 13")
    press(page, "A is random")
    told = said(page)
    held = page.session_state["teaching sitting"]
    page.session_state["teaching sitting"] = replace(held, at=0, step=0)  # back to a case that was revealed
    page.run()
    press(page, "B is random")
    assert [each for each in told.splitlines() if "You were" in each] == [
        each for each in said(page).splitlines() if "You were" in each
    ]


def test_a_search_for_the_flaw_can_be_ended_before_it_is_answered(page: AppTest):
    start(page, "Spot the flaw", "15 13")
    press(page, "End")
    assert not [each for each in page.button if each.label == "A is random"]


def test_a_case_whose_time_is_up_is_missed(page: AppTest, monkeypatch: pytest.MonkeyPatch):
    start(page, "Timed set", "13 15")
    now = teaching.time.time()
    hand_in(page, "inferior_stemi")
    assert "Case 2 of 2" in said(page)
    monkeypatch.setattr(teaching.time, "time", lambda: now + 1000)
    page.run()
    assert "**Result: 1 of 2 right**" in said(page)
    (result,) = [each.value for each in page.table if "outcome" in each.value.columns]
    assert list(result["outcome"]) == ["right", "missed"]


@pytest.mark.parametrize("mode", ["Quiz", "Timed set"])
def test_an_answer_that_cannot_be_kept_is_said_on_the_next_page(page: AppTest, kept: Path, mode: str):
    page.session_state["teaching learner"] = "BCDF23"
    kept.write_text("no database at all, and longer than a header of one" * 30)
    start(page, mode, "13 15")
    hand_in(page, "inferior_stemi")
    lost = "The answer to case 013 is not in the history: the history teaching.sqlite cannot be used"
    assert lost in said(page)
    kept.unlink()
    if mode == "Quiz":
        for label in ("Show the criteria", "Show what the model saw", "Next case"):
            press(page, label)
    hand_in(page, "normal")
    assert "is not in the history" not in said(page)
    (one,) = attempts(kept, "BCDF23")
    assert one.case == "015"


def test_a_case_whose_time_is_up_and_that_cannot_be_kept_is_said(
    page: AppTest, kept: Path, monkeypatch: pytest.MonkeyPatch
):
    page.session_state["teaching learner"] = "BCDF23"
    kept.write_text("no database at all, and longer than a header of one" * 30)
    start(page, "Timed set", "13")
    now = teaching.time.time()
    monkeypatch.setattr(teaching.time, "time", lambda: now + 1000)
    page.run()
    assert "**Result: 0 of 1 right**" in said(page)
    assert "The answer to case 013 is not in the history" in said(page)


def test_a_history_is_kept_under_a_code_only_and_opens_again(page: AppTest, kept: Path):
    start(page, "Quiz", "13")
    hand_in(page, "af")
    assert not kept.exists()
    page.session_state["teaching learner"] = "BCDF23"
    start(press(page, "End"), "Quiz", "13")
    hand_in(page, "normal")
    (one,) = attempts(kept, "BCDF23")
    assert (one.case, one.mode, one.outcome) == ("013", "Quiz", "contradictory")
    page.session_state["teaching history"] = True
    page.run()
    (when,) = [each.value["when (UTC)"].iloc[0] for each in page.table if "when (UTC)" in each.value.columns]
    assert when == f"{one.at.astimezone(UTC):%Y-%m-%d %H:%M}"
    press(page, "End").segmented_control(key="entry").set_value("Due for repeat").run()
    assert "No case of these levels is due" in said(page)
    keep(kept, "BCDF23", replace(one, case="015", at=one.at - timedelta(weeks=3)))
    page.run()
    assert [each.label for each in page.button if each.label.startswith("Start")] == ["Start: 1 case"]


def own_folder(folder: Path, lesson: str) -> Path:
    """Make a teacher's folder with one case, numbered as a shipped one."""
    patient = {"severity": 1.2, "seed": 3, "age_years": 50, "sex": "male"}
    case = {"id": "013", "lesson": lesson, "level": 1, "simulate": patient}
    folder.mkdir(parents=True)
    (folder / "cases.yaml").write_text(yaml.safe_dump({"schema_version": 1, "licence": "CC0", "cases": [case]}))
    return folder


def test_a_case_of_ones_own_comes_back_in_its_library_under_its_own_name(
    page: AppTest, kept: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv(VARIABLE, str(own_folder(tmp_path / "mine", "rbbb")))
    page.session_state["teaching learner"] = "BCDF23"
    page.run().selectbox(key="teaching library").set_value("Cases of the folder mine").run()
    start(page, "Quiz", "13")
    hand_in(page, "rbbb")
    (one,) = attempts(kept, "BCDF23")
    kept.unlink()
    keep(kept, "BCDF23", replace(one, at=one.at - timedelta(weeks=3)))
    press(page, "End").segmented_control(key="entry").set_value("Due for repeat").run()
    due = {}
    for title in ("Shipped cases", "Cases of the folder mine"):
        page.selectbox(key="teaching library").set_value(title).run()
        due[title] = [each.label for each in page.button if each.label.startswith("Start")]
        page.session_state["teaching history"] = True
        page.run()
        due[title] += [each.value["answer"].iloc[0] for each in page.table if "answer" in each.value.columns]
    assert due == {
        "Shipped cases": ["Start: 0 cases", "another library"],
        "Cases of the folder mine": ["Start: 1 case", "complete right bundle branch block"],
    }
    assert "1 cases of this library are due for a repeat" in said(page)


def test_two_folders_of_one_name_are_two_libraries(page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    folders = [own_folder(tmp_path / where / "mine", lesson) for where, lesson in (("a", "rbbb"), ("b", "lbbb"))]
    monkeypatch.setenv(VARIABLE, ":".join(map(str, (*folders, folders[0]))))
    page.run()
    titles = page.selectbox(key="teaching library").options
    assert titles == ["Shipped cases", "Cases of the folder mine", "Cases of the folder mine (2)"]
    for title, answer in zip(titles[1:], ("right", "left"), strict=True):
        page.selectbox(key="teaching library").set_value(title).run()
        start(page, "Study", "13")
        assert f"Answer: complete {answer} bundle branch block" in said(page)
        press(page, "End")
        assert page.selectbox(key="teaching library").value == title


def test_a_history_that_cannot_be_deleted_is_said_in_a_sentence(page: AppTest, kept: Path):
    page.session_state["teaching learner"] = "BCDF23"
    page.session_state["teaching history"] = True
    keep(kept, "BCDF23", Attempt("013", "Quiz", "right", 1, 0, 0, 0, 9.0, datetime.now(UTC)))
    page.run()
    sound = kept.read_bytes()
    kept.write_text("no database at all, and longer than a header of one" * 30)
    press(page, "Delete this history")
    assert "the history teaching.sqlite cannot be used" in said(page)
    assert page.session_state["teaching learner"] == "BCDF23"
    kept.write_bytes(sound)
    press(page, "Delete this history")
    assert page.session_state["teaching learner"] == ""
    assert attempts(kept, "BCDF23") == ()


def test_two_people_do_not_see_each_other(page: AppTest):
    start(page, "Quiz", "13")
    hand_in(page, "inferior_stemi")
    other = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240).run().switch_page("pages/teaching.py").run()
    assert "Answer" not in said(other)
    assert "Which cases?" in said(other)
    start(other, "Quiz", "13")
    assert "Answer" not in said(other)


def large_type(page: AppTest) -> bool:
    return any("font-size: 140%" in each.proto.body for each in page.get("html"))


def test_the_classroom_hides_the_history_and_enlarges_figures(page: AppTest):
    start(page, "Study", "13")
    assert [each for each in page.expander if each.label == "History and repeats"]
    (before,) = on_page.figures(page)
    press(page, "Classroom")
    (after,) = on_page.figures(page)
    assert after["layout"]["height"] > before["layout"]["height"]
    assert after["layout"]["annotations"][-2]["font"]["size"] > before["layout"]["annotations"][-2]["font"]["size"]
    assert not [each for each in page.expander if each.label == "History and repeats"]
    assert large_type(page)
    press(page, "Leave classroom")
    assert not large_type(page)


def test_the_classroom_offers_no_repeats_since_it_hides_histories(page: AppTest):
    page.segmented_control(key="entry").set_value("Due for repeat").run()
    assert "take a code under *History and repeats* below" in said(page)
    press(page, "Classroom")
    entry = page.segmented_control(key="entry")
    assert (entry.value, "Due for repeat" in entry.options) == ("In sequence", False)
    assert "History and repeats" not in said(page)
    assert "Due for repeat" in press(page, "Leave classroom").segmented_control(key="entry").options


@pytest.mark.data
def test_the_library_of_the_dashboard_can_be_taught_from(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, data_dir: Path, tmp_path: Path
):
    monkeypatch.setenv(VARIABLE, f"{data_dir / 'ptbxl'}:{tmp_path}")
    page.run()
    assert f"{tmp_path.name}" in said(page)  # an empty folder is refused in a sentence, the other is offered
    (picker,) = [each for each in page.selectbox if each.label == "Cases"]
    assert picker.options == ["Shipped cases", "PTB-XL in ptbxl"]
    picker.set_value("PTB-XL in ptbxl").run()
    page.segmented_control(key="entry").set_value("By diagnosis").run()
    page.multiselect(key="diagnoses").set_value(["lbbb"]).run()
    (button,) = [each for each in page.button if each.label.startswith("Start: ")]
    button.click().run()
    assert not page.exception
    assert "complete left bundle branch block" in said(page)
    assert "CC BY 4.0, PTB-XL" in said(page)
    assert "No truth was planted here" in said(page) or "nothing is marked" in said(page)


def recorded_folder(folder: Path, lesson: str, record: Record) -> Path:
    """Make a teacher's folder with one recorded case."""
    folder.mkdir(parents=True)
    save_record(replace(record, id="x", simulated=False), folder / "one.npz")
    case = {"id": "a1", "lesson": lesson, "level": 1, "record": "one"}
    (folder / "cases.yaml").write_text(yaml.safe_dump({"schema_version": 1, "licence": "mine own", "cases": [case]}))
    return folder


def open_mine(page: AppTest, monkeypatch: pytest.MonkeyPatch, folder: Path, mode: str) -> AppTest:
    monkeypatch.setenv(VARIABLE, str(folder))
    page.run().selectbox(key="teaching library").set_value("Cases of the folder mine").run()
    return start(page, mode, "a1")


def test_marks_that_a_reader_changed_elsewhere_are_no_part_of_a_case(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    folder = recorded_folder(tmp_path / "mine", "inferior_stemi", load_record("demo:inferior_stemi"))
    record = load_record(folder / "one.npz")
    automatic = delineate(condition(record))
    fewer = delete_beat(automatic, 5)
    told, matrices = [], []
    for changed in ({}, {record.key: ChangedMarks(marks_table(automatic), fewer, "a digest")}):
        page.session_state["changed marks"] = changed
        open_mine(page, monkeypatch, folder, "Quiz")
        hand_in(page, "inferior_stemi", leads=("II", "III"), waves=("ST",))
        press(page, "Show the criteria")
        press(page, "Show what the model saw")
        assert not page.error
        told.append(said(page))
        matrices.append([each["data"][0] for each in on_page.figures(page)])
        press(page, "End")
    assert "**The same question to both" in told[0]
    assert told[0] == told[1]
    assert matrices[0] == matrices[1]


def test_a_search_for_the_flaw_stands_on_the_beats_of_its_case(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    folder = recorded_folder(tmp_path / "mine", "inferior_stemi", load_record("demo:inferior_stemi"))
    record = load_record(folder / "one.npz")
    automatic = delineate(condition(record))
    changed = ChangedMarks(marks_table(automatic), delete_beat(automatic, 5), "a digest")
    page.session_state["changed marks"] = {record.key: changed}
    open_mine(page, monkeypatch, folder, "Spot the flaw")
    press(page, "A is random")
    assert not page.error
    assert "Share of each map in " in said(page)


def test_a_recorded_case_is_paged_through_and_told_in_its_own_words(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    normal = load_record("demo:normal")
    long = replace(normal, signal=np.tile(normal.signal, 2), age_years=9.0, sex="female")
    open_mine(page, monkeypatch, recorded_folder(tmp_path / "mine", "inferior_stemi", long), "Study")
    assert "Girl, 9 years" in said(page)
    assert "No published definition of it is met on this recording" in said(page)
    assert "severity" not in said(page)
    assert "no definition is met here, so that no place is marked" in said(page)
    assert "a rate or an interval without a place" not in said(page)
    (slider,) = [each for each in page.slider if each.label == "Start of the sheet, s"]
    assert "0 to 10 s" in on_page.figures(page)[0]["layout"]["meta"]["alt"]
    slider.set_value(10.0).run()
    assert "10 to 20 s" in on_page.figures(page)[0]["layout"]["meta"]["alt"]
    page.session_state["study model a1"] = True
    page.run()
    assert not page.exception
    assert all("10 to 20 s" in each["layout"]["meta"]["alt"] for each in on_page.figures(page)[:2])


@pytest.mark.parametrize("mode", ["Quiz", "Timed set", "Spot the flaw"])
def test_every_mode_pages_through_a_long_recording(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: str
):
    normal = load_record("demo:inferior_stemi")
    long = replace(normal, signal=np.tile(normal.signal, 2))
    open_mine(page, monkeypatch, recorded_folder(tmp_path / "mine", "inferior_stemi", long), mode)
    (slider,) = [each for each in page.slider if each.label == "Start of the sheet, s"]
    slider.set_value(4.0).run()
    assert "4 to 14 s" in on_page.figures(page)[0]["layout"]["meta"]["alt"]


@pytest.mark.parametrize(
    ("age_years", "sex", "told"),
    [(9.0, "female", "Girl, 9"), (17.9, "male", "Boy, "), (3.0, None, "Child, 3"), (18.0, "male", "Man, 18")],
)
def test_who_is_a_child_is_called_one(age_years: float, sex: str | None, told: str, infarct: Opened):
    assert sheet.who(replace(infarct.record, age_years=age_years, sex=sex)).startswith(told)
