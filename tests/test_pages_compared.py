"""The pages that hold two sides against one another, the list of recordings, and addresses that open all this."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from test_library import ecg_csv
from test_pages import csv, figures, made_csv, pick_demo, samples, send, texts, unescaped, visit

from ecgviz.beats import delineate
from ecgviz.edit import shift_st
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.ui import recordings, state

ROOT = Path(__file__).resolve().parents[1]


def choose_edit(app: AppTest, name: str) -> AppTest:
    return app.selectbox(key="edit").set_value(name).run()


def apply_edit(app: AppTest) -> AppTest:
    (apply,) = [button for button in app.button if button.label == "Apply"]
    return apply.click().run()


def table(app: AppTest, column: str) -> dict[str, str]:
    """Return what was measured on one side, by name."""
    found = next(each.value for each in app.table if {"measured", column} <= set(each.value.columns))
    return dict(zip(found[found.columns[0]], found[column], strict=True))


def test_an_edit_is_drawn_over_the_original_marked_and_taken_back(app: AppTest):
    visit(pick_demo(app, "normal"), "what_if")
    assert "Nothing is altered yet" in unescaped(texts(app))
    choose_edit(app, "shift_st").number_input[0].set_value(0.3)
    apply_edit(app)
    assert not app.exception
    assert not app.error
    apart = "limb leads no longer follow from one another"
    assert unescaped(app.warning[0].value) == f"Altered: ST segment shifted by +0.3 mV in all leads; {apart}."
    assert "The limb leads contradict one another, which no electrode could record." in unescaped(texts(app))
    paper = figures(app)[0]
    lines = {line["name"]: line for line in paper["data"] if line.get("mode") == "lines"}
    record = load_record("demo:normal")
    assert {f"{lead}, before" for lead in record.leads} <= set(lines)
    order = [line.get("name") for line in paper["data"]]
    assert order.index("V1, before") < order.index("V1")
    assert "ALTERED: ST segment shifted" in json.dumps(paper["layout"]["annotations"])
    other = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240).run()
    assert "shift" not in json.dumps(dict(app.query_params))
    assert "Nothing is altered yet" in unescaped(texts(visit(pick_demo(other, "normal"), "what_if")))
    app.button(key="undo edit").click().run()
    assert not figures(app)
    assert "Nothing is altered yet" in unescaped(texts(app))


def test_prediction_measurements_and_verdict_follow_an_edit(app: AppTest):
    visit(pick_demo(app, "normal"), "what_if")
    choose_edit(app, "change_rate").number_input[0].set_value(80.0)
    apply_edit(app)
    assert table(app, "before")["heart rate"] == "66"
    assert table(app, "after")["heart rate"] == "80"
    choose_edit(app, "shift_pr").number_input[0].set_value(40.0)
    apply_edit(app)
    made = table(app, "after")
    assert (made["heart rate"], made["QRS duration"]) == ("80", table(app, "before")["QRS duration"])
    assert int(made["PR interval"]) == pytest.approx(int(table(app, "before")["PR interval"]) + 40, abs=2)
    verdicts = next(each.value for each in app.table if "verdict" in each.value.columns)
    assert list(verdicts.columns) == ["verdict", "before", "after"]
    assert "edited = change_rate(record, beats, bpm=80.0)" in app.code[0].value


def test_another_age_leaves_the_sex_as_it_is(app: AppTest):
    record = load_record("demo:normal")
    assert record.sex == "female"
    choose_edit(visit(pick_demo(app, "normal"), "what_if"), "change_person").number_input[0].set_value(80.0)
    apply_edit(app)
    (warning,) = app.warning
    assert unescaped(warning.value) == f"Altered: age {record.age_years:g} years stated as 80 years."
    assert "edited = change_person(record, beats, age_years=80.0)" in app.code[0].value


def test_an_edit_that_cannot_be_made_is_refused_and_nothing_changes(app: AppTest):
    visit(pick_demo(app, "af"), "what_if")
    apply_edit(choose_edit(app, "remove_p"))
    (error,) = app.error
    assert "Not applied: no beat of demo:af has a P wave to remove" in unescaped(error.value)
    assert not figures(app)


def test_what_comes_from_an_altered_recording_is_not_shared_between_sessions():
    record = load_record("demo:normal")
    beats = delineate(condition(record))
    moved = shift_st(record, beats, 0.2, ("V1",))
    assert not state.is_shared(moved.record)
    assert state.is_shared(record)


@pytest.mark.parametrize(
    ("differs", "titles"),
    [
        ("Recording", ("demo:normal", "demo:lbbb")),
        ("Method", ("Input x gradient", "Attention, joint")),
    ],
)
def test_two_sides_have_one_scale(app: AppTest, differs: str, titles: tuple[str, str]):
    visit(pick_demo(app, "normal"), "compare")
    (label,) = [box for box in app.selectbox if box.label == "Label"]
    label.set_value("HYP").run()
    app.segmented_control(key="differs").set_value(differs).run()
    if differs == "Recording":
        assert "Choose a second recording above" in unescaped(texts(app))
        app.selectbox(key="second recording").set_value("demo:lbbb").run()
    elif differs == "Method":
        (second,) = [box for box in app.selectbox if box.label == "Second method"]
        second.set_value("saliency").run()
        titles = (titles[0], "Saliency")
    assert not app.exception
    assert not app.error
    left, right, first, second = figures(app)
    assert (left["layout"]["title"]["text"], right["layout"]["title"]["text"]) == titles
    limits = [(each["data"][0]["zmin"], each["data"][0]["zmax"]) for each in (left, right)]
    assert limits[0] == limits[1]
    heats = [next(each for each in paper["data"] if each["type"] == "heatmap") for paper in (first, second)]
    if differs != "Method":  # saliency has no sign, so that it has no scale in common with what is signed
        assert (heats[0]["zmin"], heats[0]["zmax"]) == (heats[1]["zmin"], heats[1]["zmax"])
    heads = next(each.value for each in app.table if "verdict" in each.value.columns).columns[1:]
    assert tuple(map(unescaped, heads)) == titles


def test_a_recording_of_the_library_is_not_offered_to_itself_and_stands_beside_its_copy(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    ecg_csv(tmp_path / "first.csv")
    (tmp_path / "second.csv").write_bytes((tmp_path / "first.csv").read_bytes())
    monkeypatch.setenv(state.VARIABLE, str(tmp_path))
    opened, copy = state.library().entries
    app.run().segmented_control(key="source").set_value("Library").run()
    app.selectbox(key="library").set_value(opened).run()
    second = visit(app, "compare").selectbox(key="second recording")
    assert [name for name in second.options if name.startswith("file-")] == [copy]
    second.set_value(copy).run()
    assert not app.exception
    assert not app.error
    titles = [each["layout"]["title"]["text"] for each in figures(app)[:2]]
    assert titles[0].startswith("record-")
    assert titles[1] == f"{titles[0]} (2)"
    assert len(figures(app)) == 4


def test_a_recording_that_no_network_reads_is_edited_and_compared_all_the_same(app: AppTest):
    """Three seconds: the network refuses them; intervals before and after need no network."""
    record = load_record("demo:lvh")
    rows = record.signal[:, : round(3 * record.fs)].T
    lines = [",".join(record.leads), *(",".join(f"{value:.4f}" for value in row) for row in rows)]
    send(app, ("short.csv", "\n".join([f"# fs: {record.fs:g}", "# unit: mV", *lines]).encode()))
    visit(app, "what_if")
    apply_edit(choose_edit(app, "change_rate"))
    assert not app.error
    assert "the network needs 10 s" in unescaped(" ".join(each.value for each in app.warning))
    assert any("measured" in each.value.columns for each in app.table)
    visit(app, "compare")
    for differs in ("Label", "Method"):
        app.segmented_control(key="differs").set_value(differs).run()
        assert not app.error


def test_networks_side_by_side_begin_with_the_one_that_is_chosen():
    app = arriving(record="demo:lbbb", model="imle_net", method="input_x_gradient")
    visit(app, "attributions").segmented_control(key="by").set_value("Networks").run()
    app.selectbox(key="model").set_value("resnet1d").run()
    (networks,) = [each for each in app.multiselect if each.label == "Networks"]
    assert networks.value[0] == "resnet1d"


def test_verdicts_of_several_methods_on_one_label_name_the_method(monkeypatch: pytest.MonkeyPatch):
    held = {("CD", "saliency"): "partly", ("CD", "input_x_gradient"): "agrees", ("MI", "saliency"): "disagrees"}
    monkeypatch.setattr(recordings, "_verdicts", lambda entry_id, network: held)
    monkeypatch.setattr(state, "predicted", lambda entry_id, digest: None)
    (entry,) = [each for each in state.entries().values() if each.id == "demo:lbbb"]
    told = recordings._row(entry, SimpleNamespace(digest="0"))[-1]
    assert told == "CD by Saliency: partly, CD by Input x gradient: agrees, MI: disagrees"


def arriving(**asked: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240)
    for name, value in asked.items():
        app.query_params[name] = value
    return app.run()


def test_an_address_opens_recording_label_and_method_and_follows_the_pickers(app: AppTest):
    app = arriving(record="demo:lbbb", model="random_weights", label="HYP", method="saliency")
    assert not app.exception
    assert not app.warning
    assert "demo:lbbb" in json.dumps(figures(app)[0]["layout"]["annotations"])
    (label,) = [box for box in app.selectbox if box.label == "Label"]
    assert (label.value, app.selectbox(key="method").value) == ("HYP", "saliency")
    label.set_value("MI").run()
    app.selectbox(key="demo").set_value("af").run()
    (label,) = [box for box in app.selectbox if box.label == "Label"]
    assert dict(app.query_params) == {
        "record": "demo:af",
        "model": "random_weights",
        "label": label.value,
        "method": "saliency",
    }


def test_a_method_that_another_model_does_not_take_is_said_and_left():
    app = arriving(record="demo:lbbb", model="imle_net", method="attention_beat")
    assert not app.warning
    app.selectbox(key="model").set_value("resnet1d").run()
    assert [unescaped(each.value) for each in app.warning] == [
        "The method 'attention_beat' does not apply to this model; another one is shown."
    ]
    assert app.selectbox(key="method").value != "attention_beat"
    assert app.query_params["method"] == app.selectbox(key="method").value


def test_what_an_address_gets_wrong_is_said_and_opens_nothing(app: AppTest):
    app = arriving(record="../../etc/passwd", model="![x](http://evil.example)", label="q", method="<b>")
    assert not app.exception
    said = [unescaped(each.value) for each in app.warning]
    assert [sentence.split(" '")[0] for sentence in said] == [
        "The address asks for the recording",
        "The address asks for the model",
        "The address asks for the method",
    ]
    assert not figures(app)
    assert not app.query_params
    app = arriving(record="demo:af", label="NOT", method="attention_channel")
    assert ["'NOT'" in unescaped(each.value) for each in app.warning] == [True]


def test_an_upload_is_in_no_address(app: AppTest):
    send(pick_demo(app, "af"), ("mine.csv", csv()))
    assert figures(app)
    assert not app.query_params


def test_a_library_is_searched_by_label_and_by_what_was_found(
    nothing_cached: None, app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    ecg_csv(tmp_path / "Erika.csv")
    monkeypatch.setenv(state.VARIABLE, str(tmp_path))
    app.run()
    visit(app, "recordings")

    def listed() -> list[str]:
        return list(app.dataframe[0].value["id"])

    (own,) = [each for each in listed() if each.startswith("file-")]
    assert "Erika" not in app.dataframe[0].value.to_string()
    app.text_input(key="search").set_value("old MI").run()
    assert listed() == ["demo:old_anterior_mi", "demo:old_inferior_mi", "demo:old_lateral_mi"]
    app.text_input(key="search").set_value(own).run()
    assert listed() == [own]
    assert list(app.dataframe[0].value["called by the network"]) == ["not asked yet"]
    app.button(key="ask all").click().run()
    assert not app.exception
    (called,) = app.dataframe[0].value["called by the network"]
    labels = [part.split()[0] for part in called.split(", ")]
    app.text_input(key="search").set_value("").run()
    app.multiselect(key="search called").set_value(labels[:1]).run()
    assert listed() == [own]


def test_where_no_recording_matches_a_sentence_says_so_and_nothing_is_asked_or_opened(app: AppTest):
    visit(app, "recordings").text_input(key="search").set_value("zzzz").run()
    assert not app.exception
    assert app.info[-1].value == "No recording matches; clear a field above."
    assert not app.dataframe
    assert not [button.label for button in app.button if button.label.startswith(("Ask", "Hold", "Open"))]
    app.text_input(key="search").set_value("").run()
    assert len(app.dataframe[0].value)


def test_a_library_that_is_gone_is_said(app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(state.VARIABLE, str(tmp_path / "gone"))
    visit(app.run(), "recordings")
    (error,) = app.error
    assert "is no folder" in unescaped(error.value)
    assert not np.any([button.label.startswith("Ask") for button in app.button])


def test_what_was_altered_stands_beside_the_original_under_names_that_fit(app: AppTest):
    visit(pick_demo(app, "inferior_stemi"), "what_if")
    for _ in range(3):
        apply_edit(choose_edit(app, "shift_st"))
    visit(app, "compare")
    assert not app.exception
    assert not app.error
    for held in app.table:
        assert list(held.value.columns)[-2:] == ["original", "altered"]
    assert [each["layout"]["title"]["text"] for each in figures(app)[:2]] == ["original", "altered"]
    papers = [json.dumps(each["layout"]["annotations"]) for each in figures(app)[2:]]
    assert ["ALTERED: ST segment shifted" in paper for paper in papers] == [False, True]
    assert "demo:inferior_stemi+" in papers[1]
    assert "Altered: ST segment shifted" in unescaped(texts(app))


def test_papers_are_laid_out_as_the_sidebar_says_and_where_colours_differ_it_is_said(app: AppTest):
    pick_demo(app, "inferior_stemi")
    for key, value in (("layout", "12x1"), ("speed", 50.0), ("gain", 20.0), ("relevance", "In a strip")):
        app.segmented_control(key=key).set_value(value).run()
    app.toggle(key="cabrera").set_value(True).run()
    visit(app, "compare")
    app.segmented_control(key="differs").set_value("Method").run()
    next(box for box in app.selectbox if box.label == "Second method").set_value("attention_joint").run()
    assert not app.exception
    assert "no colour scale in common" in unescaped(texts(app))
    papers = [each for each in figures(app) if "ECG on millimetre paper" in each["layout"]["meta"]["alt"]]
    assert len(papers) == 2
    for paper in papers:
        assert "0 to 5 s, 50 mm/s, 20 mm/mV, leads aVL, I, −aVR" in paper["layout"]["meta"]["alt"]
        assert "50 mm/s · 20 mm/mV" in json.dumps(paper["layout"]["annotations"], ensure_ascii=False)
    app.segmented_control(key="scale").set_value("Each lead").run()
    assert "each lead on its own scale" in json.dumps(figures(app))
    assert "Each lead has a colour scale of its own" in unescaped(texts(app))
    apply_edit(choose_edit(visit(app, "what_if"), "shift_st"))
    (paper,) = [each for each in figures(app) if "ECG on millimetre paper" in each["layout"]["meta"]["alt"]]
    assert "50 mm/s, 20 mm/mV, leads aVL, I, −aVR" in paper["layout"]["meta"]["alt"]
    assert {"−aVR", "−aVR, before"} <= {trace.get("name") for trace in paper["data"]}
    assert "Each lead has a colour scale of its own" in unescaped(texts(app))


def test_maps_of_one_kind_share_their_colours_and_nothing_else_is_said(app: AppTest):
    visit(pick_demo(app, "normal"), "compare")
    app.segmented_control(key="differs").set_value("Label").run()
    assert "colour scale" not in unescaped(texts(app))


def test_what_a_network_left_unread_is_said_wherever_its_verdict_stands(app: AppTest):
    told = "he network reads the first 10 s of these 20 s, and what it says, and where it looked, is of those alone"
    visit(send(app, ("long.csv", made_csv(np.tile(samples(10.0), 2)))), "criteria")
    assert f"T{told}" in unescaped(texts(app))
    apply_edit(choose_edit(visit(app, "what_if"), "scale_wave"))
    assert unescaped(texts(app)).count(f"T{told}") == 1  # once, as it is so of both sides
    app.button(key="undo edit").click().run()
    visit(app, "compare")
    app.segmented_control(key="differs").set_value("Recording").run()
    app.selectbox(key="second recording").set_value("demo:lbbb").run()
    assert not app.exception
    assert re.search(rf"\S+: t{told}", unescaped(texts(app)))
    assert f"T{told}" not in unescaped(texts(app))


def test_of_a_map_without_signs_no_opposing_mass_is_told(app: AppTest):
    visit(pick_demo(app, "inferior_stemi"), "criteria")
    app.selectbox(key="method").set_value("attention_joint").run()
    next(box for box in app.selectbox if box.label == "Label").set_value("MI").run()
    assert not app.exception
    drawn = json.dumps(figures(app))
    assert "share of the map per second, times an even spread" in drawn
    assert "supporting mass per second" not in drawn
    app.switch_page("pages/attributions.py").run()
    (methods,) = [each for each in app.multiselect if each.label == "Methods"]
    methods.set_value(["attention_joint"]).run()
    assert "**Lead by wave**, share of the map, %; one scale for all" in unescaped(texts(app))
    (methods,) = [each for each in app.multiselect if each.label == "Methods"]
    methods.set_value(["attention_joint", "input_x_gradient"]).run()
    mixed = "opposing mass, % of both (of maps without signs the share of the map, %: Attention, all levels); one scale"
    assert mixed in unescaped(texts(app))
    assert "Rank correlation of mass per second, lead x wave" in json.dumps(figures(app))
    visit(app, "compare")
    app.segmented_control(key="differs").set_value("Label").run()
    assert "In each cell: share of the map, %; one scale for all." in unescaped(texts(app))
    assert "opposing" not in unescaped(texts(app))
