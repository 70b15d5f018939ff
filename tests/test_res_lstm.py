"""ResLSTM-TemporalSE computes what its formulas say, and its backward LSTM begins where the record ends."""

import numpy as np
import pytest
import torch

from ecgviz.nets import build
from ecgviz.nets.res_lstm import ResidualLSTM, ResLSTM, TemporalSE
from ecgviz.records.leads import STANDARD_LEADS


def test_size_and_tokens() -> None:
    net = build("res_lstm", 5, seed=0, config={})
    assert sum(p.numel() for p in net.parameters()) == 401_369
    assert net.read(torch.randn(2, 12, 1000)).time.shape == (2, 250)


def test_temporal_se_is_its_formula() -> None:
    torch.manual_seed(0)
    module = TemporalSE(16).double()
    y = torch.randn(2, 7, 16, dtype=torch.float64)
    recorded = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])
    gated, weights = module(y, recorded)
    w, b, v = (p.detach().numpy() for p in (module.project.weight, module.project.bias, module.score.weight[0]))
    w1, b1, w2, b2 = (module.excite[i].get_parameter(n).detach().numpy() for i in (0, 2) for n in ("weight", "bias"))
    for record, n in ((0, 7), (1, 4)):
        tokens = y[record].numpy()
        e = np.array([v @ np.tanh(w @ tokens[t] + b) for t in range(n)])
        a = np.exp(e) / np.exp(e).sum()
        z = sum(a[t] * tokens[t] for t in range(n))
        gate = 1 / (1 + np.exp(-(w2 @ np.maximum(w1 @ z + b1, 0) + b2)))
        np.testing.assert_allclose(weights[record, :n].detach(), a, atol=1e-12)
        assert (weights[record, n:] == 0).all()
        np.testing.assert_allclose(gated[record].detach(), tokens * gate, atol=1e-12)


def test_a_layer_adds_to_its_input_and_leaves_padding_at_zero() -> None:
    torch.manual_seed(0)
    layer = ResidualLSTM(16, dropout=0.5).eval()
    x = torch.randn(2, 9, 16)
    x[1, 5:] = 0
    recorded = x.abs().sum(dim=2) > 0
    seen: list[torch.Tensor] = []
    layer.temporal_se.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    y, _ = layer(x, recorded, recorded.sum(dim=1))
    assert (y[1, 5:] == 0).all()
    for record, n in ((0, 9), (1, 5)):
        read, _ = layer.lstm(layer.norm(x[record : record + 1, :n]))
        torch.testing.assert_close(seen[0][record, :n], x[record, :n] + read[0], atol=1e-6, rtol=0)


def test_later_layers_hear_the_end_of_a_padded_record() -> None:
    net = build("res_lstm", 2, seed=0, config={})
    x = torch.randn(1, 12, 1000)
    mask = torch.arange(1000)[None] < 600
    changed = x.clone()
    changed[0, :, 590:600] += 1
    assert not torch.allclose(net(changed, mask=mask), net(x, mask=mask), atol=1e-6)


def test_the_map_is_the_weight_under_which_the_last_layer_is_pooled() -> None:
    net = build("res_lstm", 3, seed=1, config={"n_layers": 2})
    assert isinstance(net, ResLSTM)
    x = torch.randn(1, 12, 1000)
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    net.layers[-1].register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    rhythm = next(m for m in net.taps(x, fs=100.0, start_s=0.0, leads=STANDARD_LEADS) if m.level == "rhythm")
    assert len(seen) == 1
    tokens, weights = seen[0]
    np.testing.assert_array_equal(rhythm.values, weights.double())
    with torch.no_grad():
        torch.testing.assert_close(net(x), net.output(torch.einsum("bn,bnf->bf", weights, tokens)), atol=1e-6, rtol=0)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_few_samples_are_enough(length: int) -> None:
    net = build("res_lstm", 2, seed=0, config={})
    assert net(torch.randn(1, 12, length)).isfinite().all()
