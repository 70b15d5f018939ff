"""The Reader study page: who is let in, what is shown when, what is kept of what is typed, and what owners see."""

import json
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import on_page
import pytest
from review_studies import AFTER, BEFORE, answer, definition
from streamlit.testing.v1 import AppTest
from toys import no_beats

from ecgviz import NOTICE
from ecgviz.checkpoint import Model
from ecgviz.evidence import evidence
from ecgviz.explain import explain_controls
from ecgviz.review import create as creating
from ecgviz.review import founding, material, store
from ecgviz.types import Explanation, Prediction
from ecgviz.ui.reader_study import VIEWS, second_answer
from ecgviz.ui.state.review import STUDIES, MapShown

PAGE = "pages/reader_study.py"
READERS = (("R1", "reader"), ("R2", "reader"), ("A1", "adjudicator"), ("O1", "owner"))


@pytest.fixture(scope="module")
def template(narrow_model: Model, in_memory: Path) -> tuple[Path, Mapping[str, str]]:
    """Return a study of two demo recordings, read in the arms "both" and "randomised", and its codes."""
    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.setattr(creating, "load_model", lambda name: narrow_model)
        patched.setattr(material, "explain_controls", partial(explain_controls, seeds=(0,)))
        study = definition(
            id="two-arms",
            labels=["MI", "NORM"],
            records=[{"source": "demo:inferior_stemi", "reference": "MI"}, {"source": "demo:normal"}],
            models=["narrow"],
            methods=["attention_joint", "saliency"],
            arms=["both", "randomised"],
            readers=[{"pseudonym": name, "role": role} for name, role in READERS],
            protocol={"revise": True, "skip": True},
        )
        made = creating.create(study, in_memory, in_memory / "template")
    return made.folder, made.codes


@pytest.fixture
def folder(template: tuple[Path, Mapping[str, str]], memory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(STUDIES, str(memory / "studies"))
    return Path(shutil.copytree(template[0], memory / "studies" / "two-arms"))


@pytest.fixture
def codes(template: tuple[Path, Mapping[str, str]]) -> Mapping[str, str]:
    return template[1]


def enter(app: AppTest, code: str) -> AppTest:
    app = app.switch_page(PAGE).run()
    app.text_input(key="study code").set_value(code)
    (door,) = [button for button in app.button if button.label == "Open the study"]
    return door.click().run()


def texts(app: AppTest) -> str:
    parts = (*app.markdown, *app.text, *app.info, *app.error, *app.caption, *app.success)
    return "\n".join(element.value for element in parts).replace("\\", "")


def everything(app: AppTest) -> str:
    """Return all that is sent to the browser outside the sidebar, figures and options included."""
    return "\n".join(str(element.proto) for element in app.main if hasattr(element, "proto")) + json.dumps(
        on_page.figures(app)
    )


def field(app: AppTest, kind: str, name: str):
    (found,) = [each for each in app.get(kind) if each.key and each.key.endswith(f" {name}")]
    return found


def press(app: AppTest, name: str) -> AppTest:
    return field(app, "button", name).click().run()


def test_a_code_opens_the_study_and_nothing_else_does(app: AppTest, folder: Path, codes: Mapping[str, str]):
    enter(app, "AAAA-BBBB-CCCC")
    assert "this code opens no study here" in texts(app)
    assert not on_page.figures(app)
    enter(app, codes["R1"])
    assert not app.exception
    assert NOTICE in texts(app)
    assert "Do maps change what readers answer? · R1, reader" in texts(app).replace("*", "")
    assert len(on_page.figures(app)) == 1


def test_nothing_gives_the_answer_away_before_the_own_one_is_locked(
    app: AppTest, folder: Path, codes: Mapping[str, str]
):
    enter(app, codes["R1"])
    shown = everything(app)
    for secret in (
        "inferior",
        "stemi",
        "demo:",
        "simulated",
        "narrow",
        "saliency",
        "attention",
        "randomised",
        "P(",
        "called",
    ):
        assert secret not in shown
    assert "Lock this answer" in shown
    assert field(app, "button", "give").disabled
    assert "Still missing: a label, a confidence" in texts(app)


def test_what_is_typed_is_a_draft_and_comes_back(app: AppTest, folder: Path, codes: Mapping[str, str]):
    enter(app, codes["R1"])
    field(app, "radio", "label").set_value("MI")
    field(app, "number_input", "confidence").set_value(35)
    field(app, "button_group", "cells II").set_value(["ST", "T"])
    field(app, "text_input", "comment").set_value("half a thought").run()
    (criterion, *_) = field(app, "multiselect", "criteria").options
    field(app, "multiselect", "criteria").select(criterion)
    field(app, "selectbox", "typed lead").set_value("V2")
    field(app, "number_input", "from").set_value(1.0)
    field(app, "number_input", "to").set_value(1.25).run()
    press(app, "mark")
    again = enter(AppTest.from_file(str(Path(__file__).parents[1] / "app.py"), default_timeout=240).run(), codes["R1"])
    assert field(again, "radio", "label").value == "MI"
    assert field(again, "number_input", "confidence").value == 35
    assert field(again, "button_group", "cells II").value == ["ST", "T"]
    assert field(again, "text_input", "comment").value == "half a thought"
    assert len(field(again, "multiselect", "criteria").value) == 1
    assert field(again, "button", "remove 1").label.endswith("V2, 1.00 to 1.25 s")
    other = enter(AppTest.from_file(str(Path(__file__).parents[1] / "app.py"), default_timeout=240).run(), codes["R2"])
    assert "half a thought" not in everything(other)
    assert field(other, "radio", "label").value is None
    assert store.rows(folder, "answers") == []


def test_a_recording_is_read_in_two_phases_and_can_be_corrected(app: AppTest, folder: Path, codes: Mapping[str, str]):
    enter(app, codes["R1"])
    assert "framed: what you marked" not in everything(app)
    field(app, "button_group", "cells II").set_value(["ST"])
    field(app, "radio", "label").set_value("NORM")
    field(app, "number_input", "confidence").set_value(40).run()
    press(app, "give")
    assert not app.exception
    (own,) = store.rows(folder, "answers")
    assert (own["phase"], own["label"], own["confidence"], own["blinded"]) == ("before", "NORM", 40, 1)
    assert "Your own answer, locked: NORM, 40 of 100 sure." in texts(app).replace("*", "")
    shown = everything(app)
    assert "saliency" not in shown  # blinded: maps have letters
    assert "attention_joint" not in shown
    assert "map A" in shown
    assert "framed: what you marked" in shown
    assert " % of map A, strongest at " in texts(app) or " % of the map, strongest at " in texts(app)
    for rating in ("agree_with_prediction", "explanation_plausible", "leads_correct"):
        field(app, "segmented_control", rating).set_value(4)
    places = [each for each in app.segmented_control if " verdict " in str(each.key)]
    assert 5 <= len(places) <= 10
    for place in places:
        place.set_value("relevant")
    field(app, "radio", "label").set_value("MI")
    field(app, "number_input", "confidence").set_value(90).run()
    press(app, "give")
    second = store.rows(folder, "answers")[-1]
    assert (second["phase"], second["label"], second["agree_with_prediction"]) == ("after", "MI", 4)
    assert "Recording 2 of 2" in everything(app)
    (chooser,) = [box for box in app.selectbox if box.label == "Recording"]
    chooser.set_value(1).run()
    assert field(app, "radio", "label").value == "MI"
    field(app, "radio", "label").set_value("NORM").run()
    press(app, "give")
    kept = store.rows(folder, "answers")
    assert [row["label"] for row in kept] == ["NORM", "MI", "NORM"]
    assert kept[2]["supersedes"] == kept[1]["review_id"]
    assert store.verify(folder).faults == ()


def test_a_blinded_map_does_not_tell_what_kind_it_is(app: AppTest, folder: Path, codes: Mapping[str, str]):
    turns = [(name, turn.item) for name in ("R1", "R2") for turn in store.turns(folder, name)]
    reader, item = next((name, item) for name, item in turns if item.arm == "both")
    for turn in store.turns(folder, reader):
        answer(folder, reader, turn.item.item_id, "before", BEFORE)
        if turn.item.item_id == item.item_id:
            break
        answer(folder, reader, turn.item.item_id, "after", AFTER)
    enter(app, codes[reader])
    told = []
    for name in ("map A", "map B"):
        field(app, "segmented_control", "behind").set_value(name).run()
        paper, *matrices = on_page.figures(app)
        (heat,) = [each for each in paper["data"] if each["type"] == "heatmap"]
        assert heat["zmin"] == 0
        words = [each["text"] for each in paper["layout"]["annotations"]]
        assert not [text for text in words if "finest time" in text or "signal seen" in text]
        legend = heat["colorbar"]["title"]["text"], heat["colorbar"]["ticktext"], heat["zmax"], heat["colorscale"]
        alt = paper["layout"]["meta"]["alt"]
        told.append(json.dumps([legend, words, alt, paper["layout"]["height"]]).replace(name, "map"))
    assert told[0] == told[1]
    titles = [each["layout"]["title"]["text"] for each in matrices]
    assert titles[0].replace("Map A", "Map") == titles[1].replace("Map B", "Map")


def a_map(name: str, values: np.ndarray) -> MapShown:
    made = Explanation(values, 100.0, 0.0, ("I", "II"), "MI", "saliency", True, 0.01)
    return MapShown(name, Prediction((), *[np.zeros(0)] * 3), made, evidence(made, no_beats(1.0)), ())


def test_what_opposes_is_no_part_of_a_blinded_map_and_the_arm_alone_tells_all():
    values = np.linspace(-4.0, 2.0, 2 * 7).reshape(2, 7)
    blinded = second_answer.behind_trace(a_map("map A", values), 1.0, blinded=True)
    assert not blinded.signed
    assert np.argwhere(blinded.values == 0).tolist() == np.argwhere(values <= 0).tolist()
    shown = values > 0
    assert np.allclose(blinded.values[shown] / blinded.values.max(), values[shown] / 2.0)
    assert "MI" not in blinded.name
    assert "saliency" not in blinded.name
    alone = second_answer.behind_trace(a_map("saliency", values), 1.0, blinded=False)
    assert alone.signed
    assert np.array_equal(alone.values, values)
    assert alone.name.startswith("saliency of MI")
    opposing = second_answer.behind_trace(a_map("map A", -np.abs(values)), 1.0, blinded=True)
    assert not opposing.values.any()


def test_an_adjudicator_reads_what_has_no_reference_without_a_model(
    app: AppTest, folder: Path, codes: Mapping[str, str]
):
    enter(app, codes["A1"])
    assert "0 of 1 recordings read" in str(app.get("progress")[0].proto)
    field(app, "radio", "label").set_value("NORM")
    field(app, "number_input", "confidence").set_value(100).run()
    press(app, "give")
    assert "All recordings are read. Thank you." in texts(app)
    assert [row["phase"] for row in store.rows(folder, "answers")] == ["reference"]


def test_an_owner_sees_progress_statistics_and_the_report_and_readers_do_not(
    app: AppTest, folder: Path, codes: Mapping[str, str]
):
    for name in ("R1", "R2"):
        for turn in store.turns(folder, name):
            answer(folder, name, turn.item.item_id, "before", BEFORE)
            answer(folder, name, turn.item.item_id, "after", AFTER)
    enter(app, codes["O1"])
    assert not app.exception
    tables = [frame.value for frame in app.dataframe]
    names = {name for table in tables if "statistic" in table for name in table["statistic"]}
    assert {"Accuracy before", "Cohen's kappa", "Gwet's AC1", "Dice of cells", "Excess over the best control"} <= names
    press_export = [button for button in app.button if button.key == "export study"]
    press_export[0].click().run()
    assert not app.exception
    assert store.rows(folder, "audit")[-1]["action"] == "export"
    assert "The audit trail ends in" in texts(app)
    reader = enter(AppTest.from_file(str(Path(__file__).parents[1] / "app.py"), default_timeout=240).run(), codes["R1"])
    assert "All recordings are read. Thank you." in texts(reader)
    assert not reader.dataframe


def test_every_role_has_a_view():
    assert set(VIEWS) == {role for _, role in READERS}


def test_a_study_that_lacks_its_recordings_says_so(app: AppTest, memory: Path, monkeypatch: pytest.MonkeyPatch):
    from review_studies import founded

    monkeypatch.setenv(STUDIES, str(memory))
    founded(memory / "bare", definition())
    enter(app, founding.new_code(memory / "bare", "R1"))
    assert not app.exception
    assert "imported without its recordings" in texts(app)


def test_every_wave_of_a_lead_can_be_marked_in_a_narrow_window(app: AppTest, folder: Path, codes: Mapping[str, str]):
    enter(app, codes["R1"])
    marks = [each for each in app.button_group if each.key and " cells " in each.key]
    assert len(marks) == 12
    assert all(each.proto.wrap for each in marks)
