"""Every page in every state that a reader can bring it to, and the rules that keep pages thin."""

import ast
import io
import json
import pickle
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import on_page
import pytest
from streamlit.testing.v1 import AppTest

from ecgviz import NOTICE, checkpoint, pipeline, registry
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.ui import method_words, state, terms, wording
from ecgviz.ui.state import networks

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    "recordings",
    "record",
    "beats",
    "attention",
    "attributions",
    "criteria",
    "guideline_library",
    "what_if",
    "compare",
    "report",
    "glossary",
    "validation",
    "teaching",
    "reader_study",
    "models",
    "cohort",
)
LABELS = ("CD", "HYP", "MI", "NORM", "STTC")


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
    return on_page.figures(app)


def unescaped(text: str) -> str:
    return text.replace("\\", "")


@pytest.mark.parametrize("page", PAGES)
def test_without_a_recording_a_page_says_what_to_do(app: AppTest, page: str):
    visit(app, page)
    assert not app.exception
    assert NOTICE in texts(app)
    if page == "models":
        assert "Not trained; for tests." in texts(app)
    elif page == "guideline_library":
        assert "awaiting review by a cardiologist" in texts(app)
        assert figures(app)
    elif page == "glossary":
        assert "Integrated gradients" in set(app.table[0].value["term"])
    elif page == "recordings":
        assert [element.value for element in app.info] == [
            "Only the demos are listed. Start with `ecgviz app --data DIR` to list a folder of your own here too."
        ]
    elif page == "reader_study":
        assert "`ecgviz app --studies studies` opens the folder on this page" in texts(app)
        assert not figures(app)
    elif page == "teaching":
        assert "Which cases?" in texts(app)
        assert not app.info
    elif page == "cohort":
        assert "`ecgviz app --cohort STORE` opens what it found here" in texts(app)
        assert not figures(app)
    elif page == "validation":
        assert "`ecgviz validate explanations --model random_weights --out DIR` makes one" in texts(app)
    else:
        assert [element.value for element in app.info] == [
            "Choose a demo recording on the left, or upload your own: a .hea with its .dat, a CSV or an NPZ file."
        ]
        assert not figures(app)


@pytest.mark.parametrize(
    ("page", "n_figures"), list(zip(PAGES, (0, 1, 2, 4, 6, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0), strict=True))
)
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
    if page not in (
        "models",
        "validation",
        "teaching",
        "reader_study",
        "recordings",
        "guideline_library",
        "cohort",
        "glossary",
    ):
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


def test_two_files_of_one_name_are_refused(app: AppTest):
    send(app, ("ecg.csv", csv()), ("ecg.csv", csv(rate="# fs: 500\n")))
    (error,) = app.error
    assert unescaped(error.value).startswith("'ecg.csv' was sent more than once")
    assert not figures(app)


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
    monkeypatch.setattr(registry, "models_folder", lambda: tmp_path)
    pick_demo(app)
    assert len(figures(app)) == 1
    assert len(figures(visit(app, "beats"))) == 2
    for page in ("attention", "attributions", "criteria", "compare", "validation", "models"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        (info,) = app.info
        assert info.value.startswith("No trained model is installed")


def test_a_damaged_model_is_refused_in_a_sentence(app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "model.json").write_text("{}")
    monkeypatch.setattr(registry, "models_folder", lambda: tmp_path)
    app.run()
    app.selectbox(key="model").set_value("broken").run()
    pick_demo(app).switch_page("pages/criteria.py").run()
    (error,) = app.error
    assert "broken" in error.value
    assert not app.exception


SHIPPED = checkpoint.available_models()


@pytest.fixture(scope="module")
def shipped_app() -> AppTest:
    """Open the app with the models that are really there; tests that use it leave any page and any choice behind."""
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=240).run()


def pick_model(app: AppTest, name: str, demo: str = "inferior_stemi") -> AppTest:
    app.selectbox(key="model").set_value(name).run()
    return pick_demo(app, demo)


def test_the_app_starts_with_the_model_that_shows_all_levels(shipped_app: AppTest):
    assert shipped_app.selectbox(key="model").value == "imle_net"


@pytest.mark.parametrize("name", SHIPPED)
def test_attention_shows_what_each_model_has_and_says_what_it_has_not(shipped_app: AppTest, name: str):
    net = checkpoint.load_model(name).net
    app = visit(pick_model(shipped_app, name), "attention")
    assert not app.exception
    assert not app.error
    said = unescaped(texts(app))
    for level, exposes in net.exposes.items():
        assert f"**{level.capitalize()} level.** {exposes[0].upper()}{exposes[1:]}" in said
    own = [level for level in ("beat", "rhythm", "channel") if level in net.levels]
    assert len(figures(app)) == len(own) + bool(net.levels)
    pickers = [each.options for each in app.segmented_control if each.label == "Level behind the trace"]
    assert [set(options) for options in pickers] == ([set(net.levels)] if net.levels else [])
    assert ("shows no attention" in said) == (not net.levels)


def test_behind_the_attention_stands_the_whole_tracing(shipped_app: AppTest):
    def traces(page: str) -> list[object]:
        shipped_app.switch_page(f"pages/{page}.py").run()
        return [each.get("y") for each in figures(shipped_app)[0]["data"] if each["type"] != "heatmap"]

    pick_model(shipped_app, "imle_net")
    assert traces("attention") == traces("record")


@pytest.mark.parametrize("name", SHIPPED)
def test_only_methods_that_a_model_can_answer_are_offered(shipped_app: AppTest, name: str):
    model = checkpoint.load_model(name)
    app = pick_model(shipped_app, name)
    offered = app.selectbox(key="method").options
    assert {text for text in offered if text.startswith("Attention, ")} == {
        method_words.method_name(f"attention_{level}") for level in model.net.levels
    }
    assert ("Attention x gradient" in offered) == bool(model.net.levels)
    assert ("Attention rollout" in offered) == (name == "ecg_mamba")
    assert ("Exact decomposition" in offered) == hasattr(model.net, "decompose")
    assert "Saliency" in offered


def test_a_method_that_the_next_model_cannot_answer_is_let_go(shipped_app: AppTest):
    app = pick_model(shipped_app, "imle_net")
    app.selectbox(key="method").set_value("decomposition").run()
    app.selectbox(key="model").set_value("resnet1d").run()
    assert app.selectbox(key="method").value == "input_x_gradient"
    assert not visit(app, "attributions").error


@pytest.mark.parametrize("name", SHIPPED)
def test_explanation_and_card_of_each_model(shipped_app: AppTest, name: str):
    app = visit(pick_model(shipped_app, name), "attributions")
    assert not app.exception
    assert not app.error
    assert len(figures(app)) == 6
    visit(app, "models")
    assert not app.exception
    model = checkpoint.load_model(name)
    assert model.card.strip() in [element.value.strip() for element in app.markdown]
    (curve,) = figures(app)
    assert {line["name"] for line in curve["data"]} == set(model.training["curve"])


@pytest.mark.parametrize("label", ["STACH", "SBRAD"])
def test_a_rate_has_criteria_and_no_place_to_look_at(shipped_app: AppTest, label: str):
    app = visit(pick_model(shipped_app, "imle_net", "pvc"), "criteria")
    (picker,) = [box for box in app.selectbox if box.label == "Label"]
    picker.set_value(label).run()
    assert not app.exception
    met, _, evidence = [element.value for element in app.metric][1:]
    assert met.startswith("0 of ")
    assert evidence == "not assessable"


def test_a_prediction_stands_beside_how_often_such_a_score_was_right(shipped_app: AppTest):
    app = pick_model(shipped_app, "imle_net", "pvc").switch_page("pages/record.py").run()
    (shown,) = [each.value for each in app.table if "called" in each.value.columns]
    model = checkpoint.load_model("imle_net")
    record = load_record("demo:pvc")
    prediction = state.prediction(record, model)
    assert list(shown["label"]) == [each for each in model.labels if each in LABELS or prediction.positive(each)]
    assert shown["stands for"][shown["label"] == "PVC"].item() == "ventricular premature complex"
    rate = checkpoint.past_rate(model, "PVC", prediction.probability("PVC"))
    said = shown["had it, of records scored alike"][shown["label"] == "PVC"].item()
    assert rate is not None
    assert f"n = {rate.n} " in said
    assert f"{100 * rate.rate:.0f} % of" in said
    assert "(out of fold: scored by networks that had not learnt from them)" in unescaped(texts(app))


def test_a_model_without_past_scores_says_so(app: AppTest):
    pick_demo(app)
    assert "how often a score like these is right is not known" in unescaped(texts(app))
    (shown,) = [each.value for each in app.table if "called" in each.value.columns]
    assert set(shown["had it, of records scored alike"]) == {"–"}


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


def test_a_model_serves_one_session_at_a_time(nothing_cached: None, app: AppTest, monkeypatch: pytest.MonkeyPatch):
    held = []

    def spy(record, network, label, method, *, beats):
        held.append(networks._lock(network.digest).locked())
        return pipeline.analyse(record, network, label, method, beats=beats)

    monkeypatch.setattr(networks, "analyse", spy)
    visit(pick_demo(app), "criteria")
    assert held == [True]


def test_a_case_is_computed_once_and_again_for_another_method(
    nothing_cached: None, app: AppTest, monkeypatch: pytest.MonkeyPatch
):
    computed = []

    def spy(record, network, label, method, *, beats):
        computed.append(method)
        return pipeline.analyse(record, network, label, method, beats=beats)

    monkeypatch.setattr(networks, "analyse", spy)
    for page in ("attributions", "criteria", "models", "criteria"):
        visit(pick_demo(app) if page == "attributions" else app, page)
    app.selectbox(key="method").set_value("saliency").run()
    assert computed == ["input_x_gradient", "saliency"]


def table(app: AppTest, column: str) -> dict[str, str]:
    """Return the first table of the page that has a column, as its first column to that column."""
    found = next(each.value for each in app.table if column in each.value.columns)
    return dict(zip(found[found.columns[0]], found[column], strict=True))


def change_marks(app: AppTest, rows: dict[int, dict[str, object]]) -> AppTest:
    """Type into the table of the Beats page, rows from 0, and apply."""
    (editor,) = app.data_editor
    app.session_state[editor.key] = {"edited_rows": rows, "added_rows": [], "deleted_rows": []}
    (apply,) = [button for button in app.button if button.label == "Apply the changes"]
    return apply.click().run()


def marks_of(app: AppTest):
    return app.data_editor[0].value


def test_a_moved_mark_changes_the_measurements_of_every_page_and_is_told_there(app: AppTest):
    visit(pick_demo(app, "normal"), "beats")
    before = table(app, "value")
    marks = marks_of(app)
    change_marks(app, {row: {"qrs_on": float(at) - 0.012} for row, at in enumerate(marks["qrs_on"])})
    assert not app.exception
    assert not app.error
    after = table(app, "value")
    for name, by_ms in (("QRS duration", 12), ("PR interval", -12), ("QT interval", 12)):
        assert int(after[name].split()[0]) - int(before[name].split()[0]) == pytest.approx(by_ms, abs=1), name
    assert "beat 1: QRS onset moved from" in unescaped(texts(app))
    n = len(marks)
    for page in PAGES:
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        assert f"{n} marks were changed by a reader" in unescaped(texts(app)), page
    app.switch_page("pages/record.py").run()
    assert f"QRS {after['QRS duration']}" in figures(app)[0]["layout"]["annotations"][-2]["text"]


def test_changed_marks_are_recorded_in_the_case(nothing_cached: None, app: AppTest, monkeypatch: pytest.MonkeyPatch):
    cases = []

    def spy(record, network, label, method, *, beats):
        cases.append(pipeline.analyse(record, network, label, method, beats=beats))
        return cases[-1]

    monkeypatch.setattr(networks, "analyse", spy)
    visit(pick_demo(app, "normal"), "criteria")
    app.switch_page("pages/beats.py").run()
    at = float(marks_of(app)["t_off"][2])
    change_marks(app, {2: {"t_off": at - 0.02}, 4: {"kind": "unsure"}})
    app.switch_page("pages/criteria.py").run()
    automatic, changed = cases
    assert automatic.provenance["edited_marks"] == []
    assert len(changed.provenance["edited_marks"]) == 2
    assert tuple(changed.provenance["edited_marks"]) == changed.beats.edits
    assert changed.beats.t_off[2] == pytest.approx(at - 0.02)
    assert changed.beats.kind[4] == "unsure"


def test_the_commands_of_a_report_take_the_marks_that_a_reader_changed(app: AppTest):
    visit(pick_demo(app), "report")
    plain = next(each.value for each in app.code if each.value.startswith("ecgviz explain"))
    assert "--marks" not in plain
    app.switch_page("pages/beats.py").run()
    change_marks(app, {4: {"r": None}})
    app.switch_page("pages/report.py").run()
    changed = next(each.value for each in app.code if each.value.startswith("ecgviz explain"))
    marks = "demo-inferior_stemi-marks.csv"
    assert changed.splitlines()[0] == plain.splitlines()[0].replace(" --out case", f" --marks {marks} --out case")
    assert changed.splitlines()[1:] == plain.splitlines()[1:]
    assert f"download them on the Beats page, as {marks}" in unescaped(texts(app))


def test_an_impossible_mark_is_refused_in_a_sentence_and_nothing_changes(app: AppTest):
    visit(pick_demo(app, "normal"), "beats")
    before = table(app, "value")
    change_marks(app, {0: {"qrs_on": float(marks_of(app)["t_off"][0])}})
    (error,) = app.error
    assert unescaped(error.value).startswith("Not applied: beat 1: QRS onset at")
    assert "must come before R peak" in unescaped(error.value)
    assert table(app, "value") == before
    assert "changed by a reader" not in texts(app)


def test_reset_restores_the_automatic_marks(app: AppTest):
    visit(pick_demo(app, "normal"), "beats")
    before, marks = table(app, "value"), marks_of(app)
    change_marks(app, {row: {"p_on": None} for row in range(len(marks))})
    assert table(app, "value")["PR interval"] == "–"
    assert "its P wave was deleted by a reader" in unescaped(texts(app))
    app.button(key="reset marks").click().run()
    assert table(app, "value") == before
    assert marks_of(app).equals(marks)
    assert "changed by a reader" not in texts(app)
    assert app.button(key="reset marks").disabled


def test_changes_build_on_one_another_and_stay_with_their_recording_and_session(app: AppTest):
    visit(pick_demo(app, "normal"), "beats")
    marks = marks_of(app)
    change_marks(app, {1: {"p_on": float(marks["p_on"][1]) - 0.01}})
    change_marks(app, {0: {"r": None}})  # the table still counts the automatic beats
    assert "2 marks were changed" in unescaped(texts(app))
    assert len(marks_of(app)) == len(marks)
    assert "beat 1 (R peak at" in unescaped(texts(app))
    pick_demo(app, "lbbb")
    assert "changed by a reader" not in texts(app)
    pick_demo(app, "normal")
    assert "2 marks were changed" in unescaped(texts(app))
    other = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240).run()
    visit(pick_demo(other, "normal"), "beats")
    assert "changed by a reader" not in texts(other)


def test_when_every_beat_is_deleted_the_page_says_so_and_can_go_back(app: AppTest):
    visit(pick_demo(app, "normal"), "beats")
    change_marks(app, {row: {"r": None} for row in range(len(marks_of(app)))})
    assert not app.exception
    (warning,) = app.warning
    assert "all beats were deleted by a reader" in unescaped(warning.value)
    app.button(key="reset marks").click().run()
    assert len(figures(app)) == 2


def test_the_median_of_each_kind_of_beat_can_be_picked(app: AppTest):
    visit(pick_demo(app, "pvc"), "beats")
    assert "normal beats" in figures(app)[0]["layout"]["title"]["text"]
    (kind,) = [each for each in app.segmented_control if each.label == "Median of the beats of kind"]
    kind.set_value("premature_ventricular").run()
    assert "premature ventricular beats" in figures(app)[0]["layout"]["title"]["text"]
    assert "On the premature ventricular beats" in texts(app)


def test_the_strip_shows_the_lead_that_was_picked(app: AppTest):
    visit(pick_demo(app, "normal"), "beats")
    (lead,) = [box for box in app.selectbox if box.label == "Lead of the rhythm strip"]
    assert lead.value == "II"
    lead.set_value("V1").run()
    assert "Lead V1" in figures(app)[1]["layout"]["title"]["text"]


def test_text_from_elsewhere_is_shown_letter_by_letter():
    hostile = "![x](http://evil.example/a.png) <b>:red[now]</b> $x$ `y` *z*"
    shown = wording.plain(hostile)
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


def test_what_pages_keep_in_a_session_can_be_serialised(shipped_app: AppTest):
    """Streamlit's own check of this does not let through what Streamlit keeps for a component, which charts are."""
    pick_demo(shipped_app)
    for page in PAGES:
        app = visit(shipped_app, page)
        charts = {each.proto.id.split("-", 2)[2] for each in app.get("bidi_component")}
        kept = {key: value for key, value in app.session_state.items() if key not in charts}
        assert "demo" in kept, page
        for key, value in kept.items():
            assert pickle.dumps(value), (page, key)


def test_every_figure_is_drawn_by_the_one_script():
    for path in [ROOT / "app.py", *(ROOT / "ecgviz").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        assert "st.plotly_chart(" not in path.read_text(encoding="utf-8"), path


def test_only_state_touches_the_session_and_the_caches():
    for path in [ROOT / "app.py", *(ROOT / "ecgviz").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        source = path.read_text(encoding="utf-8")
        if path.parent != ROOT / "ecgviz" / "ui" / "state":
            assert "session_state" not in source, path
            assert "cache_" not in source or "st.cache_" not in source, path


def made_csv(signal: np.ndarray, fs: int = 250) -> bytes:
    """Return samples, (12, N) mV, as a CSV."""
    text = io.StringIO()
    np.savetxt(text, signal.T, delimiter=",", fmt="%.4f")
    return f"# fs: {fs}\n# unit: mV\n{','.join(STANDARD_LEADS)}\n{text.getvalue()}".encode()


def samples(seconds: float) -> np.ndarray:
    record = load_record("demo:normal")
    return np.array(record.select(STANDARD_LEADS).signal[:, :: round(record.fs / 250)][:, : round(250 * seconds)])


def test_criteria_hold_a_recording_that_the_network_cannot_read_against_the_rules(app: AppTest):
    visit(send(app, ("five.csv", made_csv(samples(5.0)))), "criteria")
    assert not app.exception
    assert not app.error
    (why,) = app.warning
    assert "there are 5 s, the network needs 10 s" in unescaped(why.value)
    (label,) = [box for box in app.selectbox if box.label == "Label"]
    assert tuple(label.options) == LABELS  # by name alone: there is no probability
    label.set_value("NORM").run()
    verdicts, rules = (each.value for each in app.table)
    assert list(verdicts.columns) == ["verdict", "published definition", "measured beside limit", "source"]
    assert "rate 6" in " ".join(rules["measured beside limit"])
    assert not figures(app)
    assert not app.metric


def test_a_report_without_a_network_says_why_there_is_none_and_where_the_rest_is(app: AppTest):
    visit(send(app, ("five.csv", made_csv(samples(5.0)))), "report")
    assert not app.exception
    (error,) = app.error
    assert "the network needs 10 s" in unescaped(error.value)
    assert "what published criteria make of it on the Criteria page" in unescaped(texts(app))
    assert not app.get("download_button")


def test_what_a_network_says_of_leads_that_cannot_be_read_is_said_beside_it(app: AppTest):
    send(app, ("noise.csv", made_csv(np.random.default_rng(0).normal(0, 0.3, (12, 2500)))))
    said = [unescaped(each.value) for each in app.warning]
    assert (
        "All 12 leads cannot be read: what a network says rests on these samples all the same, and may mean "
        "nothing." in said
    )
    assert any("probability" in each.value.columns for each in app.table)
    flat = samples(10.0)
    flat[[6, 7]] = 0.0
    send(app, ("flat.csv", made_csv(flat)))
    assert any(unescaped(each.value).startswith("Leads V1, V2 cannot be read:") for each in app.warning)


def test_a_recording_that_is_coarser_than_the_network_is_fed_says_so_beside_what_it_says(app: AppTest):
    said = "Upsampled from 50 Hz to the 100 Hz that the network is fed"
    send(app, ("coarse.csv", made_csv(samples(10.0)[:, ::5], fs=50)))
    assert said in unescaped(texts(app))
    send(app, ("fine.csv", made_csv(samples(10.0))))
    assert said not in unescaped(texts(app))


def test_of_good_leads_nothing_is_said_and_a_doubtful_one_is_a_note(app: AppTest):
    pick_demo(app, "normal")
    assert not app.warning
    assert "rests on these samples" not in unescaped(texts(app))
    held = samples(10.0)
    held[6, 500:800] = held[6, 500]
    send(app, ("held.csv", made_csv(held)))
    assert not app.warning
    assert "Lead V1 is doubtful: what a network says rests on these samples all the same, so read it with care." in (
        unescaped(texts(app))
    )


def test_a_sentence_starts_with_a_capital_and_leaves_names_as_they_are():
    for clause, said in (
        ("the network needs 10 s", "The network needs 10 s."),
        ("altered: ST segment shifted.", "Altered: ST segment shifted."),
        ("non-diagnostic T abnormalities", "Non-diagnostic T abnormalities."),
        ("ST depression", "ST depression."),
        ("", "."),
        ("record-eadb5591 lasts 5 s", "record-eadb5591 lasts 5 s."),
        ("record-deadbeef lasts 5 s", "record-deadbeef lasts 5 s."),
        ("demo:af: lead V1 is flat", "demo:af: lead V1 is flat."),
        ("imle_net has no label X", "imle_net has no label X."),
        ("resnet1d shows no attention", "resnet1d shows no attention."),
        ("aVR is missing", "aVR is missing."),
    ):
        assert wording.sentence(clause) == said


def test_a_refusal_beside_a_recording_names_it_by_its_id(app: AppTest):
    send(app, ("five.csv", made_csv(samples(5.0))))
    said = unescaped(texts(app))
    assert "record-" in said
    assert "Record-" not in said


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two methods of installed packages: one that can be used, and one whose package cannot be loaded."""
    monkeypatch.syspath_prepend(tmp_path)
    source = """
from dataclasses import replace
from ecgviz.explain import METHODS
theirs = replace(METHODS["saliency"], title="Slope of theirs", definition="where their slope is steep")
"""
    (tmp_path / "package_of_theirs.py").write_text(source, encoding="utf-8")
    points = [
        EntryPoint("theirs", "package_of_theirs:theirs", "ecgviz.methods"),
        EntryPoint("odd", "package_that_is_gone:method", "ecgviz.methods"),
    ]
    monkeypatch.setattr("ecgviz.registry.entry_points", lambda group: points if group == "ecgviz.methods" else [])


def test_a_method_of_an_installed_package_is_offered_by_its_title_and_opened_by_an_address(
    installed: None, app: AppTest
):
    for name, value in {"record": "demo:lbbb", "method": "theirs"}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert not app.warning
    picker = app.selectbox(key="method")
    assert picker.value == "theirs"
    assert "Slope of theirs" in picker.options
    said = unescaped(texts(app))
    assert "Where their slope is steep." in said
    assert "'odd' (ecgviz.methods) of the installed package package_that_is_gone cannot be loaded" in said
    assert figures(visit(app, "attributions"))
    assert not app.exception
    assert "Slope of theirs" in set(terms.table()["term"])


@pytest.mark.parametrize(
    ("page", "key"),
    [("glossary", "glossary kind"), ("validation", "score"), ("attributions", "by"), ("compare", "differs")],
)
def test_choices_in_part_of_a_page_go_on_in_a_second_line(shipped_app: AppTest, page: str, key: str):
    visit(pick_demo(shipped_app, "lbbb"), page)
    (choices,) = [each for each in shipped_app.button_group if each.key == key]
    assert choices.proto.wrap
    assert not [name for name in choices.options if "_" in name]
