"""The Mamba network reads both ways, is deaf to padding, and its hidden attention is what its blocks computed."""

import warnings

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecgviz.errors import ModelError
from ecgviz.nets import build
from ecgviz.nets.ecg_mamba import STRIDE, Block, ECGMamba, hidden_attention
from ecgviz.nets.tokens import token_spans
from ecgviz.types import AttentionMap

SCANS = ("mamba1", "ssd")
LABELS = 5


def made(scan: str, **config: int) -> ECGMamba:
    """Return a narrow network whose batch normalisation has seen data and whose parameters have left their start."""
    net = build("ecg_mamba", LABELS, seed=3, config={"width": 16, "depth": 2, "n_states": 4, "scan": scan, **config})
    assert isinstance(net, ECGMamba)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        net.train()(torch.randn(4, 12, 400, generator=generator))
        for p in net.parameters():
            p.add_(0.2 * torch.randn(p.shape, generator=generator))
    return net.eval()


def block_of(net: ECGMamba, k: int = 0) -> Block:
    block = net.blocks[k]
    assert isinstance(block, Block)
    return block


@pytest.fixture(scope="module", params=SCANS)
def net(request: pytest.FixtureRequest) -> ECGMamba:
    return made(request.param)


def record(n_samples: int = 1000, n_records: int = 1) -> Tensor:
    return torch.randn(n_records, 12, n_samples, generator=torch.Generator().manual_seed(n_samples))


def padded(x: Tensor, n_samples: int, fill: float = 0.0) -> tuple[Tensor, Tensor]:
    """Return x with ``fill`` behind its end up to ``n_samples``, and its mask."""
    whole = torch.full((*x.shape[:2], n_samples), fill)
    whole[..., : x.shape[2]] = x
    return whole, (torch.arange(n_samples) < x.shape[2]).expand(x.shape[0], -1)


def maps(net: ECGMamba, x: Tensor, mask: Tensor | None = None) -> dict[str, AttentionMap]:
    return {m.level: m for m in net.taps(x, fs=100.0, start_s=0.0, leads=(), mask=mask)}


def mixed_by(block: Block, tokens: Tensor) -> Tensor:
    """Return what a block hands to its last projection, as it runs."""
    seen = []
    hook = block.leave.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    block(tokens, torch.ones(*tokens.shape[:2], 1, dtype=tokens.dtype))
    hook.remove()
    return seen[0]


def test_default_size_and_number_of_tokens() -> None:
    net = ECGMamba(18)
    assert sum(p.numel() for p in net.parameters()) == 185_746
    assert net.read(record())[1].shape == (1, 250)
    assert net(record(n_records=2)).shape == (2, 18)


@pytest.mark.parametrize("n_samples", [1000, 999, 4, 1])
def test_any_length_has_a_token_for_each_span(net: ECGMamba, n_samples: int) -> None:
    assert net.read(record(n_samples))[1].shape[1] == len(token_spans(n_samples, STRIDE, 100.0, 0.0))
    assert bool(net(record(n_samples)).isfinite().all())


def test_a_token_sees_its_field_around_the_sample_it_stands_on(net: ECGMamba) -> None:
    x = record(200).requires_grad_()
    tokens, _ = net.tokens(x, torch.ones(1, 200, dtype=torch.bool))
    slope = torch.autograd.grad(tokens[0, 20].sum(), x)[0]
    seen = torch.nonzero(slope[0].abs().sum(dim=0)).squeeze()
    assert seen.tolist() == list(range(71, 90))  # 190 ms around sample 4 x 20


def test_tokens_tile_the_record() -> None:
    spans = token_spans(1000, STRIDE, 100.0, 2.0)
    assert spans.shape == (250, 2)
    assert spans[0, 0] == pytest.approx(2 - 0.005)
    assert spans[-1, 1] == pytest.approx(12 - 0.005)
    np.testing.assert_allclose(spans[1:, 0], spans[:-1, 1])
    np.testing.assert_allclose(spans[1:-1].mean(axis=1), 2 + 0.04 * np.arange(1, 249) - 0.005)


def test_blocks_read_both_ways(net: ECGMamba) -> None:
    tokens = torch.randn(1, 40, 16, generator=torch.Generator().manual_seed(2)).requires_grad_()
    after, _ = block_of(net)(tokens, torch.ones(1, 40, 1))
    for target, source in ((0, 39), (39, 0)):
        slope = torch.autograd.grad(after[0, target].sum(), tokens, retain_graph=True)[0]
        assert slope[0, source].abs().sum() > 0


@pytest.mark.parametrize("scan", SCANS)
def test_a_block_with_its_directions_exchanged_reads_a_reversed_record_alike(scan: str) -> None:
    block, exchanged = block_of(made(scan)), block_of(made(scan))
    exchanged.forwards, exchanged.backwards = exchanged.backwards, exchanged.forwards
    tokens = torch.randn(2, 37, 16, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(mixed_by(exchanged, tokens.flip(1)).flip(1), mixed_by(block, tokens), atol=1e-6, rtol=0)


@pytest.mark.parametrize("scan", SCANS)
def test_hidden_attention_times_input_with_the_gate_is_what_the_block_computed(scan: str) -> None:
    block = block_of(made(scan).double(), 1)
    tokens = torch.randn(1, 70, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    operands = block.operands(tokens, torch.ones(1, 70, 1, dtype=torch.float64))
    mixed = torch.zeros(70, 32, dtype=torch.float64)
    for direction, x in enumerate((operands.x[0, 0], operands.x[1, 0].flip(0))):
        alpha = hidden_attention(operands, direction)
        assert bool((alpha.triu(1) if direction == 0 else alpha.tril(-1)).eq(0).all())
        by_channel = alpha.repeat_interleave(32 // alpha.shape[0], dim=0)
        mixed += torch.einsum("drc,cd->rd", by_channel, x) + operands.skip[direction, 0] * x
    torch.testing.assert_close(operands.gate[0] * mixed / 2, mixed_by(block, tokens)[0], atol=1e-10, rtol=0)


@pytest.mark.parametrize("scan", SCANS)
def test_beat_map_is_the_mean_mass_of_the_whole_matrices(scan: str) -> None:
    net = made(scan, width=40)  # 80 channels: more than are held in memory at once
    x = record(120)
    expected = np.zeros(30)
    with torch.inference_mode():
        for operands in net.read(x)[2]:
            for direction in range(2):
                alpha = hidden_attention(operands, direction)
                by_channel = alpha.repeat_interleave(80 // alpha.shape[0], dim=0)
                expected += (operands.gate[0].T[:, :, None] * by_channel).abs().sum(dim=(0, 1)).double().numpy()
    np.testing.assert_allclose(maps(net, x)["beat"].values[0], expected / expected.sum(), rtol=1e-4)


def test_maps_sum_to_one_know_no_lead_and_leave_the_prediction_unchanged(net: ECGMamba) -> None:
    x = record()
    before = net(x)
    found = maps(net, x)
    torch.testing.assert_close(net(x), before, atol=0, rtol=0)
    assert tuple(found) == net.levels
    for tap in found.values():
        assert tap.values.shape == (1, 250)
        assert tap.values.sum() == pytest.approx(1, abs=1e-6)
        assert (tap.values > 0).all()
        assert (tap.leads, tap.label, tap.receptive_field_s) == ((), None, 10.0)
    torch.testing.assert_close(torch.from_numpy(found["rhythm"].values[0].copy()).float(), net.read(x)[1][0])


@pytest.mark.parametrize("n_samples", [400, 401, 402, 403])
def test_padding_changes_nothing_and_gets_no_mass(net: ECGMamba, n_samples: int) -> None:
    x = record(n_samples, 2)
    whole, mask = padded(x, 1000)
    torch.testing.assert_close(net(whole, mask=mask), net(x), atol=1e-5, rtol=0)
    alone, among = maps(net, x[:1]), maps(net, whole[:1], mask[:1])
    for level in net.levels:
        np.testing.assert_allclose(among[level].values, alone[level].values, atol=1e-6)
        np.testing.assert_allclose(among[level].span_s, alone[level].span_s)
        assert among[level].span_s[-1, 1] < n_samples / 100


def test_what_stands_in_the_padding_is_not_read(net: ECGMamba) -> None:
    silent, mask = padded(record(450), 1000)
    loud, _ = padded(record(450), 1000, fill=50.0)
    torch.testing.assert_close(net(loud, mask=mask), net(silent, mask=mask), atol=0, rtol=0)


def test_without_a_mask_all_samples_are_recorded(net: ECGMamba) -> None:
    x = record(n_records=2)
    torch.testing.assert_close(net(x, mask=torch.ones(2, 1000, dtype=torch.bool)), net(x), atol=0, rtol=0)
    torch.testing.assert_close(net(x), net(x), atol=0, rtol=0)


@pytest.mark.parametrize("scan", SCANS)
def test_every_parameter_of_both_directions_gets_a_gradient(scan: str) -> None:
    net = build("ecg_mamba", 3, seed=1, config={"width": 16, "depth": 2, "scan": scan}).train()
    net(record(400, 3)).square().sum().backward()
    without = [key for key, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []
    assert any("backwards" in key for key, _ in net.named_parameters())


def test_gradient_reaches_every_sample_of_every_lead(net: ECGMamba) -> None:
    x = record().requires_grad_()
    slope = torch.autograd.grad(net(x)[0, 2], x)[0]
    assert bool((slope != 0).all())


def test_mixed_precision_stays_near_and_finite(net: ECGMamba) -> None:
    x = record(n_records=2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = net(x)
        scanned = net.read(x)[2]
    assert all(part.dtype == torch.float32 for operands in scanned for part in operands)
    torch.testing.assert_close(logits.float(), net(x), atol=0.1, rtol=0.1)
    slopes = torch.autograd.grad(logits.float().sum(), list(net.parameters()))
    assert all(bool(slope.isfinite().all()) for slope in slopes)


def test_first_steps_lie_where_mamba_starts() -> None:
    net = build("ecg_mamba", 3, seed=1, config={})
    steps = torch.cat([nn.functional.softplus(p) for key, p in net.named_parameters() if key.endswith("step.bias")])
    assert steps.min() > 0.0009
    assert steps.max() < 0.101
    assert 0.25 < (steps < 0.004).float().mean() < 0.35  # log-uniform: 0.30 of it


@pytest.mark.parametrize("scan", SCANS)
def test_weight_decay_is_for_the_matrices_of_layers(scan: str) -> None:
    net = ECGMamba(3, scan=scan)
    decayed = {key for key, _ in net.named_parameters() if not key.endswith(net.no_decay)}
    layers = {key for key, module in net.named_modules() if isinstance(module, nn.Linear | nn.Conv1d)}
    assert decayed == {f"{key}.weight" for key in layers}


@pytest.mark.parametrize(
    ("config", "words"), [({"scan": "mamba3"}, "knows no scan 'mamba3'"), ({"width": 20}, "width 20 of ecg_mamba")]
)
def test_unknown_scan_and_width_that_heads_do_not_divide_are_refused(config: dict[str, object], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        build("ecg_mamba", 3, seed=1, config=config)


def test_an_exported_program_says_the_same_and_has_the_same_gradient(net: ECGMamba) -> None:
    x = torch.randn(2, 12, 200, generator=torch.Generator().manual_seed(7), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns of its own deprecations
        program = torch.export.export(net, (x.detach(),)).module()
    torch.testing.assert_close(program(x), net(x), atol=1e-5, rtol=1e-5)
    slopes = [torch.autograd.grad(run(x)[:, 0].sum(), x)[0] for run in (program, net)]
    torch.testing.assert_close(*slopes, atol=1e-5, rtol=1e-4)
