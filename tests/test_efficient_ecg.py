"""EfficientECG computes what its formulas say, and works with age, sex, one of them or neither."""

import numpy as np
import pytest
import torch
from torch import nn

from ecgviz.nets import build
from ecgviz.nets.efficient_ecg import N_HEADS, N_QUERY_FEATURES, CrossAttention, MBConv, Patient, scaled
from ecgviz.records.leads import STANDARD_LEADS

NAN = float("nan")


@pytest.fixture(scope="module")
def net() -> nn.Module:
    """Return the network after its batch normalisation has seen data."""
    made = build("efficient_ecg", 3, seed=2, config={}).train()
    torch.manual_seed(0)
    with torch.no_grad():
        for _ in range(5):
            made(torch.randn(8, 12, 1000))
    return made.eval()


def test_size_and_tokens(net: nn.Module) -> None:
    assert sum(p.numel() for p in build("efficient_ecg", 5, seed=0, config={}).parameters()) == 1_140_827
    assert net.read(torch.randn(2, 12, 1000)).attention.shape == (2, 4, 2, 63)


@pytest.mark.parametrize(("channels", "width", "wanted"), [(320, 1, 320), (24, 0.5, 16), (40, 0.5, 24), (16, 0.25, 8)])
def test_channels_are_multiples_of_eight_and_hardly_fewer_than_asked(channels: int, width: float, wanted: int) -> None:
    assert scaled(channels, width) == wanted


def test_without_metadata_is_with_both_unknown(net: nn.Module) -> None:
    x = torch.randn(2, 12, 1000)
    assert torch.equal(net(x), net(x, meta=torch.full((2, 2), NAN)))


def test_age_and_sex_each_count_and_all_above_90_are_alike(net: nn.Module) -> None:
    x = torch.randn(1, 12, 1000).expand(6, -1, -1)
    meta = torch.tensor([[50, 0], [50, 1], [50, NAN], [NAN, 0], [90, 0], [300, 0]])
    logits = net(x, meta=meta)
    for first in range(5):
        for second in range(first + 1, 5):
            assert (logits[first] - logits[second]).abs().max() > 1e-5, (meta[first], meta[second])
    torch.testing.assert_close(logits[4], logits[5], atol=1e-6, rtol=0)


def test_training_hides_a_fifth_of_ages_and_of_sexes_apart_and_prediction_none() -> None:
    torch.manual_seed(0)
    patient, n = Patient(), 4000
    meta = torch.tensor([[50.0, 1]]).expand(n, -1)
    hidden = (patient.train()(meta, n) == patient.unknown).all(dim=2).double()
    np.testing.assert_allclose(hidden.mean(dim=0), 0.2, atol=0.03)
    assert float(hidden.prod(dim=1).mean()) == pytest.approx(0.04, abs=0.015)
    assert not (patient.eval()(meta, n) == patient.unknown).all(dim=2).any()


def test_cross_attention_is_its_formula() -> None:
    torch.manual_seed(0)
    module = CrossAttention(24).double()
    queries, tokens = torch.randn(1, 2, N_QUERY_FEATURES).double(), torch.randn(1, 5, 24).double()
    recorded = torch.tensor([[True, True, True, False, False]])
    answers, weights = module(queries, tokens, recorded)
    with torch.no_grad():
        q, normed = module.query(module.query_norm(queries))[0], module.token_norm(tokens)[0, :3]
        k, v = module.key(normed), module.value(normed)
        heard = torch.zeros(2, N_QUERY_FEATURES).double()
        size = N_QUERY_FEATURES // N_HEADS
        for head in range(N_HEADS):
            part = slice(head * size, (head + 1) * size)
            for i in range(2):
                e = np.array([float(q[i, part] @ k[t, part]) / np.sqrt(size) for t in range(3)])
                a = np.exp(e) / np.exp(e).sum()
                np.testing.assert_allclose(weights[0, head, i, :3], a, atol=1e-12)
                assert (weights[0, head, i, 3:] == 0).all()
                heard[i, part] = sum(a[t] * v[t, part] for t in range(3))
        after = queries[0] + module.leave(heard)
        torch.testing.assert_close(answers[0], after + module.mlp(module.mlp_norm(after)), atol=1e-12, rtol=0)


def test_maps_are_the_weights_of_the_pass_that_predicts(net: nn.Module) -> None:
    x, meta = torch.randn(1, 12, 1000), torch.tensor([[71.0, NAN]])
    seen: list[torch.Tensor] = []
    handle = net.attention.register_forward_hook(lambda _module, _inputs, output: seen.append(output[1]))
    try:
        maps = {m.level: m for m in net.taps(x, fs=100.0, start_s=0.0, leads=STANDARD_LEADS, meta=meta)}
    finally:
        handle.remove()
    assert len(seen) == 1
    over_heads = seen[0][0].double().mean(dim=0)
    np.testing.assert_allclose(maps["age"].values[0], over_heads[0], atol=1e-8)
    np.testing.assert_allclose(maps["sex"].values[0], over_heads[1], atol=1e-8)
    np.testing.assert_allclose(maps["rhythm"].values, (maps["age"].values + maps["sex"].values) / 2, atol=1e-15)
    assert not np.allclose(maps["age"].values, maps["sex"].values, atol=1e-6)


def test_stochastic_depth_drops_whole_records_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    block = MBConv(8, 8, 6, 7, 1, drop=0.25).eval()
    x, recorded = torch.randn(400, 8, 10), torch.ones(400, 10, dtype=torch.bool)
    with torch.no_grad():
        branch = block(x, recorded)[0] - x
        block.training = True  # of the block alone: batch statistics stay
        change = block(x, recorded)[0] - x
    dropped = change.abs().amax(dim=(1, 2)) < 1e-6
    assert float(dropped.double().mean()) == pytest.approx(0.25, abs=0.07)
    torch.testing.assert_close(change[~dropped], branch[~dropped] / 0.75, atol=1e-5, rtol=0)
