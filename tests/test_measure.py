"""Measurements against what was planted and against hand-made complexes; NaN with a reason where there is no answer."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.criteria import evaluate_all
from ecgviz.criteria.vocabulary import MEASURES
from ecgviz.measure import PER_LEAD, measure, median_beats_by_kind
from ecgviz.measure.atrial_activity import describe
from ecgviz.measure.complexes import deflections, last_top, named, notches, pattern, slope
from ecgviz.measure.grades import GRADED, grade
from ecgviz.measure.intervals import corrected
from ecgviz.measure.leads import lead_measurements
from ecgviz.measure.median_beat import MedianBeat
from ecgviz.measure.waves import negative_ends, symmetry
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
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
        "t_inversion",
    ],
)
@pytest.mark.parametrize("seed", [11, 12])
def test_intervals_and_axis_are_the_planted_ones(finding, seed):
    _planted_intervals(finding, seed)


@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_intervals_in_tachycardia_are_the_planted_ones(seed):
    _planted_intervals("sinus_tachycardia", seed)


def _planted_intervals(finding, seed):
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
        ([(0.025, 0.0, 0.02), (-1.2, 0.02, 0.09)], "QS"),
        ([(0.035, 0.0, 0.02), (-1.2, 0.02, 0.09)], "rS"),
        ([(0.035, 0.0, 0.009), (-1.2, 0.009, 0.09)], "QS"),
        ([(-0.035, 0.0, 0.02), (1.2, 0.02, 0.08)], "qR"),
        ([(1.2, 0.0, 0.06), (-0.035, 0.06, 0.09)], "R"),
        ([(0.035, 0.0, 0.09)], ""),
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


def _measured(*corners):
    """Measure one lead whose complex of 90 ms runs straight from one of ``corners`` (s, mV) to the next."""
    time_s = np.arange(-50, 300) / 500.0
    times, levels = zip((-0.1, 0.0), (0.0, 0.0), *corners, strict=True)
    mv = np.interp(time_s, times, levels)[None]
    table, (letters,), _ = lead_measurements(MedianBeat(mv, time_s, {"qrs_on": 0.0, "qrs_off": 0.09}, 10, 500.0))
    return {name: float(row[0]) for name, row in table.items()}, letters


TINY_Q = (0.006, -0.06), (0.012, 0.0)
"""Too small and short for an infarct's."""


def test_an_r_that_runs_into_a_raised_st_segment_leaves_no_qs_complex():
    found, letters = _measured(*TINY_Q, (0.045, 1.0), (0.09, 0.97))
    assert (letters, found["qs"]) == ("qR", 0)
    assert found["q_mv"] == pytest.approx(0.06)
    assert found["q_ms"] == pytest.approx(12, abs=1)
    assert found["r_mv"] == pytest.approx(1.0, abs=0.02)
    assert found["r_peak_ms"] == pytest.approx(45, abs=2)
    without_q, letters = _measured((0.045, 1.0), (0.09, 0.97))
    assert (letters, without_q["r_mv"]) == ("R", found["r_mv"])


def test_an_r_that_rises_to_the_j_point_has_a_height_and_no_peak_time():
    found, letters = _measured(*TINY_Q, (0.2, 1.2))
    assert (letters, found["qs"]) == ("qR", 0)
    assert found["r_mv"] == pytest.approx(found["j_mv"])
    assert np.isnan(found["r_peak_ms"])


@pytest.mark.parametrize("j_mv", [0.05, 0.3, 0.6])
def test_a_qs_complex_stays_one_before_a_raised_st_segment(j_mv):
    found, letters = _measured((0.03, -1.2), (0.07, 0.0), (0.09, j_mv))
    assert (letters, found["qs"], found["r_mv"]) == ("QS", 1, 0)
    assert found["q_ms"] == pytest.approx(70, abs=1)


@pytest.mark.parametrize("level_mv", [-0.012, -0.005, 0.0, 0.004])
def test_an_isoelectric_stretch_before_a_q_is_no_part_of_it(level_mv):
    """A q of 20 ms behind 16 ms without a slope: the sign of a few microvolts there decides nothing."""
    found, letters = _measured(
        (0.002, level_mv), (0.016, level_mv), (0.026, -0.15), (0.036, 0.0), (0.05, 1.0), (0.09, 0.0)
    )
    assert letters == "qR"
    assert found["q_mv"] == pytest.approx(0.15)
    assert found["q_ms"] == pytest.approx(20, abs=2)


def test_a_slow_start_is_a_part_of_the_wave():
    found, _ = _measured((0.008, -0.03), (0.026, -0.15), (0.036, 0.0), (0.05, 1.0), (0.09, 0.0))
    assert found["q_ms"] == pytest.approx(36, abs=1)


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


def _true(finding, seed=0, fs=500.0, **asked):
    case = simulate(finding, seed=seed, fs=fs, duration_s=10.0, **asked)
    record = condition(case.record)
    return case, record, measure(record, case.truth.beats)


@pytest.mark.parametrize("fs", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("finding", ["normal", "inferior_stemi", "lbbb", "rvh", "long_qt"])
def test_with_the_true_marks_levels_and_axes_are_the_planted_ones(finding, fs):
    case, _, found = _true(finding, 4, fs)
    for name in ("p_mv", "j_mv", "st60_mv", "st80_mv", "qrs_pp_mv"):
        seen, planted = found.per_lead[name], case.truth.per_lead[name]
        if name == "p_mv":  # of two halves of like size either may be the larger one
            seen, planted = np.abs(seen), np.abs(planted)
        np.testing.assert_allclose(seen, planted, atol=0.06, err_msg=name)
        assert np.mean(np.abs(seen - planted)) < 0.02, name
    for name, limit_deg in {"qrs_axis_deg": 5, "p_axis_deg": 12, "t_axis_deg": 12}.items():
        assert abs(_turn(found.value(name) - case.truth.values[name])) < limit_deg, name


def test_a_p_wave_on_the_end_of_t_keeps_its_height():
    case, _, found = _true("normal", 3, heart_rate_bpm=105)
    seen, planted = np.abs(found.per_lead["p_mv"]), np.abs(case.truth.per_lead["p_mv"])
    np.testing.assert_allclose(seen, planted, atol=0.03)


def test_a_p_wave_inside_t_has_no_height_and_says_so():
    case, _, found = _true("long_qt", 1, heart_rate_bpm=140)
    assert case.truth.beats.fused.mean() > 0.5
    for name in ("ptf_v1_mv_ms", "p_axis_deg"):
        assert np.isnan(found.value(name))
        assert "before the T wave" in found.why(name)
    assert "before the T wave" in found.why("p_mv", "II")
    assert found.value("pr_ms") == pytest.approx(case.truth.values["pr_ms"], abs=1)


def test_qt_corrections_agree_at_60_bpm_and_differ_as_published_elsewhere():
    at_60 = corrected(400.0, 100.0, 1.0)
    assert {round(value) for name, value in at_60.items() if name.startswith("qtc")} == {400}
    assert (at_60["jt_ms"], at_60["jtc_bazett_ms"]) == (300, 300)
    at_100 = corrected(320.0, 90.0, 0.6)
    assert at_100["qtc_bazett_ms"] == pytest.approx(413.1, abs=0.1)
    assert at_100["qtc_fridericia_ms"] == pytest.approx(379.4, abs=0.1)
    assert at_100["qtc_framingham_ms"] == pytest.approx(320 + 154 * 0.4)
    assert at_100["qtc_hodges_ms"] == pytest.approx(320 + 1.75 * 40)
    assert at_100["jtc_bazett_ms"] == pytest.approx(at_100["qtc_bazett_ms"] - 90)


def test_the_negative_ends_of_known_p_waves():
    waves = {
        "upright": [(0.1, 0.0, 0.1)],
        "biphasic": [(0.1, 0.0, 0.05), (-0.1, 0.05, 0.1)],
        "negative": [(-0.08, 0.0, 0.1)],
        "negative first": [(-0.1, 0.0, 0.05), (0.1, 0.05, 0.1)],
    }
    ends = {}
    for name, parts in waves.items():
        time_s, p = _complex(*parts)
        ends[name] = [float(each[0]) for each in negative_ends(time_s, p[None])]
    assert ends["upright"] == ends["negative first"] == [0, 0]
    assert ends["biphasic"] == pytest.approx([0.1, 50], rel=0.03)
    assert ends["negative"] == pytest.approx([0.08, 100], rel=0.03)
    unknown = negative_ends(time_s, np.full((1, time_s.size), np.nan))
    assert np.isnan(unknown).all()


def test_symmetry_of_known_t_waves():
    even = np.sin(np.linspace(0, np.pi, 101))
    slow_then_fast = np.concatenate([np.linspace(0, 1, 80, endpoint=False), np.linspace(1, 0, 41)])[None]
    assert symmetry(even[None])[0] == pytest.approx(1, abs=0.01)
    assert symmetry(-even[None])[0] == pytest.approx(1, abs=0.01)
    assert symmetry(slow_then_fast)[0] == pytest.approx(2, rel=0.03)
    shifted = slow_then_fast + np.linspace(0.3, 0, 121)
    assert symmetry(shifted)[0] == pytest.approx(2, rel=0.03)
    assert np.isnan(symmetry(0.02 * even[None])[0])


def test_fibrillatory_waves_have_their_planted_frequency_and_sinus_rhythm_has_none():
    for seed in range(4):
        case, _, found = _true("af", seed)
        planted = describe(case.truth.layers["f_waves"][STANDARD_LEADS.index("V1")], 500.0)
        assert found.value("f_rate_hz") == pytest.approx(planted["f_rate_hz"], abs=0.3)
        assert found.value("f_mv") == pytest.approx(planted["f_mv"], rel=0.35)
        assert found.value("f_regularity") > 0.4
        for other in ("normal", "pvc", "sinus_tachycardia"):
            _, _, sinus = _true(other, seed)
            assert np.isnan(sinus.value("f_rate_hz")), other
            assert "taken off" in sinus.why("f_rate_hz")


def test_f_waves_are_read_in_ii_without_v1_and_nowhere_without_both():
    case, record, _ = _true("af", 1)
    keep = ("I", "II", "V5")
    only = measure(record.select(keep), replace(case.truth.beats, leads=keep))
    assert np.isfinite(only.value("f_mv"))
    keep = ("I", "V5")
    neither = measure(record.select(keep), replace(case.truth.beats, leads=keep))
    assert "neither V1 nor II" in neither.why("f_rate_hz")


def test_the_coupling_interval_is_the_planted_one():
    case, _, found = _true("pvc", 1)
    beats = case.truth.beats
    before = [beats.rr_s[b - 1] for b in np.flatnonzero(beats.ectopic) if b]
    assert found.value("coupling_ms") == pytest.approx(1000 * np.median(before), abs=1)
    _, _, regular = _true("normal", 1)
    assert "no premature beat" in regular.why("coupling_ms")


def test_large_rr_changes_are_counted():
    _, _, irregular = _true("af", 1)
    _, _, steady = _true("sinus_tachycardia", 1)
    assert irregular.value("prr50") > 0.5
    assert steady.value("prr50") == 0


def test_each_kind_of_beat_has_its_median_and_measures_come_from_the_dominant_one():
    case, record, found = _true("pvc", 1)
    medians = median_beats_by_kind(record, case.truth.beats)
    assert set(medians) == {"normal", "premature_ventricular"}
    assert medians["premature_ventricular"].n_beats == case.truth.beats.ectopic.sum()
    np.testing.assert_array_equal(medians["normal"].mv, found.median_mv)
    widths = {kind: one.marks_s["qrs_off"] - one.marks_s["qrs_on"] for kind, one in medians.items()}
    assert 1000 * widths["normal"] == pytest.approx(found.value("qrs_ms"))
    assert widths["premature_ventricular"] > widths["normal"]
    assert found.remarks == ()


def test_beats_of_another_kind_are_measured_when_they_are_the_most_and_this_is_said():
    case, record, found = _true("normal", 1)
    paced = replace(case.truth.beats, kind=("paced",) * len(case.truth.beats))
    other = measure(record, paced)
    assert other.value("qrs_ms") == found.value("qrs_ms")
    (told,) = other.remarks
    assert told.startswith("measured on the paced beats, which most whole beats are, with the spikes that are seen")


def test_the_level_of_paced_beats_is_read_before_their_spike():
    """A spike of 1.5 mV, as of unipolar pacing, ends where QRS begins: what is read from it would shift every lead."""
    case = simulate("lbbb", seed=2, fs=500.0, duration_s=10.0, noise=0.2)
    spike = np.zeros(case.record.signal.shape)
    for on_s in case.truth.beats.qrs_on:
        first = round(500 * (on_s - 0.008))
        spike[:, first : first + 2] = np.linspace(-1.5, 1.5, 12)[:, None]
    beats = replace(case.truth.beats, kind=("paced",) * len(case.truth.beats))
    plain, paced = (
        measure(condition(replace(case.record, signal=case.record.signal + added)), beats) for added in (0.0, spike)
    )
    for name in ("j_mv", "st60_mv"):
        np.testing.assert_allclose(paced.per_lead[name], plain.per_lead[name], atol=0.05)


@pytest.mark.data
def test_a_paced_rhythm_without_ischaemia_is_no_infarct(data_dir):
    """LUDB 104: third-degree block, unipolar ventricular pacing, and no ischaemia stated."""
    record = load_record(data_dir / "ludb" / "data" / "104.hea")
    clean = condition(record)
    beats = delineate(clean)
    assert beats.kind.count("paced") > len(beats) / 2
    found = evaluate_all(measure(clean, beats), beats, age_years=record.age_years, sex=record.sex)
    paced = [each.state for each in found if each.criterion == "MI_LBBB" and "paced" in each.definition]
    assert paced == ["not_met", "not_met"]


@pytest.mark.parametrize(("wave", "what"), [("p", "P wave"), ("qrs", "QRS complex")])
def test_the_duration_of_a_wave_in_a_lead_is_that_of_its_own_marks(wave, what):
    case, record, without = _true("normal", 1)
    beats, name = case.truth.beats, f"{wave}_width_ms"
    assert np.isnan(without.per_lead[name]).all()
    assert "no marks of single leads" in without.why(name, "II")
    on, off = (np.tile(getattr(beats, f"{wave}_{end}"), (12, 1)) for end in ("on", "off"))
    off[0] -= 0.02
    on[2] = off[2] = np.nan
    marked = measure(record, replace(beats, lead_marks={f"{wave}_on": on, f"{wave}_off": off}))
    width = case.truth.values[f"{wave}_ms"]
    assert marked.value(name, "II") == pytest.approx(width, abs=0.1)
    assert marked.value(name, "I") == pytest.approx(width - 20, abs=0.1)
    assert np.isnan(marked.value(name, "III"))
    assert f"no {what} was marked in the lead" in marked.why(name, "III")


def test_every_measurement_has_a_grade_and_a_name_for_criteria_and_none_is_graded_that_is_not_measured():
    _, _, found = _true("normal", 1)
    names = {*found.values, *found.per_lead}
    assert set(GRADED) == names
    assert set(MEASURES) == names
    assert {name for name, one in MEASURES.items() if one.per_lead} == set(found.per_lead)


def test_a_duration_is_trusted_less_at_100_hz_and_an_amplitude_is_not():
    assert (grade("qrs_ms", 500).word, grade("qrs_ms", 100).word) == ("robust", "fair")
    assert "10 ms" in grade("qrs_ms", 100).why
    assert (grade("q_ms", 500).word, grade("q_ms", 100).word) == ("fragile", "fragile")
    assert grade("r_mv", 100) == grade("r_mv", 500)
