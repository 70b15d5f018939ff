"""How a reader looks at a recording: paper, what the three levels follow, calipers; with a shipped model."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import on_page
import pytest
from streamlit.testing.v1 import AppTest

from ecgviz import figures
from ecgviz.evidence import evidence
from ecgviz.figures import style
from ecgviz.figures.focus import reduced, within
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.signal import condition
from ecgviz.types import WAVES, Explanation
from ecgviz.types.focus import Focus
from ecgviz.ui import chart, linked, state
from ecgviz.ui.state import looking
from tests.toys import even_beats

ROOT = Path(__file__).resolve().parents[1]
DEMO = "inferior_stemi"


@pytest.fixture(scope="module")
def app() -> AppTest:
    """Open the Attention page with a demo; tests leave any choice behind."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=240).run()
    app.selectbox(key="demo").set_value(DEMO).run()
    return app.switch_page("pages/attention.py").run()


@pytest.fixture
def key() -> str:
    return load_record(f"demo:{DEMO}").key


def drawn(app: AppTest) -> list[dict]:
    assert not app.exception
    return on_page.figures(app)


def named(figures: list[dict], start: str) -> dict:
    return next(each for each in figures if each["layout"].get("title", {}).get("text", "").startswith(start))


def labelled(elements, text: str):
    (found,) = [each for each in elements if each.label == text]
    return found


def follow(app: AppTest, **wanted) -> list[dict]:
    for box in app.selectbox:
        if box.label in ("Lead", "Beat", "Wave"):
            box.set_value(wanted.get(box.label.lower()))
    return drawn(app.run())


def test_a_beat_in_focus_is_framed_everywhere_and_the_other_levels_are_of_that_beat(app: AppTest):
    figures = follow(app, beat=4)
    paper, rhythm, channels, matrix = figures
    assert paper["layout"]["shapes"][-1]["path"].count("Z") > 1  # a frame in each strip that shows it
    assert rhythm["layout"]["shapes"][-1]["type"] == "rect"
    assert channels["layout"]["title"]["text"].endswith("of beat 4")
    assert matrix["layout"]["title"]["text"].endswith("of beat 4")
    told = [row[3] for row in next(each for each in channels["data"] if each.get("name") == "pick")["customdata"]]
    assert sum(float(each.removesuffix(" %")) for each in told) == pytest.approx(100.0, abs=0.06)  # 12 rounded ones
    follow(app)


def test_a_frame_comes_and_goes_over_the_same_paper_in_the_colour_that_the_reader_chose(app: AppTest):
    bare, framed = follow(app)[0], follow(app, lead="V2")[0]
    *below, frame = framed["layout"]["shapes"]
    assert below == bare["layout"]["shapes"]
    assert frame["path"].count("Z") == 1
    assert framed["data"] == bare["data"]
    app.toggle(key="contrast").set_value(True)
    darker = drawn(app.run())[0]["layout"]["shapes"][-1]
    assert darker["path"] == frame["path"]
    assert darker["line"]["color"] != frame["line"]["color"]
    app.toggle(key="contrast").set_value(False)
    assert follow(app)[0]["layout"]["shapes"] == bare["layout"]["shapes"]


def test_a_figure_with_a_frame_over_it_leaves_the_one_without_as_it_was():
    record = load_record(f"demo:{DEMO}")
    bare = figures.paper(record)
    shapes = len(bare.layout.shapes)
    framed = style.with_shapes(bare, [{"type": "path", "path": "M0,0H1V1Z"}])
    assert len(framed.layout.shapes) == shapes + 1
    assert len(bare.layout.shapes) == shapes
    assert framed.data == bare.data


def test_a_lead_and_wave_in_focus_change_what_the_beats_are_shares_of(app: AppTest):
    whole = named(follow(app), "Rhythm")
    narrowed = named(follow(app, lead="II", wave="ST"), "Rhythm")
    assert "of lead II, ST" in narrowed["layout"]["title"]["text"]
    assert "of lead" not in whole["layout"]["title"]["text"]
    assert narrowed["data"][0]["y"] != whole["data"][0]["y"]
    record = load_record(f"demo:{DEMO}")
    network = state.model("imle_net")
    grid = state.attended(record, network, network.labels[0]).grids["joint"]
    st = grid.pos[grid.leads.index("II")][:, 5]
    picked = next(each for each in narrowed["data"] if each.get("name") == "pick")["customdata"]
    assert [row[4] for row in picked] == pytest.approx(list(100 * st / st.sum()))
    follow(app)


@pytest.mark.parametrize(
    ("has_leads", "has_time", "n_beats", "ends"),
    [
        (True, True, 10, ("of lead V3, ST", "of beat 8, ST", "of beat 8")),
        (False, True, 10, ("of ST", None, "of beat 8")),
        (True, False, 10, (None, "Share in each lead", None)),
        (True, True, 7, ("of lead V3, ST", "of ST", "lead and wave, %")),  # the beat in focus was deleted
    ],
)
def test_a_title_names_only_what_its_map_can_tell_apart(
    monkeypatch: pytest.MonkeyPatch, has_leads: bool, has_time: bool, n_beats: int, ends: tuple[str | None, ...]
):
    titles: dict[str, str] = {}
    monkeypatch.setattr(
        linked.widgets, "draw", lambda figure, _table, key, **_: titles.update({key: figure.layout.title.text})
    )
    monkeypatch.setattr(linked.drawing, "figure", lambda make, *given, **more: make(*given, **more))
    monkeypatch.setattr(linked.pointing, "focus", lambda _record: Focus(7, "V3", "ST"))
    monkeypatch.setattr(linked.pointing, "follow", lambda _record: {})
    record, beats = load_record(f"demo:{DEMO}"), even_beats(n_beats)
    leads, n_samples = STANDARD_LEADS if has_leads else (), 1000 if has_time else 1
    values = np.ones((len(leads) or 1, n_samples))
    grid = evidence(Explanation(values, 100.0, 0.0, leads, "MI", "input_x_gradient", True, 0.01), beats)
    linked.rhythm(record, grid, beats, what="Share", key="rhythm")
    linked.channels(record, grid, what="Share", key="channels")
    linked.matrix(record, grid, beats, what="Share", key="matrix")
    for key, end in zip(("rhythm", "channels", "matrix"), ends, strict=True):
        said = titles[key].replace("<br>", " ").removesuffix(", above the RR interval that ends in it") if end else ""
        assert (key in titles) == (end is not None)
        assert said.endswith(end or ""), (key, said)


@pytest.mark.parametrize("n_beats", [7, 10])
def test_of_a_grid_is_kept_what_the_reduced_focus_says(n_beats: int):
    values = np.random.default_rng(0).normal(size=(1, 1000))
    grid = evidence(Explanation(values, 100.0, 0.0, (), "MI", "saliency", True, 0.01), even_beats(n_beats))
    at = Focus(7, "V3", "ST")
    assert reduced(grid, at) == Focus(7 if n_beats > 7 else None, None, "ST")
    np.testing.assert_array_equal(within(grid, at).pos, within(grid, reduced(grid, at)).pos)
    assert np.count_nonzero(within(grid, at).pos.sum(axis=(0, 2))) == (1 if n_beats > 7 else n_beats)


def test_a_click_on_a_figure_moves_the_focus_of_this_recording_only(monkeypatch: pytest.MonkeyPatch, key: str):
    monkeypatch.setattr(looking, "st", SimpleNamespace(session_state={}))
    looking.clicked(key, [0, "V3", ""])
    assert looking.focus(key) == Focus(None, "V3", None)
    assert not looking.focus("another recording")
    looking.clicked(key, [4, "V3", ""])
    assert looking.focus(key) == Focus(3, "V3", None)


def test_a_figure_tells_what_was_clicked_or_drawn_on_it_and_nothing_where_nothing_was(monkeypatch: pytest.MonkeyPatch):
    session = {"bars": {"picked": [0, "V3", ""]}, "paper": {"boxed": {"x": [1, 2.5], "y": [0, 9]}}, "strip": {}}
    monkeypatch.setattr(looking, "st", SimpleNamespace(session_state=session))
    told: list[object] = []
    chart._picked("bars", told.append)
    chart._boxed("paper", lambda across, up: told.append((across, up)))
    assert told == [[0, "V3", ""], ((1.0, 2.5), (0.0, 9.0))]
    chart._picked("strip", told.append)
    chart._boxed("strip", lambda across, up: told.append((across, up)))
    assert len(told) == 2


@pytest.mark.parametrize("mode", [looking.CALIPER, looking.MARCH])
def test_calipers_can_be_typed_and_read_what_is_in_the_recording(app: AppTest, mode: str):
    labelled(app.segmented_control, "On the tracing").set_value(mode).run()
    labelled(app.selectbox, "Lead").set_value("V2")
    labelled(app.number_input, "From, s").set_value(5.5)
    labelled(app.number_input, "To, s").set_value(6.0)
    paper = drawn(app.run())[0]
    (reading,) = [each.value for each in app.table if "interval" in each.value.columns]
    row = condition(load_record(f"demo:{DEMO}")).lead("V2")
    assert reading["interval"].item() == "500 ms"
    assert reading["right minus left"].item() == f"{row[3000] - row[2750]:+.2f} mV"
    assert any("500 ms, 120/min" in note["text"] for note in paper["layout"]["annotations"])
    assert on_page.charts(app)[0]["selects"] == "box"
    assert "does not show" not in " ".join(each.value for each in app.markdown)
    labelled(app.number_input, "From, s").set_value(1.0).run()
    assert "does not show V2" not in " ".join(each.value for each in app.markdown)  # its right leg is on the sheet
    labelled(app.number_input, "To, s").set_value(1.5).run()
    assert "does not show V2" in " ".join(each.value for each in app.markdown)
    dotted = [shape for shape in paper["layout"]["shapes"] if shape["line"].get("dash") == "dot"]
    assert len(dotted) == (mode == looking.MARCH)
    labelled(app.segmented_control, "On the tracing").set_value(looking.FOLLOW).run()


def test_paper_and_colours_hold_on_every_page(app: AppTest):
    app.segmented_control(key="layout").set_value("6x2")
    app.segmented_control(key="speed").set_value(50.0)
    app.toggle(key="cabrera").set_value(True)
    app.toggle(key="contrast").set_value(True).run()
    for page in ("attention", "record"):
        paper = drawn(app.switch_page(f"pages/{page}.py").run())[0]
        names = [each.get("name") for each in paper["data"]]
        assert "−aVR" in names
        assert "50 mm/s" in " ".join(note["text"] for note in paper["layout"]["annotations"])
        assert paper["layout"]["plot_bgcolor"] == "#ffffff"
        assert any(slider.label == "Start of the sheet, s" for slider in app.slider)
    app.segmented_control(key="layout").set_value("3x4")
    app.segmented_control(key="speed").set_value(25.0)
    app.toggle(key="cabrera").set_value(False)
    app.toggle(key="contrast").set_value(False).run()
    app.switch_page("pages/attention.py").run()


def test_each_lead_can_have_its_own_scale_and_the_legend_says_so(app: AppTest):
    app.segmented_control(key="scale").set_value("Each lead").run()
    heat = next(each for each in drawn(app)[0]["data"] if each["type"] == "heatmap")
    assert "each lead on its own scale" in heat["colorbar"]["title"]["text"]
    assert heat["zmax"] == 1.0
    app.segmented_control(key="scale").set_value("All leads").run()


def test_the_largest_spans_are_named_below_the_paper_as_they_are_numbered_on_it(app: AppTest):
    paper = drawn(app)[0]
    (said,) = [each.value for each in app.markdown if "Largest spans on this sheet" in each.value]
    numbers = {
        note["text"]: note["x"] for note in paper["layout"]["annotations"] if note["text"].strip("<b>/").isdigit()
    }
    assert set(numbers) == {f"<b>{n}</b>" for n in range(1, 6)}
    named = re.findall(r"(\d) (\w+), beat \d+, (\w+) \(([\d.]+) to ([\d.]+) s, ([\d.]+) %\)", said.replace("\\", ""))
    assert [number for number, *_ in named] == list("12345")
    shares = [float(share) for *_, share in named]
    assert shares == sorted(shares, reverse=True)
    for number, lead, wave, start_s, end_s, _ in named:
        assert lead in STANDARD_LEADS
        assert wave in WAVES
        assert float(start_s) - 0.005 <= numbers[f"<b>{number}</b>"] <= float(end_s) + 0.005  # named to 10 ms


def test_files_are_offered_once_the_table_is_opened(app: AppTest):
    assert not app.get("download_button")
    app.session_state["attention matrix table"] = True
    app.run()
    assert not app.exception
    offered = [each.proto.label for each in app.get("download_button")]
    assert np.all([f"Download {kind}" in offered for kind in ("SVG", "PNG", "CSV")])
