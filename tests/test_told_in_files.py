"""What the files of a figure tell: the recording, network, label and method that it shows, not those of the sidebar."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest
from test_cohort_page import store  # noqa: F401 - a fixture
from test_pages import pick_demo, visit

from ecgviz import NOTICE
from ecgviz.beats import delineate
from ecgviz.cli.dashboard import COHORTS
from ecgviz.edit import from_csv, marks_table
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.ui import files
from ecgviz.ui.state import entry, teaching

ROOT = Path(__file__).resolve().parents[1]
Told = dict[str, Mapping[str, str]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Collect what the files of each figure of the pages tell, by the key of the figure."""
    found: Told = {}

    def offer(drawn, table, key: str, *, shows: files.Shows) -> None:
        found[key] = files.provenance(drawn() if callable(drawn) else drawn, shows)

    monkeypatch.setattr(files, "offer", offer)
    return found


@pytest.fixture
def app(told: Told) -> AppTest:
    """Open the app with the shipped models and a healthy demo; the label is that of its highest probability."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240).run()
    pick_demo(app, "normal")
    assert (app.selectbox(key="model").value, app.selectbox(key="method").value) == ("imle_net", "input_x_gradient")
    told.clear()
    return app


def identity(name: str) -> str:
    """Return how files tell a demo recording: by its id and the first letters of its digest."""
    record = load_record(name)
    return f"{record.id} ({record.key[:12]})"


def label_of(app: AppTest) -> str:
    return next(str(box.value) for box in app.selectbox if box.label == "Label")


def compare(app: AppTest, what: str, picker: str, value: str) -> AppTest:
    visit(app, "compare").segmented_control(key="differs").set_value(what).run()
    next(box for box in app.selectbox if box.label == picker).set_value(value).run()
    assert not app.exception
    assert not app.error
    return app


def test_the_recording_alone_is_of_no_network_label_or_method(app: AppTest, told: Told):
    visit(app, "beats")
    app.switch_page("pages/record.py").run()
    assert set(told) == {"median", "strip", "paper"}
    for each in told.values():
        assert each["recording"] == identity("demo:normal")
        assert set(each) == {"figure", "recording", "ecgviz", "notice"}
        assert each["notice"] == NOTICE


def test_the_file_of_marks_says_of_which_recording_they_are_and_is_read_back(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
):
    made = {}

    def offered(self: DeltaGenerator, label: str, data: Any, file_name: str, *_: Any, **more: Any) -> bool:
        made[label] = file_name, data
        return False

    monkeypatch.setattr(DeltaGenerator, "download_button", offered)
    visit(app, "beats")
    name, make = made["Download these marks"]
    assert name == "demo-normal-marks.csv"
    text, record = make(), load_record("demo:normal")
    above = dict(line[2:].split(": ", 1) for line in text.splitlines() if line.startswith("#"))
    assert (above["recording"], above["notice"]) == (identity("demo:normal"), NOTICE)
    beats = delineate(condition(record))
    pd.testing.assert_frame_equal(from_csv(text, beats, recording=record.key), marks_table(beats), atol=1e-6)


def test_no_table_is_downloaded_without_saying_what_it_is_of():
    """Streamlit's own download in the corner of each table has no such lines: it is switched off."""
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["client"]["disableDataExport"] is True


def test_the_second_recording_compared_is_told_as_itself(app: AppTest, told: Told):
    compare(app, "Recording", "Second recording", "demo:lbbb")
    for kind in ("paper", "matrix"):
        first, second = (told[f"compare {kind} demo:{name}"] for name in ("normal", "lbbb"))
        assert first["recording"] == identity("demo:normal")
        assert second["recording"] == identity("demo:lbbb")
        assert first["model"] == second["model"]


def test_the_second_network_compared_is_told_as_itself(app: AppTest, told: Told):
    compare(app, "Network", "Second network", "resnet1d")
    for kind in ("paper", "matrix"):
        assert told[f"compare {kind} imle_net"]["model"].startswith("imle_net ")
        assert told[f"compare {kind} resnet1d"]["model"].startswith("resnet1d ")


def test_the_second_label_compared_is_told_as_itself(app: AppTest, told: Told):
    compare(app, "Label", "Second label", "CLBBB")
    assert told["compare paper CLBBB"]["label"] == "CLBBB"
    assert told[f"compare paper {label_of(app)}"]["label"] == label_of(app)


def test_attention_is_not_told_as_the_method_and_label_of_the_sidebar(app: AppTest, told: Told):
    visit(app, "attention")
    assert set(told) == {"attention paper", "attention rhythm", "attention channels", "attention matrix"}
    for each in told.values():
        assert each["recording"] == identity("demo:normal")
        assert each["method"] == "attention_joint"
        assert each["model"].startswith("imle_net ")
        assert "label" not in each  # it is the same for all
    app.segmented_control(key=next(b.key for b in app.segmented_control if b.label.startswith("Level"))).set_value(
        "rhythm"
    ).run()
    assert told["attention paper"]["method"] == "attention_rhythm"


def test_each_map_side_by_side_is_told_by_its_own_method(app: AppTest, told: Told):
    visit(app, "attributions")
    methods = ("input_x_gradient", "decomposition")
    for method in methods:
        assert told[f"matrix imle_net {method}"]["method"] == method
        assert told[f"matrix imle_net {method}"]["label"] == label_of(app)
    assert told["agreement"]["method"] == "; ".join(methods)
    for name in ("paper", "channels", "rhythm"):
        assert told[f"attribution {name}"]["method"] == "input_x_gradient"
    app.segmented_control(key="behind").set_value("Exact decomposition").run()
    for name in ("paper", "channels", "rhythm"):
        assert told[f"attribution {name}"]["method"] == "decomposition"


def test_networks_side_by_side_are_told_each_by_its_own_name(app: AppTest, told: Told):
    visit(app, "attributions").segmented_control(key="by").set_value("Networks").run()
    first, second = app.multiselect(key=f"networks {app.selectbox(key='model').value}").value
    app.segmented_control(key="behind").set_value(second).run()
    assert told[f"matrix {first} input_x_gradient"]["model"].startswith(f"{first} ")
    assert told[f"matrix {second} input_x_gradient"]["model"].startswith(f"{second} ")
    assert told["attribution paper"]["model"].startswith(f"{second} ")
    assert [each.split()[0] for each in told["agreement"]["model"].split("; ")] == [first, second]


def test_what_the_criteria_page_draws_is_told_as_its_case(app: AppTest, told: Told):
    visit(app, "criteria")
    for key in ("guideline beside model", "guideline on paper", "guideline on median"):
        assert told[key]["recording"] == identity("demo:normal")
        assert told[key]["model"].startswith("imle_net ")
        assert (told[key]["label"], told[key]["method"]) == (label_of(app), "input_x_gradient")


def test_an_edit_over_its_original_is_told_with_both_and_with_what_lies_behind(app: AppTest, told: Told):
    visit(app, "what_if").selectbox(key="edit").set_value("shift_st").run()
    next(button for button in app.button if button.label == "Apply").click().run()
    paper = told["what if paper"]
    altered, original = paper["recording"].split("; ")
    assert (original, altered.startswith("demo:normal+")) == (identity("demo:normal"), True)
    assert "ST segment shifted" in paper["altered"]
    assert paper["method"] == "input_x_gradient"
    assert "altered" not in told["what if matrix before"]
    app.segmented_control(key="what if behind").set_value("Attention").run()
    assert told["what if paper"]["method"] == "attention_joint"
    assert "label" not in told["what if paper"]
    app.segmented_control(key="what if behind").set_value("Nothing").run()
    assert not {"model", "label", "method"} & set(told["what if paper"])


def begin(app: AppTest, mode: str) -> None:
    """Open the first teaching case in one of the modes."""
    visit(app, "teaching").segmented_control(key=teaching.MODE).set_value(mode).run()
    app.segmented_control(key="entry").set_value("Own list").run()
    app.text_area(key="own list").set_value("001").run()
    next(button for button in app.button if button.label.startswith("Start: ")).click().run()
    assert not app.exception


def test_a_teaching_case_is_told_as_the_case_and_never_with_its_answer(app: AppTest, told: Told):
    begin(app, "Quiz")
    (paper,) = told.values()
    assert paper["recording"].startswith("case 001 (")
    assert set(paper) == {"figure", "recording", "ecgviz", "notice"}
    told.clear()
    next(button for button in app.button if button.label == "End").click().run()
    begin(app, "Spot the flaw")
    assert len({each["model"] for each in told.values()}) == 1
    for each in told.values():
        assert each["recording"].startswith("case 001 (")
        assert each["model"].endswith("or the same network with random weights")


def test_the_guideline_library_tells_an_entry_and_no_recording_of_the_sidebar(app: AppTest, told: Told):
    app.switch_page("pages/guideline_library.py")
    app.query_params[entry.PARAMETER] = "CLBBB"
    app.run()
    assert set(told) == {"library map", "example paper"}
    for each in told.values():
        assert each["entry"] == "CLBBB"
        assert not {"model", "label", "method"} & set(each)
    assert "recording" not in told["library map"]
    assert told["example paper"]["recording"] == "demo:lbbb"
    app.segmented_control(key="twin").set_value("without it").run()
    assert told["example paper"]["recording"] == "demo:lbbb, the same patient without the finding"


def test_validation_tells_the_networks_of_its_table_and_no_recording(app: AppTest, told: Told):
    visit(app, "validation")
    (planted,) = told.values()
    assert planted["model"].startswith("imle_net (")
    assert not {"recording", "label", "method"} & set(planted)


def test_the_card_of_a_network_tells_the_network_alone(app: AppTest, told: Told):
    visit(app, "models")
    (curve,) = told.values()
    assert curve["model"].startswith("imle_net ")
    assert not {"recording", "label", "method"} & set(curve)


def test_a_cohort_tells_what_it_sums_up_and_no_recording_or_network_of_the_sidebar(
    app: AppTest,
    told: Told,
    store: Path,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv(COHORTS, str(store))
    visit(app, "cohort")
    assert not app.exception
    for name in ("first", "second"):
        asked = {"model": name, "label": "CLBBB", "method": "input_x_gradient", "records": "called"}
        assert asked.items() <= told[f"cohort map {name}"].items()
        assert "recording" not in told[f"cohort map {name}"]
    assert told["cohort excess"]["model"] == "first; second"
    assert not {"recording", "method"} & set(told["cohort guideline"])


def test_a_title_is_told_in_letters_and_not_as_a_page_spells_it():
    figure = go.Figure().update_layout(
        title="Share in the guideline&#x27;s place<br>above &lt; below", meta={"alt": ""}
    )
    assert files.provenance(figure, {})["figure"] == "Share in the guideline's place above < below"


def test_of_several_each_value_is_told_once():
    one, other = {"model": "a", "label": "MI"}, {"model": "b", "label": "MI", "method": "m"}
    assert files.together(one, other) == {"model": "a; b", "label": "MI", "method": "m"}
    assert files.together() == {}
