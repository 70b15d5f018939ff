"""What the figures must not get wrong: millimetres, zero of the colour scale, numbers beside colours, escaped text."""

import dataclasses

import numpy as np
import pytest

from ecgviz import NOTICE, figures
from ecgviz.figures import sheet, style, tables
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import (
    ATOMS,
    WAVES,
    AttentionMap,
    Beats,
    EvidenceGrid,
    Explanation,
    Measurements,
    ObservedRate,
    Prediction,
    Record,
)

ROW_OF = {"I": 0, "aVR": 0, "V1": 0, "V4": 0, "II": 1, "aVL": 1, "V2": 1, "V5": 1, "III": 2, "aVF": 2, "V3": 2, "V6": 2}


def make_record(leads=STANDARD_LEADS, fs=500.0, duration_s=10.0, **more) -> Record:
    """Each lead is its own constant plus a slow sine, so that every trace can be told from every other."""
    t = np.arange(round(duration_s * fs)) / fs
    rows = [0.05 * i + 0.4 * np.sin(2 * np.pi * 1.1 * t) for i in range(len(leads))]
    return Record(np.array(rows), fs, tuple(leads), **{"id": "test", **more})


def make_beats(n=12, kinds=None) -> Beats:
    on = 0.3 + 0.8 * np.arange(n)
    marks = (on, on + 0.1, on + 0.17, on + 0.26, on + 0.4, on + 0.6)
    return Beats(on + 0.21, *marks, kind=kinds or ("normal",) * n, duration_s=10.0, leads=STANDARD_LEADS)


def make_explanation(values, *, signed=True, leads=STANDARD_LEADS) -> Explanation:
    return Explanation(np.asarray(values), 100.0, 0.0, leads, "MI", "input_x_gradient", signed, 0.02)


def trace(figure, name):
    return [each for each in figure.data if each.name == name]


def heatmap(figure):
    (found,) = [each for each in figure.data if each.type == "heatmap"]
    return found


def test_paper_has_square_millimetres():
    figure = figures.paper(make_record())
    y = figure.layout.yaxis
    seconds_in_25_mm, microvolts_in_10_mm = 1.0, 1000.0
    assert y.scaleanchor == "x"
    assert y.scaleratio * microvolts_in_10_mm / 10 == pytest.approx(seconds_in_25_mm / 25)
    assert figure.layout.xaxis.constrain == y.constrain == "domain"


def test_paper_draws_three_rows_of_four_and_lead_two_below():
    record = make_record()
    figure = figures.paper(record)
    page = sheet.sheet(record, 0.0)
    for lead, row in ROW_OF.items():
        line = trace(figure, lead)[0]
        column = [name for name, r in ROW_OF.items() if r == row].index(lead)
        assert line.x0 == pytest.approx(2.5 * column)
        drawn_mv = (np.asarray(line.y, dtype=float) - page.zero_uv[row]) / 1000
        first = round(2.5 * column * record.fs)
        np.testing.assert_allclose(drawn_mv, record.lead(lead)[first : first + drawn_mv.size], atol=0.0006)
    strip = trace(figure, "II")[1]
    assert len(strip.y) == 5000
    assert strip.x0 == 0


def test_calibration_pulse_is_one_millivolt_for_a_fifth_of_a_second_on_every_row():
    figure = figures.paper(make_record())
    (pulse,) = trace(figure, "1 mV, 0.2 s")
    rows = np.array([value for value in pulse.y if value is not None]).reshape(4, -1)
    assert np.ptp(rows, axis=1) == pytest.approx([1000] * 4)
    x = np.array([value for value in pulse.x if value is not None]).reshape(4, -1)[0]
    high = x[rows[0] == rows[0].max()]
    assert np.ptp(high) == pytest.approx(0.2)


def test_grid_lines_are_one_and_five_millimetres_apart():
    minor, major = (shape.path for shape in figures.paper(make_record()).layout.shapes[:2])
    for path, step_s, step_uv in ((minor, 0.04, 100), (major, 0.2, 500)):
        verticals = [float(part.split(",")[0]) for part in path.split("M")[1:] if "V" in part]
        horizontals = [float(part.split(",")[1].split("H")[0]) for part in path.split("M")[1:] if "H" in part]
        np.testing.assert_allclose(np.diff(verticals), step_s, atol=1e-3)
        np.testing.assert_allclose(np.diff(horizontals), step_uv)


def test_tall_complexes_get_taller_rows_and_stay_on_them():
    record = make_record()
    signal = np.array(record.signal)
    signal[STANDARD_LEADS.index("V2"), 3000] = -2.9
    tall = dataclasses.replace(record, signal=signal)
    low, high = sheet.sheet(tall, 0.0).bounds_uv[1]
    zero = sheet.sheet(tall, 0.0).zero_uv[1]
    assert low <= zero - 2900
    assert high - low > np.ptp(sheet.sheet(record, 0.0).bounds_uv[1])


def test_a_missing_stretch_is_a_gap_not_a_line_at_zero():
    record = make_record()
    signal = np.array(record.signal)
    signal[0, 100:200] = np.nan
    figure = figures.paper(dataclasses.replace(record, signal=signal))
    line = trace(figure, "I")[0]
    assert np.isnan(np.asarray(line.y)[100:200]).all()
    assert line.connectgaps is False


def test_two_leads_are_drawn_one_a_row():
    figure = figures.paper(make_record(leads=("MLII", "V5")))
    assert [each.name for each in figure.data] == ["MLII", "V5", "1 mV, 0.2 s", "leads"]
    assert figure.data[-1].text == ("<b>MLII</b>", "<b>V5</b>")


def test_payload_stays_under_three_hundred_kilobytes():
    explanation = make_explanation(np.random.default_rng(0).normal(size=(12, 1000)))
    figure = figures.paper(make_record(), heat=figures.from_explanation(explanation, 10.0))
    assert len(figure.to_json()) < 300_000


def test_heat_puts_each_lead_behind_its_own_trace():
    values = np.repeat(np.arange(1.0, 13.0)[:, None], 1000, axis=1)
    record = make_record()
    heat = heatmap(figures.paper(record, heat=figures.from_explanation(make_explanation(values), 10.0)))
    x, y = np.asarray(heat.x, dtype=float), np.asarray(heat.y, dtype=float)
    page = sheet.sheet(record, 0.0)
    for strip in page.strips:
        column = np.searchsorted(x, strip.start_s + 1.0) - 1
        row = np.searchsorted(y, page.zero_uv[strip.row]) - 1
        assert np.asarray(heat.z)[row, column] == STANDARD_LEADS.index(strip.lead) + 1


def test_heat_stands_at_the_time_it_speaks_of():
    values = np.zeros((12, 1000))
    values[STANDARD_LEADS.index("V1"), 600] = 1.0
    explanation = dataclasses.replace(make_explanation(values), start_s=0.5)
    heat = heatmap(figures.paper(make_record(), heat=figures.from_explanation(explanation, 10.0)))
    row, column = np.unravel_index(np.nanargmax(heat.z), np.asarray(heat.z).shape)
    centre = np.asarray(heat.x, dtype=float)[column : column + 2].mean()
    assert row == 3
    assert centre == pytest.approx(6.5, abs=0.001)
    assert np.isnan(np.asarray(heat.z)[:, 0]).all()


def test_signed_colours_are_symmetric_about_exactly_zero():
    values = np.random.default_rng(1).normal(0.5, 1, size=(12, 1000))
    heat = heatmap(figures.paper(make_record(), heat=figures.from_explanation(make_explanation(values), 10.0)))
    assert heat.zmin == -heat.zmax
    middle = [colour for position, colour in heat.colorscale if position == 0.5]
    assert middle == ["rgba(247,247,247,0.000)"]
    assert heat.colorbar.ticktext[0].startswith("opposes")
    assert heat.colorbar.ticktext[-1].startswith("supports")


def test_unsigned_colours_start_at_zero():
    explanation = make_explanation(np.ones((12, 1000)), signed=False)
    heat = heatmap(figures.paper(make_record(), heat=figures.from_explanation(explanation, 10.0)))
    assert heat.zmin == 0
    assert heat.colorscale[0][1] == "rgba(255,255,229,0.000)"


@pytest.mark.parametrize("scale", [style.sequential(), style.diverging()])
def test_black_traces_keep_a_contrast_of_four_and_a_half_on_every_colour(scale):
    def luminance(rgb):
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def rgb(text):
        return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255

    ink, paper = rgb(style.INK), rgb(style.PAPER)
    for _, colour in scale:
        *channels, alpha = (float(part) for part in colour[5:-1].split(","))
        mixed = alpha * np.array(channels) / 255 + (1 - alpha) * paper
        assert alpha <= style.HEAT_OPACITY
        assert (luminance(mixed) + 0.05) / (luminance(ink) + 0.05) >= 4.5


def test_an_empty_map_colours_nothing():
    explanation = make_explanation(np.zeros((12, 1000)))
    heat = heatmap(figures.paper(make_record(), heat=figures.from_explanation(explanation, 10.0)))
    assert np.nanmax(np.abs(heat.z)) == 0
    assert heat.zmin < 0 < heat.zmax


def test_a_map_without_leads_is_the_same_behind_every_lead():
    values = np.arange(1000.0)[None, :]
    heat = figures.from_explanation(make_explanation(values, leads=()), 10.0)
    z = np.asarray(heatmap(figures.paper(make_record(), heat=heat)).z)
    np.testing.assert_array_equal(z, np.broadcast_to(z[0], z.shape))


def test_attention_tokens_keep_their_weight_over_their_span():
    spans = np.stack([0.5 * np.arange(20), 0.5 * np.arange(20) + 0.5], axis=1)
    weights = np.random.default_rng(2).dirichlet(np.ones(20), size=12)
    attention = AttentionMap("rhythm", weights, spans, STANDARD_LEADS, None, "1 over windows of a lead", 0.5)
    heat = figures.from_attention(attention)
    np.testing.assert_allclose(heat.values, weights)
    np.testing.assert_allclose(heat.edges_s, np.append(spans[:, 0], 10.0))


def test_even_attention_looks_pale_and_the_legend_says_where_even_is():
    spans = np.array([[0.0, 5.0], [5.0, 10.0]])
    attention = AttentionMap("rhythm", np.full((12, 2), 0.5), spans, STANDARD_LEADS, None, "1 over windows", 0.5)
    heat = heatmap(figures.paper(make_record(), heat=figures.from_attention(attention)))
    assert heat.zmax == pytest.approx(1.5)
    assert "0.5 is an even spread" in heat.colorbar.title.text


def test_small_magnitudes_are_read_with_their_power_of_ten():
    values = np.full((12, 1000), 2.5e-5)
    heat = heatmap(figures.paper(make_record(), heat=figures.from_explanation(make_explanation(values), 10.0)))
    assert "×10⁻⁵" in heat.colorbar.title.text
    assert heat.colorbar.ticktext[-1] == "supports, +2.5 or above"


def test_text_of_unknown_origin_is_escaped():
    record = make_record(id='<a href="http://example.org">x</a>')
    header = figures.header(record, Measurements({}, {}, (), 500.0, np.empty((0, 0)), np.empty(0), {}))
    figure = figures.paper(record, header=header)
    texts = " ".join(annotation.text for annotation in figure.layout.annotations)
    assert "&lt;a href" in texts
    assert "<a" not in texts


def test_header_names_both_formulas_and_dashes_what_is_not_measurable():
    measured = Measurements(
        {"rate_bpm": 71.6, "pr_ms": np.nan, "qtc_bazett_ms": 431.2, "qtc_fridericia_ms": 419.7, "qrs_axis_deg": -0.3},
        {}, (), 500.0, np.empty((0, 0)), np.empty(0), {},
    )  # fmt: skip
    who, what = figures.header(make_record(age_years=63, sex="female", simulated=True), measured)
    assert who == "test · 63 years · female · simulated recording"
    assert "Rate 72 bpm" in what
    assert "PR – ms" in what
    assert "QTc 431 (Bazett) 420 (Fridericia) ms" in what
    assert "QRS 0°" in what


def test_leads_beyond_the_twelve_are_named_as_not_drawn():
    assert "not drawn: vx, vy, vz" in figures.footer(make_record(leads=(*STANDARD_LEADS, "vx", "vy", "vz")))
    assert "not drawn" not in figures.footer(make_record())
    assert "0 to 50 Hz" in figures.footer(make_record(fs=100.0))


def test_altered_records_say_so_on_the_paper():
    who, _ = figures.header(
        make_record(altered=("ST raised",)), Measurements({}, {}, (), 1.0, np.empty((0, 0)), [], {})
    )
    assert "ALTERED: ST raised" in who


def test_channel_bars_carry_their_numbers_and_the_even_line():
    shares = np.full(12, 0.05)
    shares[1] = 0.45
    figure = figures.channel_bars(shares, STANDARD_LEADS, title="Share")
    written = next(each for each in figure.data if each.name == "numbers")
    numbers = dict(zip(written.y, written.text, strict=True))
    assert numbers["II"] == "45 %"
    assert numbers["V6"] == "5.0 %"
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == pytest.approx(100 / 12)
    assert "largest II 45 %" in figure.layout.meta["alt"]


def test_rhythm_strip_stands_above_the_intervals_that_end_in_each_beat():
    kinds = ("normal",) * 5 + ("premature_ventricular",) + ("normal",) * 6
    beats = make_beats(kinds=kinds)
    shares = np.full(12, 1 / 12)
    figure = figures.rhythm_strip(shares, beats, title="Share")
    bars, tachogram, _ = figure.data
    np.testing.assert_allclose(bars.x, beats.r_s)
    np.testing.assert_allclose(tachogram.x, beats.r_s[1:])
    np.testing.assert_allclose(tachogram.y, 800)
    assert list(bars.marker.pattern.shape).index("/") == 5
    assert [a.text for a in figure.layout.annotations if a.text.endswith(" V")] == ["8.3 V"]
    assert "V premature ventricular" in figure.layout.title.text


def test_a_beat_that_the_map_does_not_cover_has_no_number_and_no_part_in_what_is_even():
    beats, shares = make_beats(), np.full(12, np.nan)
    shares[:4] = (0.4, 0.3, 0.2, 0.1)
    figure = figures.rhythm_strip(shares, beats, title="Share")
    numbers = [each.text for each in figure.layout.annotations if each.yanchor == "bottom"]
    assert numbers[:4] == ["40", "30", "20", "10"]
    assert set(numbers[4:12]) == {""}
    assert any(shape.y0 == shape.y1 == 25.0 for shape in figure.layout.shapes)
    assert figure.data[2].customdata[11][3].endswith("not in the map's window")


def test_wave_matrix_writes_every_share_and_frames_the_region():
    shares = np.zeros((12, 6))
    shares[1, 3] = 0.4
    outlined = np.zeros((12, 6), dtype=bool)
    outlined[[1, 2, 5], 3] = True
    figure = figures.wave_matrix(shares, STANDARD_LEADS, title="Share", outlined=outlined)
    assert figure.data[0].text[1][3] == "40.0"
    assert {(shape.x0 + shape.x1, shape.y0 + shape.y1) for shape in figure.layout.shapes} == {(6, 2), (6, 4), (6, 10)}
    assert "largest cell II ST with 40 %" in figure.layout.meta["alt"]


def test_on_hover_a_cell_is_named_by_lead_and_wave_whatever_stands_below_the_wave():
    shares, durations = np.full((12, 6), 1 / 72), np.full(6, 1 / 6)
    figure = figures.wave_matrix(shares, STANDARD_LEADS, title="Share", durations=durations)
    assert "17 %" in figure.layout.xaxis.ticktext[0]
    picks = figure.data[1]
    assert picks.hovertemplate.startswith("%{y} %{customdata[2]}: %{customdata[3]}")
    assert [tuple(each[1:]) for each in picks.customdata[:2]] == [("I", "P", "1.39 %"), ("I", "PR", "1.39 %")]
    assert figure.layout.hoverlabel.bgcolor == "white"
    assert figure.layout.hoverlabel.font.color == style.INK


def test_on_hover_a_lead_without_a_share_has_none_where_one_without_mass_has_zero():
    by_lead = np.array([1.0, 0.0, *[np.nan] * 10])
    bars = figures.channel_bars(by_lead, STANDARD_LEADS, title="Share").data[2]
    cells = figures.wave_matrix(np.tile(by_lead[:, None] / 6, 6), STANDARD_LEADS, title="Share").data[1]
    for picks in (bars, cells):
        told = {str(each[1]): str(each[3]) for each in picks.customdata}
        assert (told["II"], told["III"], told["V6"]) == ("0.00 %", style.MISSING, style.MISSING)


def test_a_map_of_all_leads_together_is_one_low_row_with_room_for_its_name():
    one = figures.wave_matrix(np.full((1, 6), 1 / 6), (), title="Share")
    all_leads = figures.wave_matrix(np.full((12, 6), 1 / 72), STANDARD_LEADS, title="Share")
    assert list(one.data[0].y) == ["all leads"]
    assert one.layout.height < all_leads.layout.height
    assert one.layout.margin.l > all_leads.layout.margin.l


def test_signed_matrix_is_support_minus_opposition():
    pos, neg = np.zeros((12, 2, 9)), np.zeros((12, 2, 9))
    pos[0, 0, ATOMS.index("QRSi")], neg[0, 1, ATOMS.index("QRSt")] = 3.0, 1.0
    grid = EvidenceGrid(
        pos,
        neg,
        0.0,
        0.0,
        np.ones((2, 9)),
        STANDARD_LEADS,
        ("normal",) * 2,
        has_time=True,
        signed=True,
        resolution_s=0.02,
    )
    matrix = figures.signed_matrix(grid)
    assert matrix is not None
    assert matrix[0, list(WAVES).index("QRS")] == pytest.approx(0.5)


def test_training_curve_draws_every_fit_and_no_score_that_was_not_measured():
    def line(epoch, loss, auc=None):
        return {"epoch": epoch, "loss": loss, "validation_auc": auc}

    curve = {"pretraining": [line(0, 0.9), line(1, 0.5)], "all <folds>": [line(0, 0.45), line(1, 0.4)]}
    figure = figures.training_curve(curve, title="Training of a")
    assert [(each.name, each.x, each.y) for each in figure.data] == [
        ("pretraining", (1, 2), (0.9, 0.5)),
        ("all &lt;folds&gt;", (1, 2), (0.45, 0.4)),
    ]
    assert NOTICE in [note.text.replace("<br>", " ") for note in figure.layout.annotations]
    assert "pretraining 0.50, all <folds> 0.40" in figure.layout.meta["alt"]
    assert len({(each.line.color, each.line.dash) for each in figure.data}) == 2
    measured = figures.training_curve({"fit": [line(0, 0.9, 0.7), line(1, 0.5, 0.8)]}, title="Training of a")
    assert [each.y for each in measured.data] == [(0.9, 0.5), (0.7, 0.8)]
    assert measured.layout.height > figure.layout.height
    rows = tables.curve_table(curve)
    assert list(rows["loss"]) == [0.9, 0.5, 0.45, 0.4]


def test_predictions_are_listed_with_what_became_of_scores_like_them():
    prediction = Prediction(("MI", "PVC"), np.zeros(2), np.array([0.7, 0.02]), np.array([0.5, 0.1]))
    names = {"MI": "myocardial infarction", "PVC": ""}
    table = tables.prediction_table(prediction, names, {"MI": ObservedRate(0.75, 0.5, 0.9, 20), "PVC": None})
    assert table.to_numpy().tolist() == [
        ["MI", "myocardial infarction", "70 %", "50 %", "yes", "75 % of n = 20 (50 to 90 %)"],
        ["PVC", "", "2.0 %", "10 %", "no", "–"],
    ]


def test_label_table_gathers_the_reports_of_each_set_and_leaves_out_what_was_not_scored():
    def area(value, spread=0.1):
        return {"value": value, "low": None if value is None else value - spread, "high": 0.9}

    metrics = {
        "out of fold": {"superclasses": {"n": 9, "auc": {"MI": area(0.8)}}, "statements": {"n": 9, "auc": {}}},
        "unseen": {
            "superclasses": {"n": 4, "auc": {"MI": area(None)}},
            "statements": {"n": 5, "auc": {"PVC": area(0.7)}},
        },
        "past scores": {"on": "out of fold", "tables": {}},
    }
    table = tables.label_table(("MI", "PVC"), (0.5, 0.1), metrics)
    assert list(table.columns) == ["label", "threshold", "AUC, out of fold (n = 9)", "AUC, unseen (n = 4 and 5)"]
    assert list(table["AUC, out of fold (n = 9)"]) == ["0.80 (0.70 to 0.90)", "–"]
    assert list(table["AUC, unseen (n = 4 and 5)"]) == ["–", "0.70 (0.60 to 0.90)"]


def test_tables_hold_what_the_figures_show():
    beats = make_beats()
    shares = np.arange(12) / 66
    assert tables.channel_table(shares, STANDARD_LEADS)["share, %"].sum() == pytest.approx(100)
    rhythm = tables.rhythm_table(shares, beats)
    assert np.isnan(rhythm["RR, ms"][0])
    assert rhythm["RR, ms"][1] == pytest.approx(800)
    values = np.zeros((12, 1000))
    values[6, 600] = -2.0
    heat = tables.heat_table(figures.from_explanation(make_explanation(values), 10.0))
    (row,) = heat[heat["largest"] != 0].to_dict("records")
    assert row["lead"] == "V1"
    assert row["from, s"] <= 6.0 <= row["to, s"]
    assert row["largest"] == -2.0


@pytest.mark.parametrize(
    ("share", "text"), [(0.412, "41 %"), (0.0994, "9.9 %"), (0.0996, "10 %"), (0.004, "0.4 %"), (np.nan, "–")]
)
def test_percentages_keep_the_digits_that_matter(share, text):
    assert style.percent(share) == text


def two_minutes(every_s: float, early: int) -> Beats:
    """Return beats at a steady rate for two minutes, one of them premature."""
    on = 0.3 + every_s * np.arange(int(119 / every_s))
    on[early] -= 0.3 * every_s
    marks = (on, on + 0.05, on + 0.1, on + 0.16, on + 0.2, on + 0.3)
    kinds = tuple("premature_atrial" if n == early else "normal" for n in range(on.size))
    return Beats(on + 0.13, *marks, kind=kinds, duration_s=120.0, leads=STANDARD_LEADS)


@pytest.mark.parametrize("every_s", [0.35, 0.8])
def test_numbers_of_a_long_recording_stand_apart_and_none_is_lost(every_s: float):
    """Beside the sidebar of a window 1024 pixels wide the plot has 528: 30 px hold an RR interval of four digits."""
    beats = two_minutes(every_s, early=70)
    shares = np.full(len(beats), 1 / len(beats))
    figure = figures.rhythm_strip(shares, beats, title="Share")
    px_per_s = 528 / 120
    tachogram = figure.data[1]
    assert len(tachogram.y) == len(beats) - 1
    written_s = [at for at, text in zip(tachogram.x, tachogram.text, strict=True) if text]
    assert 10 < len(written_s) < 20
    assert np.diff(written_s).min() * px_per_s >= 30
    numbers = [note for note in figure.layout.annotations if note.yanchor == "bottom"]
    assert np.diff([note.x for note in numbers if note.text]).min() * px_per_s >= 28 or len(numbers) < 2
    assert [note.x for note in numbers if note.text.endswith(" A")] == [beats.r_s[70]]  # the odd one is not left out
    assert len(tables.rhythm_table(shares, beats)["RR, ms"].dropna()) == len(beats) - 1


def test_ten_seconds_at_a_usual_rate_have_every_number():
    figure = figures.rhythm_strip(np.full(12, 1 / 12), make_beats(), title="Share")
    assert list(figure.data[1].text) == ["800"] * 11
    assert [note.text for note in figure.layout.annotations if note.yanchor == "bottom"][:12] == ["8.3"] * 12


def test_a_long_title_over_the_rhythm_is_cut_by_no_window():
    kinds = ("normal",) * 5 + ("premature_ventricular", "premature_atrial") + ("normal",) * 5
    title = "Integrated gradients: share of supporting mass in each beat, %, above the RR interval that ends in it"
    short, long = (
        figures.rhythm_strip(np.full(12, 1 / 12), make_beats(kinds=kinds), title=each) for each in ("Share", title)
    )
    lines = long.layout.title.text.split("<br>")
    assert max(map(len, lines)) <= 88
    assert "V premature ventricular, A premature atrial" in lines[-1]
    assert long.layout.margin.t - short.layout.margin.t == long.layout.height - short.layout.height > 0
