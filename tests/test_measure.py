"""Measurements against what was planted and against hand-made complexes; NaN with a reason where there is no answer."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.measure import PER_LEAD, measure
from ecgviz.measure.complexes import deflections, last_top, named, notches, pattern, slope
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.types import Record

NAMES = (
    *("rate_bpm", "rr_mean_ms", "rr_sd_ms", "rr_cv", "rr_range_fraction", "nrmssd", "p_fraction", "p_ms", "pr_ms"),
    *("qrs_ms", "qt_ms", "qtc_bazett_ms", "qtc_fridericia_ms", "qrs_axis_deg", "p_axis_deg", "t_axis_deg"),
    *("qtc_framingham_ms", "qtc_hodges_ms", "jt_ms", "jtc_bazett_ms", "ptf_v1_mv_ms", "prr50", "coupling_ms"),
    *("f_rate_hz", "f_regularity", "f_mv", "n_beats", "n_ectopic", "n_measured"),
)


@cache
def _case(finding, seed=0, fs=500.0):
    case = simulate(finding, seed=seed, fs=fs, duration_s=10.0)
    record = condition(case.record)
    return case.truth, record, measure(record, delineate(record))


def _turn(difference_deg):
    return (difference_deg + 180) % 360 - 180


@pytest.mark.parametrize(
    "finding",
    [
        "normal",
        "lbbb",
        "rbbb",
        "lafb",
        "first_degree_av_block",
        "long_qt",
        "wpw",
        "lvh",
        "sinus_tachycardia",
        "t_inversion",
    ],
)
@pytest.mark.parametrize("seed", [11, 12])
def test_intervals_and_axis_are_the_planted_ones(finding, seed):
    truth, _, found = _case(finding, seed)
    limits = {"rate_bpm": 3, "pr_ms": 25, "qrs_ms": 20, "qt_ms": 40}
    for name, limit in limits.items():
        assert found.value(name) == pytest.approx(truth.values[name], abs=limit), name
    assert abs(_turn(found.value("qrs_axis_deg") - truth.values["qrs_axis_deg"])) < 25


@pytest.mark.parametrize("finding", ["normal", "inferior_stemi", "anterior_stemi", "old_inferior_mi", "lbbb", "lvh"])
def test_amplitudes_are_the_planted_ones(finding):
    truth, _, found = _case(finding, 5)
    for name, limit_mv in {"j_mv": 0.06, "st60_mv": 0.06, "t_mv": 0.08, "p_mv": 0.04}.items():
        np.testing.assert_allclose(found.per_lead[name], truth.per_lead[name], atol=limit_mv, err_msg=name)
    largest = np.max([truth.per_lead[name] for name in ("q_mv", "r_mv", "s_mv", "r2_mv")], axis=0)
    seen = np.max([found.per_lead[name] for name in ("q_mv", "r_mv", "s_mv", "r2_mv")], axis=0)
    np.testing.assert_allclose(seen, largest, atol=0.12)


def test_findings_show_what_their_criteria_ask_for():
    _, _, wide = _case("lbbb", 1)
    assert wide.value("qrs_ms") >= 120
    _, _, right = _case("rbbb", 1)
    assert max(right.value("r2_mv", lead) for lead in ("V1", "V2")) > 0.1 or "R" in right.patterns[6]
    _, _, slow = _case("first_degree_av_block", 1)
    assert slow.value("pr_ms") > 200
    _, _, early = _case("wpw", 1)
    assert early.value("pr_ms") < 125
    assert early.value("qrs_ms") > 105
    assert np.nanmedian(early.per_lead["delta_fraction"]) > 0.65
    _, _, plain = _case("normal", 1)
    assert np.nanmedian(plain.per_lead["delta_fraction"]) < 0.6
    _, _, long = _case("long_qt", 1)
    assert long.value("qtc_bazett_ms") > 460
    _, _, scar = _case("old_inferior_mi", 1)
    assert sum(scar.value("q_ms", lead) >= 30 for lead in ("II", "III", "aVF")) >= 2
    _, _, absent = _case("af", 1)
    assert absent.value("p_fraction") == 0
    assert np.isnan(absent.value("pr_ms"))
    assert "P wave was found in 0 of" in absent.why("pr_ms")
    assert absent.value("rr_cv") > 0.1
    _, _, extra = _case("pvc", 1)
    assert extra.value("n_ectopic") >= 1
    assert extra.value("rr_cv") < 0.1


def test_every_measurement_is_there_or_has_a_reason():
    for finding in ("normal", "af", "pvc"):
        _, record, found = _case(finding, 2)
        assert set(found.values) == set(NAMES)
        assert set(found.per_lead) == set(PER_LEAD)
        assert found.leads == record.leads
        for name, value in found.values.items():
            assert np.isfinite(value) or found.why(name) != "not measured", name


def test_limb_leads_of_the_median_beat_obey_einthoven():
    _, _, found = _case("normal", 3)
    i, ii, iii = found.median_mv[:3]
    # medians of three leads are not exactly additive; beats of one kind make them nearly so
    np.testing.assert_allclose(i + iii, ii, atol=0.05)
    at = np.abs(found.median_s - found.median_marks_s["qrs_on"]).argmin()
    np.testing.assert_allclose(found.median_mv[:, at], 0, atol=0.03)


def test_amplitudes_scale_and_intervals_do_not():
    _, record, found = _case("normal", 3)
    half = replace(record, signal=record.signal * 0.5)
    other = measure(half, delineate(half))
    for name in ("pr_ms", "qrs_ms", "qt_ms", "qrs_axis_deg", "rr_cv"):
        assert other.value(name) == pytest.approx(found.value(name), rel=0.02, abs=0.01)
    np.testing.assert_allclose(2 * other.per_lead["t_mv"], found.per_lead["t_mv"], atol=1e-3)


def test_a_flat_lead_is_not_measured_and_says_so():
    _, record, found = _case("normal", 3)
    signal = np.array(record.signal)
    signal[8] = 0.0
    flat = replace(record, signal=signal)
    other = measure(flat, delineate(flat))
    assert np.isnan(other.value("r_mv", "V3"))
    assert "lead V3 has no signal" in other.why("r_mv", "V3")
    assert other.value("qrs_ms") == pytest.approx(found.value("qrs_ms"), abs=6)


def test_leads_that_an_axis_needs():
    _, record, whole = _case("normal", 3)
    two = record.select(("I", "II"))
    assert measure(two, delineate(two)).value("qrs_axis_deg") == pytest.approx(whole.value("qrs_axis_deg"), abs=3)
    chest = record.select(("V1", "V5"))
    found = measure(chest, delineate(chest))
    assert np.isnan(found.value("qrs_axis_deg"))
    assert "leads I and aVF" in found.why("qrs_axis_deg")
    assert "not in this record" in found.why("r_mv", "II")


def test_without_beats_nothing_is_measured():
    record = Record(signal=np.zeros((2, 5000)), fs=500.0, leads=("I", "II"), id="flat")
    found = measure(record, delineate(record))
    assert found.value("n_beats") == 0
    for name in ("rate_bpm", "qrs_ms", "qtc_bazett_ms", "p_fraction", "rr_cv"):
        assert np.isnan(found.value(name))
        assert "no lead has a signal" in found.why(name)
    assert found.patterns == ("", "")


def test_100_hz_states_how_fine_it_is():
    truth, _, coarse = _case("normal", 6, 100.0)
    assert "10 ms" in coarse.why("resolution")
    assert coarse.value("qrs_ms") == pytest.approx(truth.values["qrs_ms"], abs=20)
    assert coarse.fs == 100.0


def _complex(*waves, duration_s=0.1, j_mv=0.0, fs=1000.0):
    """Half sines of given (mv, start, end) shares, and a ramp to the J level: a QRS complex whose answer is known."""
    time_s = np.arange(round(duration_s * fs) + 1) / fs
    mv = np.zeros(time_s.size)
    for height, start, end in waves:
        inside = (time_s >= start) & (time_s <= end)
        mv[inside] += height * np.sin(np.pi * (time_s[inside] - start) / (end - start))
    return time_s, mv + j_mv * np.clip((time_s - 0.08) / 0.02, 0, 1)


@pytest.mark.parametrize(
    ("waves", "letters"),
    [
        ([(1.0, 0.0, 0.08)], "R"),
        ([(-1.0, 0.0, 0.09)], "QS"),
        ([(-0.2, 0.0, 0.02), (1.2, 0.02, 0.08)], "qR"),
        ([(0.2, 0.0, 0.03), (-1.2, 0.03, 0.09)], "rS"),
        ([(0.8, 0.0, 0.04), (-0.9, 0.04, 0.09)], "RS"),
        ([(0.3, 0.0, 0.03), (-0.3, 0.03, 0.05), (1.0, 0.05, 0.1)], "rsR'"),
        ([(-0.9, 0.0, 0.04), (0.1, 0.04, 0.08)], "Qr"),
        ([(-0.2, 0.0, 0.02), (1.2, 0.02, 0.06), (-0.3, 0.06, 0.09)], "qRs"),
        ([(0.03, 0.0, 0.02), (-1.2, 0.02, 0.09)], "QS"),
    ],
)
def test_patterns_of_known_complexes(waves, letters):
    assert pattern(named(deflections(*_complex(*waves)))) == letters


def test_sizes_and_durations_of_known_waves():
    waves = named(deflections(*_complex((-0.2, 0.0, 0.03), (1.2, 0.03, 0.08))))
    assert waves["Q"].mv == pytest.approx(-0.2, abs=0.005)
    assert 1000 * (waves["Q"].end_s - waves["Q"].start_s) == pytest.approx(30, abs=1.5)
    assert waves["R"].peak_s == pytest.approx(0.055, abs=0.001)


@pytest.mark.parametrize("j_mv", [0.3, -0.3])
def test_a_shifted_st_segment_is_no_wave(j_mv):
    letters = pattern(named(deflections(*_complex((1.0, 0.0, 0.07), j_mv=j_mv))))
    assert letters == "R"


def test_a_notch_is_found_and_a_plain_wave_has_none():
    def slow_points(*waves):
        time_s, mv = _complex(*waves, duration_s=0.15)
        found = named(deflections(time_s, mv))
        return notches(time_s, np.abs(slope(mv, 1000.0)), [wave.peak_s for wave in found.values()])

    assert slow_points((1.0, 0.0, 0.15)) == []
    notch = slow_points((1.0, 0.0, 0.09), (1.1, 0.06, 0.15))
    assert any(0.05 < at < 0.10 for at in notch)


def test_the_second_top_of_a_notched_r_counts():
    time_s, mv = _complex((1.0, 0.0, 0.07), (0.9, 0.06, 0.13), duration_s=0.13)
    (wave,) = deflections(time_s, mv)
    assert last_top(time_s, mv, wave) == pytest.approx(0.095, abs=0.003)
    time_s, mv = _complex((1.0, 0.0, 0.08))
    (wave,) = deflections(time_s, mv)
    assert last_top(time_s, mv, wave) == pytest.approx(0.04, abs=0.001)
