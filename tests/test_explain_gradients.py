"""Gradient methods against Captum's own calls, against answers known by hand, and under eight threads at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import DeepLift, GuidedBackprop, IntegratedGradients, LayerGradCam, NoiseTunnel, Saliency
from torch import Tensor, nn

from ecgviz.checkpoint import model_input
from ecgviz.errors import ExplanationError
from ecgviz.explain import METHODS, explain, explain_controls
from ecgviz.explain.baselines import baseline
from ecgviz.nets import NETS, build
from ecgviz.nets.scan import mamba1_scan
from tests.toys import LEADS, Bent, Linear, Small, even_beats, noise_record, toy_model

RECORD, BEATS = noise_record(), even_beats(9)
METHODS_HERE = ("saliency", "smooth_grad", "integrated_gradients", "gradient_shap")
ON_RELU = (*METHODS_HERE, "deep_lift", "guided_backprop", "grad_cam")


class Relu(nn.Module):
    """Convolution, ReLU, convolution, ReLU, mean: each ReLU a module that is used once."""

    levels = ()
    cam_layer, cam_stride = "second", 2

    def __init__(self, n_labels: int = 2, act: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(12, 8, 5, padding=2)
        self.first, self.second = act(), act()
        self.conv2 = nn.Conv1d(8, 8, 5, 2, padding=2)
        self.output = nn.Linear(8, n_labels)

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return self.output(self.second(self.conv2(self.first(self.conv1(x)))).mean(dim=2))


class Functional(Relu):
    """The same network with ReLU as a function, which no hook sees."""

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return self.output(torch.relu(self.conv2(torch.relu(self.conv1(x)))).mean(dim=2))


class Reused(Relu):
    """The same network with one ReLU for both places."""

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return self.output(self.first(self.conv2(self.first(self.conv1(x)))).mean(dim=2))


class Recurrent(nn.Module):
    """A gate after an LSTM."""

    levels = ()

    def __init__(self, n_labels: int = 2) -> None:
        super().__init__()
        self.lstm = nn.LSTM(12, 8, batch_first=True)
        self.output = nn.Linear(8, n_labels)

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return self.output(self.lstm(4 * x[:, :, ::25].transpose(1, 2))[0].mean(dim=1))


class Scan(nn.Module):
    """A selective scan, whose step and gate are made of its input."""

    levels = ()

    def __init__(self, n_labels: int = 2) -> None:
        super().__init__()
        self.step, self.b, self.c = nn.Linear(12, 12), nn.Linear(12, 4), nn.Linear(12, 4)
        self.output = nn.Linear(12, n_labels)

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        x = x[:, :, ::25].transpose(1, 2)
        a = -torch.arange(1.0, 5).repeat(12, 1)
        y = mamba1_scan(
            x[None], nn.functional.softplus(self.step(x))[None], a[None, None], self.b(x)[None], self.c(x)[None]
        )
        return self.output((y[0] * nn.functional.silu(x)).mean(dim=1))


def seeded(kind, *arguments):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = kind(*arguments)
        for parameter in net.parameters():
            parameter.data *= 2
    return toy_model(net.requires_grad_(requires_grad=False), labels=("MI", "NORM"))


def standardised(model):
    return torch.from_numpy(model_input(model, RECORD, BEATS).x.copy())[None]


def reference(model, name="isoelectric", seed=0):
    return torch.from_numpy(baseline(name, model, model_input(model, RECORD, BEATS), BEATS, seed=seed))


def test_maps_are_captums_own():
    model = seeded(Relu)
    x, net = standardised(model).requires_grad_(), seeded(Relu).net
    expected = {
        "saliency": Saliency(net).attribute(x, target=1, abs=False),
        "guided_backprop": GuidedBackprop(net).attribute(x, target=1),
        "deep_lift": DeepLift(net).attribute(x, reference(model), target=1),
    }
    for method, attribution in expected.items():
        found = explain(model, RECORD, "NORM", method, BEATS).values
        np.testing.assert_allclose(found, attribution[0].detach(), rtol=1e-4, atol=1e-9, err_msg=method)
    fifty = IntegratedGradients(net).attribute(x, reference(model), target=1, n_steps=50)[0].detach()
    found = explain(model, RECORD, "NORM", "integrated_gradients", BEATS, n_steps=50).values
    np.testing.assert_allclose(found, fifty, rtol=1e-3, atol=1e-5 * float(fifty.abs().max()))


def test_grad_cam_is_captums_own_on_its_places():
    model = seeded(Relu)
    x, net = standardised(model), seeded(Relu).net
    cam = LayerGradCam(net, net.second).attribute(x.requires_grad_(), target=0, relu_attributions=True)
    explanation = explain(model, RECORD, "MI", "grad_cam", BEATS)
    assert explanation.leads == ()
    assert not explanation.signed
    assert explanation.resolution_s == pytest.approx(0.03)  # the last place stands for three samples
    places = cam[0, 0, 1:-1].detach()
    np.testing.assert_allclose(explanation.values[0, 2:-2:2], places / 2, atol=1e-6 * places.max().item())
    assert explanation.values.sum() == pytest.approx(cam.sum().item(), rel=1e-5)


def test_grad_cam_weighs_a_feature_alike_in_all_windows_of_all_leads():
    """Of IMLE-Net: the sum of the map is that of its tokens, made here from the network's own steps."""
    net = build("imle_net", 2, seed=0, config={"width": 0.125}).requires_grad_(requires_grad=False)
    model = toy_model(net, labels=("MI", "NORM"))
    tokens = []
    hook = net.beat_attention.register_forward_pre_hook(lambda module, given: tokens.append(given[0]))
    logit = net(standardised(model).requires_grad_())[0, 0]
    hook.remove()
    slope = torch.autograd.grad(logit, tokens[0])[0].reshape(-1, 16)
    expected = torch.relu(tokens[0].detach().reshape(-1, 16) @ slope.mean(dim=0)).reshape(12, -1).sum(dim=1)
    explanation = explain(model, RECORD, "MI", "grad_cam", BEATS)
    assert explanation.leads == LEADS
    assert explanation.resolution_s == pytest.approx(0.04)
    np.testing.assert_allclose(explanation.values.sum(axis=1), expected, rtol=1e-4)


def test_deep_lift_is_exact_on_modules():
    explanation = explain(seeded(Relu), RECORD, "MI", "deep_lift", BEATS, baseline="blur")
    assert explanation.completeness_error < 1e-4
    assert explanation.params["baseline"] == "blur"


@pytest.mark.parametrize("kind", [Small, Recurrent, Functional, Scan], ids=lambda kind: kind.__name__)
def test_deep_lift_is_refused_where_it_is_silently_wrong(kind):
    model = seeded(kind, 2)
    with pytest.raises(ExplanationError, match=r"contributions miss the change of the logit by \d+ % \(limit 5 %\)"):
        explain(model, RECORD, "MI", "deep_lift", BEATS)


def test_deep_lift_is_refused_for_a_module_used_twice():
    assert "DeepLift cannot follow toy" in METHODS["deep_lift"].why_not(seeded(Reused))


def test_a_map_that_misses_the_logit_is_not_shown():
    """Whoever runs the method past its test is refused by the record itself."""
    model = seeded(Functional)
    with pytest.raises(ExplanationError, match="of toy on this record"):
        METHODS["deep_lift"].run(model, model_input(model, RECORD, BEATS), BEATS, 0, seed=0)


def test_guided_back_propagation_needs_each_relu_to_be_a_module():
    why_not = METHODS["guided_backprop"].why_not
    assert why_not(seeded(Relu)) == ""
    assert "2 of the 2 ReLUs of toy are functions" in why_not(seeded(Functional))
    assert "has no ReLU, so guided back-propagation would be its saliency" in why_not(seeded(Small, 2))
    assert "no ReLU" in why_not(seeded(Relu, 2, nn.SiLU))


def test_the_noise_of_smooth_grad_is_a_share_of_each_lead():
    """With a quadratic network the mean slope tells the noise: a lead ten times larger gets ten times the noise."""

    class Cubic(nn.Module):
        levels = ()

        def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
            return (x**3).sum(dim=(1, 2))[:, None] / 3  # slope x**2, and x**2 + variance of the noise in the mean

    scale = np.where(np.arange(12) == 4, 3.0, 0.3)[:, None]
    record = replace(RECORD, signal=RECORD.signal * scale)
    model = toy_model(Cubic())
    x = model_input(model, record, BEATS).x.astype(float)
    explanation = explain(model, record, "MI", "smooth_grad", BEATS, noise_share=0.2, n_samples=200)
    variance = (explanation.values - x**2).mean(axis=1)
    np.testing.assert_allclose(variance, (0.2 * x.std(axis=1)) ** 2, rtol=0.1)


def test_smooth_grad_without_noise_is_the_saliency_and_with_even_noise_captums():
    model = toy_model(Bent(0.01 * np.random.default_rng(0).normal(size=(1, 12, 1000))))
    plain = explain(model, RECORD, "MI", "saliency", BEATS).values
    np.testing.assert_allclose(explain(model, RECORD, "MI", "smooth_grad", BEATS, noise_share=1e-6).values, plain, 1e-4)
    even = replace(RECORD, signal=RECORD.signal / RECORD.signal.std(axis=1, keepdims=True))
    x = torch.from_numpy(model_input(model, even, BEATS).x.copy())[None]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        captums = NoiseTunnel(Saliency(model.net)).attribute(
            x.requires_grad_(), nt_samples=400, stdevs=0.5 * float(x.detach().std(dim=2).mean()), target=0, abs=False
        )
    ours = explain(model, even, "MI", "smooth_grad", BEATS, noise_share=0.5, n_samples=400).values
    assert ours.sum() == pytest.approx(float(captums.detach().sum()), rel=0.05)


def test_expected_gradients_of_a_linear_network_are_the_difference_to_the_mean_of_the_set():
    w = 0.01 * np.random.default_rng(0).normal(size=(1, 12, 1000))
    model = toy_model(Linear(w))
    normals = reference(model, "normals", seed=5).double().mean(dim=0).numpy()
    explanation = explain(model, RECORD, "MI", "gradient_shap", BEATS, seed=5)
    x = model_input(model, RECORD, BEATS).x.astype(float)
    np.testing.assert_allclose(explanation.values, w[0] * (x - normals), atol=1e-6)
    assert explanation.completeness_error < 1e-4


def test_expected_gradients_add_up_in_expectation():
    model = toy_model(Bent(0.003 * np.random.default_rng(0).normal(size=(1, 12, 1000))))
    few, many = (
        explain(model, RECORD, "MI", "gradient_shap", BEATS, n_samples=n, baseline="zero").completeness_error
        for n in (1, 1000)
    )
    assert many < 0.01
    assert many < few


def test_requests_that_make_no_sense_are_refused():
    model = seeded(Relu)
    for method, params, says in (
        ("smooth_grad", {"noise_share": 0.0}, "noise_share is 0.0"),
        ("smooth_grad", {"n_samples": 0}, "n_samples is 0"),
        ("gradient_shap", {"n_samples": 12}, "n_samples is 12; expected gradients ask each of the 8 signals"),
        ("deep_lift", {"baseline": "normals"}, "'normals' is a set of 8 records"),
        ("integrated_gradients", {"baseline": "normals"}, "'normals' is a set of 8 records"),
    ):
        with pytest.raises(ExplanationError, match=says):
            explain(model, RECORD, "MI", method, BEATS, **params)
    plain = seeded(Small, 2)
    assert "names no late convolution" in METHODS["grad_cam"].why_not(plain)
    plain.net.cam_layer = "convolution"
    assert "does not have: 'convolution'" in METHODS["grad_cam"].why_not(plain)
    for method in ON_RELU:
        assert "exported program" in METHODS[method].why_not(replace(model, net_name="exported"))


@pytest.mark.parametrize("method", ["smooth_grad", "gradient_shap"])
def test_seeds_draw_and_leave_the_global_generators_alone(method):
    model = seeded(Small, 2)
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    expected = torch.rand(3), np.random.random(3)  # noqa: NPY002
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    one, again, other = (explain(model, RECORD, "MI", method, BEATS, seed=seed).values for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
    assert torch.equal(torch.rand(3), expected[0])
    np.testing.assert_array_equal(np.random.random(3), expected[1])  # noqa: NPY002


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", [Relu, Recurrent], ids=lambda kind: kind.__name__)
def test_eight_threads_on_one_shared_network_give_the_serial_answer(kind, training):
    model = seeded(kind)
    model.net.train(training)
    methods = ON_RELU if kind is Relu else METHODS_HERE
    jobs = [(method, label) for method in methods for label in model.labels] * (16 // len(methods))
    n, enabled = torch.get_num_threads(), torch.backends.cudnn.enabled

    def run(job):
        return (
            explain(model, RECORD, job[1], job[0], BEATS, n_steps=3)
            if False
            else explain(model, RECORD, job[1], job[0], BEATS)
        )

    try:
        torch.set_num_threads(1)
        serial = [run(job).values for job in jobs]
        with ThreadPoolExecutor(8) as pool:
            at_once = [each.values for each in pool.map(run, jobs)]
    finally:
        torch.set_num_threads(n)
    for job, one, other in zip(jobs, serial, at_once, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=str(job))
    assert all(module.training == training for module in model.net.modules())
    assert not any(module._forward_hooks or module._backward_hooks for module in model.net.modules())
    assert torch.backends.cudnn.enabled == enabled


@pytest.mark.parametrize("method", ON_RELU)
def test_one_two_and_four_threads_give_the_same_map(method):
    model, n = seeded(Relu), torch.get_num_threads()
    maps = []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            maps.append(explain(model, RECORD, "MI", method, BEATS).values)
    finally:
        torch.set_num_threads(n)
    for other in maps[1:]:
        np.testing.assert_allclose(other, maps[0], atol=1e-5 * np.abs(maps[0]).max())


@pytest.mark.parametrize("method", ["deep_lift", "guided_backprop", "grad_cam"])
def test_no_hook_is_left_after_a_failure(method, monkeypatch):
    model = seeded(Relu)
    assert METHODS[method].why_not(model) == ""

    def breaks(self, x, **given):
        self.first(self.conv1(x))
        raise MemoryError("no more memory")

    monkeypatch.setattr(Relu, "forward", breaks)
    with pytest.raises(MemoryError):
        explain(model, RECORD, "MI", method, BEATS)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.net.modules())


@pytest.mark.parametrize("method", ON_RELU)
def test_every_method_has_its_random_networks(method, monkeypatch):
    monkeypatch.setitem(NETS, "toy_relu", Relu)
    model = toy_model(build("toy_relu", 2, seed=9, config={}), labels=("MI", "NORM"), net_name="toy_relu")
    one, two = explain_controls(model, RECORD, "MI", method, BEATS, seeds=(0, 1))["random networks"]
    assert one.method == method
    assert not np.allclose(one.values, two.values)
