"""Beats and waves lie where they were planted; where there is no heart there are none, and a reason."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.types import Record
from ecgviz.types.beats import MARKS

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


@cache
def _case(finding, seed=0, fs=500.0, duration_s=10.0):
    case = simulate(finding, seed=seed, fs=fs, duration_s=duration_s)
    return case, delineate(condition(case.record))


def _matched(beats, truth):
    """Return for each true beat not at an edge its index, and the index of the found beat within 0.1 s of it."""
    distance = np.abs(truth.r_s[:, None] - beats.r_s)
    inner = np.flatnonzero((truth.r_s > 0.2) & (truth.r_s < truth.duration_s - 0.2))
    assert (distance[inner].min(axis=1) < 0.1).all(), "a beat was missed"
    for b in np.flatnonzero(distance.min(axis=0) >= 0.1):
        # The truth lists no beat whose QRS complex the recording cuts; such a one lies one RR interval further out.
        further_out = truth.r_s[[0, -1]] + np.median(truth.rr_s) * np.array([-1, 1])
        assert beats.edge[b], "a beat was invented"
        assert min(beats.r_s[b], truth.duration_s - beats.r_s[b]) < 0.1, "a beat was invented"
        assert np.abs(beats.r_s[b] - further_out).min() < 0.1, "a beat was invented"
    return inner, distance[inner].argmin(axis=1)


def _noise(scale_mv, fs=500.0, n_leads=12):
    signal = np.random.default_rng(3).normal(scale=scale_mv, size=(n_leads, int(10 * fs)))
    return Record(signal=signal, fs=fs, leads=LEADS[:n_leads], id="noise")


def test_the_same_record_gives_the_same_beats():
    case, beats = _case("af")
    again = delineate(condition(case.record))
    for name in ("r_s", *MARKS):
        np.testing.assert_array_equal(getattr(again, name), getattr(beats, name))
    assert again.kind == beats.kind


@pytest.mark.parametrize(
    ("finding", "qrs_ms", "t_ms"),
    [
        ("normal", 12, 15),
        ("lbbb", 14, 15),
        ("anterior_stemi", 15, 15),
        ("long_qt", 14, 25),
        ("sinus_tachycardia", 12, 20),
    ],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_marks_lie_near_the_planted_ones(finding, qrs_ms, t_ms, seed):
    case, beats = _case(finding, seed)
    truth = case.truth.beats
    true, index = _matched(beats, truth)
    limits = {"p_on": 20, "p_off": 35, "qrs_on": qrs_ms, "qrs_off": qrs_ms, "t_off": t_ms}
    for name, limit in limits.items():
        error_ms = 1000 * (getattr(beats, name)[index] - getattr(truth, name)[true])
        assert np.isfinite(error_ms[1:-1]).mean() > 0.85, name
        assert abs(np.nanmedian(error_ms)) < limit, name


def test_marks_of_a_beat_are_in_order():
    for finding in ("normal", "wpw", "sinus_tachycardia", "pvc", "rbbb"):
        _, beats = _case(finding)
        order = np.stack([getattr(beats, name) for name in MARKS])
        for column in order.T:
            known = column[np.isfinite(column)]
            assert (np.diff(known) >= 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_fibrillation_has_no_p_wave_and_says_why(seed):
    _, beats = _case("af", seed)
    assert np.isnan(beats.p_on).all()
    assert all("P wave" in why for why in beats.why_no_p)


@pytest.mark.parametrize("finding", ["normal", "sinus_bradycardia", "first_degree_av_block", "lbbb"])
def test_sinus_rhythm_keeps_its_p_waves(finding):
    for seed in (1, 2):
        _, beats = _case(finding, seed)
        assert np.isfinite(beats.p_on[beats.dominant]).mean() > 0.85


@pytest.mark.parametrize("seed", range(4))
def test_premature_ventricular_beats_are_ectopic_and_no_others(seed):
    case, beats = _case("pvc", seed)
    true, found = _matched(beats, case.truth.beats)
    planted = [case.truth.beats.kind[b] == "premature_ventricular" for b in true]
    assert any(planted)
    assert [beats.kind[b] == "premature_ventricular" for b in found] == planted


@pytest.mark.parametrize("scale_mv", [0.001, 0.02, 0.5])
@pytest.mark.parametrize("n_leads", [1, 2, 12])
def test_noise_has_no_beats(scale_mv, n_leads):
    for fs in (100.0, 500.0):
        beats = delineate(_noise(scale_mv, fs, n_leads))
        assert len(beats) == 0
        assert beats.reason


def test_reasons_name_what_is_wrong():
    flat = Record(signal=np.zeros((3, 5000)), fs=500.0, leads=("I", "II", "V1"), id="flat")
    assert "no lead has a signal" in delineate(flat).reason
    case, _ = _case("normal")
    record = condition(case.record)
    assert "too short" in delineate(replace(record, signal=record.signal[:, :500])).reason
    two_beats = replace(record, signal=np.pad(record.signal[:, :700], ((0, 0), (0, 3300)), mode="edge"))
    assert "needs 3" in delineate(two_beats).reason
    assert "stand out" in delineate(_noise(0.05, fs=250.0, n_leads=2)).reason


def test_no_beats_still_have_every_field():
    beats = delineate(Record(signal=np.zeros((2, 1000)), fs=250.0, leads=("I", "II"), id="flat"))
    assert beats.segments().shape == (0, 9, 2)
    assert beats.kind == ()
    assert set(beats.lead_marks) == set(MARKS)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("first_s", [0.10, 0.20, 0.28])
def test_a_first_beat_close_to_the_start_is_found_and_is_an_edge_beat(seed, first_s):
    case, _ = _case("normal", seed)
    cut = round(500 * (case.truth.beats.r_s[1] - first_s))
    beats = delineate(condition(replace(case.record, signal=case.record.signal[:, cut:])))
    assert beats.r_s[0] == pytest.approx(first_s, abs=0.02)
    assert beats.edge[0]
    assert not beats.dominant[0]
    np.testing.assert_allclose(beats.r_s, case.truth.beats.r_s[1:] - cut / 500, atol=0.02)


@pytest.mark.parametrize("after_r_s", [0.15, 0.25])
def test_what_follows_a_beat_that_the_record_lacks_is_no_beat(after_r_s):
    case, _ = _case("normal", 1)
    cut = round(500 * (case.truth.beats.r_s[1] + after_r_s))
    beats = delineate(condition(replace(case.record, signal=case.record.signal[:, cut:])))
    np.testing.assert_allclose(beats.r_s, case.truth.beats.r_s[2:] - cut / 500, atol=0.02)


@pytest.mark.data
@pytest.mark.parametrize(("record_id", "r_s"), [(1, 0.24), (3, 0.07), (15, 0.28)])
def test_real_records_begin_with_the_beat_that_a_reader_sees(data_dir, record_id, r_s):
    (path,) = (data_dir / "ptbxl" / "records500").glob(f"*/{record_id:05d}_hr.hea")
    beats = delineate(condition(load_record(path)))
    assert beats.r_s[0] == pytest.approx(r_s, abs=0.02)
    assert beats.edge[0]


@pytest.mark.parametrize("finding", ["normal", "lbbb", "wpw"])
@pytest.mark.parametrize("fs", [500.0, 1000.0])
def test_a_steep_onset_in_a_recording_without_noise_is_no_pacing_spike(finding, fs):
    made = simulate(finding, seed=3, fs=fs, duration_s=10.0, noise=0.0)
    assert "paced" not in delineate(condition(made.record)).kind
