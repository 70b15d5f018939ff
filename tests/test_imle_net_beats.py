"""IMLE-Net on real beats: each window is one heart beat, and what the network shows of itself is exact."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecgviz.beats import delineate
from ecgviz.checkpoint import load_model, model_input, predict, predict_batch, save_model, stacked
from ecgviz.errors import InputError
from ecgviz.explain import explain
from ecgviz.explain.attention import spread
from ecgviz.nets import build
from ecgviz.nets.beat_windows import AFTER, BEFORE, FS, N_TOKENS, beat_windows, by_token, rr_features
from ecgviz.nets.imle_net_beats import FIELD_SAMPLES
from ecgviz.pipeline import analyse
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.types import InputSpec, Record
from tests.toys import even_beats, no_beats, noise_record, toy_model

LABELS = ("CD", "HYP", "MI", "NORM", "STTC")
SPEC = InputSpec(STANDARD_LEADS, 100.0, 10.0, 0.0, 0.25, pads=True, needs=("r_peaks",))
CONFIG = {"width": 0.25}


@pytest.fixture(scope="module")
def net() -> nn.Module:
    """Return a narrow network whose batch normalisation has seen data."""
    made = build("imle_net_beats", len(LABELS), seed=3, config=CONFIG).train()
    torch.manual_seed(0)
    with torch.no_grad():
        for _ in range(20):
            made(torch.randn(4, 12, 1000), r_s=peaks(*[12] * 4))
    return made.eval()


@pytest.fixture(scope="module")
def model(net: nn.Module):
    return toy_model(net, labels=LABELS, spec=SPEC, net_name="imle_net_beats", **CONFIG)


def peaks(*counts: int, rr_s: float = 0.8, first_s: float = 0.3) -> Tensor:
    """R peaks (B, K) of records with so many beats, regular but for a step in the middle."""
    r_s = torch.full((len(counts), max(counts)), math.nan)
    for row, n in zip(r_s, counts, strict=True):
        row[:n] = first_s + rr_s * torch.arange(n) - 0.15 * (torch.arange(n) == n // 2)
    return r_s


def taps(net: nn.Module, x: Tensor, r_s: Tensor, mask: Tensor | None = None, start_s: float = 0.0):
    return {m.level: m for m in net.taps(x, fs=FS, start_s=start_s, leads=STANDARD_LEADS, r_s=r_s, mask=mask)}


def padded(n: int) -> Tensor:
    return (torch.arange(1000) < n)[None]


def owners(r_s: list[float], n_samples: int, n_recorded: int) -> np.ndarray:
    """Return which beat owns each sample, -1 for none, written out sample by sample."""
    found = np.full(n_samples, -1)
    at = [round(100 * each) for each in r_s]
    for n in range(n_recorded):
        for b, r in enumerate(at):
            start = r - 40 if b == 0 else r - min(40, math.floor(0.4 * (r - at[b - 1])))
            end = n_samples if b + 1 == len(at) else at[b + 1] - min(40, math.floor(0.4 * (at[b + 1] - r)))
            if start <= n < end and r - 40 <= n <= r + 72:
                assert found[n] == -1
                found[n] = b
    return found


@pytest.mark.parametrize(
    ("r_s", "n_recorded"),
    [
        ([0.3, 1.1, 1.6, 3.5, 4.2], 1000),  # an early beat and a pause longer than a window
        ([0.0, 0.9, 9.99], 1000),  # R peaks on the first and the last sample
        ([0.5, 1.3, 2.1, 2.9, 3.7], 400),  # padding within the last beat
        (np.arange(0.1, 9.9, 1 / 3).tolist(), 1000),  # 180 a minute
        (np.arange(0.1, 9.9, 0.3).tolist(), 1000),  # 200 a minute
    ],
)
def test_a_sample_belongs_to_one_beat_at_the_most(r_s: list[float], n_recorded: int) -> None:
    positions, owned = beat_windows(torch.tensor([r_s]), 1000, padded(n_recorded))
    found = np.full(1000, -1)
    for b, (at, own) in enumerate(zip(positions[0].numpy(), owned[0].numpy(), strict=True)):
        assert (found[at[own]] == -1).all()
        found[at[own]] = b
    np.testing.assert_array_equal(found, owners(r_s, 1000, n_recorded))
    assert set(found) - {-1} == set(range(len(r_s)))


@pytest.mark.parametrize("n_recorded", [1000, 837])
@pytest.mark.parametrize("rr_s", [0.3, 0.8, 1.5])
def test_every_sample_of_the_windows_is_covered_by_one_token(net: nn.Module, rr_s: float, n_recorded: int) -> None:
    r_s = torch.arange(0.02, n_recorded / 100, rr_s)[None]
    maps = taps(net, torch.randn(1, 12, 1000), r_s, padded(n_recorded), start_s=5.0)
    found = owners(r_s[0].tolist(), 1000, n_recorded)
    for level in ("beat", "rhythm", "joint"):
        spans = (maps[level].span_s - 5.0) * FS
        centres = np.arange(1000)
        covered = ((spans[:, :1] < centres) & (centres < spans[:, 1:])).sum(axis=0)
        np.testing.assert_array_equal(covered, found >= 0)
        lengths = spans[:, 1] - spans[:, 0]
        np.testing.assert_allclose(lengths, lengths.round(), atol=1e-9)
        assert lengths.sum() == pytest.approx((found >= 0).sum())
    np.testing.assert_allclose(maps["channel"].span_s, [[4.995, 5 + n_recorded / 100 - 0.005]])


def test_tokens_tile_the_window_with_the_r_peak_in_token_ten() -> None:
    tokens = by_token(torch.arange(1, BEFORE + 1 + AFTER + 1))
    assert tokens.shape == (N_TOKENS, 4)
    assert tokens[tokens > 0].tolist() == list(range(1, BEFORE + 1 + AFTER + 1))
    assert BEFORE + 1 in tokens[10]


def test_a_token_sees_what_the_network_says_it_sees(net: nn.Module) -> None:
    windows = torch.randn(32, 1, 1, 401, generator=torch.Generator().manual_seed(0)).requires_grad_()
    features = net.blocks(torch.relu(net.stem(windows)))
    features[:, :, 0, 50].sum().backward()
    seen = windows.grad[:, 0, 0].abs().sum(dim=0).nonzero()[:, 0]  # a ReLU may be silent in some of them
    assert (seen.max() + seen.min()) / 2 == 4 * 50
    assert seen.max() - seen.min() + 1 == FIELD_SAMPLES


def test_weights_sum_to_one_and_joint_map_is_their_product(net: nn.Module) -> None:
    x, r_s = torch.randn(1, 12, 1000), peaks(11)
    embeddings, beat = net.encode(x, r_s)
    _, rhythm, channel = net.read(embeddings, r_s)
    torch.testing.assert_close(beat.sum(dim=3), torch.ones(1, 12, 11))
    torch.testing.assert_close(rhythm.sum(dim=2), torch.ones(1, 12))
    torch.testing.assert_close(channel.sum(dim=1), torch.ones(1))
    maps = taps(net, x, r_s)
    assert set(maps) == set(net.levels)
    has_samples = by_token(beat_windows(r_s, 1000, None)[1])[0].any(dim=-1).flatten()
    product = (channel[0, :, None, None] * rhythm[0, :, :, None] * beat[0]).detach().flatten(1)
    np.testing.assert_allclose(maps["joint"].values, product[:, has_samples], atol=1e-7)
    assert maps["joint"].values.sum() == pytest.approx(1.0, abs=1e-6)
    assert all(m.label is None for m in maps.values())
    for level in ("beat", "rhythm", "joint"):
        values = maps[level].values
        spread_out = spread(values, maps[level].span_s, FS, 0.0, 1000)
        np.testing.assert_allclose(spread_out.sum(axis=1), values.sum(axis=1), rtol=1e-9)


def test_what_is_masked_has_no_mass_and_no_influence(net: nn.Module) -> None:
    x, r_s, mask = torch.randn(1, 12, 1000), peaks(7), padded(540)
    filled = torch.where(mask[:, None], x, 100.0)
    torch.testing.assert_close(net(filled, r_s=r_s, mask=mask), net(x, r_s=r_s, mask=mask), atol=0, rtol=0)
    assert not torch.allclose(net(filled, r_s=r_s), net(x, r_s=r_s))
    _, beat = net.encode(x, r_s, mask)
    _, owned = beat_windows(r_s, 1000, mask)
    without = ~by_token(owned).any(dim=-1)  # (1, K, J)
    assert without.any(dim=2).all()
    assert (beat.transpose(1, 2)[without.unsqueeze(2).expand(-1, -1, 12, -1)] == 0).all()
    assert (beat.transpose(1, 2)[~without.unsqueeze(2).expand(-1, -1, 12, -1)] > 0).all()


def test_beats_of_other_records_of_the_batch_change_nothing(net: nn.Module) -> None:
    x, r_s = torch.randn(3, 12, 1000), peaks(4, 12, 9)
    together = net(x, r_s=r_s)
    apart = torch.cat([net(x[b : b + 1], r_s=r_s[b : b + 1, :n]) for b, n in enumerate((4, 12, 9))])
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=0)
    more = torch.cat([r_s, torch.full((3, 5), math.nan)], dim=1)
    torch.testing.assert_close(net(x, r_s=more), together, atol=1e-5, rtol=0)
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(net(x[order], r_s=r_s[order]), together[order], atol=1e-5, rtol=0)
    _, rhythm, _ = net.read(net.encode(x, more)[0], more)
    assert (rhythm[0, :, 4:] == 0).all()
    torch.testing.assert_close(rhythm.sum(dim=2), torch.ones(3, 12))


def test_absent_beats_stay_out_of_the_batch_statistics() -> None:
    x, r_s = torch.randn(2, 12, 1000), peaks(6, 6)
    more = torch.cat([r_s, torch.full((2, 9), math.nan)], dim=1)
    first, second = (build("imle_net_beats", 2, seed=1, config=CONFIG).train() for _ in range(2))
    first(x, r_s=r_s), second(x, r_s=more)
    for one, other in zip(first.buffers(), second.buffers(), strict=True):
        torch.testing.assert_close(one, other)


def test_decomposition_and_bias_are_the_logit(net: nn.Module) -> None:
    x, r_s = torch.randn(3, 12, 1000), peaks(4, 12, 9)
    mask = padded(990).expand(3, -1)
    bias, parts = net.decompose(x, r_s=r_s, mask=mask)
    assert parts.shape == (3, len(LABELS), 12, 12)
    assert (parts[0, :, :, 4:] == 0).all()
    torch.testing.assert_close(bias + parts.sum(dim=(2, 3)), net(x, r_s=r_s, mask=mask), atol=1e-5, rtol=0)


def test_encode_and_head_compose_to_the_network_and_taps_leave_it_unchanged(net: nn.Module) -> None:
    x, r_s = torch.randn(2, 12, 1000), peaks(8, 10)
    before = net(x, r_s=r_s)
    torch.testing.assert_close(net.head(net.encode(x, r_s)[0], r_s), before)
    taps(net, x[:1], r_s[:1, :8])
    torch.testing.assert_close(net(x, r_s=r_s), before, atol=0, rtol=0)


def test_moving_an_r_peak_moves_its_window_only(net: nn.Module) -> None:
    x, r_s = torch.randn(1, 12, 1000), peaks(5, rr_s=1.8)
    moved = r_s.clone()
    moved[0, 3] += 0.05
    shifted = x.clone()
    at = round(100 * float(r_s[0, 3]))
    shifted[..., at - 60 : at + 120] = x[..., at - 65 : at + 115]
    before, after = net.encode(x, r_s)[0], net.encode(x, moved)[0]
    assert (before[:, :, 3] - after[:, :, 3]).abs().min(dim=1).values.max() > 0
    assert torch.equal(before[:, :, [0, 1, 2, 4]], after[:, :, [0, 1, 2, 4]])
    torch.testing.assert_close(net.encode(shifted, moved)[0][:, :, 3], before[:, :, 3])  # the same beat, later


def test_r_peaks_on_top_of_each_other_are_one_beat(net: nn.Module) -> None:
    x = torch.randn(2, 12, 1000)
    twice = torch.tensor([[0.0, 0.0, 0.9, 1.8, 1.82], [0.0, 1.0, 9.98, 10.0, 10.0]])
    once = torch.tensor([[0.0, 0.9, 1.8], [0.0, 1.0, 9.98]])
    torch.testing.assert_close(net(x, r_s=twice), net(x, r_s=once), atol=1e-5, rtol=0)


def test_rr_intervals_are_known_but_at_the_ends() -> None:
    r_s = torch.tensor([[0.5, 1.1, 2.1, math.nan]])
    expected = [[0, -1, 1, 0], [-1, 1, 0, 0], [1, 0, 0, 1]]
    torch.testing.assert_close(rr_features(r_s)[0, :3], torch.tensor(expected, dtype=torch.float32))


def test_the_rhythm_level_hears_a_change_of_rr_alone(net: nn.Module) -> None:
    embeddings = net.encode(torch.randn(1, 12, 1000), peaks(6))[0]
    assert not torch.allclose(net.head(embeddings, peaks(6)), net.head(embeddings, peaks(6, rr_s=1.2)))


@pytest.mark.parametrize(
    ("finding", "seed"), [("normal", 0), ("first_degree_av_block", 1), ("long_qt", 2), ("sinus_bradycardia", 3)]
)
def test_windows_hold_the_planted_waves_of_their_beat(net: nn.Module, finding: str, seed: int) -> None:
    simulated = simulate(finding, seed=seed, fs=100.0, duration_s=10.0)
    beats = simulated.truth.beats
    x = torch.tensor(simulated.record.signal[None], dtype=torch.float32)
    r_s = torch.tensor(beats.r_s[None], dtype=torch.float32)
    maps = taps(net, x, r_s)
    spans, tokens = maps["rhythm"].span_s, maps["beat"].span_s
    for b in range(1, len(beats) - 1):
        of_beat = tokens[(tokens[:, 0] > spans[b, 0] - 1e-6) & (tokens[:, 1] < spans[b, 1] + 1e-6)]
        for mark in ("p_on", "p_off", "qrs_on", "qrs_off", "t_on", "t_off"):
            at = getattr(beats, mark)[b]
            assert ((of_beat[:, 0] <= at) & (at <= of_beat[:, 1])).any(), f"{mark} of beat {b}"


def test_every_parameter_gets_a_gradient_and_the_signal_within_windows_too() -> None:
    net = build("imle_net_beats", 3, seed=1, config={}).train()
    x = torch.randn(2, 12, 1000, requires_grad=True)
    r_s = peaks(5, 3, rr_s=1.8)
    net(x, r_s=r_s).square().sum().backward()
    assert [key for key, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []
    for b, n in enumerate((5, 3)):
        within = owners(r_s[b, :n].tolist(), 1000, 1000) >= 0
        assert (x.grad[b].abs().sum(dim=0).numpy() > 0).tolist() == within.tolist()


@pytest.mark.parametrize(
    ("r_s", "mask", "message"),
    [
        (None, None, "none were given"),
        (torch.full((1, 3), math.nan), None, "record 0 of the batch has no R peak"),
        (torch.empty(1, 0), None, "record 0 of the batch has no R peak"),
        (torch.tensor([[1.0, 3.0, 2.0]]), None, "must rise"),
        (torch.tensor([[1.0, math.nan, 2.0]]), None, "NaN only after the last"),
        (torch.tensor([[1.0, 500.0]]), None, "outside of the recorded samples"),
        (torch.tensor([[1.0, 8.0]]), padded(700), "outside of the recorded samples"),
    ],
)
def test_r_peaks_that_no_window_can_stand_on_are_refused(
    net: nn.Module, r_s: Tensor | None, mask: Tensor | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        net(torch.randn(1, 12, 1000), r_s=r_s, mask=mask)


def test_saved_model_comes_back_and_predicts_the_same(net: nn.Module, tmp_path) -> None:
    save_model(
        tmp_path / "beats",
        net,
        net_name="imle_net_beats",
        config=CONFIG,
        name="beats",
        version="1",
        spec=SPEC,
        labels=LABELS,
        thresholds=(0.5,) * len(LABELS),
        metrics={},
        training={},
        card="# beats\n",
    )
    loaded = load_model(tmp_path / "beats")
    record, beats = noise_record(), even_beats(9)
    inputs = model_input(loaded, record, beats)
    x, arguments = stacked([inputs])
    with torch.inference_mode():
        logits = net(x, **arguments)[0]
    np.testing.assert_allclose(predict(loaded, record, beats).logits, logits, atol=1e-6)
    fewer = model_input(loaded, noise_record(1), even_beats(4))
    both = predict_batch(loaded, [inputs, fewer])
    np.testing.assert_allclose(both[0], logits, atol=1e-5)
    np.testing.assert_allclose(both[1], predict_batch(loaded, [fewer])[0], atol=1e-5)
    with pytest.raises(InputError, match="needs R peaks"):
        predict(loaded, record, no_beats())


def test_a_short_record_is_padded_and_explained(model) -> None:
    record = Record(noise_record().signal[:, :640], 100.0, STANDARD_LEADS, id="short")
    beats = even_beats(6, duration_s=6.4)
    joint = explain(model, record, "MI", "attention_joint", beats)
    assert joint.values.sum() == pytest.approx(1.0, abs=1e-6)
    assert (joint.values[:, 640:] == 0).all()
    split = explain(model, record, "MI", "decomposition", beats)
    assert (split.values[:, 640:] == 0).all()
    assert split.values.sum() + split.params["bias"] == pytest.approx(split.params["logit"], abs=1e-5)


def test_the_decomposition_lies_on_the_samples_of_each_beat(model) -> None:
    record, beats = noise_record(), even_beats(6, rr_s=1.5)
    explanation = explain(model, record, "MI", "decomposition", beats)
    x, arguments = stacked([model_input(model, record, beats)])
    parts = model.net.decompose(x, **arguments)[1][0, LABELS.index("MI")].detach().numpy()
    found = owners(beats.r_s.tolist(), 1000, 1000)
    for b in range(6):
        np.testing.assert_allclose(explanation.values[:, found == b].sum(axis=1), parts[:, b], rtol=1e-5, atol=1e-8)
    assert (explanation.values[:, found == -1] == 0).all()
    assert explanation.resolution_s == pytest.approx(1.13)


@pytest.mark.parametrize("method", ["integrated_gradients", "attention_joint", "decomposition"])
def test_the_whole_path_with_a_beat_at_the_edge(model, method: str) -> None:
    whole = simulate("normal", seed=4, fs=100.0, duration_s=14.0, heart_rate_bpm=75)
    end = round(100 * whole.truth.beats.r_s[-2]) + 8  # the record ends just behind a QRS
    record = Record(whole.record.signal[:, end - 1000 : end], 100.0, STANDARD_LEADS, id="cut behind a QRS")
    beats = delineate(condition(record))
    assert beats.edge[-1]
    assert beats.r_s[-1] > 9.9
    case = analyse(record, model, "MI", method)
    assert np.isfinite(case.prediction.logits).all()
    assert np.isfinite(case.explanation.values).all()
    assert case.explanation.values.shape == (12, 1000)
    if method == "integrated_gradients":
        assert case.explanation.completeness_error < 0.01
    else:
        assert case.explanation.values[:, 990:].all()
    total = case.grid.pos.sum() - case.grid.neg.sum() + case.grid.outside
    assert total == pytest.approx(case.explanation.values.sum(), rel=1e-9, abs=1e-9)
    assert {tap.level for tap in case.attention} == {"beat", "rhythm", "channel", "joint"}
    rhythm = next(tap for tap in case.attention if tap.level == "rhythm")
    assert rhythm.values.shape == (12, len(case.beats))
