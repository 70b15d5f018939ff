"""What figures draw is what they are given: every number here is another one, and none is read off the code."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from ecgviz.explain.edits import EditEvidence
from ecgviz.figures import calipers, curve, heat, reliability, rhythm, sheet, style
from ecgviz.figures.edits import edits_table
from ecgviz.figures.median import median_sheet
from ecgviz.measure import MedianBeat
from ecgviz.types import AttentionMap, Explanation, Record
from ecgviz.types.paper import PaperFormat
from tests.toys import LEADS, even_beats

RECORD = Record(np.zeros((12, 1000)), 100.0, LEADS, id="flat")


def test_where_tokens_overlap_their_mean_is_drawn_and_where_none_is_nothing() -> None:
    spans = np.array([[0.0, 2.0], [1.0, 3.0], [4.0, 5.0]])
    shown = heat.from_attention(AttentionMap("beat", np.array([[0.2, 0.6, 0.1]]), spans, (), None, "1", 0.5))
    np.testing.assert_allclose(shown.edges_s, [0, 1, 2, 3, 4, 5])
    np.testing.assert_allclose(shown.values, [[0.2, 0.4, 0.6, np.nan, 0.1]])
    assert shown.even == pytest.approx(0.3)  # 0.9 over three tokens


@pytest.mark.parametrize(("start_s", "reaches_s"), [(0.0, 10.0), (12.0, 22.0), (25.0, 30.0)])
def test_a_map_without_time_is_drawn_over_the_window_that_the_network_read(start_s: float, reaches_s: float) -> None:
    """Ten seconds of thirty, less where the recording ends before; a sample stands for half of one on either side."""
    of_leads = Explanation(np.ones((12, 1)), 100.0, start_s, LEADS, "MI", "shapley", True, 10.0)
    shown = heat.from_explanation(of_leads, 30.0)
    np.testing.assert_allclose(shown.edges_s, [start_s - 0.005, reaches_s - 0.005])
    timed = Explanation(np.ones((12, 1000)), 100.0, start_s, LEADS, "MI", "saliency", True, 0.01)
    with_time = heat.from_explanation(timed, 30.0).edges_s
    assert shown.edges_s[0] == with_time[0]
    assert shown.edges_s[-1] == pytest.approx(min(with_time[-1], 29.995))
    weights = AttentionMap("channel", np.ones((12, 1)), with_time[None, [0, -1]], LEADS, None, "12", 10.0)
    np.testing.assert_allclose(shown.edges_s, np.minimum(heat.from_attention(weights).edges_s, 29.995))


def test_behind_seconds_that_the_network_did_not_read_there_is_no_colour() -> None:
    long = Record(np.zeros((12, 3000)), 100.0, LEADS, id="thirty seconds")
    of_leads = heat.from_explanation(
        Explanation(np.ones((12, 1)), 100.0, 0.0, LEADS, "MI", "shapley", True, 10.0), 30.0
    )
    read, unread = (np.asarray(heat.layer(of_leads, sheet.sheet(long, at)).z, dtype=float) for at in (0.0, 12.0))
    assert np.isfinite(read).any()
    assert np.isnan(unread).all()


@pytest.mark.parametrize(("gain_mm_mv", "strip_uv"), [(5.0, 600.0), (10.0, 300.0), (20.0, 150.0)])
def test_a_map_in_a_strip_is_three_millimetres_high_at_every_gain(gain_mm_mv: float, strip_uv: float) -> None:
    page = sheet.sheet(RECORD, 0.0, PaperFormat(gain_mm_mv=gain_mm_mv))
    given = Explanation(np.ones((12, 1000)), 100.0, 0.0, LEADS, "MI", "saliency", False, 0.01)
    drawn = heat.layer(heat.from_explanation(given, 10.0), page, in_strip=True)
    heights, z = np.diff(np.asarray(drawn.y, dtype=float)), np.asarray(drawn.z, dtype=float)
    np.testing.assert_allclose(heights[np.isfinite(z).any(axis=1)], strip_uv, atol=0.01)
    assert np.isfinite(z).any(axis=1).sum() == len(page.zero_uv)


def test_what_is_beyond_half_of_the_colour_end_is_hatched_and_nothing_less() -> None:
    drawn = go.Heatmap(z=[[0.45, 0.55, 0.0, -0.45, -0.55]], x=[0, 1, 2, 3, 4, 5], y=[0, 1], zmin=-1.0, zmax=1.0)
    supports, opposes = heat.hatches(drawn)
    assert (supports.fillpattern.shape, opposes.fillpattern.shape) == ("/", "\\")
    assert {x for x in supports.x if x is not None} == {1.0, 2.0}
    assert {x for x in opposes.x if x is not None} == {4.0, 5.0}


def test_the_bars_below_the_paper_are_as_long_as_what_they_stand_for() -> None:
    spans = np.stack([np.arange(10.0), np.arange(10.0) + 1], axis=1)
    shown = heat.from_attention(AttentionMap("rhythm", np.full((1, 10), 0.1), spans, (), None, "1", 2.5))
    bars, words = heat.scale_bars(shown, sheet.sheet(RECORD, 0.0))
    assert [bar["x1"] - bar["x0"] for bar in bars] == pytest.approx([1.0, 2.5])
    assert words[0]["text"] == "finest time 1 s; signal seen 2.5 s"


def test_an_interval_stands_above_the_beat_that_it_ends_in() -> None:
    beats = replace(even_beats(5), r_s=np.array([0.3, 1.0, 2.1, 3.4, 4.0]))
    figure = rhythm.rhythm_strip(np.array([0.1, 0.2, 0.3, 0.4, np.nan]), beats, title="share")
    (line,) = [each for each in figure.data if each.yaxis == "y2"]
    np.testing.assert_allclose(line.x, [1.0, 2.1, 3.4, 4.0])
    np.testing.assert_allclose(line.y, [700, 1100, 1300, 600])
    np.testing.assert_allclose(figure.data[0].y, [10, 20, 30, 40, np.nan])
    assert rhythm.even_percent(np.array([0.1, 0.2, 0.3, 0.4, np.nan])) == 25.0  # of four beats that the map covers


def test_a_median_beat_is_drawn_to_scale_and_read_in_millivolts() -> None:
    time_s = np.arange(-40, 60) / 100
    mv = np.outer(np.arange(1, 13) / 10, np.sin(time_s))
    marks = {"p_on": -0.2, "p_off": -0.1, "qrs_on": -0.05, "qrs_off": 0.05, "t_on": 0.2, "t_off": 0.35}
    figure = median_sheet(MedianBeat(mv, time_s, marks, 5, 100.0), LEADS, title="all")
    (v1,) = [each for each in figure.data if each.name == "V1"]
    told_ms, told_mv = np.asarray(v1.customdata, dtype=float).T
    np.testing.assert_allclose(told_mv, 0.7 * np.sin(told_ms / 1000), atol=1e-6)
    np.testing.assert_allclose(np.diff(np.asarray(v1.y, dtype=float)), 1000 * np.diff(told_mv), atol=0.01)


def test_a_caliper_reads_its_legs_and_all_that_is_between_them() -> None:
    signal = np.zeros((12, 1000))
    signal[0, 100:151] = np.interp(np.arange(51), [0, 10, 30, 50], [0.1, 0.9, -0.6, 0.4])
    put = calipers.place(Record(signal, 100.0, LEADS, id="known"), "I", 1.0, 1.5)
    read = (put.interval_ms, put.rate_bpm, put.change_mv, put.peak_to_peak_mv)
    assert read == pytest.approx((500.0, 120.0, 0.3, 1.5))
    np.testing.assert_allclose(put.march(0.4, 2.6), [0.5, 1.0, 1.5, 2.0, 2.5])


def test_epochs_are_counted_from_one_and_each_panel_holds_what_it_names() -> None:
    lines = [
        {"epoch": 0, "loss": 0.9, "validation_auc": 0.6},
        {"epoch": 1, "loss": 0.5, "validation_auc": 0.8},
    ]
    loss, auc = curve.training_curve({"fold 1": lines}, title="it").data
    assert (list(loss.x), list(loss.y)) == ([1, 2], [0.9, 0.5])
    assert (list(auc.x), list(auc.y)) == ([1, 2], [0.6, 0.8])


def test_the_bars_of_a_reliability_curve_end_where_its_intervals_end() -> None:
    points = [(0.1, 0.2, 0.05, 0.5, 12), (0.8, 0.6, 0.3, 0.85, 30)]
    figure = reliability.reliability_panels({"MI": {"one": points}}, title="fold 10")
    (line,) = [each for each in figure.data if each.name == "one"]
    assert (list(line.x), list(line.y), list(line.customdata)) == ([0.1, 0.8], [0.2, 0.6], [12, 30])
    np.testing.assert_allclose(np.add(line.y, line.error_y.array), [0.5, 0.85])
    np.testing.assert_allclose(np.subtract(line.y, line.error_y.arrayminus), [0.05, 0.3])


def test_percentages_have_as_many_digits_as_matter() -> None:
    told = [style.percent(share) for share in (0.414, 0.0994, 0.0995, 0.0321, 0.0044, float("nan"))]
    assert told == ["41 %", "9.9 %", "10 %", "3.2 %", "0.4 %", "–"]


def test_the_table_of_edits_tells_the_edit_from_its_shams() -> None:
    shams = (-0.5, 0.1, 0.3, 0.9, -2.0)
    found = EditEvidence("remove_p", "removing P", "AFIB", 1.0, 2.5, "P out", "elsewhere", shams, 0.1, 0.3)
    (row,) = edits_table([found]).to_dict("records")
    assert row["logit moves by"] == 1.5
    assert row["by sham edits"] == "-0.24 ± 1.10"
    assert row["shams that move it as far"] == "1 of 5"
    assert found.sentence.startswith("removing P raises the logit of AFIB by 1.50; 5 sham edits (elsewhere)")
    assert found.sentence.endswith("they change the samples 3 times as much as it does")
