"""Our checks against those of captum, and of Quantus where it is installed: equal where theirs are right."""

import numpy as np
import pytest
import torch
from captum.metrics import infidelity, sensitivity_max

from ecgviz.checkpoint import tensors
from ecgviz.explain import checks
from ecgviz.explain.cells import Cells
from ecgviz.explain.checks.complexity import gini
from ecgviz.explain.checks.faithfulness import cell_sums, draw_present, own_baseline, patches, unexplained
from ecgviz.explain.checks.randomisation import stages
from ecgviz.explain.checks.robustness import disturbed, noise_sd
from ecgviz.explain.coalitions import altered, coalition_logits
from ecgviz.types import Explanation
from tests.toys import Bent, even_beats, noise_record, toy_model

BEATS = even_beats(9)
N_DRAWS = 32


def question(method="input_x_gradient"):
    weight = 0.01 * np.random.default_rng(7).normal(size=(1, 12, 1000))
    return checks.question(toy_model(Bent(weight)), noise_record(), "MI", method, BEATS)


def explained(method="input_x_gradient") -> tuple[checks.Question, Explanation]:
    asked = question(method)
    return asked, asked.explain()


def captum_infidelity(asked, values, *, normalize: bool) -> float:
    """Remove the same stretches by captum: it takes I and x - I, and multiplies I by slopes, here values / x."""
    x, _ = tensors(asked.inputs)
    cells = patches(asked.inputs)
    present = draw_present(len(cells), N_DRAWS, np.random.default_rng(asked.seed))
    reference = own_baseline(asked, asked.explain())[0]
    moved = torch.from_numpy(altered(asked.inputs, cells, reference, present)).double()
    slopes = torch.tensor(values)[None] / x.double()
    net = asked.model.net.double()
    found = infidelity(
        net, lambda given: (given - moved, moved), x.double(), slopes, target=0, n_perturb_samples=N_DRAWS,
        normalize=normalize,
    )  # fmt: skip
    net.float()
    return float(found)


def mean_squared_fall(asked) -> float:
    cells = patches(asked.inputs)
    present = draw_present(len(cells), N_DRAWS, np.random.default_rng(asked.seed))
    moved = torch.from_numpy(altered(asked.inputs, cells, own_baseline(asked, asked.explain())[0], present))
    with torch.inference_mode():
        net = asked.model.net
        return float(((net(tensors(asked.inputs)[0]) - net(moved))[:, 0].double() ** 2).mean())


def test_infidelity_is_captums_normalised_one_over_the_mean_squared_fall():
    asked, explanation = explained()
    ours = checks.infidelity(asked, explanation, n_removals=N_DRAWS).value
    theirs = captum_infidelity(asked, explanation.values, normalize=True)
    assert 0.001 < ours < 1
    assert ours == pytest.approx(theirs / mean_squared_fall(asked), rel=1e-4)


def test_captums_default_infidelity_depends_on_the_scale_and_its_normalised_one_not_on_the_sign():
    asked, explanation = explained()
    default = [captum_infidelity(asked, scale * explanation.values, normalize=False) for scale in (1, 10)]
    assert default[1] > 10 * default[0]
    turned = [captum_infidelity(asked, scale * explanation.values, normalize=True) for scale in (1, -1)]
    assert turned[1] == pytest.approx(turned[0])
    cells = patches(asked.inputs)
    away = ~draw_present(len(cells), N_DRAWS, np.random.default_rng(0))
    predicted = away @ cell_sums(explanation, cells)
    assert unexplained(-predicted, predicted) == 1


def test_max_sensitivity_is_captums_under_the_same_noise():
    asked, explanation = explained()
    inputs = asked.inputs
    rng = np.random.default_rng(asked.seed)
    radius = noise_sd(inputs, BEATS, asked.model.spec.std_mv)
    moved = np.stack([disturbed(inputs, radius, rng).x for _ in range(5)])

    def maps(batch):
        batch = batch[0] if isinstance(batch, tuple) else batch
        with torch.enable_grad():
            x = batch.detach().clone().requires_grad_()
            (slope,) = torch.autograd.grad(asked.model.net(x).sum(), x)
        return ((x * slope).detach(),)

    x, _ = tensors(inputs)
    theirs = sensitivity_max(maps, x, lambda given: torch.from_numpy(moved), n_perturb_samples=5)
    assert checks.max_sensitivity(asked, explanation).value == pytest.approx(float(theirs), rel=1e-4)


def test_captums_radius_is_in_the_units_of_the_input():
    rng = np.random.default_rng(0)
    x, slope = torch.tensor(rng.normal(size=(1, 12, 200))), torch.tensor(rng.normal(size=(12, 200)))

    def in_units(unit):
        torch.manual_seed(0)
        return float(
            sensitivity_max(
                lambda given: ((given[0] if isinstance(given, tuple) else given) * slope / unit,),
                unit * x,
                n_perturb_samples=5,
            )
        )

    assert in_units(0.25) > 3 * in_units(1.0)


# Quantus is no dependency: these run where somebody has installed it.


def test_gini_is_quantus_sparseness():
    quantus = pytest.importorskip("quantus")
    values = np.random.default_rng(0).normal(size=(1, 1, 12, 100))
    score = quantus.Sparseness(abs=True, normalise=False, disable_warnings=True)
    theirs = score(model=None, x_batch=values, y_batch=np.zeros(1, dtype=int), a_batch=values)
    assert gini(values) == pytest.approx(theirs[0], abs=1e-5)


class OneChannel(torch.nn.Module):
    """Quantus wants images: one channel, leads by samples."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x[:, 0])


def test_deletion_is_quantus_pixel_flipping_where_cells_are_samples():
    quantus = pytest.importorskip("quantus")
    asked, explanation = explained()
    x, values = np.array(asked.inputs.x)[None, None], np.array(explanation.values)[None, None]
    metric = quantus.PixelFlipping(
        features_in_step=1000, perturb_baseline=0.0, abs=False, normalise=False, disable_warnings=True
    )
    theirs = metric(OneChannel(asked.model.net).eval(), x, np.zeros(1, dtype=int), values, softmax=False, device="cpu")
    cells = Cells(np.arange(values.size).reshape(values.shape[2:]), tuple(map(str, range(values.size))))
    ranks = np.argsort(np.argsort(-explanation.values, axis=None, kind="stable"))
    present = ranks >= 1000 * np.arange(1, 13)[:, None]
    ours = coalition_logits(asked.model, asked.inputs, cells, np.zeros(cells.owner.shape), present)[:, 0]
    np.testing.assert_allclose(ours, theirs[0], atol=1e-4)


def test_quantus_leaves_weights_trained_that_a_network_holds_itself():
    quantus = pytest.importorskip("quantus")
    asked = question()
    layers = quantus.helpers.model.pytorch_model.PyTorchModel(asked.model.net).get_random_layer_generator()
    assert list(layers) == []
    assert stages(asked.model.net) == ("",)
