"""What every network promises: its sizes, its gradients, its silence about padding, and attention that is its own."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecgviz.nets import NETS, build
from ecgviz.records.leads import STANDARD_LEADS

LABELS, FS = 3, 100.0
PATIENTS = torch.tensor([[63.0, 0], [torch.nan, 1], [41, torch.nan], [300, 1], [77, 0], [torch.nan, torch.nan]])
ALL = sorted(NETS)
GATED = ["efficient_ecg", "res_lstm"]
STRIDE = {"efficient_ecg": 16, "res_lstm": 4}


def inputs(net: nn.Module, n_records: int, seed: int = 0, recorded: int = 1000) -> tuple[Tensor, dict[str, Any]]:
    """Return noise and what comes with it; record 0 ends after ``recorded`` samples."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n_records, 12, 1000, generator=generator)
    mask = torch.ones(n_records, 1000, dtype=torch.bool)
    mask[0, recorded:] = False
    r_s = torch.arange(0.4, recorded / FS - 0.4, 0.8).repeat(n_records, 1) if "r_peaks" in net.needs else None
    meta = PATIENTS.repeat(2, 1)[:n_records]
    return x * mask[:, None], {"r_s": r_s, "meta": meta, "mask": mask if recorded < 1000 else None}


def experienced(name: str) -> nn.Module:
    """Return a network in eval mode whose batch normalisation has seen data that is not centred."""
    net = build(name, LABELS, seed=3, config={}).train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = 1.0  # one look is enough, or later layers would see next to nothing
    x, given = inputs(net, 4, seed=1)
    with torch.no_grad():
        net(x + 0.5, **given)
    return net.eval()


@pytest.fixture(scope="module", params=ALL)
def net(request: pytest.FixtureRequest) -> nn.Module:
    return experienced(request.param)


@pytest.fixture(scope="module", params=GATED)
def gated(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    return request.param, experienced(request.param)


def maps_of(net: nn.Module, x: Tensor, given: dict[str, Any], start_s: float = 0.0) -> dict[str, Any]:
    return {tap.level: tap for tap in net.taps(x, fs=FS, start_s=start_s, leads=STANDARD_LEADS, **given)}


def test_says_what_it_shows(net: nn.Module) -> None:
    assert set(net.exposes) == {"beat", "rhythm", "channel"}
    for level, sentence in net.exposes.items():
        assert (level in net.levels) != sentence.startswith("none"), level
    assert hasattr(net, "taps") == bool(net.levels)
    if net.levels:
        x, given = inputs(net, 1)
        assert set(maps_of(net, x, given)) == set(net.levels)


def test_weights_stay_below_six_megabytes(net: nn.Module) -> None:
    assert sum(p.numel() for p in net.parameters()) < 1_400_000
    assert sum(t.numel() * t.element_size() for t in net.state_dict().values()) < 6e6


def test_one_logit_a_label_of_each_record_whoever_else_is_in_the_batch(net: nn.Module) -> None:
    x, given = inputs(net, 3)
    logits = net(x, **given)
    assert logits.shape == (3, LABELS)
    alone = {key: None if value is None else value[1:2] for key, value in given.items()}
    torch.testing.assert_close(net(x[1:2], **alone), logits[1:2], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ALL)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    net = build(name, LABELS, seed=1, config={}).train()
    x, given = inputs(net, 6)
    with torch.random.fork_rng():
        torch.manual_seed(0)  # dropout
        net(x, **given).square().sum().backward()
    without = [key for key, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


def test_the_gradient_reaches_each_lead_from_end_to_end(net: nn.Module) -> None:
    x, given = inputs(net, 1)
    net(x.requires_grad_(), **given)[0, 0].backward()
    reached = x.grad[0] != 0
    assert reached[:, :200].any(dim=1).all()
    assert reached[:, -200:].any(dim=1).all()


@pytest.mark.parametrize("name", ALL)
def test_weights_and_name_are_enough_to_have_it_back(name: str) -> None:
    first = experienced(name)
    again = build(name, LABELS, seed=99, config={})
    again.load_state_dict(first.state_dict(), strict=True)
    x, given = inputs(first, 2)
    assert torch.equal(again(x, **given), first(x, **given))


class Pair(nn.Module):
    """A network of two, as another package may make one."""

    def __init__(self, n_labels: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList(build("resnet1d", n_labels, seed=seed, config={"width": 0.25}) for seed in (1, 2))
        self.output = nn.Linear(2 * n_labels, n_labels)


def test_a_network_may_be_built_of_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecgviz.nets.NETS", {**NETS, "pair": Pair})
    first, again = (build("pair", LABELS, seed=5, config={}).state_dict() for _ in range(2))
    alone = build("resnet1d", LABELS, seed=2, config={"width": 0.25}).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert all(torch.equal(first[f"parts.1.{key}"], alone[key]) for key in alone)


def test_networks_built_at_the_same_time_have_the_weights_of_their_seeds() -> None:
    """Sessions that ask for random networks at once must not share one stream of numbers."""
    names = [name for name in ALL for _ in range(3)]
    alone = [build(name, LABELS, seed=k, config={}).state_dict() for k, name in enumerate(names)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda k: build(names[k], LABELS, seed=k, config={}).state_dict(), range(len(names))))
    for one, other in zip(alone, together, strict=True):
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_taps_leave_the_prediction_unchanged(net: nn.Module) -> None:
    if not net.levels:
        pytest.skip("exposes no attention")
    x, given = inputs(net, 1)
    before = net(x, **given)
    maps_of(net, x, given)
    assert torch.equal(net(x, **given), before)
    assert not net.training


def test_padding_has_no_say_whatever_it_holds(net: nn.Module) -> None:
    if not net.pads:
        pytest.skip("takes no padding")
    x, given = inputs(net, 2, recorded=640)
    filled = torch.where(given["mask"][:, None], x, 7.0)
    torch.testing.assert_close(net(filled, **given), net(x, **given), atol=1e-5, rtol=0)


@pytest.mark.parametrize("recorded", [640, 333])
def test_a_padded_record_is_read_as_if_alone(net: nn.Module, recorded: int) -> None:
    if not net.pads or net.needs:
        pytest.skip("takes no padding, or no shorter record")
    x, given = inputs(net, 2, recorded=recorded)
    alone = net(x[:1, :, :recorded], meta=given["meta"][:1])
    torch.testing.assert_close(net(x, **given)[:1], alone, atol=1e-5, rtol=0)


def test_no_attention_falls_on_padding(net: nn.Module) -> None:
    if not net.pads or not net.levels:
        pytest.skip("takes no padding, or exposes no attention")
    x, given = inputs(net, 1, recorded=640)
    for level, tap in maps_of(net, x, given).items():
        assert (tap.values >= 0).all(), level
        ends_late = tap.span_s[:, 1] > 639.5 / FS + 1e-9
        assert tap.values[:, ends_late].sum() == 0, level
        assert not ends_late.all(), level


@pytest.mark.parametrize("recorded", [1000, 640, 333])
def test_weights_over_time_sum_to_one_over_tokens_that_tile_what_is_recorded(
    gated: tuple[str, nn.Module], recorded: int
) -> None:
    name, net = gated
    x, given = inputs(net, 1, recorded=recorded)
    maps = maps_of(net, x, given, start_s=2.0)
    np.testing.assert_allclose(maps["channel"].span_s, [[1.995, 1.995 + recorded / FS]])
    for level in set(net.levels) - {"channel"}:
        values, spans = maps[level].values, maps[level].span_s
        assert values.shape == (1, -(-recorded // STRIDE[name]))
        assert values.sum() == pytest.approx(1, abs=1e-6)
        assert (spans[0, 0], spans[-1, 1]) == pytest.approx((1.995, 1.995 + recorded / FS))
        np.testing.assert_array_equal(spans[1:, 0], spans[:-1, 1])
        middles = 2 + STRIDE[name] * np.arange(1, len(spans) - 1) / FS
        np.testing.assert_allclose(spans[1:-1].mean(axis=1) + 0.5 / FS, middles)
        assert maps[level].leads == ()


def test_gates_are_those_that_the_prediction_used(gated: tuple[str, nn.Module]) -> None:
    _, net = gated
    x, given = inputs(net, 1)
    seen: list[Tensor] = []
    handle = net.lead_gate.register_forward_hook(lambda _module, _inputs, output: seen.append(output[1]))
    try:
        channel = maps_of(net, x, given)["channel"]
    finally:
        handle.remove()
    assert len(seen) == 1
    np.testing.assert_array_equal(channel.values, seen[0].double().T)
    assert channel.leads == STANDARD_LEADS
    assert ((channel.values > 0) & (channel.values < 1)).all()
    assert channel.values.sum() != pytest.approx(1, abs=0.1)
    assert "no fixed value" in channel.sums_to


def test_gates_depend_on_the_signal_and_a_flat_lead_has_a_gradient(gated: tuple[str, nn.Module]) -> None:
    _, net = gated
    x, given = inputs(net, 1)
    flat = x.clone()
    flat[:, 4] = 0  # aVL
    gates, of_flat = (maps_of(net, each, given)["channel"].values for each in (x, flat))
    assert np.abs(gates - of_flat).max() > 1e-3
    net(flat.requires_grad_(), **given).sum().backward()
    assert flat.grad.isfinite().all()
    assert flat.grad[0, 4].abs().sum() > 0


def test_lead_statistics_count_recorded_samples_only(gated: tuple[str, nn.Module]) -> None:
    _, net = gated
    x, given = inputs(net, 1, recorded=640)
    alone = maps_of(net, x[:, :, :640], {"meta": given["meta"]})["channel"]
    np.testing.assert_allclose(maps_of(net, x, given)["channel"].values, alone.values, atol=1e-6)


def test_attention_is_float32_where_the_rest_is_bfloat16(gated: tuple[str, nn.Module]) -> None:
    name, net = gated
    x, given = inputs(net, 2, recorded=640)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        reading = net.read(x, mask=given["mask"])
    assert reading.logits.dtype == torch.bfloat16
    weights = reading[1]
    assert weights.dtype == torch.float32
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(weights.shape[:-1]), atol=1e-6, rtol=0)
    assert weights[0, ..., 640 // STRIDE[name] :].abs().sum() == 0
