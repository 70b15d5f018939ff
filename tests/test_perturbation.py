"""Methods that remove cells: known games have known values, and Captum agrees where it computes the same."""

from itertools import permutations

import numpy as np
import pytest
import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import FeatureAblation, LimeBase, Occlusion
from torch import Tensor, nn

from ecgviz.checkpoint import Model, model_input, predict, tensors
from ecgviz.errors import ExplanationError
from ecgviz.explain.baselines import baseline
from ecgviz.explain.cells import KINDS, cells_by
from ecgviz.explain.coalitions import coalition_logits
from ecgviz.explain.lime import nearness
from ecgviz.explain.perturbation import PERTURBATION_METHODS
from ecgviz.nets import build
from ecgviz.types import Explanation
from tests.toys import LEADS, Linear, Small, even_beats, no_beats, noise_record, toy_model

BEATS = even_beats(9)
RECORD = noise_record(1)
RNG = np.random.default_rng(0)
WEIGHT = RNG.normal(size=(2, 12, 1000)) / 50
LINEAR = toy_model(Linear(WEIGHT, (0.5, -3.0)), labels=("MI", "CD"))


def run(name: str, model: Model = LINEAR, beats=BEATS, label_index: int = 0, **params) -> Explanation:
    inputs = model_input(model, RECORD, beats)
    return PERTURBATION_METHODS[name].run(model, inputs, beats, label_index, **{"seed": 0, **params})


def by_cell(model: Model, explanation: Explanation, kind: str) -> np.ndarray:
    """Sum a map over each cell."""
    cells = cells_by(kind, model, model_input(model, RECORD, BEATS), BEATS)
    values = np.broadcast_to(explanation.values, cells.owner.shape) * len(explanation.values) / 12
    return np.bincount(cells.owner[cells.owner >= 0], values[cells.owner >= 0])


class Interacts(nn.Module):
    """How high leads stand: I times II, plus III times aVR times aVL, plus twice aVF; the rest is not heard."""

    levels = ()

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        i, ii, iii, avr, avl, avf = x.mean(dim=2).unbind(1)[:6]
        return (i * ii + iii * avr * avl + 2 * avf)[:, None]


STANDING = np.array([2.0, -3, 1, 2, 3, -1, 5, 5, 5, 5, 5, 5])


def interacting() -> tuple[Model, np.ndarray]:
    """Return the network on which leads interact and its Shapley values against 0 mV: products are shared evenly."""
    return toy_model(Interacts()), np.array([-3.0, -3, 2, 2, 2, -2, 0, 0, 0, 0, 0, 0])


def run_standing(name: str, **params) -> Explanation:
    model, _ = interacting()
    inputs = model_input(model, noise_record(0), BEATS)
    object.__setattr__(inputs, "x", np.repeat(STANDING[:, None], 1000, axis=1).astype(np.float32))
    run_ = PERTURBATION_METHODS[name].run
    return run_(model, inputs, BEATS, 0, **{"seed": 0, "baseline": "zero", "cells": "lead", **params})


@pytest.mark.parametrize(
    ("name", "kind"),
    [("feature_ablation", kind) for kind in KINDS]
    + [(name, kind) for name in ("shapley", "kernel_shap") for kind in ("lead", "wave", "lead_wave")],
)
def test_each_cell_of_a_linear_network_gets_what_it_weighs(name: str, kind: str) -> None:
    inputs = model_input(LINEAR, RECORD)
    cells = cells_by(kind, LINEAR, inputs, BEATS)
    loss = WEIGHT[0] * (inputs.x - baseline("isoelectric", LINEAR, inputs, BEATS, seed=0)[0])
    inside = cells.owner >= 0
    mass = np.bincount(cells.owner[inside], loss[inside])
    explanation = run(name, cells=kind, **({} if name == "feature_ablation" else {"n_coalitions": 300}))
    assert explanation.has_leads == ("lead" in KINDS[kind])
    assert explanation.has_time == (kind != "lead")
    if kind == "lead":
        np.testing.assert_allclose(explanation.values[:, 0], mass, atol=1e-5)
    else:
        np.testing.assert_allclose(by_cell(LINEAR, explanation, kind), mass, atol=2e-5)
        inside = inside if explanation.has_leads else inside[:1]
        assert (explanation.values[~inside] == 0).all()
    assert explanation.values.sum() == pytest.approx(mass.sum(), abs=5e-6 * len(cells) + 1e-5)
    assert explanation.signed


def test_inside_of_a_cell_mass_is_even() -> None:
    explanation = run("feature_ablation")
    cells = cells_by("lead_beat_wave", LINEAR, model_input(LINEAR, RECORD), BEATS)
    for k in (0, 200, len(cells) - 1):
        assert np.ptp(explanation.values[cells.owner == k]) == 0


def test_ablation_is_captums() -> None:
    model = toy_model(build("imle_net", 2, seed=1, config={"width": 0.25}), labels=("MI", "CD"))
    inputs = model_input(model, RECORD)
    reference = torch.from_numpy(baseline("isoelectric", model, inputs, BEATS, seed=0))
    cells = cells_by("lead_wave", model, inputs, BEATS)
    with torch.no_grad():
        theirs = FeatureAblation(model.net).attribute(
            tensors(inputs)[0], reference, target=1, feature_mask=torch.from_numpy(cells.owner + 1)[None]
        )
    firsts = np.unique(cells.owner.ravel(), return_index=True)[1][1:]
    ours = by_cell(model, run("feature_ablation", model, label_index=1, cells="lead_wave"), "lead_wave")
    np.testing.assert_allclose(ours, theirs.numpy().ravel()[firsts], rtol=0, atol=1e-5)
    assert np.ptp(ours) > 1e-3


@pytest.mark.parametrize(("window_s", "stride_s"), [(0.5, 0.25), (0.3, 0.3), (0.4, 0.1)])
def test_occlusion_is_captums(window_s: float, stride_s: float) -> None:
    model = toy_model(Small(2), labels=("MI", "CD"))
    inputs = model_input(model, RECORD)
    reference = torch.from_numpy(baseline("blur", model, inputs, BEATS, seed=0))
    width = round(100 * window_s)
    with torch.no_grad():
        theirs = Occlusion(model.net).attribute(
            tensors(inputs)[0], (1, width), strides=(1, round(100 * stride_s)), baselines=reference, target=0
        )
    ours = run("occlusion", model, baseline="blur", window_s=window_s, stride_s=stride_s).values
    whole = 990 if window_s == stride_s else 1000  # the last window of 0.3 s is cut by the end, and shared by fewer
    np.testing.assert_allclose(width * ours[:, :whole], theirs[0].numpy()[:, :whole], rtol=0, atol=1e-5)
    np.testing.assert_allclose(10 * ours[:, whole:], theirs[0].numpy()[:, whole:], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["shapley", "kernel_shap"])
def test_leads_that_interact_share_what_they_do_together(name: str) -> None:
    """All 4096 sets of leads are enumerated: the values are exact."""
    explanation = run_standing(name, n_coalitions=4096)
    np.testing.assert_allclose(explanation.values[:, 0], interacting()[1], atol=1e-4)
    assert explanation.params["exact"]
    assert explanation.params["n_coalitions"] == 4096
    assert explanation.completeness_error < 1e-5


def test_what_is_drawn_comes_near_what_is_enumerated() -> None:
    exact = interacting()[1]
    drawn = run_standing("shapley", n_coalitions=960)
    assert not drawn.params["exact"]
    assert 0 < drawn.params["standard_error"] < 0.4
    assert np.abs(drawn.values[:, 0] - exact).max() < 4 * drawn.params["standard_error"]
    assert drawn.values.sum() == pytest.approx(exact.sum(), abs=1e-4)
    fitted = run_standing("kernel_shap", n_coalitions=1000)
    assert np.abs(fitted.values[:, 0] - exact).max() < 0.5
    assert fitted.values.sum() == pytest.approx(exact.sum(), abs=1e-4)
    other = run_standing("kernel_shap", n_coalitions=1000, seed=1)
    assert (other.values != fitted.values).any()
    np.testing.assert_array_equal(run_standing("kernel_shap", n_coalitions=1000).values, fitted.values)


def test_an_order_and_its_reverse_share_each_pair_exactly() -> None:
    """I x II is shared evenly by any order and its reverse; the product of three leads is not."""
    values = run_standing("shapley", n_coalitions=48).values[:, 0]
    np.testing.assert_allclose(values[[0, 1, 5]], [-3, -3, -2], atol=1e-4)


def test_exact_values_are_those_over_all_orders() -> None:
    """Six waves of a real network: 720 orders written out."""
    model = toy_model(Small(1))
    inputs = model_input(model, RECORD)
    cells = cells_by("wave", model, inputs, BEATS)
    reference = baseline("healthy", model, inputs, BEATS, seed=0)[0]
    added = np.zeros(6)
    sets = (np.arange(64)[:, None] >> np.arange(6) & 1).astype(bool)
    worth = coalition_logits(model, inputs, cells, reference, sets)[:, 0]
    orders = list(permutations(range(6)))
    for order in orders:
        there = 0
        for k in order:
            added[k] += worth[there + 2**k] - worth[there]
            there += 2**k
    for name in ("shapley", "kernel_shap"):
        explanation = run(name, model, cells="wave", baseline="healthy")
        assert explanation.values.shape == (1, 1000)
        np.testing.assert_allclose(by_cell(model, explanation, "wave"), added / len(orders), atol=1e-6)
        assert explanation.params["exact"]


def test_lime_is_captums() -> None:
    """The same copies, the same nearness, the same ridge."""
    model = toy_model(Small(1))
    inputs = model_input(model, RECORD)
    cells = cells_by("lead", model, inputs, BEATS)
    reference = torch.from_numpy(baseline("isoelectric", model, inputs, BEATS, seed=0))
    kept = torch.from_numpy(np.random.default_rng(7).random((60, 12)) < 0.5)
    rows = iter(kept)

    def to_record(row: Tensor, x: Tensor, **_) -> Tensor:
        return torch.where(row[0].bool()[torch.tensor(cells.owner)], x, reference)

    captum = LimeBase(
        model.net,
        SkLearnRidge(alpha=1.0),
        lambda original, altered, row, **_: float(nearness(row.double().mean().numpy(), 0.25)),
        lambda original, **_: next(rows)[None].float(),
        perturb_interpretable_space=True,
        from_interp_rep_transform=to_record,
        to_interp_rep_transform=None,
    )
    theirs = captum.attribute(tensors(inputs)[0], target=0, n_samples=60)
    ours = run("lime", model, cells="lead", n_coalitions=60, seed=7).values[:, 0]
    np.testing.assert_allclose(ours, theirs.numpy().ravel(), atol=1e-5)
    assert np.ptp(ours) > 1e-4


class Parity(nn.Module):
    """Whether an odd number of leads stands above 1: no linear model imitates it."""

    levels = ()

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return ((x.abs().mean(dim=2) > 0.5).sum(dim=1) % 2).float()[:, None]


def test_a_surrogate_says_how_well_it_fits() -> None:
    linear = run("lime", alpha=1e-6)
    assert linear.params["surrogate_r2"] > 0.999
    assert linear.params["fits"]
    odd = run("lime", toy_model(Parity()), cells="lead")
    assert odd.params["surrogate_r2"] < 0.1
    assert not odd.params["fits"]


def test_nearness_falls_with_what_is_removed() -> None:
    found = nearness(np.array([1.0, 0.5, 0.0]), 0.25)
    np.testing.assert_allclose(found, [1, np.exp(-((1 - np.sqrt(0.5)) ** 2) * 8), np.exp(-8)])


@pytest.mark.parametrize("name", PERTURBATION_METHODS)
def test_every_method_says_what_it_was_held_against(name: str) -> None:
    few = {"n_coalitions": 300} if name in ("shapley", "kernel_shap", "lime") else {}
    explanation = run(name, baseline="zero", **few)
    assert explanation.method == name
    assert explanation.label == "MI"
    assert explanation.params["baseline"] == "zero"
    assert explanation.params["baseline_logit"] == pytest.approx(0.5)
    assert explanation.params["fires_at_baseline"] == ["MI"]
    assert np.isnan(explanation.completeness_error) != PERTURBATION_METHODS[name].complete
    if "logit" in explanation.params:
        assert explanation.params["logit"] == pytest.approx(predict(LINEAR, RECORD).logits[0], abs=1e-5)


def test_resolution_is_a_sample_where_cells_end_with_waves() -> None:
    assert run("feature_ablation").resolution_s == 0.01
    assert run("feature_ablation", cells="window").resolution_s == 0.5
    assert run("feature_ablation", cells="lead_beat").resolution_s == 1.0
    assert run("feature_ablation", cells="lead").resolution_s == 10.0
    assert run("occlusion").resolution_s == 0.2


def test_without_beats_leads_and_windows_are_left() -> None:
    with pytest.raises(ExplanationError, match="cells of kind lead_wave need delineated beats"):
        run("shapley", beats=no_beats())
    assert run("kernel_shap", beats=no_beats(), cells="lead", n_coalitions=50).leads == LEADS
    assert run("occlusion", beats=no_beats()).has_time


def test_what_cannot_be_run_is_refused() -> None:
    for name in ("shapley", "kernel_shap", "lime"):
        with pytest.raises(ExplanationError, match="100 coalitions are too few for 72 cells"):
            run(name, n_coalitions=100)
    for name in PERTURBATION_METHODS:
        with pytest.raises(ExplanationError, match="there is no baseline 'none'"):
            run(name, baseline="none")
    with pytest.raises(ExplanationError, match="is a set of 8 records"):
        run("feature_ablation", baseline="normals")
    with pytest.raises(ExplanationError, match="cannot slide"):
        run("occlusion", window_s=0.1, stride_s=0.2)
    with pytest.raises(ExplanationError, match="both must be above 0"):
        run("lime", kernel_width=0.0)
