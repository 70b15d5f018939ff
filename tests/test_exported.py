"""Figures as files: what the screen shows, in millimetres, as vectors, with where it comes from."""

import csv
import io
import re
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ecgviz import NOTICE, figures
from ecgviz.figures import booklet, calipers, cohort, exported, printed, sheet, spans
from ecgviz.figures.annotated import for_projector, half_as_wide
from ecgviz.figures.booklet import figures_page, pdf
from ecgviz.figures.evidence_beats import evidence_beats
from ecgviz.figures.evidence_density import parts_s
from ecgviz.figures.planted import planted_svg
from ecgviz.figures.settings import settings
from ecgviz.measure import MedianBeat
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import Beats, Explanation, Measurements, Record
from ecgviz.types.focus import Focus

SVG = "{http://www.w3.org/2000/svg}"
TOLD = {"figure": "paper", "recording": "demo:test <b> (0123456789ab)", "model": "imle_net 2", "notice": NOTICE}


@pytest.fixture(scope="module")
def record() -> Record:
    t = np.arange(5000) / 500
    rows = [0.05 * i + 0.4 * np.sin(2 * np.pi * 1.1 * t) for i in range(12)]
    return Record(np.array(rows), 500.0, STANDARD_LEADS, "test")


@pytest.fixture(scope="module")
def beats() -> Beats:
    on = 0.3 + 0.8 * np.arange(12)
    marks = (on, on + 0.1, on + 0.17, on + 0.26, on + 0.4, on + 0.6)
    kinds = ("normal",) * 11 + ("premature_ventricular",)
    return Beats(on + 0.21, *marks, kind=kinds, duration_s=10.0, leads=STANDARD_LEADS)


@pytest.fixture(scope="module")
def paper_svg(record: Record, beats: Beats) -> str:
    """Return a sheet with everything laid over it, as SVG."""
    values = np.random.default_rng(0).normal(size=(12, 100))
    behind = figures.from_explanation(
        Explanation(values, 10.0, 0.0, STANDARD_LEADS, "MI", "input_x_gradient", True, 0.02), 10.0
    )
    drawn = figures.paper(
        record, heat=behind, spans=spans.top_spans(behind, sheet.sheet(record, 0.0)), beats=beats, focus=Focus(2),
        caliper=calipers.place(record, "II", 0.4, 1.2), hatched=True, header=("who", "what"), footer="25 mm/s",
    )  # fmt: skip
    return exported.svg(drawn, TOLD)


def mm(svg: str, gid: str) -> np.ndarray:
    """Return the corners of a line of the file in millimetres, (n, 2), y downwards."""
    root = ElementTree.fromstring(svg)
    (group,) = [each for each in root.iter(f"{SVG}g") if each.get("id") == gid]
    (path,) = group.iter(f"{SVG}path")
    points = re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", str(path.get("d")))
    width_pt, shown = float(str(root.get("width")).removesuffix("pt")), float(str(root.get("viewBox")).split()[2])
    return np.array(points, dtype=float) * width_pt / shown * 25.4 / 72


def test_ten_seconds_are_250_mm_and_a_millivolt_10_mm_in_the_file(paper_svg: str, record: Record):
    trace = mm(paper_svg, "trace-V6")
    assert len(trace) == len(record.lead("V6")[3750:])  # every sample: nothing was simplified away
    assert np.ptp(trace[:, 0]) == pytest.approx((len(trace) - 1) / 500 * 25, abs=0.05)
    assert np.ptp(trace[:, 1]) == pytest.approx(10 * np.ptp(record.lead("V6")[3750:]), abs=0.05)
    pulse = mm(paper_svg, "trace-1 mV, 0.2 s")
    assert np.ptp(pulse[:6, 1]) == pytest.approx(10.0, abs=0.05)


def on_paper(name: str, record: Record, beats: Beats) -> go.Figure:
    """Return a figure that is drawn on millimetre paper, by name."""
    whole = figures.paper(record)
    if "classroom" in name or name == "paper":
        return for_projector(whole) if "classroom" in name else whole
    if name == "strip":
        return figures.beat_strip(record, beats, "V6")
    t = np.arange(-150, 250) / 500
    marks = {"p_on": -0.2, "p_off": -0.1, "qrs_on": -0.04, "qrs_off": 0.05, "t_on": 0.2, "t_off": 0.4}
    mv = np.array([0.1 * i + np.exp(-((t / 0.02) ** 2)) for i in range(12)])
    middle = MedianBeat(mv, t, marks, 9, 500.0)
    if name == "evidence":
        parts = parts_s(beats, beats.dominant)
        return evidence_beats(middle, STANDARD_LEADS, parts, np.ones((12, 9)), STANDARD_LEADS, {}, title="Median")
    sheet_of_it = figures.median_sheet(middle, STANDARD_LEADS, title="Median")
    return half_as_wide(sheet_of_it) if name == "half a median sheet" else sheet_of_it


@pytest.mark.parametrize(
    "name", ["paper", "paper in the classroom", "strip", "median sheet", "half a median sheet", "evidence"]
)
def test_every_figure_on_paper_is_true_to_scale_in_its_file(name: str, record: Record, beats: Beats):
    drawn = on_paper(name, record, beats)
    (trace,) = [each for each in drawn.data if each.name == "V6"]
    seconds = np.ptp(trace.x) if trace.x is not None else (len(trace.y) - 1) * trace.dx
    file = exported.svg(drawn, TOLD)
    corners = mm(file, "trace-V6")
    assert np.ptp(corners[:, 0]) == pytest.approx(25 * seconds, abs=0.02)
    assert np.ptp(corners[:, 1]) == pytest.approx(np.ptp(np.asarray(trace.y, dtype=float)) / 100, abs=0.02)
    pulse = mm(file, "trace-1 mV, 0.2 s")[:6]
    assert np.ptp(pulse[:, 1]) == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize("name", ["paper", "evidence"])
def test_where_it_comes_from_is_written_as_large_in_every_file(name: str, record: Record, beats: Beats):
    root = ElementTree.fromstring(exported.svg(on_paper(name, record, beats), TOLD))
    (notice,) = [each for each in root.iter(f"{SVG}text") if str(each.text).startswith(NOTICE[:20])]
    (size_px,) = re.findall(r"font-size: ([\d.]+)px", str(notice.get("style")))
    assert float(size_px) == pytest.approx(8.25, abs=0.01)  # of units that are points


def test_the_name_of_the_colours_stands_above_their_bar_in_the_classroom_too(record: Record):
    behind = figures.from_explanation(
        Explanation(np.ones((12, 100)), 10.0, 0.0, STANDARD_LEADS, "MI", "input_x_gradient", True, 0.02), 10.0
    )
    root = ElementTree.fromstring(exported.svg(for_projector(figures.paper(record, heat=behind)), TOLD))
    words = {str(each.text): each for each in root.iter(f"{SVG}text")}
    name, tick = (next(each for text, each in words.items() if part in text) for part in ("per sample", "opposes, "))
    assert float(str(name.get("y"))) < float(str(tick.get("y"))) - 15


def test_every_lead_is_named_in_the_file_and_a_doubtful_one_is_called_so(record: Record):
    drawn = exported.svg(figures.paper(record, marks={"V3": "doubtful"}), TOLD)
    written = [" ".join("".join(each.itertext()).split()) for each in ElementTree.fromstring(drawn).iter(f"{SVG}text")]
    assert {name: written.count(name) for name in STANDARD_LEADS} == {
        **dict.fromkeys(STANDARD_LEADS, 1),
        "II": 2,
        "V3": 0,
    }
    assert written.count("V3 doubtful") == 1


def test_the_file_holds_vectors_and_everything_that_lies_over_the_paper(paper_svg: str):
    assert "<image" not in paper_svg
    texts = [each.text for each in ElementTree.fromstring(paper_svg).iter(f"{SVG}text")]
    for text in ("who", "25 mm/s", "V6", "1 s", "800 ms, 75/min, ", "opposes, "):
        assert any(text in str(each) for each in texts), text
    assert any(re.fullmatch(r"1[+−]", str(each)) for each in texts)


def test_the_same_figure_gives_the_same_file(record: Record):
    drawn = figures.paper(record)
    assert exported.svg(drawn, TOLD) == exported.svg(drawn, TOLD)


def test_pages_that_draw_at_the_same_time_draw_what_each_draws_alone(record: Record, monkeypatch: pytest.MonkeyPatch):
    """Matplotlib's settings are of the whole process, and each reader's page is a thread of it."""
    shares, bars = np.full(12, 1 / 12), figures.channel_bars(np.full(12, 1 / 12), STANDARD_LEADS, title="Share")
    planted = pd.DataFrame({"model": ["m"], "method": ["a"], "finding": ["b"], "group": ["counted"], "score": ["mass"]})
    planted = planted.assign(excess=[0.5], n=[200])
    page: Any = [(lambda axes: printed.draw_channel(axes[0], shares, STANDARD_LEADS, title="Share"), 1)]
    draw: list[Callable[[], object]] = [
        lambda: exported.svg(bars, TOLD),
        lambda: exported.png(bars, TOLD),
        lambda: printed.channel_svg(shares, STANDARD_LEADS, title="Share"),
        lambda: printed.paper_svg(record),
        lambda: planted_svg(planted),
        lambda: pdf((figures_page("Shares", [page]) for _ in range(1)), "Shares"),
    ]
    alone = [each() for each in draw]
    before, save, saving, most = dict(mpl.rcParams), Figure.savefig, [0], [0]

    def slow(*args: Any, **more: Any) -> object:
        saving[0] += 1
        most[0] = max(most[0], saving[0])
        time.sleep(0.1)
        saving[0] -= 1
        return save(*args, **more)

    monkeypatch.setattr(Figure, "savefig", slow)
    with ThreadPoolExecutor(len(draw)) as pool:
        together = list(pool.map(lambda each: each(), draw))
    assert most == [1]
    assert together == alone
    assert dict(mpl.rcParams) == before


def test_every_file_says_where_it_comes_from(paper_svg: str, record: Record):
    root = ElementTree.fromstring(paper_svg)
    described = "".join(root.itertext())
    for value in TOLD.values():
        assert value in described
    assert any("demo:test <b>" in str(each.text) for each in root.iter(f"{SVG}text"))  # seen, not only in metadata
    image = exported.png(figures.paper(record), TOLD)
    assert image.startswith(b"\x89PNG")
    assert b"imle_net 2" in image
    width, height = struct.unpack(">II", image[16:24])
    assert width == pytest.approx(260.0 / 25.4 * exported.PNG_DPI + 4 / 3.8 / 25.4 * exported.PNG_DPI, abs=2)
    assert height > 0.3 * width


def test_the_whole_notice_stands_within_the_width_of_a_file(record: Record):
    told = TOLD | {"label": "CD", "method": "integrated_gradients " * 12}
    made = exported._drawn(figures.paper(record), told)
    FigureCanvasAgg(made).draw()
    lines = [each for each in made.axes[0].texts if each.get_text()]
    at = next(n for n, line in enumerate(lines) if line.get_text().startswith("figure paper"))
    assert " ".join(line.get_text() for line in lines[at:]).endswith(NOTICE)
    assert len(lines) - at > 3
    for line in lines[at:]:
        box, whole = line.get_window_extent(), made.bbox
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1


@pytest.mark.parametrize(
    "cell",
    ["-1+cmd|'/Ccalc'!A0", '-1+HYPERLINK("http://x","y")', "+2+3+cmd|'/C calc'!A0", "-1*A1", "=1", "-1/A0"],
)
def test_a_formula_that_begins_with_a_number_is_no_number(cell: str):
    (written,) = list(csv.reader(io.StringIO(exported.csv_text(pd.DataFrame({"a": [cell]}), {}))))[1]
    assert written == f"'{cell}"


@pytest.mark.parametrize("cell", ["-0.2 mV", "+12", "-1.5e-05", "-30°", "+12.5 %", "-1,5 mV"])
def test_a_number_with_its_sign_and_unit_is_left_as_it_is(cell: str):
    assert list(csv.reader(io.StringIO(exported.csv_text(pd.DataFrame({"a": [cell]}), {}))))[1] == [cell]


def test_a_table_leaves_as_csv_that_no_spreadsheet_runs():
    table = pd.DataFrame({"lead": ["II", "=HYPERLINK(1)"], "share, %": [12.5, float("nan")], "mV": ["+0.23 mV", "@x"]})
    text = exported.csv_text(table, TOLD)
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert head[0] == "# figure: paper"
    assert head[-1] == f"# notice: {NOTICE}"
    rows = list(csv.reader(io.StringIO("\n".join(text.splitlines()[len(head) :]))))
    assert rows == [["lead", "share, %", "mV"], ["II", "12.5", "+0.23 mV"], ["'=HYPERLINK(1)", "", "'@x"]]
    again = pd.read_csv(io.StringIO(text), comment="#")
    assert list(again["share, %"].dropna()) == [12.5]


def test_bars_and_cells_stand_where_the_numbers_say(beats: Beats):
    shares = np.linspace(0.01, 0.2, 12)
    bars = exported.svg(figures.channel_bars(shares, STANDARD_LEADS, title="Share"), TOLD)
    root = ElementTree.fromstring(bars)
    boxes = [
        re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", str(p.get("d"))) for p in root.iter(f"{SVG}path") if p.get("style")
    ]
    filled = [np.array(box, dtype=float) for box in boxes if len(box) == 4]
    widths = sorted(np.ptp(box[:, 0]) for box in filled if np.ptp(box[:, 1]) < 25)[-12:]
    np.testing.assert_allclose(np.array(widths) / widths[-1], shares / shares[-1], atol=0.02)


def test_other_figures_of_the_app_can_leave_too(record: Record, beats: Beats):
    curve = {"pretraining": [{"epoch": e, "loss": 1 / (e + 1), "validation_auc": 0.5 + e / 10} for e in range(3)]}
    drawn = {
        "rhythm": figures.rhythm_strip(np.full(12, 1 / 12), beats, title="Share <of> beats"),
        "matrix": figures.wave_matrix(np.full((12, 6), 1 / 72), STANDARD_LEADS, title="Cells", focus=Focus(None, "II")),
        "strip": figures.beat_strip(record, beats, "II"),
        "curve": figures.training_curve(curve, title="Training"),
    }
    expected = {"rhythm": "8.3 V", "matrix": "1.4", "strip": "Lead II", "curve": "pretraining"}
    for name, figure in drawn.items():
        svg = exported.svg(figure, TOLD)
        texts = " ".join(str(each.text) for each in ElementTree.fromstring(svg).iter(f"{SVG}text"))
        if name != "curve":
            assert expected[name] in texts, name
        assert NOTICE in texts


def boxes(drawn: go.Figure, *words: str) -> list[Any]:
    """Return where words stand in the file of a figure, in its pixels."""
    with settings(exported._SETTINGS):
        made = exported._drawn(drawn, TOLD)
        found = {each.get_text(): each for each in made.axes[0].texts}
        place = made.axes[0].transData.inverted()
        return [
            found[each].get_window_extent(FigureCanvasAgg(made).get_renderer()).transformed(place) for each in words
        ]


def test_names_in_a_file_lie_on_no_data_however_high_it_is():
    share = np.full(200, 0.99)
    drawn = cohort.share_figure(share, np.full(200, 0.98), title="mass in the guideline's place for MI")
    plot_top = drawn.layout.height - drawn.layout.margin.t
    names = boxes(drawn, "best control", "the map")
    assert all(box.y0 >= plot_top for box in names)
    assert names[0].x1 < names[1].x0


def test_many_names_in_a_file_keep_to_the_width_of_the_plot():
    fits = [f"fit number {n} of a network trained ten times" for n in range(9)]
    curve = {fit: [{"epoch": e, "loss": 1 / (e + 1), "validation_auc": None} for e in range(3)] for fit in fits}
    drawn = figures.training_curve(curve, title="Training")
    found = boxes(drawn, *fits)
    assert max(box.x1 for box in found) <= 960
    for n, one in enumerate(found):
        assert not any(one.overlaps(other) for other in found[n + 1 :])


def test_the_title_of_an_upward_axis_stands_left_of_its_labels_in_both_lines():
    table = pd.DataFrame({"place": ["P", "QRS"], "difference": [1.0, -1.0], "clear": [True, False]})
    table = table.assign(difference_low=table.difference - 0.1, difference_high=table.difference + 0.1)
    drawn = cohort.parted_figure(table, "Integrated gradients", "Input x gradient", title="Where two methods part")
    first, second, label = boxes(drawn, "points: Integrated gradients", "less Input x gradient", "-100")
    assert 0 <= first.x0 < first.x1 <= second.x0 + 1
    assert second.x1 < label.x0
    assert (first.y0 + first.y1) == pytest.approx(second.y0 + second.y1, abs=2)  # centred, one beside the other


ALTERED = tuple(f"T wave of beat {n} turned over in leads V1, V2, V3 and V4" for n in range(8))


def test_a_printed_sheet_says_every_alteration_within_its_width(record: Record):
    altered = replace(record, altered=ALTERED)
    nothing = Measurements({}, {}, (), 500.0, np.empty((0, 0)), np.empty(0), {})
    words = figures.header(altered, nothing)
    svg = printed.paper_svg(altered, header=words)
    root = ElementTree.fromstring(svg)
    said = " ".join(str(each.text) for each in root.iter(f"{SVG}text"))
    assert all(f"ALTERED: {change}" in said for change in ALTERED)
    (height_mm,) = re.findall(r'height="([\d.]+)mm"', svg)
    assert float(height_mm) <= 190.0 + 0.01
    trace = mm(svg.replace('mm"', 'pt"'), "trace-V6")
    assert len(trace) > 1000
    page = booklet.paper_page(altered, start_s=0.0, title="t", header=words, footer="", heat=None)
    lines = [text for text in page.texts if "ALTERED" in text.get_text()]
    assert all(f"ALTERED: {change}" in " ".join(each.get_text() for each in lines) for change in ALTERED)
    left_mm = (297.0 - 260.0) / 2
    for text in lines:
        assert text.get_position()[0] * 297.0 == pytest.approx(left_mm)
        assert booklet.width(text.get_text(), booklet.TEXT_PT) <= 260.0
    top_mm = max(text.get_position()[1] * 210.0 for text in page.texts)
    assert top_mm < 210.0 - 5.0
