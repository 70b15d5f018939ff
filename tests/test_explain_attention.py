"""Attention, made honest: for one logit, beyond its habit, rolled out, taken away; and what it cannot say."""

import copy
import inspect
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecgviz.checkpoint import Model, model_input
from ecgviz.errors import ExplanationError, ModelError
from ecgviz.evidence import evidence
from ecgviz.explain.attention import (
    ATTENTION_METHODS,
    as_pooled,
    attention,
    attention_prior,
    cannot_tell,
    spread,
    uniform_attention,
)
from ecgviz.explain.attention.rollout import steps_of
from ecgviz.nets import NETS, build
from ecgviz.nets.attentive import Attentive
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import AttentionMap, Explanation
from tests.toys import SPEC, Pooled, even_beats, no_beats, noise_record, toy_model

RECORD, BEATS = noise_record(), even_beats(9)
SIZES = {
    "ecg_mamba": {"width": 8, "depth": 2},
    "efficient_ecg": {"width": 0.125},
    "imle_net": {"width": 0.125},
    "imle_net_beats": {"width": 0.125},
    "res_lstm": {"n_features": 16, "n_layers": 2},
    "resnet1d": {"width": 0.25},
}
ATTENTIVE = sorted(set(SIZES) - {"resnet1d"})
WINDOWS = 20


class Glance(Attentive):
    """Twenty windows a lead; logit_c = sum over leads and windows of weight x u_c x the window's mean.

    A window's score is ``follows`` times its mean plus a preference for its place.
    """

    levels = pools = ("rhythm",)
    u = (2.0, -3.0)

    def __init__(self, follows: float, prefers: np.ndarray | None = None) -> None:
        super().__init__()
        self.follows = follows
        self.register_buffer("prefers", torch.zeros(WINDOWS) if prefers is None else torch.tensor(prefers).float())

    def attend(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> tuple[Tensor, dict[str, Tensor]]:
        means = x.unflatten(2, (WINDOWS, -1)).mean(dim=3)
        weights = torch.softmax(self.follows * means + self.prefers, dim=2)
        return (weights * means).sum(dim=(1, 2))[:, None] * torch.tensor(self.u), {"rhythm": weights}

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return self.attend(x)[0]

    def place(self, weights, x, *, fs, start_s, leads, r_s=None, mask=None) -> list[AttentionMap]:
        edges = start_s + (np.arange(WINDOWS + 1) * 50 - 0.5) / fs
        spans = np.stack([edges[:-1], edges[1:]], axis=1)
        values = weights["rhythm"][0].double().numpy(force=True)
        return [AttentionMap("rhythm", values, spans, leads, None, "1 over the windows of each lead", 0.5)]

    def even(self, level: str) -> None:
        self.follows = 0.0
        self.prefers.zero_()


class Stack(Glance):
    """Its blocks take what ``matrices`` say, its pooling is ``pooling``; all leads together."""

    def __init__(self, matrices: list[np.ndarray], pooling: np.ndarray) -> None:
        super().__init__(0.0)
        self.matrices, self.pooling = [torch.tensor(each) for each in matrices], torch.tensor(pooling)

    def mixing(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> tuple[list[Tensor], Tensor]:
        return self.matrices, self.pooling

    def place(self, weights, x, *, leads, **arguments) -> list[AttentionMap]:
        return super().place({"rhythm": weights["rhythm"][None]}, x, leads=(), **arguments)


def real(name: str, seed: int = 0) -> Model:
    """Return a small network of an architecture whose scores, biases and batch statistics are not those of birth."""
    net = build(name, 2, seed=seed, config=SIZES[name]).requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for key, parameter in net.named_parameters():
        if key.endswith(("bias", "score.weight", "key.weight")):
            parameter += 0.5 * torch.randn(parameter.shape, generator=generator)
    spec = replace(SPEC, needs=tuple(net.needs), pads=net.pads)
    return toy_model(net, labels=("MI", "NORM"), spec=spec, net_name=name)


def run(model: Model, method: str, label_index: int = 0, record=RECORD, beats=BEATS, **params) -> Explanation:
    inputs = model_input(model, record, beats)
    return ATTENTION_METHODS[method].run(model, inputs, beats, label_index, seed=0, **params)


def given(model: Model, record=RECORD):
    """Return x (1, L, T) and the keyword arguments of a record, as the network is called."""
    inputs = model_input(model, record, BEATS)
    r_s = None if inputs.r_s is None else torch.tensor(inputs.r_s, dtype=torch.float32)[None]
    mask = torch.from_numpy(inputs.mask.copy())[None]
    return torch.from_numpy(inputs.x.copy())[None], {"r_s": r_s, "mask": mask}


@pytest.fixture(scope="module", params=ATTENTIVE)
def shown(request: pytest.FixtureRequest) -> Model:
    return real(request.param)


# ---- what networks expose


def test_weights_are_those_the_logits_are_made_from(shown: Model) -> None:
    net, (x, arguments) = shown.net, given(shown)
    logits, weights = net.attend(x.requires_grad_(), **arguments)
    torch.testing.assert_close(logits, net(x, **arguments))
    slopes = torch.autograd.grad(logits[0, 0], [weights[pool] for pool in net.pools])
    assert all(slope.isfinite().all() and slope.abs().sum() > 0 for slope in slopes)
    assert set(net.pools) <= set(net.levels)
    assert set(weights) <= set(net.levels)


def test_maps_are_the_weights_placed(shown: Model) -> None:
    net, (x, arguments) = shown.net, given(shown)
    where = {"fs": 100.0, "start_s": 1.0, "leads": STANDARD_LEADS}
    taps = {tap.level: tap for tap in net.taps(x, **where, **arguments)}
    placed = net.place(net.attend(x, **arguments)[1], x, **where, **arguments)
    assert set(taps) == set(net.levels)
    for tap in placed:
        np.testing.assert_allclose(tap.values, taps[tap.level].values, atol=1e-6)
    for pool in net.pools:  # one level needs no other
        alone = net.place({pool: net.attend(x, **arguments)[1][pool]}, x, **where, **arguments)
        assert pool in [tap.level for tap in alone]
        assert "joint" not in [tap.level for tap in alone]


WHY_NOT = {
    "ecg_mamba": {"channel": "exposes no channel attention", "joint": "", "age": "", "sex": ""},
    "efficient_ecg": {"beat": "", "joint": "", "rollout": "attention_rhythm shows where"},
    "imle_net": {"age": "", "sex": "", "rollout": "attention_joint, the product of its levels, is its rollout"},
    "imle_net_beats": {"age": "", "sex": "", "rollout": "attention_joint"},
    "res_lstm": {"beat": "", "joint": "", "age": "", "sex": "", "rollout": "no stack of attention matrices"},
    "resnet1d": {
        **dict.fromkeys(("beat", "rhythm", "channel", "joint", "age", "sex"), "its attention levels: none"),
        "rollout": "no attention to roll out",
        "x_gradient": "no attention whose weights",
    },
}
"""What each architecture refuses, and words of its reason."""


@pytest.mark.parametrize("name", sorted(NETS))
def test_each_architecture_says_what_it_cannot_show(name: str) -> None:
    model = real(name)
    refused = {method: why for method in ATTENTION_METHODS if (why := ATTENTION_METHODS[method].why_not(model))}
    assert set(refused) == {f"attention_{short}" for short in WHY_NOT[name]}
    for short, words in WHY_NOT[name].items():
        assert words in refused[f"attention_{short}"]
        with pytest.raises(ExplanationError, match="attention"):
            run(model, f"attention_{short}")


def test_maps_that_were_asked_for_together_are_the_explanations_of_each_level(shown: Model) -> None:
    inputs = model_input(shown, RECORD, BEATS)
    found = [each for each in attention(shown, RECORD, BEATS) if each.label in (None, "MI")]
    assert {each.level for each in found} >= set(shown.net.levels)
    for each in found:
        if f"attention_{each.level}" not in ATTENTION_METHODS:
            continue
        one, other = as_pooled(each, inputs), run(shown, f"attention_{each.level}")
        np.testing.assert_array_equal(one.values, other.values)
        assert (one.method, one.label, one.params, one.start_s) == (
            other.method,
            other.label,
            other.params,
            other.start_s,
        )


def test_a_network_that_shows_maps_only_has_a_prior_and_no_gradient() -> None:
    model = toy_model(Pooled(), labels=("MI", "NORM"))
    assert "maps only" in ATTENTION_METHODS["attention_x_gradient"].why_not(model)
    np.testing.assert_allclose(run(model, "attention_joint", prior="subtract").values, 0, atol=1e-15)
    with pytest.raises(ExplanationError, match="maps only"):
        uniform_attention(model, model_input(model, RECORD, BEATS), 0)


# ---- what every attention map says, and does not


def offered(model: Model) -> list[str]:
    return [name for name, method in ATTENTION_METHODS.items() if not method.why_not(model)]


def test_maps_conserve_mass_and_claim_leads_only_where_they_have_them(shown: Model) -> None:
    for method in offered(shown):
        explanation = run(shown, method)
        grid = evidence(explanation, BEATS)
        size = np.abs(explanation.values).sum()
        assert size > 0
        assert abs(grid.pos.sum() - grid.neg.sum() + grid.outside - explanation.values.sum()) <= 1e-9 * size
        assert explanation.params["receptive_field_s"] >= explanation.resolution_s - 1e-9
        assert (grid.channel() is None) == (not explanation.leads)
        assert (grid.rhythm() is None) == (not explanation.has_time)
        lead_blind = shown.net_name not in ("imle_net", "imle_net_beats") and method != "attention_channel"
        assert (explanation.leads == ()) == lead_blind
        assert ("It has no lead axis" in " ".join(cannot_tell(explanation))) == lead_blind
        for_one = method == "attention_x_gradient"
        assert explanation.label == ("MI" if for_one else None)
        assert "The same for every label" in cannot_tell(explanation)[0] if not for_one else explanation.signed


def test_what_a_map_cannot_tell_is_said() -> None:
    model = real("res_lstm")
    rhythm, channel = (cannot_tell(run(model, f"attention_{level}")) for level in ("rhythm", "channel"))
    assert rhythm == (
        "The same for every label: it cannot say why this label and not another.",
        "It has no lead axis: it says when, never in which lead.",
        "A weight is drawn over 0.06 s, but 10 s of signal went into it: what it points at may lie anywhere within.",
    )
    assert channel[1:] == ("It has no time axis: it says in which lead, never when.",)
    assert cannot_tell(run(real("imle_net"), "attention_x_gradient")) == (
        "A weight is drawn over 0.04 s, but 0.5 s of signal went into it: what it points at may lie anywhere within.",
    )


def test_the_shared_network_is_left_as_it_was(shown: Model) -> None:
    net = shown.net
    weights = copy.deepcopy(net.state_dict())

    def state() -> tuple:
        hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)) for m in net.modules()]
        grads = [(p.requires_grad, p.grad) for p in net.parameters()]
        return [m.training for m in net.modules()], hooks, grads, torch.is_grad_enabled()

    before = state()
    with torch.no_grad():
        for method in offered(shown):
            run(shown, method)
        uniform_attention(shown, model_input(shown, RECORD, BEATS), 0)
    assert state() == before
    assert net.state_dict().keys() == weights.keys()
    assert all(torch.equal(value, weights[key]) for key, value in net.state_dict().items())


def test_threads_that_share_a_network_get_what_one_gets() -> None:
    model = real("imle_net")

    def answer(label_index: int) -> tuple[np.ndarray, float]:
        explanation = run(model, "attention_x_gradient", label_index)
        return explanation.values, uniform_attention(model, model_input(model, RECORD, BEATS), label_index).all_levels

    alone = [answer(index % 2) for index in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(answer, [index % 2 for index in range(8)]))
    for (values, logit), (expected, expected_logit) in zip(together, alone, strict=True):
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-9)
        assert logit == pytest.approx(expected_logit, abs=1e-6)


# ---- attention x gradient


def test_attention_times_gradient_of_a_network_known_by_hand() -> None:
    model = toy_model(Glance(1.5), labels=("MI", "NORM"))
    x = model_input(model, RECORD, BEATS).x.astype(float)
    means = x.reshape(12, WINDOWS, 50).mean(axis=2)
    weights = np.exp(1.5 * means) / np.exp(1.5 * means).sum(axis=1, keepdims=True)
    for index, (label, u) in enumerate(zip(model.labels, Glance.u, strict=True)):
        explanation = run(model, "attention_x_gradient", index)
        expected = np.repeat(weights * u * means / 50, 50, axis=1)
        np.testing.assert_allclose(explanation.values, expected, rtol=1e-4, atol=1e-9)
        assert explanation.params["logit"] == pytest.approx(explanation.values.sum(), rel=1e-4)
        assert (explanation.label, explanation.signed, explanation.params["level"]) == (label, True, "rhythm")


@pytest.mark.parametrize("name", ["imle_net", "imle_net_beats"])
def test_a_windows_tokens_sum_to_its_embedding_times_gradient(name: str) -> None:
    model = real(name)
    net, (x, arguments) = model.net, given(model)
    rest = [arguments["r_s"]] if name == "imle_net_beats" else []
    embeddings = net.encode(x, *rest, *([arguments["mask"]] if rest else []))[0].detach().requires_grad_()
    slope = torch.autograd.grad(net.head(embeddings, *rest)[0, 1], embeddings)[0]
    expected = (slope * embeddings).sum(dim=-1)[0].detach().numpy()  # (L, W)
    explanation = run(model, "attention_x_gradient", 1)
    spans = net.spans(x, fs=100.0, start_s=0.0, **arguments)
    windows = np.round((spans + 0.005) * 100).astype(int)
    found = np.stack([explanation.values[:, a:b].sum(axis=1) for a, b in windows], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_the_pooling_of_ecg_mamba_sums_to_the_logit_without_its_bias() -> None:
    model = real("ecg_mamba")
    explanation = run(model, "attention_x_gradient", 1)
    logit = explanation.params["logit"]
    assert explanation.values.sum() == pytest.approx(logit - float(model.net.output.bias[1]), rel=1e-4)


class Constant(nn.Module):
    """Gates that are what they are told to be."""

    def __init__(self, gates: Tensor) -> None:
        super().__init__()
        self.gates = gates

    def forward(self, x: Tensor, recorded: Tensor) -> tuple[Tensor, Tensor]:
        return x * self.gates[..., None], self.gates


@pytest.mark.parametrize("name", ["res_lstm", "efficient_ecg"])
def test_the_slope_of_a_gate_is_what_turning_it_does(name: str) -> None:
    model = real(name)
    x, arguments = given(model)
    net = copy.deepcopy(model.net).double()
    gates = net.attend(x.double(), **arguments)[1]["channel"].detach()
    explanation = run(model, "attention_x_gradient", level="channel")
    for lead in (0, 7):
        turned = []
        for step in (1e-4, -1e-4):
            net.lead_gate = Constant(gates + step * torch.eye(12)[lead])
            turned.append(float(net(x.double(), **arguments)[0, 0]))
        slope = (turned[0] - turned[1]) / 2e-4
        assert explanation.values[lead, 0] == pytest.approx(float(gates[0, lead]) * slope, rel=1e-3, abs=1e-7)


def test_age_and_sex_have_a_gradient_and_their_mean_is_the_rhythm() -> None:
    model = real("efficient_ecg")
    rhythm, age, sex = (run(model, "attention_x_gradient", level=level).values for level in ("rhythm", "age", "sex"))
    np.testing.assert_allclose(rhythm, (age + sex) / 2, rtol=1e-6, atol=1e-12)
    assert not np.allclose(age, sex)


def test_a_level_without_weights_of_its_own_is_refused() -> None:
    with pytest.raises(
        ExplanationError, match="no joint weights that its logits are made from; it has those of beat, rhythm, channel"
    ):
        run(real("imle_net"), "attention_x_gradient", level="joint")
    with pytest.raises(ExplanationError, match="no beat weights that its logits are made from; it has those of rhythm"):
        run(real("ecg_mamba"), "attention_x_gradient", level="beat")


# ---- the prior


def test_nothing_is_left_of_a_network_that_always_looks_at_the_same_place() -> None:
    model = toy_model(Glance(0.0, np.arange(WINDOWS) / 5), labels=("MI", "NORM"))
    for method in ("attention_rhythm", "attention_x_gradient"):
        explanation = run(model, method, prior="subtract")
        assert explanation.signed
        np.testing.assert_allclose(explanation.values, 0, atol=1e-8)
        assert explanation.params["prior_overlap"] == pytest.approx(dict.fromkeys(("flat", "noise", "data", "mean"), 1))


def test_what_exceeds_the_prior_is_where_the_record_draws_attention() -> None:
    model = toy_model(Glance(4.0, np.linspace(2, 0, WINDOWS)), labels=("MI", "NORM"))  # habit: early windows
    signal = np.zeros((12, 1000))
    signal[:, 800:850] = 0.3
    record = replace(RECORD, signal=signal)
    kept, freed = (run(model, "attention_rhythm", record=record, prior=prior) for prior in ("keep", "subtract"))
    assert not kept.signed
    assert freed.values[:, 800:850].min() > 0
    assert freed.values[:, :400].max() < 0
    np.testing.assert_allclose(freed.values.sum(axis=1), 0, atol=1e-6)
    inputs = model_input(model, record, BEATS)
    prior = attention_prior(model, inputs, BEATS, "rhythm", 0, seed=0)
    spans = np.stack([np.arange(0, 1000, 50), np.arange(50, 1050, 50)], axis=1) / 100 - 0.005
    np.testing.assert_allclose(kept.values - freed.values, spread(prior.mean, spans, 100.0, 0.0, 1000), atol=1e-9)


def test_the_prior_is_drawn_from_flat_noise_and_healthy_hearts_by_its_seed() -> None:
    model = real("imle_net_beats")
    inputs = model_input(model, RECORD, BEATS)
    one, again, other = (attention_prior(model, inputs, BEATS, "beat", 0, seed=seed) for seed in (0, 0, 1))
    assert tuple(one.parts) == ("flat", "noise", "data")
    for kind, part in one.parts.items():
        np.testing.assert_array_equal(part, again.parts[kind])
        assert np.array_equal(part, other.parts[kind]) == (kind == "flat")
    np.testing.assert_allclose(one.mean, (one.parts["flat"] + one.parts["noise"] + one.parts["data"]) / 3)
    assert one.mean.sum() == pytest.approx(12 * 9, rel=1e-5)  # 1 in each beat of each lead
    assert one.overlap(one.mean)["mean"] == pytest.approx(1)
    assert np.isnan(one.overlap(np.zeros_like(one.mean))["flat"])


def test_a_prior_that_cannot_be_had_is_refused() -> None:
    model = real("res_lstm")
    with pytest.raises(ExplanationError, match="prior is 'remove'"):
        run(model, "attention_rhythm", prior="remove")
    with pytest.raises(ExplanationError, match="no QRS complex"):
        run(model, "attention_rhythm", beats=no_beats(), prior="subtract")
    with pytest.raises(ExplanationError, match="no joint attention"):
        attention_prior(model, model_input(model, RECORD, BEATS), BEATS, "joint", 0, seed=0)


def test_each_method_takes_the_prior() -> None:
    for method in ATTENTION_METHODS.values():
        assert "prior" in inspect.signature(method.run).parameters


# ---- rollout


def test_tokens_that_take_nothing_from_others_stay_where_they_are() -> None:
    pooling = np.arange(1.0, WINDOWS + 1) / 210
    for alone in (np.eye(WINDOWS), np.zeros((WINDOWS, WINDOWS))):
        explanation = run(toy_model(Stack([alone, alone], pooling), labels=("MI", "NORM")), "attention_rollout")
        np.testing.assert_allclose(explanation.values[0, ::50] * 50, pooling)
        assert (explanation.label, explanation.leads, explanation.signed) == (None, (), False)


def test_rollout_through_two_blocks_known_by_hand() -> None:
    """Every token takes from token 0 only, in both: half stays twice, the rest is token 0's."""
    first = np.zeros((WINDOWS, WINDOWS))
    first[:, 0] = 7.0  # rows need not sum to 1
    pooling = np.zeros(WINDOWS)
    pooling[5] = 1.0
    explanation = run(toy_model(Stack([first, first], pooling), labels=("MI", "NORM")), "attention_rollout")
    expected = np.zeros(WINDOWS)
    expected[5], expected[0] = 0.25, 0.75
    np.testing.assert_allclose(explanation.values[0, ::50] * 50, expected)


def test_blocks_are_rolled_out_from_the_last_to_the_first() -> None:
    first, last = np.eye(WINDOWS), np.eye(WINDOWS)
    last[5] = np.eye(WINDOWS)[3]  # token 5 takes from 3 in the last block, 3 from 1 in the first
    first[3] = np.eye(WINDOWS)[1]
    pooling = np.eye(WINDOWS)[5]
    explanation = run(toy_model(Stack([first, last], pooling), labels=("MI", "NORM")), "attention_rollout")
    tokens = explanation.values[0, ::50] * 50
    assert (tokens[5], tokens[3], tokens[1]) == pytest.approx((0.5, 0.25, 0.25))


@pytest.mark.parametrize("recorded_s", [10.0, 6.4])
def test_rollout_of_ecg_mamba_has_rows_that_sum_to_one_and_leaves_padding_alone(recorded_s: float) -> None:
    model = real("ecg_mamba")
    record = noise_record(duration_s=recorded_s)
    x, arguments = given(model, record)
    with torch.inference_mode():
        matrices, _ = model.net.mixing(x, **arguments)
    assert len(matrices) == 2
    assert all((each >= 0).all() for each in matrices)
    for step in steps_of(matrices):
        torch.testing.assert_close(step.sum(dim=1), torch.ones(250, dtype=torch.float64))
    explanation = run(model, "attention_rollout", record=record)
    assert explanation.values.sum() == pytest.approx(1, abs=1e-6)
    assert not explanation.values[0, round(100 * recorded_s) :].any()
    assert not np.allclose(explanation.values, run(model, "attention_rhythm", record=record).values, rtol=0.01)


# ---- uniform attention


def test_a_network_that_weighs_all_alike_loses_nothing() -> None:
    model = toy_model(Glance(0.0), labels=("MI", "NORM"))
    found = uniform_attention(model, model_input(model, RECORD, BEATS), 1)
    assert found.change == {"rhythm": 0.0, "all": 0.0}


def test_without_attention_the_logit_is_that_of_the_means() -> None:
    model = toy_model(Glance(3.0), labels=("MI", "NORM"))
    inputs = model_input(model, RECORD, BEATS)
    found = uniform_attention(model, inputs, 0)
    assert found.all_levels == pytest.approx(2.0 * inputs.x.mean(axis=1, dtype=float).sum(), rel=1e-3)
    assert found.change["rhythm"] == found.by_level["rhythm"] - found.logit
    assert abs(found.change["rhythm"]) > 0.1


@pytest.mark.parametrize("recorded_s", [10.0, 6.4])
def test_an_evened_network_weighs_all_that_is_recorded_alike(shown: Model, recorded_s: float) -> None:
    if recorded_s < 10 and not shown.net.pads:
        pytest.skip("takes no padding")
    beats = even_beats(6)
    record = noise_record(duration_s=recorded_s)
    inputs = model_input(shown, record, beats)
    x, arguments = given(shown, record)
    arguments["r_s"] = None if inputs.r_s is None else torch.tensor(inputs.r_s, dtype=torch.float32)[None]
    with torch.inference_mode():
        before = shown.net.attend(x, **arguments)[1]
    found = uniform_attention(shown, inputs, 0)
    for level in shown.net.pools:
        net = copy.deepcopy(shown.net)
        net.even(level)
        with torch.inference_mode():
            weights = net.attend(x, **arguments)[1][level]
            logit = float(net(x, **arguments)[0, 0])
        assert not torch.allclose(weights, before[level])
        assert torch.equal(weights > 0, before[level] > 0)  # the padding stays out
        rows = weights.flatten(0, -2)
        mean = rows.sum(dim=1, keepdim=True) / (rows > 0).sum(dim=1, keepdim=True)
        torch.testing.assert_close(rows, (rows > 0) * mean)
        torch.testing.assert_close(weights.sum(), before[level].sum())  # gates keep their mean, the others sum to 1
        assert found.by_level[level] == pytest.approx(logit, abs=1e-5)


def test_a_level_that_a_network_names_and_never_places_is_refused_by_name():
    net = Glance(1.0)
    net.levels = ("rhythm", "beat")
    with pytest.raises(ModelError, match=r"has a beat level, but gave no map of it for 'MI'; levels .* gave: rhythm"):
        run(toy_model(net, labels=("MI", "NORM")), "attention_beat")


@pytest.mark.parametrize(
    ("taps", "why"),
    [
        (lambda x, **given: [3], "its network gives int where an ecgviz.types.AttentionMap is needed"),
        (lambda x, **given: x.no_such_thing, r"its network cannot be read \(AttributeError: .*no_such_thing"),
    ],
)
def test_attention_of_another_packages_network_that_is_none_is_refused_by_name(taps, why):
    net = Pooled()
    net.taps = taps
    with pytest.raises(ModelError, match=f"toy: .*{why}"):
        attention(toy_model(net), noise_record(), even_beats(10))


@pytest.mark.parametrize(
    ("part", "does", "why"),
    [
        ("place", lambda weights, x, **given: [weights], "gives dict where an ecgviz.types.AttentionMap is needed"),
        ("attend", lambda x, **given: {}["weights"], r"its network cannot be read \(KeyError: 'weights'\)"),
    ],
)
def test_weights_of_another_packages_network_that_are_none_are_refused_by_name(part, does, why):
    net = Glance(1.0)
    setattr(net, part, does)
    with pytest.raises(ModelError, match=f"toy: .*{why}"):
        run(toy_model(net), "attention_rhythm")
