"""Explanations of networks whose answer is known by hand, and what must hold for every method and network."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgviz.checkpoint import Model, load_model, model_input, predict
from ecgviz.errors import EcgvizError, ExplanationError, ModelError
from ecgviz.evidence import evidence, group_shares
from ecgviz.explain import METHODS, applicable, attention, explain, explain_controls
from ecgviz.explain.path import PANELS
from ecgviz.explain.untrained import untrained_network
from ecgviz.nets import NETS, build
from ecgviz.nets.imle_net import IMLENet
from ecgviz.types.beats import MARKS
from tests.toys import (
    LEADS,
    SPEC,
    Bent,
    Breaks,
    Crossed,
    Deaf,
    Linear,
    Pooled,
    Small,
    Step,
    even_beats,
    no_beats,
    noise_record,
    toy_model,
)

GRADIENTS = ("saliency", "input_x_gradient", "integrated_gradients")
CHEAP = {
    **{key: {"n_coalitions": 300} for key in ("shapley", "kernel_shap", "lime")},
    "gradient_shap": {"n_samples": 16},
    "smooth_grad": {"n_samples": 2},
}
"""Fewer sets of cells, each baseline twice, two noisy copies: a few keep mass and repeat as many do."""
RECORD = noise_record()
BEATS = even_beats(9)


def weights(seed=0, n_labels=1, scale=0.01):
    return scale * np.random.default_rng(seed).normal(size=(n_labels, 12, 1000))


def small_model(seed=0, labels=("MI", "NORM")) -> Model:
    return toy_model(
        build("toy_small", len(labels), seed=seed, config={"width": 8}), labels=labels, net_name="toy_small"
    )


@pytest.fixture(autouse=True)
def toy_architectures(monkeypatch):
    monkeypatch.setitem(NETS, "toy_small", Small)
    monkeypatch.setitem(NETS, "toy_pooled", lambda n_labels: Pooled())


def imle(seed=0):
    return toy_model(
        build("imle_net", 2, seed=seed, config={"width": 0.125}),
        labels=("MI", "NORM"),
        net_name="imle_net",
        width=0.125,
    )


IMLE_METHODS = applicable(imle())
"""What IMLE-Net can be asked; what the others can, and refuse, is tested on each."""
LABEL_BLIND = {f"attention_{level}" for level in IMLENet.levels}
"""Maps that are the same for every label, and have no sign."""


def test_a_linear_network_is_explained_exactly():
    w = weights()
    spec = replace(SPEC, mean_mv=0.05)
    model = toy_model(Linear(w, [0.7]), spec=spec)
    x = model_input(model, RECORD, BEATS).x.astype(float)
    x0 = (0 - 0.05) / 0.25
    maps = {m: explain(model, RECORD, "MI", m, BEATS) for m in GRADIENTS}
    maps["integrated_gradients"] = explain(model, RECORD, "MI", "integrated_gradients", BEATS, baseline="zero")
    np.testing.assert_allclose(maps["saliency"].values, w[0], rtol=1e-5)
    np.testing.assert_allclose(maps["input_x_gradient"].values, w[0] * x, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(maps["integrated_gradients"].values, w[0] * (x - x0), rtol=1e-4, atol=1e-6)
    assert maps["integrated_gradients"].completeness_error < 1e-4
    assert maps["integrated_gradients"].params["n_steps"] == 9
    assert maps["integrated_gradients"].params["baseline_logit"] == pytest.approx(0.7 + x0 * w.sum(), rel=1e-4)
    for explanation in maps.values():
        assert explanation.signed
        assert explanation.label == "MI"
        assert explanation.resolution_s == pytest.approx(0.01)


def test_signs_are_kept():
    w = weights()
    explanation = explain(toy_model(Linear(w)), RECORD, "MI", "saliency", BEATS)
    assert (explanation.values < 0).any()
    np.testing.assert_array_equal(np.sign(explanation.values), np.sign(w[0].astype(np.float32)))


@pytest.mark.parametrize("method", GRADIENTS)
def test_a_network_that_reads_one_lead_is_explained_by_that_lead(method):
    w = np.zeros((1, 12, 1000))
    w[0, LEADS.index("V2")] = weights()[0, 0]
    grid = evidence(explain(toy_model(Bent(w)), RECORD, "MI", method, BEATS), BEATS)
    assert group_shares(grid)["V2"] == pytest.approx(1.0)


@pytest.mark.parametrize("method", GRADIENTS)
def test_a_constant_network_has_a_zero_map_and_no_shares(method):
    model = toy_model(Linear(np.zeros((1, 12, 1000)), [2.0]))
    explanation = explain(model, RECORD, "MI", method, BEATS)
    assert not explanation.values.any()
    assert np.isnan(evidence(explanation, BEATS).channel()).all()


@pytest.mark.parametrize("method", GRADIENTS)
def test_a_network_without_gradients_is_refused(method):
    with pytest.raises(ExplanationError, match="no gradient reaches the input"):
        explain(toy_model(Deaf()), RECORD, "MI", method, BEATS)


def test_integrated_gradients_are_complete_where_the_gradient_saturates():
    w = weights(scale=0.05)
    model = toy_model(Bent(w))
    explanation = explain(model, RECORD, "MI", "integrated_gradients", BEATS)
    change = predict(model, RECORD).logits[0] - explanation.params["baseline_logit"]
    assert explanation.completeness_error < 0.01
    assert explanation.params["complete"]
    assert abs(explanation.values.sum() - change) < 0.011 * max(abs(change), 0.5)


def test_steps_are_raised_until_the_map_is_complete():
    model = toy_model(Bent(weights(scale=2.0)))
    coarse = explain(model, RECORD, "MI", "integrated_gradients", BEATS, n_steps=2, baseline="zero")
    fine = explain(model, RECORD, "MI", "integrated_gradients", BEATS, baseline="zero")
    assert coarse.params["n_steps"] == 2
    assert coarse.completeness_error > 0.01
    assert not coarse.params["complete"]
    assert fine.params["n_steps"] > 9
    assert fine.completeness_error < 0.01


def test_a_map_that_stays_incomplete_says_so():
    model = toy_model(Step(0.0))
    model.net.at = 0.4321 * float(model_input(model, RECORD, BEATS).x.mean())
    explanation = explain(model, RECORD, "MI", "integrated_gradients", BEATS, baseline="zero")
    assert explanation.params["n_steps"] < 129
    assert not explanation.params["complete"]
    assert explanation.completeness_error > 0.01


def crossed(steepness, **params):
    x = model_input(toy_model(Linear(weights())), RECORD, BEATS).x
    model = toy_model(Crossed(x, steepness))
    return explain(model, RECORD, "MI", "integrated_gradients", BEATS, baseline="zero", **params)


def test_panels_whose_errors_cancel_are_refined_all_the_same():
    """The first nine places see no slope, and their sum is right: 0. The map would be nothing where it is +2 and -2."""
    rough, fine = crossed(60.0), crossed(60.0, panels=0.025)
    for explanation, panels in ((rough, PANELS), (fine, 0.025)):
        assert explanation.params["complete"]
        assert explanation.params["panel_error"] < panels
        assert explanation.values.sum(axis=1)[:2] == pytest.approx([2, -2], abs=panels + 0.002)
    assert 9 < rough.params["n_steps"] < fine.params["n_steps"]
    with pytest.raises(ExplanationError, match=r"panels is 0; what the panels may miss is a part above 0"):
        crossed(60.0, panels=0)


def test_a_map_that_adds_up_by_chance_is_not_complete():
    explanation = crossed(1e9)
    assert explanation.completeness_error < 0.01
    assert explanation.params["panel_error"] > 1
    assert not explanation.params["complete"]


def test_labels_that_the_baseline_fires_are_named():
    model = toy_model(Linear(np.zeros((2, 12, 1000)), [2.0, -2.0]), labels=("MI", "NORM"))
    assert explain(model, RECORD, "MI", "integrated_gradients", BEATS).params["fires_at_baseline"] == ["MI"]


def test_a_logit_that_is_not_finite_is_refused():
    with pytest.raises(ExplanationError, match="not finite"):
        explain(toy_model(Linear(np.full((1, 12, 1000), np.inf))), RECORD, "MI", "saliency", BEATS)


def test_attention_is_spread_over_its_tokens_and_conserved():
    model = toy_model(Pooled(), labels=("MI", "NORM"), net_name="toy_pooled")
    beat, rhythm, channel, joint = (explain(model, RECORD, "MI", f"attention_{x}", BEATS) for x in Pooled.levels)
    assert beat.values.sum() == pytest.approx(12 * 20)
    np.testing.assert_allclose(beat.values[0, :12], 0.1 / 12.5, rtol=1e-6)  # token 0 covers 12.5 samples
    np.testing.assert_allclose(beat.values[0, 12], (0.05 * 0.1 + 0.05 * 0.2) / 1.25, rtol=1e-6)  # shared half and half
    np.testing.assert_allclose(rhythm.values.sum(axis=1), 1.0)
    np.testing.assert_allclose(rhythm.values[0, 950:].sum(), 20 / 210)
    assert channel.values.shape == (12, 1)
    assert not channel.has_time
    assert channel.resolution_s == pytest.approx(10.0)
    assert joint.values.sum() == pytest.approx(1.0)
    assert joint.values[1].sum() == pytest.approx(0.5)
    for explanation in (beat, rhythm, channel, joint):
        assert not explanation.signed
        assert explanation.label is None  # one map for every label
    assert rhythm.resolution_s == pytest.approx(0.5)
    assert joint.params["receptive_field_s"] == 10.0


def test_attention_levels_that_a_network_lacks_are_refused():
    with pytest.raises(ExplanationError, match="exposes no beat attention; its attention levels: none"):
        explain(small_model(), RECORD, "MI", "attention_beat", BEATS)
    with pytest.raises(ExplanationError, match="no exact decomposition"):
        explain(small_model(), RECORD, "MI", "decomposition", BEATS)


class Doubled(Pooled):
    """Parts that do not add up to the logit."""

    def forward(self, x, **arguments):
        return 1.1 * super().forward(x, **arguments)


def test_parts_that_miss_the_logit_are_no_decomposition():
    model = toy_model(Doubled().eval(), labels=("MI", "NORM"))
    with pytest.raises(ExplanationError, match="its parts of the logit of NORM miss it by"):
        explain(model, RECORD, "NORM", "decomposition", BEATS)


def test_the_decomposition_is_the_logit():
    model = toy_model(Pooled(), labels=("MI", "NORM"), net_name="toy_pooled")
    x = model_input(model, RECORD, BEATS).x.astype(float)
    explanation = explain(model, RECORD, "NORM", "decomposition", BEATS)
    assert explanation.values.sum() + explanation.params["bias"] == pytest.approx(explanation.params["logit"], abs=1e-5)
    assert explanation.completeness_error < 1e-4
    assert explanation.resolution_s == pytest.approx(0.5)
    np.testing.assert_allclose(explanation.values[3, 100:150], -x[3, 100:150].mean() / 50, rtol=1e-4)


@pytest.mark.parametrize("method", IMLE_METHODS)
def test_every_method_on_the_real_network(method):
    """Conserved on the grid, the same twice, on the model's leads and samples, input and network untouched."""
    model = imle()
    before = {k: v.clone() for k, v in model.net.state_dict().items()}
    signal = RECORD.signal.copy()
    first, second = (explain(model, RECORD, "MI", method, BEATS, **CHEAP.get(method, {})) for _ in range(2))
    np.testing.assert_array_equal(first.values, second.values)
    assert first.leads == LEADS
    assert first.values.shape == (12, 1 if method == "attention_channel" else 1000)
    grid = evidence(first, BEATS)
    size = np.abs(first.values).sum()
    assert abs(grid.pos.sum() - grid.neg.sum() + grid.outside - first.values.sum()) <= 1e-9 * size
    assert first.signed == (method not in LABEL_BLIND | {"grad_cam"})
    if METHODS[method].complete:
        assert first.completeness_error < 0.01
    np.testing.assert_array_equal(RECORD.signal, signal)
    assert all(torch.equal(v, before[k]) for k, v in model.net.state_dict().items())


@pytest.mark.parametrize("method", IMLE_METHODS)
def test_other_weights_give_another_map(method):
    maps = [explain(imle(seed), RECORD, "MI", method, BEATS, **CHEAP.get(method, {})).values for seed in (0, 1)]
    assert not np.allclose(*maps)


@pytest.mark.parametrize("method", IMLE_METHODS)
def test_another_label_changes_the_map_except_for_attention(method):
    maps = [explain(imle(), RECORD, label, method, BEATS, **CHEAP.get(method, {})).values for label in ("MI", "NORM")]
    assert np.allclose(*maps) == (method in LABEL_BLIND)


@pytest.mark.parametrize("method", GRADIENTS)
def test_threads_do_not_change_the_map(method):
    model, n = small_model(), torch.get_num_threads()
    try:
        maps = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            maps.append(explain(model, RECORD, "MI", method, BEATS).values)
    finally:
        torch.set_num_threads(n)
    np.testing.assert_allclose(*maps, rtol=1e-4, atol=1e-9)


def state(net):
    return (
        [m.training for m in net.modules()],
        [p.requires_grad for p in net.parameters()],
        [p.grad for p in net.parameters()],
        [(len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)) for m in net.modules()],
        torch.is_grad_enabled(),
        torch.backends.cudnn.enabled,
    )


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("method", GRADIENTS)
def test_nothing_is_left_behind(method, training):
    model = small_model()
    calm = explain(model, RECORD, "MI", method, BEATS)
    model.net.train(training)
    before, batch_means = state(model.net), model.net.norm.running_mean.clone()
    with torch.no_grad():
        explanation = explain(model, RECORD, "MI", method, BEATS)
    assert state(model.net) == before
    assert torch.equal(model.net.norm.running_mean, batch_means)
    np.testing.assert_array_equal(explanation.values, calm.values)  # dropout and batch statistics were off


@pytest.mark.parametrize("method", GRADIENTS)
def test_nothing_is_left_behind_after_a_failure(method):
    net = Breaks()
    model = toy_model(net)
    net.train()
    before = state(net)
    with pytest.raises(MemoryError):
        explain(model, RECORD, "MI", method, BEATS)
    assert state(net) == before


@pytest.mark.parametrize("method", IMLE_METHODS)
def test_a_window_that_starts_later_is_placed_later(method):
    model = imle()
    late = replace(model_input(model, RECORD, BEATS), start_s=3.0)
    marks = {mark: getattr(BEATS, mark) + 3.0 for mark in ("r_s", *MARKS)}
    explanation = METHODS[method].run(model, late, replace(BEATS, **marks, duration_s=13.0), 0, seed=0)
    assert explanation.start_s == 3.0
    expected = explain(model, RECORD, "MI", method, BEATS).values
    np.testing.assert_allclose(explanation.values, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_requests_that_make_no_sense_are_refused():
    model = small_model()
    with pytest.raises(EcgvizError, match="there is no 'magic' here; known are attention_beat"):
        explain(model, RECORD, "MI", "magic", BEATS)
    with pytest.raises(ModelError, match="does not predict 'LBBB'"):
        explain(model, RECORD, "LBBB", "saliency", BEATS)
    for value in (2.5, "ten", True):
        with pytest.raises(ExplanationError, match=f"smooth_grad: n_samples is a whole number, not {value!r}"):
            explain(small_model(), RECORD, "MI", "smooth_grad", BEATS, n_samples=value)
    with pytest.raises(ExplanationError, match="saliency does not take baseline; its parameters are: none"):
        explain(model, RECORD, "MI", "saliency", BEATS, baseline="isoelectric")
    with pytest.raises(ExplanationError, match="no baseline 'noise'; known are zero"):
        explain(model, RECORD, "MI", "integrated_gradients", BEATS, baseline="noise")
    with pytest.raises(ExplanationError, match="n_steps is 0"):
        explain(model, RECORD, "MI", "integrated_gradients", BEATS, n_steps=0)
    for seed in (1.5, "one", None, -1):
        with pytest.raises(ExplanationError, match=f"a seed is a whole number of 0 or more, not {seed!r}"):
            explain(model, RECORD, "MI", "saliency", BEATS, seed=seed)
    for method, given, why in (
        ("integrated_gradients", {"n_steps": "ten"}, "n_steps is a whole number, not 'ten'"),
        ("integrated_gradients", {"n_steps": 2.5}, "n_steps is a whole number, not 2.5"),
        ("integrated_gradients", {"panels": math.inf}, "panels is a number, not inf"),
        ("occlusion", {"window_s": math.nan}, "window_s is a number, not nan"),
    ):
        with pytest.raises(ExplanationError, match=f"{method}: {why}"):
            explain(model, RECORD, "MI", method, BEATS, **given)
    with pytest.raises(ExplanationError, match="at least one seed"):
        explain_controls(model, RECORD, "MI", "saliency", BEATS, seeds=())


def test_attention_maps_are_listed():
    assert [tap.level for tap in attention(imle(), RECORD, BEATS)] == ["beat", "rhythm", "channel", "joint"]
    assert attention(small_model(), RECORD, BEATS) == ()


def test_explanations_need_no_beats():
    assert explain(small_model(), RECORD, "MI", "saliency", no_beats()).values.any()


def test_controls_know_nothing_of_the_training():
    model = small_model(seed=7)
    controls = explain_controls(model, RECORD, "MI", "integrated_gradients", BEATS, seeds=(0, 1))
    assert tuple(controls) == ("|x|", "|dx/dt|", "random networks")
    x = model_input(model, RECORD, BEATS).x.astype(float)
    np.testing.assert_allclose(controls["|x|"][0].values, np.abs(x - np.median(x, axis=1, keepdims=True)), rtol=1e-5)
    np.testing.assert_allclose(controls["|dx/dt|"][0].values[:, 5], np.abs(x[:, 6] - x[:, 4]) / 0.02, rtol=1e-4)
    one, two = controls["random networks"]
    assert one.params["n_steps"] == 4
    assert one.method == "integrated_gradients"
    assert not np.allclose(one.values, two.values)
    twin = replace(model, net=untrained_network(model, 0))
    np.testing.assert_allclose(
        one.values, explain(twin, RECORD, "MI", "integrated_gradients", BEATS, n_steps=4).values, rtol=1e-6
    )


def test_peaks_that_are_merged_leave_a_decomposition():
    """Of two R peaks within 50 ms the network makes one window; the other has no span, and no part of the logit."""
    at_s = BEATS.r_s.copy()
    at_s[3] = at_s[2] + 0.04
    found = explain(load_model("imle_net_beats"), RECORD, "MI", "decomposition", replace(BEATS, r_s=at_s))
    assert found.values.sum() + found.params["bias"] == pytest.approx(found.params["logit"], abs=1e-4)


def test_an_exported_program_has_no_random_networks():
    model = toy_model(Small(2), labels=("MI", "NORM"), net_name="exported")
    with pytest.raises(ExplanationError, match="toy is an exported program, which cannot be built anew"):
        explain_controls(model, RECORD, "MI", "saliency", BEATS)


def test_controls_have_the_axes_of_the_map():
    for method, shape in (("attention_channel", (12, 1)), ("attention_beat", (12, 1000))):
        controls = explain_controls(imle(), RECORD, "MI", method, BEATS, seeds=(0,))
        assert [maps[0].values.shape for maps in controls.values()] == [shape] * 3
        assert controls["|x|"][0].label is None
        assert not controls["|x|"][0].signed


def test_padding_has_no_amplitude():
    spec = replace(SPEC, pads=True)
    short = noise_record(duration_s=6.0)
    model = replace(small_model(), spec=spec)
    controls = explain_controls(model, short, "MI", "saliency", BEATS, seeds=(0,))
    for name in ("|x|", "|dx/dt|"):
        assert not controls[name][0].values[:, 600:].any()
        assert controls[name][0].values[:, :600].any()


def test_a_method_is_applicable_where_the_network_has_what_it_reads():
    elsewhere = {"attention_age", "attention_sex", "attention_rollout", "deep_lift", "guided_backprop"}
    assert set(METHODS) - set(IMLE_METHODS) == elsewhere
    gradient = {name for name in applicable(small_model()) if METHODS[name].family == "gradient"}
    assert gradient == {*GRADIENTS, "smooth_grad", "gradient_shap"}
    exported = applicable(replace(small_model(), net_name="exported"))
    assert {METHODS[name].family for name in exported} == {"perturbation"}
