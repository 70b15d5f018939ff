"""What no lead recorded is not known: no pause, no blocked P wave and no mark is made of it."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ecgviz.beats import METHODS, delineate
from ecgviz.criteria import evaluate
from ecgviz.criteria.beatwise import beat_numbers, rhythm_numbers
from ecgviz.edit import change_rate, shift_pr
from ecgviz.errors import EditError
from ecgviz.figures.beat_tables import beat_table
from ecgviz.figures.printed import rhythm_svg
from ecgviz.figures.rhythm import rhythm_strip
from ecgviz.figures.strip import beat_strip
from ecgviz.measure import measure
from ecgviz.pipeline.codec import decode, encode
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.types import ATOMS, MARKS, Beats, Record
from tests.toys import even_beats

GAP_S = (3.0, 5.0)


@cache
def _with_gap(start_s: float, end_s: float, seed: int = 1, method: str = "network") -> tuple[Record, Beats, Beats]:
    """Return a healthy record without some of its samples, its beats, and those of the whole record."""
    whole = simulate("normal", seed=seed, fs=500.0, duration_s=10.0).record
    signal = np.array(whole.signal)
    signal[:, round(500 * start_s) : round(500 * end_s)] = np.nan
    record = condition(replace(whole, signal=signal))
    return record, delineate(record, method), delineate(condition(whole), method)


@pytest.mark.parametrize(("start_s", "end_s"), [GAP_S, (4.0, 6.1), (0.0, 1.5), (8.2, 10.0)])
def test_two_seconds_without_signal_are_no_pause(start_s, end_s):
    record, beats, whole = _with_gap(start_s, end_s)
    np.testing.assert_allclose(beats.gaps_s, [[start_s, end_s]])
    found = measure(record, beats)
    kept = np.abs(whole.r_s[:, None] - beats.r_s).min(axis=1) < 0.05
    both = kept[:-1] & kept[1:]
    assert found.value("rr_mean_ms") == pytest.approx(1000 * whole.rr_s[both].mean(), abs=25)
    assert found.value("nrmssd") < 0.1
    for label in ("SBRAD", "BRADY"):
        states = {each.state for each in evaluate(label, found, beats, age_years=60, sex="male")}
        assert "met" not in states
    assert rhythm_numbers(beats)[0]["longest_rr_ms"] < 1.1 * 1000 * whole.rr_s.max()
    (told,) = found.remarks
    assert f"no lead recorded {start_s:.2f} to {end_s:.2f} s" in told


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_marked_in_a_gap_and_the_beats_beside_it_are_cut(method):
    _, beats, _ = _with_gap(*GAP_S, method=method)
    unknown = np.flatnonzero(np.isnan(beats.rr_s))
    assert unknown.size == 1
    before, after = unknown[0], unknown[0] + 1
    assert beats.r_s[before] < GAP_S[0]
    assert beats.r_s[after] > GAP_S[1]
    for name in MARKS:
        times = np.concatenate([getattr(beats, name), beats.lead_marks[name].ravel()])
        assert not ((times > GAP_S[0] + 0.01) & (times < GAP_S[1] - 0.01)).any(), name
    segments = beats.segments()
    overlaps = (segments[..., 0] < GAP_S[1]) & (segments[..., 1] > GAP_S[0])
    assert not overlaps.any()
    assert np.isnan(segments[before, ATOMS.index("TP")]).all()
    near = (beats.r_s > GAP_S[1]) & (beats.r_s < GAP_S[1] + 0.3)
    assert beats.edge[near].all()


def test_a_gap_too_short_for_a_beat_is_bridged():
    _, beats, whole = _with_gap(3.0, 3.03)
    assert beats.gaps_s.shape == (0, 2)
    np.testing.assert_allclose(beats.r_s, whole.r_s, atol=0.02)


def test_a_gap_of_some_leads_alone_hides_nothing():
    whole = simulate("normal", seed=1, fs=500.0, duration_s=10.0).record
    signal = np.array(whole.signal)
    signal[:11, 1500:2500] = np.nan
    beats = delineate(condition(replace(whole, signal=signal)))
    assert beats.gaps_s.shape == (0, 2)
    assert np.isfinite(beats.rr_s).all()


def test_neither_a_chain_nor_a_pause_crosses_a_gap():
    kinds = ("normal", "premature_ventricular") * 3
    beats = replace(even_beats(6), kind=kinds)
    assert rhythm_numbers(beats)[0]["bigeminy_cycles"] == 3
    torn = replace(beats, gaps_s=np.array([[3.6, 3.9]]))
    assert np.isnan(torn.rr_s).tolist() == [False, False, False, True, False]
    assert rhythm_numbers(torn)[0]["bigeminy_cycles"] == 2
    assert np.isnan(beat_numbers(torn)["beat_pause"]).tolist() == [True, False, False, True, True, True]


def test_an_interval_to_a_complex_that_the_record_cuts_is_not_counted():
    beats = even_beats(5)
    cut = replace(beats, r_s=beats.r_s - 0.26, qrs_on=np.maximum(beats.qrs_on - 0.265, 0), gaps_s=np.empty((0, 2)))
    found = measure(Record(np.random.default_rng(1).normal(size=(12, 5000)), 500.0, beats.leads, id="noise"), cut)
    assert np.isfinite(cut.rr_s).all()
    assert found.value("rr_mean_ms") == pytest.approx(1000)
    assert np.isnan(beat_numbers(cut)["beat_coupling"][:2]).all()


def test_rr_intervals_that_are_not_known_are_not_edited():
    record, beats, _ = _with_gap(*GAP_S)
    with pytest.raises(EditError, match="recorded a part of what lies between beats 3 and 4"):
        change_rate(record, beats, 80)


def test_an_edited_record_keeps_its_gap():
    record, beats, _ = _with_gap(*GAP_S)
    done = shift_pr(record, beats, 20)
    np.testing.assert_allclose(done.beats.gaps_s, beats.gaps_s)


def test_gaps_are_stored_with_the_beats_and_older_beats_have_none():
    beats = replace(even_beats(4), gaps_s=np.array([[2.1, 2.6]]))
    arrays: dict[str, np.ndarray] = {}
    told = encode(beats, "beats", arrays)
    again = decode(Beats, told, arrays)
    np.testing.assert_array_equal(again.gaps_s, beats.gaps_s)
    np.testing.assert_array_equal(again.rr_s, beats.rr_s)
    del told["gaps_s"]
    assert decode(Beats, told, arrays).gaps_s.shape == (0, 2)


def test_figures_write_no_interval_across_a_gap():
    record, beats, _ = _with_gap(*GAP_S)
    shares = np.full(len(beats), 1 / len(beats))
    across = {f"{1000 * step:.0f}" for step in np.diff(beats.r_s)[np.isnan(beats.rr_s)]}
    for figure in (rhythm_strip(shares, beats, title="rhythm"), beat_strip(record, beats, "II")):
        texts = {str(text) for trace in figure.data if trace.text is not None for text in np.atleast_1d(trace.text)}
        assert not texts & ({"nan"} | across)
        (axis,) = [figure.layout.yaxis2.range]
        assert np.isfinite(axis).all()
    assert beat_table(beats)["RR, ms"].isna().sum() == 2
    assert rhythm_svg(shares, beats, title="rhythm").startswith("<")
