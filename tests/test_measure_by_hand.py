"""Rhythm, the P wave's end and the ST segment, on beats and leads whose measurements can be counted by hand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from ecgviz.measure.leads import lead_measurements
from ecgviz.measure.median_beat import MedianBeat
from ecgviz.measure.rhythm import coupling, known_rr_s, rr_statistics
from ecgviz.measure.waves import wave_measurements
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import Beats
from ecgviz.types.beats import MARKS
from tests.toys import even_beats

N, V, A = "normal", "premature_ventricular", "premature_atrial"


def beats_of(rr_s: Sequence[float], kinds: Sequence[str] = ()) -> Beats:
    """Return beats that are so many seconds apart, each with its waves around it; all normal if not told."""
    r_s = 0.6 + np.concatenate([[0.0], np.cumsum(rr_s)])
    even = even_beats(r_s.size, duration_s=float(r_s[-1]) + 1.0)
    marks = {name: getattr(even, name) + r_s - even.r_s for name in MARKS}
    return replace(even, r_s=r_s, kind=tuple(kinds) or even.kind, **marks)


def test_rr_statistics_are_counted_by_hand() -> None:
    rr = np.array([0.80, 0.90, 0.80, 1.00, 0.95])  # on average 0.89; steps 0.10, 0.10, 0.20, 0.05
    found, why = rr_statistics(beats_of(rr))
    assert why == {}
    assert found["rr_mean_ms"] == pytest.approx(890)
    assert found["rate_bpm"] == pytest.approx(60 / 0.89)
    assert found["rr_sd_ms"] == pytest.approx(1000 * np.sqrt(0.0320 / 4))  # squares from 0.89 add up to 0.0320
    assert found["rr_cv"] == pytest.approx(np.sqrt(0.0320 / 4) / 0.89)
    assert found["rr_range_fraction"] == pytest.approx(0.20 / 0.89)
    assert found["nrmssd"] == pytest.approx(np.sqrt((0.01 + 0.01 + 0.04 + 0.0025) / 4) / 0.89)
    assert found["prr50"] == 1


def test_a_step_of_50_ms_is_large_and_one_of_40_ms_is_not() -> None:
    found, _ = rr_statistics(beats_of([0.80, 0.85, 0.81, 0.75, 0.75]))
    assert found["prr50"] == pytest.approx(2 / 4)


@pytest.mark.parametrize("kind", [V, A])
def test_a_premature_beat_and_its_pause_are_no_irregularity_and_no_step(kind: str) -> None:
    found, _ = rr_statistics(
        beats_of([0.80, 0.82, 0.50, 1.10, 0.90, 0.88, 0.90], (N, N, N, kind, N, N, N, N))  # coupling 0.5, pause 1.1
    )
    own = np.array([0.80, 0.82, 0.90, 0.88, 0.90])
    assert found["rr_sd_ms"] == pytest.approx(1000 * own.std(ddof=1))
    assert found["rr_range_fraction"] == pytest.approx(0.10 / own.mean())
    assert found["nrmssd"] == pytest.approx(0.02 / own.mean())  # steps of 0.02 alone: none from 0.82 to 0.90
    assert found["prr50"] == 0
    assert found["rate_bpm"] == pytest.approx(60 * 7 / 5.9)  # every beat counts for the rate


def test_the_second_beat_of_a_couplet_has_no_coupling_interval() -> None:
    found, _ = coupling(beats_of([0.8, 0.5, 0.3, 1.2, 0.8], (N, N, V, V, N, N)))
    assert found["coupling_ms"] == pytest.approx(500)


def test_coupling_is_the_median_of_single_premature_beats() -> None:
    kinds = (N, V, N, A, N, V, N)
    found, _ = coupling(beats_of([0.45, 1.1, 0.60, 1.1, 0.52, 1.1], kinds))
    assert found["coupling_ms"] == pytest.approx(520)


def test_an_interval_across_a_gap_is_not_known_and_counts_for_nothing() -> None:
    rr = [0.80, 0.90, 1.70, 0.80, 0.85]
    beats = beats_of(rr)
    gap = replace(beats, gaps_s=np.array([[beats.r_s[2] + 0.5, beats.r_s[2] + 1.2]]))
    np.testing.assert_allclose(known_rr_s(gap), [0.80, 0.90, np.nan, 0.80, 0.85])
    found, _ = rr_statistics(gap)
    assert found["rr_mean_ms"] == pytest.approx(1000 * 3.35 / 4)
    assert found["nrmssd"] == pytest.approx(np.sqrt((0.01 + 0.0025) / 2) / 0.8375)


def half_sine(time_s: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    inside = (time_s >= start_s) & (time_s <= end_s)
    return np.where(inside, np.sin(np.pi * (time_s - start_s) / (end_s - start_s)), 0.0)


def test_the_terminal_force_of_p_is_that_of_v1() -> None:
    """P ends 0.1 mV deep for 40 ms in V1, 4 mV ms; in each other lead it ends deeper, and in V2 upright."""
    time_s, chosen = np.arange(-200, 300) / 500.0, np.ones(5, dtype=bool)
    up, down = half_sine(time_s, -0.20, -0.14), half_sine(time_s, -0.14, -0.10)
    depth = np.linspace(0.15, 0.40, 12)
    v1, v2 = (STANDARD_LEADS.index(lead) for lead in ("V1", "V2"))
    depth[v1], depth[v2] = 0.10, -0.10
    marks = {"p_on": -0.20, "p_off": -0.10, "qrs_on": -0.04, "qrs_off": 0.05, "t_on": 0.2, "t_off": 0.4}
    median = MedianBeat(0.2 * up - depth[:, None] * down, time_s, marks, 5, 500.0)
    table, force, _ = wave_measurements(median, even_beats(5), chosen, STANDARD_LEADS)
    assert force == pytest.approx(4.0, rel=0.02)
    assert (table["p_end_mv"] * table["p_end_ms"])[v2] == 0
    backwards = STANDARD_LEADS[::-1]
    turned = replace(median, mv=median.mv[::-1])
    assert wave_measurements(turned, even_beats(5), chosen, backwards)[1] == pytest.approx(force)
    without = tuple(lead for lead in STANDARD_LEADS if lead != "V1")
    _, none, why = wave_measurements(replace(median, mv=np.delete(median.mv, v1, 0)), even_beats(5), chosen, without)
    assert (np.isnan(none), why["ptf_v1_mv_ms"]) == (True, "lead V1 is not in this record")


@pytest.mark.parametrize(("j_mv", "slope"), [(0.1, 2.5), (0.1, -2.5), (-0.2, 1.0), (0.1, 0.0)])
def test_levels_and_slope_of_a_straight_st_segment(j_mv: float, slope: float) -> None:
    """An ST segment that rises or falls straight from J, by so many mV in a second."""
    time_s = np.arange(-50, 300) / 500.0
    end_s = 0.09
    mv = np.interp(time_s, (0.0, 0.04, end_s, end_s + 0.2), (0.0, 1.0, j_mv, j_mv + 0.2 * slope))[None]
    table, _, _ = lead_measurements(MedianBeat(mv, time_s, {"qrs_on": 0.0, "qrs_off": end_s}, 10, 500.0))
    levels = [float(table[name][0]) for name in ("j_mv", "st60_mv", "st80_mv")]
    assert levels == pytest.approx([j_mv, j_mv + 0.06 * slope, j_mv + 0.08 * slope])
    assert table["st_slope_mv_per_s"][0] == pytest.approx(slope)
