"""The audits: networks that can only have read one place, and methods that must find it."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from ecgviz.errors import EcgvizError, ExplanationError
from ecgviz.simulate import simulate
from ecgviz.types import Explanation
from ecgviz.validate.explanations import audits
from ecgviz.validate.explanations.audit_net import SPEC, fresh_net, trained_net
from ecgviz.validate.explanations.audits import ROW, audit_amplitude, audit_artefact, localised, shortcoming
from tests.toys import LEADS


def a_map(values: np.ndarray) -> Explanation:
    return Explanation(values, 100.0, 0.0, LEADS if len(values) > 1 else (), None, "a map", True, 0.01)


@pytest.fixture(scope="module")
def patient():
    return simulate("normal", seed=5, fs=SPEC.fs, duration_s=SPEC.duration_s)


def test_a_spike_is_two_samples_of_one_lead(patient):
    with_it, without = audits._spiked(patient)
    changed = with_it.record.signal != without.record.signal
    assert np.argwhere(changed).tolist() == [[ROW, 200], [ROW, 201]]
    assert (with_it.target, without.target) == (1, 0)
    assert with_it.inside[changed].all()
    assert with_it.inside.mean() < 0.003


def test_a_gain_changes_t_waves_and_nothing_else(patient):
    gains = np.linspace(-1, 2, 12)
    example = audits._with_t_gains(patient, gains)
    changed = np.abs(example.record.signal - patient.record.signal) > 1e-5
    at_s = np.arange(400) / SPEC.fs
    beats = patient.truth.beats
    near = ((at_s[:, None] > beats.t_on - 0.03) & (at_s[:, None] < beats.t_off + 0.03)).any(axis=1)
    assert not changed[:, ~near].any()
    assert example.inside[ROW, near].mean() > 0.8
    assert not np.delete(example.inside, ROW, axis=0).any()
    assert example.target == pytest.approx(patient.truth.per_lead["t_mv"][ROW] * gains[ROW])


def test_what_is_in_one_place_is_told_from_what_is_elsewhere():
    inside = np.zeros((12, 50), dtype=bool)
    inside[ROW, 10:14] = True
    np.testing.assert_allclose(localised(a_map(-3.0 * inside), inside), [1, 1, 1, 1])
    np.testing.assert_allclose(localised(a_map(np.roll(1.0 * inside, 20, axis=1)), inside), [0, 1, 1, 0])
    np.testing.assert_allclose(localised(a_map(np.roll(1.0 * inside, 1, axis=0)), inside), [0, 0, 0, 1])
    even = localised(a_map(np.ones((12, 50))), inside)
    np.testing.assert_allclose(even[:2], [inside.mean(), 12**-0.5])
    assert np.isnan(localised(a_map(1.0 * inside[ROW : ROW + 1]), inside)).tolist() == [True, True, True, False]
    np.testing.assert_array_equal(localised(a_map(np.zeros((12, 50))), inside), 0)  # it found nothing
    of_a_lead = localised(a_map(np.zeros((1, 50))), inside)
    np.testing.assert_array_equal(of_a_lead, [np.nan, np.nan, np.nan, 0])


def test_one_empty_map_does_not_excuse_the_others():
    """A mean that one missing number makes unknown would be below no limit."""
    inside = np.zeros((12, 50), dtype=bool)
    inside[ROW, 10:14] = True
    wrong = [localised(a_map(np.roll(1.0 * inside, 1, axis=0)), inside) for _ in range(9)]
    share, _, lead_hit, time_hit = np.mean([*wrong, localised(a_map(np.zeros((12, 50))), inside)], axis=0)
    assert "strongest lead is" in shortcoming(share, 0.1, lead_hit, time_hit)


def test_training_is_the_same_for_any_number_of_threads():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 12, 400)), rng.normal(size=16)
    before = torch.get_num_threads()
    try:
        nets = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            nets.append(trained_net(x, y, functional.mse_loss, places=1, seed=3).state_dict())
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(nets[0][name], nets[1][name]) for name in nets[0])
    assert not torch.equal(nets[0]["output.weight"], fresh_net(1, 3).state_dict()["output.weight"])


def test_a_network_that_learnt_nothing_judges_no_method():
    for audit in (audit_artefact, audit_amplitude):
        found = audit(("saliency",), n_patients=4)
        assert found.quality < found.least
        assert not found.valid
        assert found.rows == ()


def test_bad_requests_are_refused():
    with pytest.raises(ExplanationError, match="a seed is 0 or more, not -1"):
        audit_artefact(seed=-1)
    with pytest.raises(ExplanationError, match="cannot learn from 0 patients"):
        audit_amplitude(n_patients=0)
    with pytest.raises(ExplanationError, match="a seed is 0 or more, not -1"):
        audit_amplitude(seed=-1)


@pytest.mark.parametrize("audit", [audit_artefact, audit_amplitude])
def test_an_unknown_method_is_refused_before_a_network_is_taught(audit, monkeypatch):
    monkeypatch.setattr(audits, "trained_net", lambda *_, **__: pytest.fail("a network was taught"))
    with pytest.raises(EcgvizError, match=r"there is no 'tea_leaves' here; known are .*saliency"):
        audit(("saliency", "tea_leaves"))


@pytest.mark.slow
def test_gradients_find_the_spike_that_gave_the_label_away():
    found = audit_artefact(("saliency", "integrated_gradients"))
    assert found.quality > 0.99
    for row in found.rows:
        assert row.passed, row
        assert row.share > 10 * max(row.chance, row.amplitude, row.untrained)


@pytest.mark.slow
def test_the_t_wave_whose_amplitude_is_asked_for_is_found_by_slopes_and_in_part_by_paths():
    found = audit_amplitude(("saliency", "integrated_gradients"))
    assert found.quality > 0.75
    for row in found.rows:
        assert row.share > 2 * max(row.chance, row.amplitude, row.untrained), row
        assert row.specificity > 2 * 12**-0.5  # an even map has 1 / sqrt(12)
        assert row.lead_hit == 1
    slope, path = found.rows
    assert slope.passed
    assert path.time_hit < slope.time_hit  # as in Wagner et al.: paths from a flat line lean to the QRS complex
