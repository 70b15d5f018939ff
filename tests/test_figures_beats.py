"""The figures of beats by their data: marks where they are, square millimetres, nothing told by colour alone."""

import dataclasses

import numpy as np
import pytest

from ecgviz import figures
from ecgviz.figures import annotated, beat_tables
from ecgviz.measure import MedianBeat
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import KINDS, MARKS, Beats, Record

FROM_R = {"p_on": -0.20, "p_off": -0.10, "qrs_on": -0.04, "qrs_off": 0.05, "t_on": 0.20, "t_off": 0.40}
NAMES = ("P onset", "P offset", "QRS onset", "QRS offset", "T onset", "T offset")


def make_record(leads=STANDARD_LEADS, duration_s=10.0) -> Record:
    t = np.arange(round(duration_s * 500)) / 500
    rows = [0.05 * i + 0.4 * np.sin(2 * np.pi * 1.1 * t) for i in range(len(leads))]
    return Record(np.array(rows), 500.0, tuple(leads), id="test")


def make_beats(n=11, duration_s=10.0, **more) -> Beats:
    r = 0.5 + 0.9 * np.arange(n)
    marks = {name: r + away for name, away in FROM_R.items()} | {k: more.pop(k) for k in MARKS if k in more}
    return Beats(
        r, **marks, kind=more.pop("kind", ("normal",) * n), duration_s=duration_s, leads=STANDARD_LEADS, **more
    )


def make_median(leads=STANDARD_LEADS, marks=FROM_R) -> MedianBeat:
    t = np.arange(-250, 400) / 500
    return MedianBeat(np.array([0.1 * i + np.exp(-((t / 0.02) ** 2)) for i in range(len(leads))]), t, marks, 9, 500.0)


def trace(figure, name):
    (found,) = [each for each in figure.data if each.name == name]
    return found


def spans(line):
    """Return start and end of the strokes of a trace, shape (strokes, 2)."""
    return np.array([x for x in line.x if x is not None], dtype=float).reshape(-1, 2)


def assert_square(figure):
    y = figure.layout.yaxis
    assert y.scaleanchor == "x"
    assert y.scaleratio * 1000 / 10 == pytest.approx(1 / 25)
    assert figure.layout.xaxis.constrain == y.constrain == "domain"


def test_the_median_has_a_panel_for_every_lead_on_square_millimetres():
    median = make_median()
    figure = figures.median_sheet(median, STANDARD_LEADS, title="Median of 9 normal beats")
    assert_square(figure)
    peaks = {}
    for i, lead in enumerate(STANDARD_LEADS):
        line = trace(figure, lead)
        values = np.asarray(line.customdata)[:, 1]
        drawn_s = np.asarray(line.customdata)[:, 0] / 1000
        np.testing.assert_allclose(values, np.interp(drawn_s, median.time_s, median.mv[i]), atol=1e-6)
        np.testing.assert_allclose(np.diff(np.asarray(line.y, dtype=float)), 1000 * np.diff(values), atol=0.01)
        peaks[lead] = line.x0 + line.dx * int(values.argmax())
    for peak in peaks.values():  # every R peak on a heavy line of the paper
        assert peak / 0.2 == pytest.approx(round(peak / 0.2), abs=1e-6)
    assert len({round(peaks[lead], 6) for lead in ("I", "II", "III")}) == 1
    assert len({round(peaks[lead], 6) for lead in ("I", "aVR", "V1", "V4")}) == 4


def test_every_mark_is_a_line_at_its_time_in_every_lead_with_its_name_and_its_own_dash():
    figure = figures.median_sheet(make_median(), STANDARD_LEADS, title="Median")
    r_at = {}
    for lead in STANDARD_LEADS:
        line = trace(figure, lead)
        r_at[lead] = line.x0 + line.dx * int(np.asarray(line.customdata)[:, 1].argmax())
    for name, away in zip(NAMES, FROM_R.values(), strict=True):
        strokes = spans(trace(figure, name))
        assert len(strokes) == 12
        np.testing.assert_allclose(sorted(strokes[:, 0]), sorted(at + away for at in r_at.values()), atol=1e-9)
    assert len({trace(figure, name).line.dash for name in ("P onset", "QRS onset", "T onset")}) == 3
    names = trace(figure, "wave names")
    assert sorted(names.text) == sorted(("P", "QRS", "T") * 12)
    assert "QRS onset -40 ms" in figure.layout.meta["alt"]


def test_a_wave_that_is_not_there_has_no_line_and_no_name():
    marks = FROM_R | {"p_on": np.nan, "p_off": np.nan}
    figure = figures.median_sheet(make_median(marks=marks), STANDARD_LEADS, title="Median")
    assert not trace(figure, "P onset").x
    assert set(trace(figure, "wave names").text) == {"QRS", "T"}
    assert "P onset" not in figure.layout.meta["alt"]


def test_marks_of_single_leads_are_the_medians_of_their_beats():
    beats = make_beats()
    own = {name: np.tile(beats.r_s + away, (12, 1)) for name, away in FROM_R.items()}
    own["qrs_on"][3] += np.linspace(-0.02, 0.04, 11)
    own["p_on"][5, :6] = np.nan  # most beats lack it
    ticks = figures.lead_ticks(dataclasses.replace(beats, lead_marks=own), np.ones(11, dtype=bool))
    assert ticks["qrs_on"][3] == pytest.approx(-0.04 + 0.01)
    assert ticks["qrs_on"][4] == pytest.approx(-0.04)
    assert np.isnan(ticks["p_on"][5])
    figure = figures.median_sheet(make_median(), STANDARD_LEADS, title="Median", ticks=ticks)
    strokes = trace(figure, "marks of single leads")
    assert len(spans(strokes)) == 12 * 6 - 1
    assert f"{STANDARD_LEADS[3]}: QRS onset, -30 ms from R" in strokes.customdata
    assert "green strokes" in figure.layout.annotations[-1].text


def test_two_leads_and_hostile_names_are_drawn_and_escaped():
    leads = ("<b>x</b>", "V5")
    figure = figures.median_sheet(make_median(leads), leads, title="<i>Median</i>")
    assert "<b>x</b>" not in figure.layout.annotations[0].text.removeprefix("<b>").removesuffix("</b>")
    assert "&lt;i&gt;" in figure.layout.title.text


def test_the_strip_has_square_millimetres_above_a_tachogram_on_one_time_axis():
    record, beats = make_record(), make_beats()
    figure = figures.beat_strip(record, beats, "V2")
    assert_square(figure)
    line, rr = trace(figure, "V2"), trace(figure, "RR")
    np.testing.assert_allclose(line.customdata, record.lead("V2"), atol=1e-6)
    np.testing.assert_allclose(np.diff(line.y), 1000 * np.diff(record.lead("V2")), atol=0.01)
    assert rr.yaxis == "y2"
    assert rr.xaxis in (None, "x")
    np.testing.assert_allclose(rr.x, beats.r_s[1:])
    np.testing.assert_allclose(rr.y, 900)
    low, high = figure.layout.yaxis2.range
    assert low < 900 < high
    assert figure.layout.yaxis2.domain[1] < figure.layout.yaxis.domain[0]
    assert figure.layout.shapes[0].fillcolor == "#fff7f7"
    assert (
        sum("V" in (shape.path or "") and shape.fillcolor is None for shape in figure.layout.shapes) == 2
    )  # both grids


def test_the_interval_before_a_premature_beat_has_its_number_first():
    kinds = tuple("premature_ventricular" if b == 5 else "normal" for b in range(60))
    beats = make_beats(60, 60.0, kind=kinds)
    written = figures.rhythm_strip(np.full(60, 1 / 60), beats, title="Share").data[1].text
    assert written[4] == f"{1000 * beats.rr_s[4]:.0f}"
    assert "" in (written[3], written[5])


def test_every_beat_has_its_number_and_the_letter_of_its_kind():
    kinds = (*KINDS, *("normal",) * 6)
    edge = np.arange(11) == 10
    figure = figures.beat_strip(make_record(), make_beats(kind=kinds, edge=edge), "II")
    texts = trace(figure, "kind of beat").text
    assert [text.removeprefix("<b>").removesuffix("</b>") for text in texts[:5]] == ["1 N", "2 V", "3 A", "4 P", "5 ?"]
    assert texts[10] == "<b>11 N|</b>"
    assert texts[5] == "6 N"
    assert "V premature ventricular" in figure.layout.title.text
    assert "| cut by the edge" in figure.layout.title.text
    open_circles = [symbol == "circle-open" for symbol in trace(figure, "RR").marker.symbol]
    assert open_circles == [True] * 5 + [False] * 4 + [True]


def test_each_wave_has_its_own_row_of_bars_at_its_times():
    beats = make_beats()
    figure = figures.beat_strip(make_record(), beats, "II")
    heights = []
    for wave, (on, off) in {"P": ("p_on", "p_off"), "QRS": ("qrs_on", "qrs_off"), "T": ("t_on", "t_off")}.items():
        bars = trace(figure, wave)
        np.testing.assert_allclose(
            spans(bars), np.minimum(np.stack([getattr(beats, on), getattr(beats, off)], axis=1), 10.0)
        )
        heights.append({y for y in bars.y if y is not None})
    assert all(len(each) == 1 for each in heights)
    assert len(set.union(*heights)) == 3
    assert [note.text for note in figure.layout.annotations[:3]] == ["P", "QRS", "T"]


def test_absent_and_extra_p_waves_are_words_where_they_belong():
    beats = make_beats()
    on, off = np.array(beats.p_on), np.array(beats.p_off)
    on[2], off[2] = np.nan, np.nan
    why = tuple("none <b>seen</b>" if b == 2 else "" for b in range(11))
    beats = make_beats(p_on=on, p_off=off, why_no_p=why, extra_p_s=np.array([4.9]))
    words = trace(figures.beat_strip(make_record(), beats, "II"), "P absent or extra")
    assert list(words.text) == ["no P", "extra"]
    assert beats.r_s[2] - 0.25 < words.x[0] < beats.r_s[2]
    assert words.x[1] == 4.9
    assert "beat 3: no P wave, none &lt;b&gt;seen" in words.customdata[0]
    assert len(spans(trace(figures.beat_strip(make_record(), beats, "II"), "P"))) == 10
    assert beat_tables.why_no_p(beats) == (
        "beat 3: none <b>seen</b>.",
        "P waves that no QRS complex follows: at 4.90 s.",
    )


def test_a_long_recording_is_paged_and_keeps_the_numbers_of_its_beats():
    record, beats = make_record(duration_s=30.0), make_beats(n=33, duration_s=30.0)
    figure = figures.beat_strip(record, beats, "II", start_s=12.0)
    first, last = beats.r_s[beats.r_s >= 12.0][0], beats.r_s[beats.r_s <= 22.0][-1]
    kinds = trace(figure, "kind of beat")
    assert (kinds.x[0], kinds.x[-1]) == (first, last)
    assert kinds.text[0] == f"{int(np.flatnonzero(beats.r_s == first)[0]) + 1} N"
    assert spans(trace(figure, "QRS")).min() >= 11.6
    assert spans(trace(figure, "QRS")).max() <= 22.0
    assert list(figure.layout.xaxis.range) == [11.6, 22.0]
    page = figures.beat_strip(record, beats, "II")
    assert page.layout.yaxis2.range == figure.layout.yaxis2.range


def test_a_recording_with_one_beat_or_none_in_sight_is_drawn():
    one = make_beats(n=1)
    figure = figures.beat_strip(make_record(), one, "II")
    assert list(trace(figure, "kind of beat").text) == ["1 N"]
    assert len(trace(figure, "RR").x) == 0
    later = figures.beat_strip(
        make_record(duration_s=40.0), dataclasses.replace(one, duration_s=40.0), "II", start_s=25.0
    )
    assert len(trace(later, "kind of beat").x) == 0


def test_reasons_are_told_once_with_the_numbers_of_their_beats():
    on = np.array(make_beats().p_on)
    gone = [0, 1, 2, 3, 5, 8, 9]
    on[gone] = np.nan
    why = tuple("flutter waves" if b in gone[:5] else "too noisy" if b in gone else "" for b in range(11))
    told = beat_tables.why_no_p(make_beats(p_on=on, p_off=on, why_no_p=why))
    assert told == ("beats 1 to 4, 6: flutter waves.", "beats 9, 10: too noisy.")
    assert beat_tables.why_no_p(make_beats()) == ()


def test_the_tables_hold_the_marks_and_the_intervals_between_them():
    table = beat_tables.beat_table(make_beats())
    assert list(table["QRS onset, s"]) == pytest.approx(list(make_beats().qrs_on))
    assert np.isnan(table["RR, ms"][0])
    assert table["RR, ms"][1] == pytest.approx(900)
    intervals = beat_tables.median_interval_table(FROM_R)
    assert list(intervals["value"]) == ["100 ms", "160 ms", "90 ms", "440 ms"]
    without = beat_tables.median_interval_table(FROM_R | {"p_on": np.nan})
    assert list(without["value"])[:2] == ["–", "–"]
    median = beat_tables.median_table(make_median(), STANDARD_LEADS)
    assert median.shape == (650, 13)
    assert median["from R, ms"][250] == 0


def test_in_half_a_page_no_names_of_waves_run_into_one_another_and_the_lines_keep_their_key():
    whole = figures.median_sheet(make_median(), STANDARD_LEADS, title="Median")
    half = annotated.half_as_wide(whole)
    assert [each.name for each in half.data] == [each.name for each in whole.data if each.name != "wave names"]
    assert any("P dotted, QRS solid, T dashed" in each.text for each in half.layout.annotations)
    assert trace(whole, "wave names").text
