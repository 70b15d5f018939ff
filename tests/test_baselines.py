"""What a recording is held against: each baseline is what its name says, and what fires there is named."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import find_peaks

from ecgviz.checkpoint import model_input
from ecgviz.errors import ExplanationError
from ecgviz.explain import explain
from ecgviz.explain.baselines import BASELINES, N_NORMALS, at_baseline, baseline, one_baseline
from ecgviz.simulate import healthy_at, simulate
from ecgviz.types import Beats
from tests.toys import LEADS, SPEC, Linear, even_beats, no_beats, noise_record, toy_model

MODEL = toy_model(Linear(np.zeros((2, 12, 1000)), [2.0, -2.0]), labels=("MI", "NORM"), spec=replace(SPEC, mean_mv=0.05))
PADDING = replace(MODEL, spec=replace(MODEL.spec, pads=True))
SICK = simulate("lbbb", seed=4, fs=500, duration_s=10)


def signal_mv(name, record, beats, model=MODEL, seed=0):
    """Return a baseline in millivolts, (n, L, T)."""
    values = baseline(name, model, model_input(model, record, beats), beats, seed=seed)
    return values * model.spec.std_mv + model.spec.mean_mv


def signal_mv_of(record, model=MODEL):
    """Return a record in millivolts as the model is fed it, (L, T)."""
    return model_input(model, record, no_beats()).x * model.spec.std_mv + model.spec.mean_mv


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_fits_the_record_and_comes_again(name):
    record, beats = SICK.record, SICK.truth.beats
    first, second = (signal_mv(name, record, beats, seed=3) for _ in range(2))
    assert first.shape == (N_NORMALS if name == "normals" else 1, 12, 1000)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, second)


def test_zero_is_zero_millivolts():
    np.testing.assert_allclose(signal_mv("zero", noise_record(), no_beats()), 0, atol=1e-7)


def test_the_isoelectric_level_is_that_of_tp_and_pr_not_of_the_waves():
    beats, record = even_beats(9), noise_record()
    offset = np.linspace(-0.2, 0.3, 12)[:, None]
    waves = np.zeros((12, 1000))
    for start_s, end_s in zip(beats.qrs_on, beats.t_off, strict=True):
        waves[:, round(100 * start_s) : round(100 * end_s) + 1] = 1.0  # half of the record, by far
    level = signal_mv("isoelectric", replace(record, signal=offset + waves), beats)
    np.testing.assert_allclose(level[0], np.broadcast_to(offset, (12, 1000)), atol=1e-6)


def test_without_beats_the_isoelectric_level_is_the_median():
    record = noise_record()
    level = signal_mv("isoelectric", record, no_beats())[0]
    np.testing.assert_allclose(level[:, 0], np.median(record.signal, axis=1), atol=1e-6)
    assert (np.ptp(level, axis=1) == 0).all()


def test_blur_keeps_the_wander_and_takes_the_beats():
    at_s = np.arange(1000) / 100
    wander, heart = 0.4 * np.sin(2 * np.pi * 0.15 * at_s), np.sin(2 * np.pi * 1.2 * at_s)
    record = replace(noise_record(), signal=np.tile(wander + heart, (12, 1)))
    inside = signal_mv("blur", record, no_beats())[0, 0, 200:800]
    np.testing.assert_allclose(inside, wander[200:800], atol=0.06)


def test_the_healthy_baseline_has_its_r_peaks_where_the_record_has_them():
    beats = SICK.truth.beats
    healthy = signal_mv("healthy", SICK.record, beats)[0]
    found, _ = find_peaks(healthy[LEADS.index("V5")], height=0.5, distance=30)
    assert len(found) == len(beats)
    np.testing.assert_allclose(found / 100, beats.r_s, atol=0.025)
    steep = [(np.abs(np.diff(mv[LEADS.index("V1")])) > 0.05).sum() for mv in (healthy, signal_mv_of(SICK.record))]
    assert steep[0] < 0.75 * steep[1]  # narrow complexes, where the record's are wide


def test_the_healthy_baseline_follows_the_window_into_the_record():
    beats = SICK.truth.beats
    late = replace(model_input(MODEL, SICK.record, beats), start_s=2.0)
    moved = baseline("healthy", MODEL, late, beats, seed=0)[0]
    usual = baseline("healthy", MODEL, replace(late, start_s=0.0), beats, seed=0)[0]
    np.testing.assert_allclose(moved[:, 20:780], usual[:, 220:980], atol=0.02)


def test_a_healthy_beat_does_not_hang_on_the_rate_it_is_drawn_at():
    r_s = np.array([0.5, 1.3, 2.1, 2.9])
    fine, coarse = (healthy_at(r_s, seed=1, fs=fs, duration_s=3.5, sex="female", age_years=50.0) for fs in (500, 250))
    np.testing.assert_allclose(fine[:, ::2], coarse, atol=1e-9)
    assert np.abs(fine[:, :50]).max() < 0.01  # nothing before the first P wave


def test_a_pause_takes_nothing_from_the_healthy_beats_before_it():
    r_s = np.array([0.5, 1.3, 2.1, 2.9, 3.7])
    usual, paused = (healthy_at(at, seed=1, fs=500, duration_s=9.0) for at in (r_s, np.append(r_s, 7.7)))
    np.testing.assert_allclose(paused[:, :3500], usual[:, :3500], atol=1e-9)


def test_a_gap_of_the_recording_is_no_rr_interval_of_the_healthy_beat_after_it():
    r_s = np.array([0.5, 1.3, 2.1, 6.1])
    healthy = healthy_at(r_s, seed=1, fs=500, duration_s=7.0, gaps_s=np.array([[2.6, 5.4]]))
    np.testing.assert_allclose(healthy[:, 2950:3350], healthy[:, 150:550], atol=1e-9)


def test_the_healthy_baseline_knows_the_gaps_of_the_recording():
    r_s = np.array([1.5, 2.3, 3.1, 7.1])
    no = np.full(4, np.nan)
    beats = Beats(r_s, no, no, no, no, no, no, ("normal",) * 4, 10.0, LEADS, gaps_s=np.array([[3.6, 6.4]]))
    inputs = replace(model_input(MODEL, noise_record(), beats), start_s=1.0)
    known, unknown = (
        baseline("healthy", MODEL, inputs, each, seed=1)[0] for each in (beats, replace(beats, gaps_s=np.empty((0, 2))))
    )
    after, first = slice(590, 670), slice(30, 110)  # the beat after the gap, and the first, of as usual an RR
    np.testing.assert_allclose(known[:, after], known[:, first], atol=0.02)
    assert np.abs(unknown[:, after] - unknown[:, first]).max() > 0.1


def test_a_healthy_baseline_needs_beats():
    with pytest.raises(ExplanationError, match="places a healthy beat at each R peak, and there is none: no QRS"):
        signal_mv("healthy", noise_record(), no_beats())


def test_normals_are_different_records_and_another_seed_draws_others():
    one, two = (signal_mv("normals", SICK.record, SICK.truth.beats, seed=seed) for seed in (0, 1))
    every = np.concatenate([one, two]).reshape(2 * N_NORMALS, -1)
    assert len(np.unique(every, axis=0)) == 2 * N_NORMALS


def test_a_set_is_refused_where_one_signal_is_wanted():
    inputs = model_input(MODEL, SICK.record, SICK.truth.beats)
    with pytest.raises(ExplanationError, match="'normals' is a set of 8 records; this method takes one signal"):
        one_baseline("normals", MODEL, inputs, SICK.truth.beats, seed=0)
    with pytest.raises(ExplanationError, match="no baseline 'flat'; known are zero, isoelectric, blur"):
        baseline("flat", MODEL, inputs, SICK.truth.beats, seed=0)


@pytest.mark.parametrize("name", BASELINES)
def test_padding_stays_padding(name):
    beats = even_beats(5, duration_s=6.0)
    inputs = model_input(PADDING, noise_record(duration_s=6.0), beats)
    values = baseline(name, PADDING, inputs, beats, seed=0)
    assert not values[:, :, 600:].any()
    assert values[:, :, :600].any()


def test_labels_that_fire_at_the_baseline_are_named():
    w = np.zeros((2, 12, 1000))
    w[1] = 1.0  # the second label counts millivolts
    model = toy_model(Linear(w, [2.0, -2.0]), labels=("MI", "NORM"))
    inputs = model_input(model, noise_record(), no_beats())
    flat = at_baseline(model, inputs, np.zeros((12, 1000)), 0)
    assert flat.logit == pytest.approx(2.0)
    assert flat.fires == ("MI",)
    one_of_two = np.stack([np.zeros((12, 1000)), np.ones((12, 1000))])
    both = at_baseline(model, inputs, one_of_two, 1)
    assert both.logit == pytest.approx(-2.0 + 6000)
    assert both.fires == ("MI", "NORM")


@pytest.mark.parametrize(("method", "name"), [("integrated_gradients", "blur"), ("gradient_shap", "normals")])
def test_an_explanation_says_what_its_baseline_fires(method, name):
    params = explain(MODEL, SICK.record, "MI", method, SICK.truth.beats, baseline=name).params
    assert params["baseline"] == name
    assert params["baseline_logit"] == pytest.approx(2.0)
    assert params["fires_at_baseline"] == ["MI"]
