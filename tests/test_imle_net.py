"""IMLE-Net is the published network, and what it shows of itself is exact."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from ecgviz.nets import build
from ecgviz.nets.imle_encoder import COLUMNS, tokens_of
from ecgviz.nets.imle_net import token_spans
from ecgviz.nets.imle_parts import Convolution, pad_same, residual_stack
from ecgviz.records.leads import STANDARD_LEADS

LABELS = 5


@pytest.fixture(scope="module")
def net() -> nn.Module:
    """Return a narrow network whose batch normalisation has seen data."""
    made = build("imle_net", LABELS, seed=3, config={"width": 0.25}).train()
    torch.manual_seed(0)
    with torch.no_grad():
        made(torch.randn(4, 12, 1000))
    return made.eval()


def test_full_width_has_the_published_number_of_parameters() -> None:
    net = build("imle_net", LABELS, seed=0, config={})
    assert sum(p.numel() for p in net.parameters()) == 747_237
    assert net.beat_attention.bias.shape == (13, 64)
    assert net.rhythm_attention.bias.shape == (20, 64)
    assert net.channel_attention.bias.shape == (12, 64)


@pytest.mark.parametrize(
    ("length", "stride", "left", "right", "out"), [(50, 1, 3, 4, 50), (50, 2, 3, 3, 25), (25, 2, 3, 4, 13)]
)
def test_even_kernels_are_padded_on_the_side_that_keeps_the_length(
    length: int, stride: int, left: int, right: int, out: int
) -> None:
    padded = pad_same(torch.ones(1, 1, length), 8, stride)[0, 0]
    assert padded.numel() == length + left + right
    assert int(torch.argmax(padded)) == left
    assert functional.conv1d(padded[None, None], torch.ones(1, 1, 8), stride=stride).shape[-1] == out


@pytest.mark.parametrize(("kernel", "stride"), [(8, 1), (8, 2), (5, 1), (1, 2)])
@pytest.mark.parametrize("length", [50, 25])
def test_a_convolution_of_height_one_is_that_of_one_dimension(kernel: int, stride: int, length: int) -> None:
    torch.manual_seed(0)
    layer = Convolution(3, 5, kernel, stride)
    x = torch.randn(4, 3, 1, length, requires_grad=True)
    exact = [tensor.detach().double().requires_grad_() for tensor in (x, layer.weight, layer.bias)]
    expected = functional.conv1d(pad_same(exact[0].squeeze(2), kernel, stride), *exact[1:], stride=stride)
    found = layer(x)
    torch.testing.assert_close(found.squeeze(2).double(), expected, atol=1e-6, rtol=0)
    slopes = torch.autograd.grad(found.square().sum(), (x, layer.weight, layer.bias))
    for slope, true in zip(slopes, torch.autograd.grad(expected.square().sum(), exact), strict=True):
        torch.testing.assert_close(slope.double(), true, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize(("kernel", "length", "n_tokens"), [(8, 50, 13), (5, 113, 29)])
@pytest.mark.parametrize("n_windows", [1, COLUMNS + 24])
def test_tokens_without_gradients_are_those_of_the_layers(
    kernel: int, length: int, n_tokens: int, n_windows: int
) -> None:
    torch.manual_seed(0)
    stem, blocks = Convolution(1, 4, kernel), residual_stack(4, kernel)
    for norm in (each for each in blocks.modules() if isinstance(each, nn.BatchNorm2d)):
        for values in (norm.weight, norm.bias, norm.running_mean):
            nn.init.normal_(values)  # scales of either sign
        nn.init.uniform_(norm.running_var, 0.5, 2.0)
    stem, blocks, windows = stem.eval().double(), blocks.eval().double(), torch.randn(n_windows, length).double()
    by_layer = tokens_of(stem, blocks, windows)
    assert by_layer.requires_grad
    with torch.no_grad():
        at_once = tokens_of(stem, blocks, windows)
    assert at_once.shape == (n_windows, n_tokens, 16)
    torch.testing.assert_close(at_once, by_layer.detach(), atol=1e-10, rtol=1e-10)


def test_the_tokens_of_a_recording_are_the_same_alone_and_among_others(net: nn.Module) -> None:
    x = torch.randn(5, 12, 1000)
    with torch.inference_mode():
        together = tokens_of(net.stem, net.blocks, x.reshape(-1, 50)).unflatten(0, (5, -1))
        for number in range(len(x)):
            assert torch.equal(tokens_of(net.stem, net.blocks, x[number].reshape(-1, 50)), together[number])


def test_training_without_gradients_still_follows_the_batch() -> None:
    stem, blocks = Convolution(1, 4, 8), residual_stack(4, 8)
    before = blocks[0].norm1.running_mean.clone()
    with torch.no_grad():
        tokens_of(stem, blocks, torch.randn(6, 50))
    assert not torch.equal(blocks[0].norm1.running_mean, before)


def test_weights_sum_to_one_and_joint_map_is_their_product(net: nn.Module) -> None:
    x = torch.randn(1, 12, 1000)
    maps = {m.level: m for m in net.taps(x, fs=100.0, start_s=0.0, leads=STANDARD_LEADS)}
    assert set(maps) == set(net.levels)
    np.testing.assert_allclose(maps["beat"].values.reshape(12, 20, 13).sum(axis=2), 1, atol=1e-6)
    np.testing.assert_allclose(maps["rhythm"].values.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(maps["channel"].values.sum(), 1, atol=1e-6)
    product = (
        maps["channel"].values[:, :, None] * maps["rhythm"].values[:, :, None] * maps["beat"].values.reshape(12, 20, 13)
    )
    np.testing.assert_allclose(maps["joint"].values.reshape(12, 20, 13), product, atol=1e-12)
    assert all(m.label is None for m in maps.values())


def test_decomposition_and_bias_are_the_logit(net: nn.Module) -> None:
    x = torch.randn(3, 12, 1000)
    bias, parts = net.decompose(x)
    assert parts.shape == (3, LABELS, 12, 20)
    torch.testing.assert_close(bias + parts.sum(dim=(2, 3)), net(x), atol=1e-5, rtol=0)


def test_encode_and_head_compose_to_the_network(net: nn.Module) -> None:
    x = torch.randn(2, 12, 1000)
    torch.testing.assert_close(net.head(net.encode(x)[0]), net(x))


def test_taps_leave_the_prediction_unchanged(net: nn.Module) -> None:
    x = torch.randn(1, 12, 1000)
    before = net(x)
    net.taps(x, fs=100.0, start_s=0.0, leads=STANDARD_LEADS)
    torch.testing.assert_close(net(x), before, atol=0, rtol=0)


def test_tokens_tile_the_record() -> None:
    spans = token_spans(100.0, 2.0)
    assert spans[0, 0] == pytest.approx(2 - 0.005)
    assert spans[-1, 1] == pytest.approx(12 - 0.005)
    np.testing.assert_allclose(spans[1:, 0], spans[:-1, 1])


def test_windows_are_encoded_apart_until_the_rhythm_level(net: nn.Module) -> None:
    x = torch.randn(1, 12, 1000)
    changed = x.clone()
    changed[0, 4, 350:400] = 0  # window 7 of lead aVL
    difference = (net.encode(x)[0] - net.encode(changed)[0]).abs().sum(dim=-1)[0]
    assert difference[4, 7] > 0
    difference[4, 7] = 0
    assert difference.sum() == 0


def test_equal_seeds_give_equal_weights_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    first, second = (build("imle_net", 2, seed=9, config={"width": 0.25}).state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert torch.equal(torch.random.get_rng_state(), state)
    other = build("imle_net", 2, seed=10, config={"width": 0.25}).state_dict()
    assert not torch.equal(first["stem.weight"], other["stem.weight"])
