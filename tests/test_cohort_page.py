"""The Cohort page: every view of a store whose answer is known, sorted and paged by the store itself."""

import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import on_page
import pandas as pd
import plotly.graph_objects as go
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ecgviz import NOTICE
from ecgviz.checkpoint import load_model
from ecgviz.cli.dashboard import COHORTS
from ecgviz.cohort import Cohort
from ecgviz.cohort.files import opened_to_write, write_records, write_rows
from ecgviz.cohort.question import Question
from ecgviz.cohort.schema import LEADS
from ecgviz.cohort.settings import Settings
from ecgviz.figures import cohort as figures
from ecgviz.figures import exported
from ecgviz.records import load_record
from ecgviz.types import ATOMS
from ecgviz.ui import cohort as page
from ecgviz.ui import cohort_records, cohort_views
from ecgviz.ui.state import cohort as kept

ROOT = Path(__file__).resolve().parents[1]
N = 250
V1, QRS = LEADS.index("V1"), ATOMS.index("QRSm")
ENDS = ("", "_low", "_high")
ANOTHER_RATE = "of 100 Hz where the one that opens has 500 Hz"


def row(k: int, held: float) -> dict[str, object]:
    """Return a row in which so much of the map lies on the QRS complex of V1, where the guideline points."""
    cells = np.full((12, 9), (1 - held) / 107)
    cells[V1, QRS] = held
    region = np.zeros((12, 9))
    region[V1, QRS] = 1
    finding = {
        "criterion": "CLBBB",
        "definition": "made up",
        "state": "met",
        "share": held,
        "area": 0.01,
        "controls": [{"name": "|x|", "share": 0.1}],
    }
    return {
        **{"record": "demo:lbbb" if k == 7 else f"r{k:03d}", "label": "CLBBB", "logit": float(k), "probability": k / N},
        **{"called": True, "stated": k % 2 == 0, "correct": k % 2 == 0, "pos": cells.ravel(), "neg": np.zeros(108)},
        **{"atom_s": np.ones(9), "by_lead": cells.sum(axis=1), "by_atom": cells.sum(axis=0), "region": region.ravel()},
        **{
            "evidence": "agrees",
            "share": held,
            "area": 0.01,
            "excess": held - 0.1,
            "p_time": 0.01,
            "findings": [finding],
        },
        "controls": [{"name": "|x|", "share": 0.1}],
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores") / "planted"
    asked = [Settings("first", "0" * 64, method, {}, 1, 2, 0) for method in ("input_x_gradient", "saliency")]
    asked.append(Settings("second", "1" * 64, "input_x_gradient", {}, 1, 2, 0))
    with opened_to_write(folder, asked):
        records = [
            {"record": row(k, 0.5)["record"], "patient": f"p{k}", "sex": "female", "age_years": 50.0} for k in range(N)
        ]
        write_records(folder, records)
        for settings, held in zip(asked, (0.6, 0.3, 0.05), strict=True):
            rng = np.random.default_rng(0)
            write_rows(folder, settings, [row(k, held + 0.04 * rng.uniform(-1, 1)) for k in range(N)])
    return folder


@pytest.fixture
def app(store: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv(COHORTS, str(store))
    st.cache_data.clear()
    st.cache_resource.clear()
    return opened()


def opened() -> AppTest:
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run().switch_page("pages/cohort.py").run()


def charts(app: AppTest) -> list[dict]:
    return on_page.figures(app)


def show(app: AppTest, view: str) -> AppTest:
    app.segmented_control(key="cohort view").set_value(view).run()
    assert not app.exception
    assert not app.error
    return app


def test_the_variable_of_the_server_is_the_one_that_the_page_reads() -> None:
    assert kept.COHORTS == COHORTS


def test_networks_stand_beside_the_guideline_with_intervals(app: AppTest) -> None:
    assert not app.exception
    assert NOTICE in app.main.markdown[0].value
    guideline, first, second, excess = charts(app)
    assert guideline["layout"]["meta"]["alt"].endswith("250 records, most often V1 QRS")
    assert "largest cell V1 QRS with 61 %" in first["layout"]["meta"]["alt"]
    assert "second" in second["layout"]["meta"]["alt"]
    assert len(first["layout"]["shapes"]) == 1
    assert "first (n 250) +50." in excess["layout"]["meta"]["alt"]
    assert "second (n 250) -4." in excess["layout"]["meta"]["alt"]
    table = app.dataframe[0].value
    assert table["above it"].tolist() == pytest.approx([0.5, -0.05], abs=0.005)


@pytest.mark.parametrize("view", list(page.VIEWS))
def test_every_view_is_drawn(app: AppTest, view: str) -> None:
    show(app, view)
    assert charts(app) or app.dataframe


def test_records_are_sorted_and_paged_by_the_store(app: AppTest) -> None:
    show(app, "Records")
    app.selectbox(key="cohort sort").set_value("probability").run()
    (table,) = app.dataframe
    assert len(table.value) == 100
    assert table.value.record.iloc[0] == f"r{N - 1:03d}"
    app.number_input(key="cohort page 3").set_value(3).run()
    (table,) = app.dataframe
    assert len(table.value) == N - 200
    assert table.value.record.iloc[-1] == "r000"
    app.segmented_control(key="cohort order").set_value("smallest first").run()
    assert app.dataframe[0].value.record.iloc[-1] == f"r{N - 1:03d}"
    assert app.button(key="open cohort record").disabled


@pytest.mark.parametrize(("same_file", "same_network"), [(True, True), (False, True), (True, False), (False, False)])
def test_a_row_of_another_file_or_network_is_told_where_it_is_opened(
    same_file: bool, same_network: bool, tmp_path: Path
) -> None:
    key = load_record("demo:lbbb").key if same_file else "0" * 64
    digest = load_model("resnet1d").digest if same_network else "0" * 64
    settings = Settings("resnet1d", digest, "input_x_gradient", {}, 1, 2, 0)
    with opened_to_write(tmp_path / "store", [settings]):
        write_records(tmp_path / "store", [{"record": "demo:lbbb", "patient": "p", "record_key": key, "fs": 100.0}])
        write_rows(tmp_path / "store", settings, [row(7, 0.6)])
    question = Question("resnet1d", "input_x_gradient", "CLBBB")
    told = list(cohort_records._differs(Cohort(tmp_path / "store"), str(tmp_path), "demo:lbbb", question))
    assert [sentence.split(":")[0] for sentence in told] == [
        *([] if same_file else [f"The row was worked out from another file of this recording, {ANOTHER_RATE}"]),
        *([] if same_network else ["The row was worked out by another resnet1d"]),
    ]


def test_published_findings_tell_the_records_that_they_take(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hundred of highest output, whichever records were chosen above."""
    told: dict[str, Mapping[str, str]] = {}
    monkeypatch.setattr(cohort_views.widgets, "draw", lambda figure, table, key, *, shows: told.update({key: shows}))
    app.selectbox(key="cohort which").set_value("wrong").run()
    show(app, "Published findings")
    assert {shows["records"] for key, shows in told.items() if key.startswith("cohort density")} == {"all"}
    assert any("whatever was chosen as records above" in each.value for each in app.markdown)


def test_a_group_narrows_the_records(app: AppTest) -> None:
    app.selectbox(key="cohort by").set_value("prediction").run()
    assert app.dataframe[0].value.records.tolist() == [125, 125, 125, 125]
    app.selectbox(key="cohort only prediction").set_value("called rightly").run()
    assert app.dataframe[0].value.records.tolist() == [125, 125]


def test_the_maps_of_two_methods_part_where_they_were_made_to(app: AppTest) -> None:
    show(app, "Methods apart")
    (chart,) = charts(app)
    assert "largest at V1, +" in chart["layout"]["meta"]["alt"] or "largest at QRS, +" in chart["layout"]["meta"]["alt"]
    assert any("of both maps lie on the same leads and waves" in each.value for each in app.markdown)


def test_what_is_no_store_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COHORTS, os.pathsep.join([str(tmp_path), str(tmp_path)]))
    assert list(kept.stores()) == [tmp_path.name, f"{tmp_path.name} (2)"]
    st.cache_resource.clear()
    app = opened()
    (error,) = app.error
    assert "is no store of a cohort" in error.value.replace("\\", "")


def test_figures_say_what_they_hold() -> None:
    table = pd.DataFrame({"n": [5], "excess": [0.2], "excess_low": [0.1], "excess_high": [0.3]})
    drawn = figures.excess_figure(table, ["a <b>"], title="t").data[0]
    assert list(drawn.y) == ["a &lt;b&gt; (n 5)"]
    np.testing.assert_allclose([drawn.x[0], drawn.error_x.array[0], drawn.error_x.arrayminus[0]], [20, 10, 10])
    guideline = np.zeros((12, 9))
    guideline[V1, QRS] = 0.7
    assert figures.pointed_at(guideline).sum() == 1
    assert figures.guideline_by_wave(guideline)[V1, 2] == 0.7
    many = figures.cluster_figure(np.zeros((5000, 2)), [0] * 5000, ["r"] * 5000, 0.5, title="t")
    assert len(many.data[0].x) <= figures.MOST_POINTS
    empty = figures.share_figure(np.full(3, np.nan), np.full(3, np.nan), title="t")
    assert "0 records" in empty.layout.meta["alt"]


def test_shares_are_counted_in_bars_of_two_and_a_half_percent() -> None:
    share = np.array([0.0, 0.024, 0.4, 0.41, 1.0, np.nan])
    control, share = figures.share_figure(share, np.full(6, 0.06), title="t").data
    assert (share.name, control.name) == ("the map", "best control")
    counted = {float(at): int(n) for at, n in zip(share.x, share.y, strict=True) if n}
    assert counted == {1.25: 2, 41.25: 2, 98.75: 1}
    assert {float(at): int(n) for at, n in zip(control.x, control.y, strict=True) if n} == {6.25: 5}


def drawn_and_told() -> dict[str, tuple[go.Figure, pd.DataFrame]]:
    """Return each figure of a cohort with the table beside it; ends of intervals are 10 and 30 points."""
    ends = {"low": [0.1, -0.1], "high": [0.3, 0.2]}
    excess = pd.DataFrame({"n": [5, 6], "excess": [0.2, 0.0], "excess_low": ends["low"], "excess_high": ends["high"]})
    parted = pd.DataFrame(
        {"place": ["V1", "QRS"], "difference": [0.2, 0.0], "clear": [True, False]}
        | {"difference_low": ends["low"], "difference_high": ends["high"]}
    )
    shares = pd.DataFrame({"share": [0.3, 0.31, 0.9], "control": [0.1, 0.2, 0.05]})
    places = np.arange(20.0).reshape(10, 2)
    return {
        "guideline": (figures.guideline_figure(np.full((12, 9), 0.3), 4, title="t"), pd.DataFrame({"V1": [0.3]})),
        "excess": (figures.excess_figure(excess, ["a", "b"], title="t"), excess),
        "share": (figures.share_figure(*shares.to_numpy().T, title="t"), shares),
        "parted": (figures.parted_figure(parted, "a", "b", title="t"), parted),
        "cluster": (figures.cluster_figure(places, [0, 1] * 5, ["r"] * 10, 0.5, title="t"), pd.DataFrame(places)),
    }


@pytest.mark.parametrize("name", ["guideline", "excess", "share", "parted", "cluster"])
def test_every_figure_of_a_cohort_leaves_as_svg_png_and_csv(name: str) -> None:
    figure, table = drawn_and_told()[name]
    told = {"figure": name, "notice": NOTICE}
    text = "".join(ElementTree.fromstring(exported.svg(figure, told)).itertext())
    assert NOTICE in text
    assert all(trace.name in text for trace in figure.data if figure.layout.showlegend)
    assert exported.png(figure, told).startswith(b"\x89PNG")
    read = pd.read_csv(io.StringIO(exported.csv_text(table, told)), comment="#")
    assert read.shape == table.shape


def test_a_figure_of_no_record_leaves_too() -> None:
    none = np.full(3, np.nan)
    parted = pd.DataFrame({"place": ["V1"], "clear": [False]} | {f"difference{end}": [np.nan] for end in ENDS})
    for figure in (figures.share_figure(none, none, title="t"), figures.parted_figure(parted, "a", "b", title="t")):
        assert "<svg" in exported.svg(figure, {"figure": "none"})


def lines(svg: str, colour: str) -> list[np.ndarray]:
    """Return the ends of each straight line of a colour in a file, (2, 2)."""
    found = []
    for path in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path"):
        points = re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", str(path.get("d")))
        if len(points) == 2 and f"stroke: {colour}" in str(path.get("style")):
            found.append(np.array(points, dtype=float))
    return found


@pytest.mark.parametrize(("name", "along"), [("excess", 0), ("parted", 1)])
def test_the_intervals_and_what_is_filled_are_in_the_file(name: str, along: int) -> None:
    svg = exported.svg(drawn_and_told()[name][0], {"figure": name})
    first, second = (np.ptp(line, axis=0) for line in lines(svg, figures.style.ACCENT))
    assert first[1 - along] == second[1 - along] == 0
    assert first[along] / second[along] == pytest.approx(20 / 30, abs=0.01)
    faces = re.findall(r"<use [^>]*style=\"fill: (#\w+); stroke: #1f4e79", svg)
    assert faces == (["#1f4e79"] * 2 if name == "excess" else ["#1f4e79", "#ffffff"])


def test_records_of_a_kind_that_there_are_none_of_are_said_so(app: AppTest) -> None:
    app.selectbox(key="cohort which").set_value("missed").run()
    assert not app.exception
    assert any("no such record" in each.value for each in app.info)


def test_records_that_are_none_have_a_sentence_and_no_empty_charts(app: AppTest) -> None:
    app.selectbox(key="cohort which").set_value("missed").run()
    show(app, "Distributions")
    assert not charts(app)
    assert [each.value.replace("\\", "") for each in app.info] == [
        f"{model}: no such record. Choose other records above." for model in ("first", "second")
    ]


@pytest.mark.parametrize("view", page.VIEWS)
def test_without_a_record_no_view_speaks_of_maps_that_are_too_few(app: AppTest, view: str) -> None:
    app.selectbox(key="cohort which").set_value("missed").run()
    show(app, view)
    assert not any("too few" in each.value for each in app.info)


def test_of_no_records_there_are_no_clusters_and_a_sentence_says_so(app: AppTest) -> None:
    app.selectbox(key="cohort which").set_value("missed").run()
    show(app, "Clusters")
    assert not charts(app)
    assert [each.value.replace("\\", "") for each in app.info] == ["first: no such record. Choose other records above."]
    assert not app.slider


def test_matrices_side_by_side_have_each_lead_in_one_row_and_titles_in_short_lines(app: AppTest) -> None:
    place, *maps = [each["layout"] for each in charts(app)[:3]]
    assert place["title"]["text"] == "Guideline for CLBBB,<br>% of 250 records"
    assert [each["title"]["text"] for each in maps] == [
        f"{model}, % of mass,<br>250 records" for model in ("first", "second")
    ]
    for each in maps:
        assert (each["height"], each["margin"]["t"]) == (place["height"], place["margin"]["t"])
        assert each["margin"].get("b") == place["margin"].get("b")


def test_criteria_stand_under_names_that_a_reader_knows(app: AppTest) -> None:
    show(app, "Criteria")
    found = app.dataframe[0].value
    assert not [name for name in found.columns if "_" in name]
    assert {"best control", "above it", "above, from", "above, to", "used"} <= set(found.columns)


@pytest.mark.parametrize(("n", "step"), [(1, 1), (5, 1), (6, None)])
def test_few_records_are_counted_in_whole_records(n: int, step: int | None) -> None:
    figure = figures.share_figure(np.full(n, 0.3), np.full(n, 0.6), title="m")
    assert figure.layout.yaxis.dtick == step


def test_the_method_shown_first_has_maps_of_leads_and_waves_of_most_networks() -> None:
    held = {
        ("a", "attention_rhythm"): ("MI",),
        ("a", "input_x_gradient"): ("MI",),
        ("b", "attention_rhythm"): ("MI",),
        ("b", "input_x_gradient"): ("MI",),
        ("b", "saliency"): ("MI",),
    }
    whole = {("a", "input_x_gradient"), ("b", "input_x_gradient"), ("b", "saliency")}
    assert page.methods_of(["a", "b"], held, whole) == ["input_x_gradient", "attention_rhythm"]
    assert page.methods_of(["a", "b"], held, set()) == ["attention_rhythm", "input_x_gradient"]
    assert page.methods_of(["b"], held, whole) == ["input_x_gradient", "saliency", "attention_rhythm"]


def parting(folder: Path, pointed: dict[str, bool], called: dict[str, set[int]]) -> Path:
    """Make a store of networks that call different records; the guideline points where ``pointed`` says so."""
    asked = {model: Settings(model, "0" * 64, "saliency", {}, 1, 2, 0) for model in called}
    with opened_to_write(folder, list(asked.values())):
        write_records(folder, [{"record": f"r{k:03d}", "patient": f"p{k}"} for k in range(8, 20)])
        for model, settings in asked.items():
            rows = [row(k, 0.5) | {"called": k in called[model]} for k in range(8, 20)]
            nowhere = {"region": None, "share": None, "excess": None, "findings": []}
            write_rows(folder, settings, [each | ({} if pointed[model] else nowhere) for each in rows])
    return folder


@pytest.mark.parametrize(
    ("pointed", "called", "title"),
    [
        ((False, True), (range(8, 11), range(11, 18)), "Guideline for CLBBB, %,<br>7 records of later"),
        ((True, True), ((), range(11, 18)), "Guideline for CLBBB, %,<br>7 records of later"),
        ((True, True), (range(8, 11), range(11, 14)), "Guideline for CLBBB, %,<br>3 records of early"),
        ((True, True), (range(8, 11), range(8, 11)), "Guideline for CLBBB,<br>% of 3 records"),
        ((False, False), (range(8, 11), range(11, 18)), None),
    ],
)
def test_the_guideline_is_of_the_first_network_on_whose_records_it_points_somewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pointed: tuple[bool, bool], called: tuple, title: str | None
) -> None:
    names = ("early", "later")
    some = {name: set(each) for name, each in zip(names, called, strict=True)}
    store = parting(tmp_path / "store", dict(zip(names, pointed, strict=True)), some)
    monkeypatch.setenv(COHORTS, str(store))
    st.cache_data.clear()
    st.cache_resource.clear()
    app = opened()
    assert not app.exception
    drawn = [each["layout"]["title"]["text"] for each in charts(app)]
    assert [each for each in drawn if each.startswith("Guideline")] == ([] if title is None else [title])
    assert any("points nowhere: on none" in each.value for each in app.info) == (title is None)
