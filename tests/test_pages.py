"""Every page in every state that a reader can bring it to, and the rules that keep pages thin."""

import ast
import io
import json
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ecgviz import NOTICE, checkpoint, pipeline
from ecgviz.nets import build
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import InputSpec
from ecgviz.ui import state, widgets

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("record", "attention", "attributions", "criteria", "models")
LABELS = ("CD", "HYP", "MI", "NORM", "STTC")


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with one small network of random weights: pages must work whatever a network says."""
    folder = tmp_path_factory.mktemp("models")
    config = {"width": 0.25}
    score = {"value": 0.5, "low": 0.4, "high": 0.6}
    metrics = {"none": {"n": 0, "n_patients": 0, "macro_auc": score, "auc": dict.fromkeys(LABELS, score)}}
    checkpoint.save_model(
        folder / "random_weights",
        build("imle_net", len(LABELS), seed=3, config=config),
        net_name="imle_net",
        config=config,
        name="random_weights",
        version="1",
        spec=InputSpec(STANDARD_LEADS, 100.0, 10.0, 0.0, 0.25),
        labels=LABELS,
        thresholds=(0.5,) * len(LABELS),
        metrics=metrics,
        training={},
        card="# random_weights\n\nNot trained; for tests.\n",
    )
    return folder


@pytest.fixture
def app(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(checkpoint, "shipped", lambda name: models_folder)
    st.cache_data.clear()
    st.cache_resource.clear()
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=240).run()


def pick_demo(app: AppTest, name: str = "inferior_stemi") -> AppTest:
    return app.selectbox(key="demo").set_value(name).run()


def send(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.segmented_control(key="source").set_value("Upload").run()
    sent = [(name, data, "application/octet-stream") for name, data in files]
    return app.file_uploader(key="upload").set_value(sent).run()


def csv(leads=STANDARD_LEADS, rate: str = "# fs: 250\n", unit: str = "# unit: mV\n") -> bytes:
    """Return a demo recording, sampled down, as a CSV that states its rate and unit unless told otherwise."""
    record = load_record("demo:normal")
    step = round(record.fs / 250)
    signal = record.select(tuple(leads)).signal[:, ::step].T if set(leads) <= set(record.leads) else None
    assert signal is not None
    text = io.StringIO()
    np.savetxt(text, signal, delimiter=",", fmt="%.4f")
    return f"{rate}{unit}{','.join(leads)}\n{text.getvalue()}".encode()


def visit(app: AppTest, page: str) -> AppTest:
    return app if page == "record" else app.switch_page(f"pages/{page}.py").run()


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.text, *app.info, *app.error, *app.caption))


def figures(app: AppTest) -> list[dict[str, object]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def unescaped(text: str) -> str:
    return text.replace("\\", "")


@pytest.mark.parametrize("page", PAGES)
def test_without_a_recording_a_page_says_what_to_do(app: AppTest, page: str):
    visit(app, page)
    assert not app.exception
    assert NOTICE in texts(app)
    if page == "models":
        assert "Not trained; for tests." in texts(app)
    else:
        assert [element.value for element in app.info] == [
            "Choose a demo recording on the left, or upload your own: a .hea with its .dat, a CSV or an NPZ file."
        ]
        assert not figures(app)


@pytest.mark.parametrize(("page", "n_figures"), list(zip(PAGES, (1, 4, 4, 2, 0), strict=True)))
def test_a_demo_recording_fills_every_page(app: AppTest, page: str, n_figures: int):
    visit(pick_demo(app), page)
    assert not app.exception
    assert not app.error
    assert NOTICE in texts(app)
    assert len(figures(app)) == n_figures


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_an_upload_fills_every_page(app: AppTest, page: str):
    visit(send(app, ("holter 12.csv", csv())), page)
    assert not app.exception
    assert not app.error
    assert NOTICE in texts(app)
    if page == "record":
        assert "holter" not in json.dumps(figures(app))
        assert "record-" in figures(app)[0]["layout"]["annotations"][-2]["text"]


@pytest.mark.parametrize("page", PAGES)
def test_a_refused_upload_is_one_sentence_and_no_figure(app: AppTest, page: str):
    visit(send(app, ("ecg.csv", csv(rate=""))), page)
    assert not app.exception
    assert NOTICE in texts(app)
    if page != "models":
        (error,) = app.error
        assert "rate" in unescaped(error.value)
        assert not figures(app)


@pytest.mark.slow
def test_what_the_file_does_not_say_can_be_typed(app: AppTest):
    send(app, ("ecg.csv", csv(rate="")))
    app.number_input(key="fs").set_value(250.0)
    app.number_input(key="age").set_value(71)
    app.selectbox(key="sex").set_value("female").run()
    assert not app.error
    header = figures(app)[0]["layout"]["annotations"][-2]["text"]
    assert "71 years" in header
    assert "female" in header
    assert "entered" in unescaped(texts(app))


def test_a_header_without_its_signal_file_is_refused(app: AppTest):
    send(app, ("a.hea", b"a 1 500 5000\na.dat 16 1000/mV 16 0 0 0 0 II\n"))
    (error,) = app.error
    assert "a.dat" in unescaped(error.value)


def test_two_leads_are_shown_but_refused_where_a_network_is_asked(app: AppTest):
    send(app, ("two.csv", csv(leads=("II", "V1"))))
    assert not app.error
    assert len(figures(app)) == 1
    app.switch_page("pages/attributions.py").run()
    (error,) = app.error
    assert "V2" in error.value
    assert not figures(app)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["decomposition", "saliency", "attention_channel", "attention_rhythm"])
@pytest.mark.parametrize("page", ["attributions", "criteria"])
def test_every_kind_of_map_has_its_page(app: AppTest, method: str, page: str):
    pick_demo(app)
    app.selectbox(key="method").set_value(method).run()
    visit(app, page)
    assert not app.exception
    assert not app.error
    assert figures(app)


def test_without_a_model_the_record_is_shown_and_the_others_say_what_to_do(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(checkpoint, "shipped", lambda name: tmp_path)
    pick_demo(app)
    assert len(figures(app)) == 1
    for page in PAGES[1:]:
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        (info,) = app.info
        assert info.value.startswith("No trained model is installed")


def test_a_damaged_model_is_refused_in_a_sentence(app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "model.json").write_text("{}")
    monkeypatch.setattr(checkpoint, "shipped", lambda name: tmp_path)
    app.run()
    app.selectbox(key="model").set_value("broken").run()
    pick_demo(app).switch_page("pages/criteria.py").run()
    (error,) = app.error
    assert "broken" in error.value
    assert not app.exception


def test_the_label_with_the_highest_probability_comes_first(app: AppTest):
    pick_demo(app)
    (label,) = [box for box in app.selectbox if box.label == "Label"]
    shares = [float(option.split("  ")[1].split(" %")[0]) for option in label.options]
    assert label.index == int(np.argmax(shares))


def test_an_upload_stays_in_the_session_that_sent_it(app: AppTest):
    send(app, ("mine.csv", csv()))
    assert len(figures(app)) == 1
    other = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240).run()
    other.segmented_control(key="source").set_value("Upload").run()
    assert not figures(other)
    assert len(other.info) == 1


def test_a_model_serves_one_session_at_a_time(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    held = []

    def spy(record, network, label, method):
        held.append(state._lock(network.digest).locked())
        return pipeline.analyse(record, network, label, method)

    monkeypatch.setattr(state, "analyse", spy)
    visit(pick_demo(app), "criteria")
    assert held == [True]


def test_a_case_is_computed_once_and_again_for_another_method(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    computed = []

    def spy(record, network, label, method):
        computed.append(method)
        return pipeline.analyse(record, network, label, method)

    monkeypatch.setattr(state, "analyse", spy)
    for page in ("attributions", "criteria", "models", "criteria"):
        visit(pick_demo(app) if page == "attributions" else app, page)
    app.selectbox(key="method").set_value("saliency").run()
    assert computed == ["input_x_gradient", "saliency"]


def test_text_from_elsewhere_is_shown_letter_by_letter():
    hostile = "![x](http://evil.example/a.png) <b>:red[now]</b> $x$ `y` *z*"
    shown = widgets.plain(hostile)
    assert unescaped(shown) == hostile
    for mark in "![]()<>:$`*":
        assert f"\\{mark}" in shown
        assert shown.count(mark) == shown.count(f"\\{mark}")


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_thin(page: str):
    source = (ROOT / "pages" / f"{page}.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree)
    assert len(source.splitlines()) <= 80
    assert "session_state" not in source
    assert "unsafe_allow_html" not in source
    for node in ast.walk(tree):
        assert not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= {"streamlit", "ecgviz"}
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] in {"streamlit", "ecgviz"}


def test_every_page_file_is_tested_and_in_the_navigation():
    files = {path.stem for path in (ROOT / "pages").glob("*.py")}
    assert files == set(PAGES)
    frame = (ROOT / "app.py").read_text(encoding="utf-8")
    for page in PAGES:
        assert f'"{page}.py"' in frame


def test_only_state_touches_the_session_and_the_caches():
    for path in [ROOT / "app.py", *(ROOT / "ecgviz").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        source = path.read_text(encoding="utf-8")
        if path != ROOT / "ecgviz" / "ui" / "state.py":
            assert "session_state" not in source, path
            assert "cache_" not in source or "st.cache_" not in source, path
