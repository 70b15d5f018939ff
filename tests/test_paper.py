"""Paper in every layout and scale, what is laid over it, calipers and focus, held against planted values."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

from ecgviz import figures
from ecgviz.errors import RecordError
from ecgviz.figures import calipers, heat, paper_marks, sheet, spans, style
from ecgviz.figures.focus import within
from ecgviz.figures.header import SEPARATOR, broken, shorter_than
from ecgviz.figures.outline import outline
from ecgviz.figures.overlaid import over_original
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import ATOMS, MARKS, WAVES, Beats, EvidenceGrid, Explanation, Measurements, Record, Region
from ecgviz.types.focus import NOWHERE, Focus, pointed
from ecgviz.types.paper import GAINS_MM_MV, SPEEDS_MM_S, PaperFormat
from tests.toys import even_beats

FS = 500.0
FORMATS = [
    PaperFormat(layout, cabrera, speed, gain)
    for layout, cabrera in (("3x4", False), ("6x2", True), ("12x1", False))
    for speed in SPEEDS_MM_S
    for gain in GAINS_MM_MV
]


@pytest.fixture(scope="module")
def record() -> Record:
    """Return twelve leads, each its own constant plus a slow sine."""
    t = np.arange(round(10 * FS)) / FS
    rows = [0.05 * i + 0.4 * np.sin(2 * np.pi * 1.1 * t) for i in range(12)]
    return Record(np.array(rows), FS, STANDARD_LEADS, "test")


@pytest.fixture(scope="module")
def beats() -> Beats:
    """Return twelve beats, 800 ms apart, with all waves."""
    on = 0.3 + 0.8 * np.arange(12)
    marks = (on, on + 0.1, on + 0.17, on + 0.26, on + 0.4, on + 0.6)
    return Beats(on + 0.21, *marks, kind=("normal",) * 12, duration_s=10.0, leads=STANDARD_LEADS)


def explained(values, *, signed=True) -> heat.Heat:
    made = Explanation(np.asarray(values), 100.0, 0.0, STANDARD_LEADS, "MI", "input_x_gradient", signed, 0.02)
    return figures.from_explanation(made, 10.0)


@pytest.mark.parametrize("form", FORMATS)
def test_a_millimetre_is_as_high_as_it_is_wide_in_every_format(record: Record, form: PaperFormat):
    figure = figures.paper(record, form=form)
    mm_across_per_s, mm_up_per_uv = form.speed_mm_s, form.gain_mm_mv / 1000
    assert figure.layout.yaxis.scaleratio == pytest.approx(mm_up_per_uv / mm_across_per_s)
    minor, major = (shape.path for shape in figure.layout.shapes[:2])
    for path, step_mm in ((minor, 1), (major, 5)):
        across = [float(part.split(",")[0]) for part in path.split("M")[1:] if "V" in part]
        up = [float(part.split(",")[1].split("H")[0]) for part in path.split("M")[1:] if "H" in part]
        np.testing.assert_allclose(np.diff(across) * form.speed_mm_s, step_mm, atol=1e-3)
        np.testing.assert_allclose(np.diff(up) * mm_up_per_uv, step_mm, atol=1e-6)
    assert np.abs(np.array(across)).min() == pytest.approx(0.0, abs=1e-6)  # a large square begins with the trace


@pytest.mark.parametrize("form", FORMATS)
def test_the_calibration_pulse_is_a_millivolt_for_a_fifth_of_a_second_and_left_of_the_trace(record, form):
    figure = figures.paper(record, form=form)
    (pulse,) = [each for each in figure.data if each.name == "1 mV, 0.2 s"]
    x, y = (np.array([v for v in values if v is not None]).reshape(-1, 6)[0] for values in (pulse.x, pulse.y))
    assert np.ptp(y) == pytest.approx(1000)
    assert np.ptp(x[y == y.max()]) == pytest.approx(0.2)
    assert figure.layout.xaxis.range[0] < x.min()
    assert x.max() < 0


def test_what_is_laid_over_half_an_hour_lies_where_it_does_in_the_first_ten_seconds(record: Record):
    long, late = dataclasses.replace(record, signal=np.tile(record.signal, (1, 180))), 1230.0
    waves = {name: getattr(even_beats(5), name) + late for name in ("r_s", *MARKS)}
    beats = Beats(**waves, kind=("normal",) * 5, duration_s=1800.0, leads=STANDARD_LEADS)
    page = sheet.sheet(long, late)
    span = spans.Span(1, "II", late + 3.4571, late + 3.5872, 0.5, 0)
    (bracket,), _ = paper_marks.brackets([span], page)
    (frame,) = paper_marks.focus_frame(Focus(beat=1, wave="QRS"), page, beats)
    legs, _ = paper_marks.caliper_marks(calipers.place(long, "II", 1231.234, 1232.346), page, marching=False)
    weight = np.zeros((12, 5, len(ATOMS)))
    weight[1, 1, ATOMS.index("P")] = 1.0
    region = Region("primary", STANDARD_LEADS, weight, "II: P")
    outlined = outline(figures.paper(long, start_s=late), long, late, beats, {"primary": region}).layout.shapes[-1].path
    tint = figures.beat_strip(long, beats, "II", start_s=late).layout.shapes[2].path
    qrs = [beats.qrs_on[1], beats.qrs_off[1]]
    for path, wanted in (
        (bracket["path"], [span.start_s, span.end_s]),
        (frame["path"], qrs),
        (legs[-1]["path"], [1231.234, 1232.346]),
        (outlined, [beats.p_on[1], beats.p_off[1]]),
        (tint, [beats.qrs_on[0], beats.qrs_off[0]]),
    ):
        times = np.array(re.findall(r"[MH]([0-9.]+)", str(path))[:2], dtype=float)
        np.testing.assert_allclose(times, wanted, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("speed", "seconds"), [(12.5, 10.0), (25.0, 10.0), (50.0, 5.0)])
def test_a_sheet_holds_what_250_mm_hold_and_no_more_than_there_is(record: Record, speed: float, seconds: float):
    form = PaperFormat(speed_mm_s=speed)
    page = sheet.sheet(record, 0.0, form)
    assert page.end_s - page.start_s == seconds
    assert PaperFormat(speed_mm_s=12.5).sheet_s(3600.0) == 20.0


def test_cabrera_order_runs_from_left_to_right_and_turns_avr_upside_down(record: Record):
    figure = figures.paper(record, form=PaperFormat("6x2", cabrera=True))
    page = sheet.sheet(record, 0.0, PaperFormat("6x2", cabrera=True))
    left = [strip.name for strip in page.strips if strip.start_s == 0]
    assert left == ["aVL", "I", "−aVR", "II", "aVF", "III"]
    (line,) = [each for each in figure.data if each.name == "−aVR"]
    drawn_mv = (np.asarray(line.y, dtype=float) - page.zero_uv[2]) / 1000
    np.testing.assert_allclose(drawn_mv, -record.lead("aVR")[: drawn_mv.size], atol=0.0006)


@pytest.mark.parametrize("form", [PaperFormat(), PaperFormat("12x1", cabrera=True, speed_mm_s=50.0, gain_mm_mv=20.0)])
def test_the_recording_before_lies_under_every_lead_upside_down_where_that_is(record: Record, form: PaperFormat):
    before = dataclasses.replace(record, signal=record.signal + 0.1)
    figure = over_original(figures.paper(record, form=form), record, before)
    lines = {each.name: each for each in figure.data if each.type == "scatter" and each.x0 is not None}
    names = [strip.name for strip in sheet.sheet(record, 0.0, form).strips]
    assert set(lines) == {*names, *(f"{name}, before" for name in names)}
    for name in names:
        up = np.asarray(lines[f"{name}, before"].y, dtype=float) - np.asarray(lines[name].y, dtype=float)
        np.testing.assert_allclose(up, -100.0 if name.startswith("−") else 100.0, atol=1.0)


def test_twelve_rows_hold_every_sample_of_every_lead(record: Record):
    form = PaperFormat("12x1")
    figure, page = figures.paper(record, form=form), sheet.sheet(record, 0.0, form)
    for row, lead in enumerate(STANDARD_LEADS):
        (line,) = [each for each in figure.data if each.name == lead]
        drawn_mv = (np.asarray(line.y, dtype=float) - page.zero_uv[row]) / 1000
        np.testing.assert_allclose(drawn_mv, record.lead(lead), atol=0.0006)


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1"])
def test_the_payload_stays_small_with_a_map_and_points_to_click(record: Record, beats: Beats, layout: str):
    behind = explained(np.random.default_rng(0).normal(size=(12, 1000)))
    form = PaperFormat(layout)
    largest = spans.top_spans(behind, sheet.sheet(record, 0.0, form))
    figure = figures.paper(record, form=form, heat=behind, spans=largest, beats=beats, focus=Focus(2))
    assert len(figure.to_json()) < 300_000


def test_a_scale_that_paper_does_not_have_is_refused():
    with pytest.raises(RecordError, match="30 mm/s"):
        PaperFormat(speed_mm_s=30.0)
    with pytest.raises(RecordError, match="2x6"):
        PaperFormat("2x6")


def test_each_lead_on_its_own_scale_ends_at_one():
    values = np.outer(10.0 ** np.arange(12), np.linspace(-1, 1, 1000))
    scaled = heat.per_lead(explained(values))
    assert scaled.limit == 1.0
    np.testing.assert_allclose(np.quantile(np.abs(scaled.values), 0.99, axis=1), 1.0)
    assert "each lead on its own scale" in scaled.name


def test_a_map_in_a_strip_leaves_the_paper_behind_the_trace_clean(record: Record):
    figure = figures.paper(record, heat=explained(np.ones((12, 1000)), signed=False), in_strip=True)
    (layer,) = [each for each in figure.data if each.type == "heatmap"]
    z, y = np.asarray(layer.z), np.asarray(layer.y, dtype=float)
    coloured = np.isfinite(z).any(axis=1)
    assert list(coloured) == [True, False] * 4
    assert np.diff(y)[coloured] == pytest.approx([300.0] * 4)


def planted(**at: tuple[float, float, float]) -> np.ndarray:
    values = np.zeros((12, 1000))
    for lead, (start, end, height) in at.items():
        values[STANDARD_LEADS.index(lead), round(100 * start) : round(100 * end)] = height
    return values


def test_the_largest_spans_are_those_that_were_planted_in_order_and_with_their_sign(record: Record, beats: Beats):
    behind = explained(planted(V1=(5.4, 5.6, 1.0), II=(1.0, 1.1, -0.9), V4=(8.0, 8.6, 0.8)))
    page = sheet.sheet(record, 0.0)
    found = spans.top_spans(behind, page)
    assert [(each.lead, each.mark) for each in found] == [("V4", "1+"), ("V1", "2+"), ("II", "3−")]
    assert sum(each.share for each in found) == pytest.approx(1.0, abs=0.05)
    for each, (start, end) in zip(found, ((8.0, 8.6), (5.4, 5.6), (1.0, 1.1)), strict=True):
        assert each.start_s == pytest.approx(start, abs=0.05)
        assert each.end_s == pytest.approx(end, abs=0.05)
    assert spans.whereabouts(found[2], beats) == "beat 1, TP"
    figure = figures.paper(record, heat=behind, spans=found)
    numbers = [note.text for note in figure.layout.annotations if note.text in {"<b>1+</b>", "<b>2+</b>", "<b>3−</b>"}]
    assert numbers == ["<b>1+</b>", "<b>2+</b>", "<b>3−</b>", "<b>3−</b>"]  # II stands on the sheet twice
    assert "1+ V4 " in figure.layout.meta["alt"]


def test_a_span_before_a_beat_without_p_wave_is_called_the_place_of_one_and_no_p_wave():
    some = even_beats(4, without_p=[2])
    on, off = some.segments()[:, ATOMS.index("P")].T
    named = [spans.whereabouts(spans.Span(1, "II", on[b], off[b], 0.5, 1), some) for b in (1, 2)]
    assert named == ["beat 2, P", "beat 3, where P would be"]


def test_a_span_over_several_beats_is_named_after_all_of_them():
    some = even_beats(4)
    over = spans.Span(1, "II", float(some.r_s[0]) - 0.1, float(some.r_s[2]) + 0.1, 0.5, 1)
    assert spans.whereabouts(over, some) == "beats 1 to 3"


def test_a_span_that_the_sheet_does_not_show_is_no_span_of_it(record: Record):
    behind = explained(planted(V1=(1.0, 1.2, 5.0), aVL=(3.0, 3.2, 1.0)))
    assert [each.lead for each in spans.top_spans(behind, sheet.sheet(record, 0.0))] == ["aVL"]
    in_full = sheet.sheet(record, 0.0, PaperFormat("12x1"))
    assert [each.lead for each in spans.top_spans(behind, in_full)] == ["V1"]


def test_a_single_sample_that_holds_nothing_is_no_span(record: Record):
    wide = planted(V1=(5.0, 7.5, 1.0), V2=(5.0, 7.5, 1.0), V4=(7.5, 10.0, 1.0), V5=(7.5, 10.0, 1.0))
    page = sheet.sheet(record, 0.0)
    hardly = spans.top_spans(explained(wide + planted(II=(1.0, 1.08, 0.51))), page)  # reaches half at one sample
    well = spans.top_spans(explained(wide + planted(II=(1.0, 1.08, 0.9))), page)
    assert ["II" in {each.lead for each in found} for found in (hardly, well)] == [False, True]


def test_a_map_that_is_zero_has_no_spans(record: Record):
    assert spans.top_spans(explained(np.zeros((12, 1000))), sheet.sheet(record, 0.0)) == ()


def test_caliper_legs_stand_on_samples_and_read_what_is_there(record: Record):
    put = calipers.place(record, "V2", 1.0009, 0.2011)
    row = record.lead("V2")
    assert (put.first, put.last) == (101, 500)
    assert abs(put.start_s - 0.2011) <= 0.5 / FS + 1e-12
    assert put.interval_ms == pytest.approx(798.0)
    assert put.rate_bpm == pytest.approx(60 / 0.798)
    assert put.change_mv == pytest.approx(row[500] - row[101], abs=1e-6)
    assert put.peak_to_peak_mv == pytest.approx(np.ptp(row[101:501]), abs=1e-6)
    upside_down = calipers.place(record, "−V2", 0.2, 1.0)
    assert upside_down.first_mv == pytest.approx(-row[100])


def test_a_marching_caliper_comes_down_on_whole_samples_only(record: Record, beats: Beats):
    put = calipers.place(record, "II", 2.109, 2.909)
    steps = put.march(0.0, 10.0)
    np.testing.assert_allclose(steps * FS, np.round(steps * FS), atol=1e-6)
    np.testing.assert_allclose(np.diff(steps), 0.8)
    assert steps.min() >= 0
    assert put.start_s in steps
    late = calipers.march_table(put, beats)["R peak late by, ms"]
    assert late.abs().max() <= 1000 / FS


@pytest.mark.parametrize("form", [PaperFormat(), PaperFormat("12x1", speed_mm_s=50.0, gain_mm_mv=20.0)])
def test_a_box_on_the_paper_puts_the_caliper_on_the_lead_under_it(record: Record, form: PaperFormat):
    page = sheet.sheet(record, 0.0, form)
    for strip in page.strips:
        low, high = page.bounds_uv[strip.row]
        start, end = strip.start_s + 0.1, strip.start_s + 0.4
        put = calipers.from_box(record, page, (end, start), (low + 100, high - 100))
        assert put.lead == strip.name
        assert put.start_s == pytest.approx(start, abs=1 / FS)
        assert put.end_s == pytest.approx(end, abs=1 / FS)


def test_a_caliper_that_cannot_stand_is_refused(record: Record):
    with pytest.raises(RecordError, match="both legs of the caliper"):
        calipers.place(record, "II", 1.0, 1.0004)
    with pytest.raises(RecordError, match="no lead V9"):
        calipers.place(record, "V9", 0.0, 1.0)


def test_a_gap_between_the_legs_is_no_voltage(record: Record):
    signal = np.array(record.signal)
    signal[1, 100:200] = np.nan
    put = calipers.place(dataclasses.replace(record, signal=signal), "II", 0.24, 0.36)
    assert np.isnan(put.change_mv)
    assert np.isnan(put.peak_to_peak_mv)


def test_a_leg_in_a_gap_is_said_to_stand_where_nothing_was_recorded(record: Record):
    signal = np.array(record.signal)
    signal[1, 150:700] = np.nan
    gappy = dataclasses.replace(record, signal=signal)
    put = calipers.place(gappy, "II", 0.24, 0.36)
    _, (words,) = paper_marks.caliper_marks(put, sheet.sheet(record, 0.0, PaperFormat("12x1")), marching=False)
    assert words["text"] == "120 ms, 500/min, not recorded"
    (row,) = calipers.reading_table(put).to_dict("records")
    assert row["left leg"] == f"{record.lead('II')[120]:+.2f} mV"
    assert (row["right leg"], row["right minus left"]) == ("not recorded", "not recorded")
    assert row["highest to lowest between"].endswith(" mV")
    nothing = calipers.reading_table(calipers.place(gappy, "II", 0.4, 1.2))
    assert nothing["highest to lowest between"].item() == "not recorded"
    assert "nan" not in nothing.to_string()


def test_every_wave_of_every_strip_can_be_clicked_where_it_is(record: Record, beats: Beats):
    figure = figures.paper(record, beats=beats)
    (points,) = [each for each in figure.data if each.name == "pick"]
    page = sheet.sheet(record, 0.0)
    seen = {(beat, lead, wave) for beat, lead, wave, *_ in points.customdata}
    assert {(beat, "II", wave) for beat in range(1, 12) for wave in WAVES} <= seen
    for x, y, (beat, lead, wave, *_) in zip(points.x, points.y, points.customdata, strict=True):
        start, end = paper_marks.wave_spans(beats)[beat - 1, list(WAVES).index(wave)]
        assert start <= x <= end
        assert page.strip_at(x, y).lead == lead
    assert figure.layout.hoverdistance >= 24  # how far a click may be from its point (WCAG 2.2, 2.5.8)
    assert all(each.hoverinfo == "skip" for each in figure.data if each.name in STANDARD_LEADS)


def grid() -> EvidenceGrid:
    """Return 3 leads x 2 beats x atoms whose masses are all different."""
    pos = 1.0 + np.arange(3 * 2 * len(ATOMS), dtype=float).reshape(3, 2, -1)
    return EvidenceGrid(
        pos, np.zeros_like(pos), 0.0, 0.0, np.ones((2, len(ATOMS))), ("I", "II", "V1"), ("normal",) * 2,
        has_time=True, signed=True, resolution_s=0.02,
    )  # fmt: skip


def test_what_is_in_focus_is_shared_out_among_the_axes_that_a_figure_draws():
    whole, st = grid(), ATOMS.index("ST")
    at = Focus(beat=1, lead="II", wave="ST")
    np.testing.assert_allclose(within(whole, at, but="lead").channel(), whole.pos[:, 1, st] / whole.pos[:, 1, st].sum())
    np.testing.assert_allclose(within(whole, at, but="beat").rhythm(), whole.pos[1, :, st] / whole.pos[1, :, st].sum())
    matrix = within(whole, at, but="lead+wave").beat()
    assert matrix[1, list(WAVES).index("ST")] == pytest.approx(whole.pos[1, 1, st] / whole.pos[:, 1].sum())
    np.testing.assert_array_equal(within(whole, NOWHERE).pos, whole.pos)


def test_a_click_replaces_what_it_names_and_a_second_one_lets_go():
    at = pointed(NOWHERE, [3, "V1", "QRS"])
    assert at == Focus(2, "V1", "QRS")
    at = pointed(at, [0, "II", ""])
    assert at == Focus(2, "II", "QRS")
    assert pointed(at, [0, "II", ""]) == Focus(2, None, "QRS")
    assert at.words(but="beat") == "lead II, QRS"


def test_every_level_can_be_clicked_and_frames_what_is_in_focus(beats: Beats):
    at = Focus(beat=3, lead="V1", wave="ST")
    rhythm = figures.rhythm_strip(np.full(12, 1 / 12), beats, title="", focus=at)
    bars = figures.channel_bars(np.full(12, 1 / 12), STANDARD_LEADS, title="", focus=at)
    matrix = figures.wave_matrix(np.full((12, 6), 1 / 72), STANDARD_LEADS, title="", focus=at)
    picks = [next(each for each in figure.data if each.name == "pick") for figure in (rhythm, bars, matrix)]
    assert [row[0] for row in picks[0].customdata] == list(range(1, 13))
    assert [row[1] for row in picks[1].customdata] == list(STANDARD_LEADS)
    assert {tuple(row[1:3]) for row in picks[2].customdata} == {(lead, w) for lead in STANDARD_LEADS for w in WAVES}
    frame = rhythm.layout.shapes[-1]
    assert frame.x0 < beats.r_s[3] < frame.x1
    assert (bars.layout.shapes[-1].y0 + bars.layout.shapes[-1].y1) / 2 == STANDARD_LEADS.index("V1")
    cell = matrix.layout.shapes[-1]
    assert ((cell.x0 + cell.x1) / 2, (cell.y0 + cell.y1) / 2) == (list(WAVES).index("ST"), STANDARD_LEADS.index("V1"))


def test_high_contrast_keeps_the_numbers_and_hatches_what_is_strong(record: Record):
    behind = explained(planted(V1=(5.4, 5.6, 1.0), II=(1.0, 1.1, -0.9)))
    figure = figures.paper(record, heat=behind, hatched=True)
    shown = style.contrasting(figure)
    for before, after in zip(figure.data, shown.data, strict=True):
        if before.type == "scatter" and before.name in STANDARD_LEADS:
            np.testing.assert_array_equal(after.y, before.y)
            assert after.line.color == "#000000"
    assert shown.layout.plot_bgcolor == "#ffffff"
    slopes = {each.fillpattern.shape: each for each in shown.data if each.name == "hatching"}
    assert set(slopes) == {"/", "\\"}
    assert {round(x, 2) for x in slopes["/"].x if x is not None} == {5.39, 5.6} or min(
        x for x in slopes["/"].x if x is not None
    ) == pytest.approx(5.4, abs=0.01)


def test_tables_of_readings_are_text_a_reader_can_copy(record: Record):
    table = calipers.reading_table(calipers.place(record, "II", 0.2, 1.0))
    assert isinstance(table, pd.DataFrame)
    assert table["interval"].item() == "800 ms"
    assert table["fits a minute"].item() == "75 times"


ALTERED = tuple(f"T wave of beat {n} turned over in leads V1, V2, V3 and V4" for n in range(8))


def head(figure) -> list[str]:
    """Return the lines above the paper, without their marks."""
    (text,) = [note.text for note in figure.layout.annotations if note.y == 1 and note.yanchor == "bottom"
               and note.xanchor == "left"]  # fmt: skip
    return [line.replace("<b>", "").replace("</b>", "") for line in text.split("<br>")]


@pytest.mark.parametrize("signed", [None, True])
def test_above_the_paper_there_is_room_for_every_line_and_none_is_too_long_for_a_small_window(record, signed):
    """A line of 14 px is 18.2 px high in Plotly; 676 px are beside the sidebar in a window of 1024."""
    nothing = Measurements({}, {}, (), FS, np.empty((0, 0)), np.empty(0), {})
    altered = dataclasses.replace(record, altered=ALTERED)
    behind = None if signed is None else explained(np.ones((12, 1000)), signed=signed)
    plain, full = (figures.paper(each, header=figures.header(each, nothing), heat=behind) for each in (record, altered))
    lines = head(full)
    text = " ".join(lines)
    assert all(f"ALTERED: {change}" in text for change in ALTERED)
    assert max(map(len, lines)) <= 88
    for figure, legend_px in ((plain, 68), (full, 68)):
        above = figure.layout.margin.t - (0 if behind is None else legend_px)
        assert above >= 18.2 * len(head(figure))
    grown = full.layout.height - plain.layout.height
    assert grown == full.layout.margin.t - plain.layout.margin.t > 100


def test_the_name_of_the_colours_stands_above_their_bar_whatever_is_above_the_paper(record: Record):
    behind = explained(np.ones((12, 1000)))
    for words in ("who", " · ".join(ALTERED)):
        figure = figures.paper(record, header=(words, "what"), heat=behind)
        (layer,) = [each for each in figure.data if each.type == "heatmap"]
        (name,) = [note for note in figure.layout.annotations if note.text == layer.colorbar.title.text]
        from_top_px = figure.layout.margin.t - name.yshift
        assert 15 < from_top_px < 40  # the bar begins 40 px from the top
        assert layer.colorbar.title.font.color == style.UNSEEN


def test_a_word_that_is_longer_than_a_line_is_cut_and_nothing_is_lost():
    line = SEPARATOR.join(["demo:x" + "+tx0" * 40, "45 years", "one item of many words " * 6])
    parts = broken(line, shorter_than(60))
    assert max(map(len, parts)) <= 60
    assert "".join(parts).replace(" ", "").replace("·", "") == line.replace(" ", "").replace("·", "")
    assert broken("45 years · female", shorter_than(60)) == ["45 years · female"]
