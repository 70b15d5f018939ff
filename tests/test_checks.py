"""Checks of explanations, on networks and maps whose answer is known by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgviz.checkpoint import Model, load_model, model_input, save_model
from ecgviz.cli import main
from ecgviz.errors import ExplanationError
from ecgviz.evidence import evidence
from ecgviz.explain import attention, checks, explain
from ecgviz.explain.cells import cells_by
from ecgviz.explain.checks import battery
from ecgviz.explain.checks.complexity import gini
from ecgviz.explain.checks.faithfulness import patches, unexplained
from ecgviz.explain.checks.randomisation import stages
from ecgviz.explain.checks.removal import MATCHED, matched_order
from ecgviz.explain.checks.robustness import noise_sd
from ecgviz.explain.checks.similarity import densities, pearson, per_second, signed_cells, spearman
from ecgviz.explain.controls import trivial_maps
from ecgviz.explain.method import Method
from ecgviz.explain.methods import METHODS
from ecgviz.explain.untrained import untrained_network
from ecgviz.nets import NETS, build
from ecgviz.simulate import simulate
from ecgviz.types import Explanation, Record
from tests.toys import LEADS, SPEC, Bent, Linear, Pooled, Small, even_beats, no_beats, noise_record, toy_model

RECORD = noise_record()
BEATS = even_beats(9)
T_IN_V2 = LEADS.index("V2"), 5
"""Lead and wave (in the order of WAVES: P, PR, QRS, ST, T, TP) that the planted network reads: T is number 4."""


def weights(seed=7, n_labels=1, scale=0.01):
    return scale * np.random.default_rng(seed).normal(size=(n_labels, 12, 1000))


def t_waves_of_v2():
    """Weights 1 in the T waves of V2, elsewhere 0."""
    inputs = model_input(toy_model(Linear(np.zeros((1, 12, 1000)))), RECORD, BEATS)
    cells = cells_by("lead_beat_wave", toy_model(Linear(np.zeros((1, 12, 1000)))), inputs, BEATS)
    wanted = [name.startswith("V2,") and name.endswith(", T") for name in cells.names]
    inside = np.isin(cells.owner, np.flatnonzero(wanted))
    assert len(set(cells.owner[inside])) == 9
    return inside[None].astype(float)


def asked(model, method="input_x_gradient", *, record=RECORD, beats=BEATS, label=None, **params):
    return checks.question(model, record, label or model.labels[0], method, beats, **params)


def answered(model, method="input_x_gradient", **given):
    question = asked(model, method, **given)
    return question, question.explain()


def map_of(values, like: Explanation, **changed) -> Explanation:
    return replace(like, values=np.asarray(values, dtype=float), **changed)


def small_model(seed=0, labels=("MI", "NORM")) -> Model:
    return toy_model(build("toy_small", len(labels), seed=seed, config={}), labels=labels, net_name="toy_small")


def amplitude(model, inputs, beats, label_index, *, seed):
    """Explain by |x|, whatever the network."""
    like = explanation_like(inputs, model.labels[label_index])
    return replace(trivial_maps(inputs, like)["|x|"], label=like.label, method="amplitude")


def drawn(model, inputs, beats, label_index, *, seed):
    """Explain by noise."""
    values = np.random.default_rng(seed).normal(size=inputs.x.shape)
    return map_of(values, explanation_like(inputs, model.labels[label_index]), method="drawn")


def explanation_like(inputs, label) -> Explanation:
    return Explanation(np.zeros(inputs.x.shape), inputs.fs, inputs.start_s, inputs.leads, label, "toy", True, 0.01)


@pytest.fixture(autouse=True)
def toys_in_the_tables(monkeypatch):
    monkeypatch.setitem(NETS, "toy_small", lambda n_labels: Small(n_labels))
    table = {**METHODS}
    for run in (amplitude, drawn):
        table[run.__name__] = Method(run, "perturbation", run.__name__, "a toy", "none")
    monkeypatch.setattr("ecgviz.explain.methods.METHODS", table)


# similarity


def test_rank_correlation_is_scipys():
    from scipy.stats import spearmanr

    a, b = np.random.default_rng(0).integers(0, 9, size=(2, 50))
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert np.isnan(spearman(np.ones(5), np.arange(5)))
    assert np.isnan(spearman(np.arange(2), np.arange(2)))


def test_correlation_is_numpys_keeps_sign_and_needs_differences():
    a, b = np.random.default_rng(0).normal(size=(2, 50))
    assert pearson(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert pearson(np.array([1.0, 2.0, 4.0]), np.array([-1.0, -2.0, -4.0])) == pytest.approx(-1)
    assert np.isnan(pearson(np.zeros(3), np.arange(3)))
    assert np.isnan(pearson(np.ones(3), np.arange(3)))
    assert np.isnan(pearson(np.arange(2), np.arange(2)))


def test_a_map_is_as_dense_on_short_waves_as_on_long_ones_and_nowhere_dense_on_absent_ones():
    grid = evidence(map_of(np.full((12, 1000), 0.1), explanation_like(model_input(small_model(), RECORD), "MI")), BEATS)
    mass, area = grid.pos.copy(), grid.area.copy()
    mass[:, 2, 0] = area[2, 0] = 0
    density = per_second(mass, area)
    assert np.isnan(density[:, area == 0]).all()
    assert np.unique(density[:, area > 0]).tolist() == [10.0]


# completeness


def test_a_linear_network_is_split_completely():
    _, explanation = answered(toy_model(Linear(weights())), "integrated_gradients")
    found = checks.completeness(explanation)
    assert found.value == pytest.approx(0, abs=1e-4)
    assert found.remark == ""
    assert found.higher_is_better is False


def test_a_map_that_promises_no_sum_has_no_completeness():
    _, explanation = answered(toy_model(Linear(weights())), "saliency")
    found = checks.completeness(explanation)
    assert np.isnan(found.value)
    assert "does not promise" in found.remark


def test_a_large_completeness_error_is_flagged():
    _, explanation = answered(toy_model(Linear(weights())))
    assert "12 %" in checks.completeness(replace(explanation, completeness_error=0.12)).remark


# infidelity


@pytest.mark.parametrize("method", ["input_x_gradient", "integrated_gradients"])
def test_what_a_linear_network_loses_is_predicted_exactly(method):
    model = toy_model(Linear(weights()), spec=replace(SPEC, mean_mv=0.05))
    found = checks.infidelity(*answered(model, method))
    assert found.value == pytest.approx(0, abs=1e-5)
    assert found.excess > 0.5


def test_infidelity_does_not_depend_on_the_scale_and_does_on_the_sign():
    question, explanation = answered(toy_model(Bent(weights(scale=0.01))))
    value = checks.infidelity(question, explanation).value
    assert 0 < value < 1
    ten = map_of(10 * explanation.values, explanation)
    assert checks.infidelity(question, ten).value == pytest.approx(value)
    assert checks.infidelity(question, map_of(-explanation.values, explanation)).value == pytest.approx(1)


def test_a_map_of_noise_predicts_next_to_nothing():
    question, explanation = answered(toy_model(Linear(weights())))
    noise = map_of(np.random.default_rng(3).normal(size=explanation.values.shape), explanation)
    assert checks.infidelity(question, noise).value > 0.8


def test_slopes_are_no_contributions():
    found = checks.infidelity(*answered(toy_model(Linear(weights())), "saliency"))
    assert np.isnan(found.value)
    assert found.remark == "saliency shows where or how steeply, not how many logits each sample contributes"


def test_a_network_that_no_removal_moves_has_no_infidelity():
    found = checks.infidelity(*answered(toy_model(Linear(np.zeros((1, 12, 1000)), [2.0])), "integrated_gradients"))
    assert np.isnan(found.value)
    assert "no removal" in found.remark


def test_half_of_the_effect_unpredicted_is_a_half():
    fall = np.array([1.0, 1.0, 1.0, 1.0])
    assert unexplained(np.array([1.0, 1.0, 0.0, 0.0]), fall) == pytest.approx(0.5)
    assert unexplained(np.zeros(4), fall) == 1


def test_padding_belongs_to_no_stretch():
    model = toy_model(Linear(weights()), spec=replace(SPEC, pads=True))
    inputs = model_input(model, noise_record(duration_s=5.0), BEATS)
    cells = patches(inputs)
    assert (cells.owner[:, ~inputs.mask] == -1).all()
    assert len(cells) == 12 * 25


# deletion and insertion


def test_removing_what_the_network_reads_beats_orders_of_equal_size():
    model = toy_model(Linear(t_waves_of_v2()))
    record = Record(np.abs(RECORD.signal) + 0.1, RECORD.fs, LEADS, id="all up")
    question, explanation = answered(model, record=record)
    curves = checks.removal(question, explanation, baseline="zero")
    deletion, insertion, between = checks.removal_checks(curves)
    n_cells = 12 * (9 * 6 - 1)
    assert curves.deletion[0] == pytest.approx(1)
    assert curves.deletion[-1] == pytest.approx(0, abs=1e-5)
    assert curves.deletion[1] == pytest.approx(0, abs=1e-5)
    assert n_cells / 16 > 9
    assert deletion.value == pytest.approx(1 / 32, abs=0.002)
    assert insertion.value == pytest.approx(1 - 1 / 32, abs=0.002)
    for found in (deletion, insertion, between):
        assert found.excess > 3 * found.excess_sd
        assert found.excess > 0.2


def test_a_map_of_noise_does_not_beat_orders_of_equal_size():
    question = asked(toy_model(Linear(t_waves_of_v2())))
    excesses = []
    for seed in range(6):
        noise = drawn(question.model, question.inputs, BEATS, 0, seed=seed)
        excesses.append(checks.removal_checks(checks.removal(question, noise))[2].excess)
    assert abs(np.mean(excesses)) < 3 * np.std(excesses, ddof=1) / np.sqrt(6)


def test_least_relevant_first_is_insertion_backwards():
    question, explanation = answered(toy_model(Bent(weights(scale=0.05))))
    curves = checks.removal(question, explanation)
    backwards = checks.removal(question, map_of(-explanation.values, explanation))
    np.testing.assert_allclose(backwards.deletion, curves.insertion[::-1], atol=1e-5)


def test_support_is_up_where_the_record_speaks_against_the_label():
    record = Record(-np.abs(RECORD.signal) - 0.1, RECORD.fs, LEADS, id="all down")
    question, explanation = answered(toy_model(Linear(t_waves_of_v2())), record=record)
    curves = checks.removal(question, explanation, baseline="zero")
    assert curves.change < 0
    assert curves.deletion[0] == pytest.approx(-1)
    unsigned = map_of(np.abs(explanation.values), explanation, signed=False)
    assert checks.removal(question, unsigned, baseline="zero").deletion[1] == pytest.approx(0, abs=1e-5)


def test_matched_orders_remove_as_much_time_and_energy_at_every_step():
    rng = np.random.default_rng(0)
    seconds, energy = rng.uniform(0.05, 0.4, 600), rng.lognormal(size=600)
    order = np.argsort(-energy * rng.uniform(0.5, 2, 600))
    for _ in range(3):
        other = matched_order(order, seconds, energy, rng)
        assert sorted(other) == list(range(600))
        assert (other == order).mean() < 0.1
        for size in (seconds, energy):
            apart = np.cumsum(size[other]) - np.cumsum(size[order])
            assert np.abs(apart).max() < 0.05 * size.sum()


@pytest.mark.parametrize("n", [12, 65])
def test_matched_orders_of_few_cells_are_not_the_order_that_they_match(n):
    """Among all cells that are left the best match is the order's own next cell, and so on to the last."""
    rng = np.random.default_rng(0)
    seconds, energy = rng.uniform(0.05, 0.4, n), rng.lognormal(size=n)
    order = rng.permutation(n)
    others = [matched_order(order, seconds, energy, rng) for _ in range(20)]
    assert np.mean([(other == order).mean() for other in others]) < 0.5
    assert len({tuple(other.tolist()) for other in others}) == 20


@pytest.mark.parametrize(("axis", "kind"), [(0, "beat_wave"), (1, "lead")])
def test_a_map_is_removed_in_the_units_that_it_tells_apart(axis, kind):
    question, explanation = answered(toy_model(Linear(weights())))
    leads = () if axis == 0 else explanation.leads
    flat = map_of(explanation.values.sum(axis=axis, keepdims=True), explanation, leads=leads)
    assert checks.removal(question, flat).kind == kind


def test_without_beats_there_is_nothing_to_remove():
    question, explanation = answered(toy_model(Linear(weights())), beats=no_beats())
    with pytest.raises(ExplanationError, match="no QRS complex"):
        checks.removal(question, explanation)


def test_a_logit_that_hardly_moves_is_said_so():
    question, explanation = answered(toy_model(Linear(weights(scale=1e-5))))
    assert "little to take apart" in checks.removal_checks(checks.removal(question, explanation))[0].remark


# max-sensitivity


def test_noise_of_each_lead_is_recovered_where_the_signal_is_slow():
    rng = np.random.default_rng(0)
    planted = np.geomspace(0.005, 0.05, 12)
    slow = np.sin(2 * np.pi * 0.5 * np.arange(1000) / 100)
    record = Record(slow + planted[:, None] * rng.normal(size=(12, 1000)), 100.0, LEADS, id="noisy")
    inputs = model_input(toy_model(Linear(weights())), record, BEATS)
    for beats in (BEATS, no_beats()):
        np.testing.assert_allclose(0.25 * noise_sd(inputs, beats, 0.25), planted, rtol=0.25)


def test_noise_is_measured_where_no_tp_segment_has_three_samples():
    fast = replace(even_beats(9), p_on=even_beats(9).t_off + np.r_[np.diff(even_beats(9).r_s), 1.0] - 0.985)
    short = replace(BEATS, p_on=np.r_[BEATS.p_on[0], BEATS.t_off[:-1] + 0.02])
    rng = np.random.default_rng(0)
    record = Record(0.05 * rng.normal(size=(12, 1000)), 100.0, LEADS, id="noisy")
    inputs = model_input(toy_model(Linear(weights())), record, BEATS)
    for beats in (fast, short):
        assert np.isfinite(noise_sd(inputs, beats, 0.25)).all()
    np.testing.assert_allclose(0.25 * noise_sd(inputs, short, 0.25), 0.05, rtol=0.25)


def test_a_silent_lead_counts_as_one_microvolt():
    record = Record(np.zeros((12, 1000)), 100.0, LEADS, id="silent")
    inputs = model_input(toy_model(Linear(weights())), record, BEATS)
    np.testing.assert_allclose(noise_sd(inputs, BEATS, 0.25), 0.004)


def test_the_slope_of_a_linear_network_is_not_sensitive():
    found = checks.max_sensitivity(*answered(toy_model(Linear(weights())), "saliency"))
    assert found.value == 0
    assert found.beside["|x|"] > 0


def test_input_x_gradient_moves_as_much_as_the_input_does():
    question, explanation = answered(toy_model(Linear(np.ones((1, 12, 1000)))))
    radius = noise_sd(question.inputs, BEATS, 0.25)
    expected = np.sqrt((radius**2 / 3).sum() * 1000) / np.linalg.norm(question.inputs.x)
    assert checks.max_sensitivity(question, explanation).value == pytest.approx(expected, rel=0.03)


def test_an_empty_map_has_no_sensitivity():
    found = checks.max_sensitivity(*answered(toy_model(Linear(np.zeros((1, 12, 1000)))), "saliency"))
    assert np.isnan(found.value)
    assert found.remark == "the map is zero throughout"


# seeds and trainings


def test_a_method_that_draws_nothing_has_no_stability_over_seeds():
    found = checks.seed_stability(*answered(toy_model(Linear(weights()))))
    assert np.isnan(found.value)
    assert found.remark == "input_x_gradient draws nothing at random"


def test_maps_of_noise_are_not_stable_over_seeds():
    assert abs(checks.seed_stability(*answered(toy_model(Linear(weights())), "drawn")).value) < 0.03


def test_equal_trainings_agree_and_unequal_ones_do_not():
    same, other = (toy_model(Linear(weights(seed))) for seed in (7, 8))
    given = (RECORD, "MI", "input_x_gradient", BEATS)
    assert checks.training_stability([same] * 3, *given).value == pytest.approx(1)
    assert checks.training_stability([same, same, other], *given).value == pytest.approx(1 / 3, abs=0.15)
    assert "2 trainings" in checks.training_stability([same, other], *given).remark


def test_trainings_whose_maps_are_noise_of_one_sign_are_not_stable(monkeypatch):
    """Long waves hold more of any map; trainings do not agree for that."""

    def drawn_by_name(model, inputs, beats, label_index, *, seed):
        values = np.abs(np.random.default_rng(int(model.name)).normal(size=inputs.x.shape))
        return map_of(values, explanation_like(inputs, "MI"), method="drawn", signed=False)

    table = {"drawn": Method(drawn_by_name, "perturbation", "drawn", "a toy", "none")}
    monkeypatch.setattr("ecgviz.explain.methods.METHODS", table)
    models = [replace(small_model(), name=str(seed)) for seed in range(4)]
    assert abs(checks.training_stability(models, RECORD, "MI", "drawn", BEATS).value) < 0.1


def test_trainings_of_other_labels_are_refused():
    models = [toy_model(Linear(weights()), labels=(label,)) for label in ("MI", "MI", "CD")]
    with pytest.raises(ExplanationError, match="predicts CD"):
        checks.training_stability(models, RECORD, "MI", "saliency", BEATS)


# randomised weights


def test_a_map_that_ignores_the_weights_stays_whole():
    question, explanation = answered(small_model(), "amplitude")
    steps = checks.randomisation(question, explanation)
    assert steps.stages == ("output", "norm", "conv")
    np.testing.assert_allclose(steps.absolute, 1)
    np.testing.assert_allclose(steps.grid, 1)
    assert steps.amplitude == pytest.approx(1)
    assert checks.randomisation_check(steps).value == pytest.approx(1)


def test_a_map_of_noise_does_not_stay_for_the_lengths_of_waves(monkeypatch):
    """Noise of one sign, drawn by the weights: like no other as samples, nor as cells of the grid."""

    def drawn_by_weights(model, inputs, beats, label_index, *, seed):
        drawn_from = abs(int(1e6 * sum(float(each.sum()) for each in model.net.state_dict().values())))
        values = np.abs(np.random.default_rng(drawn_from).normal(size=inputs.x.shape))
        return map_of(values, explanation_like(inputs, "MI"), method="drawn", signed=False)

    table = {"drawn": Method(drawn_by_weights, "perturbation", "drawn", "a toy", "none")}
    monkeypatch.setattr("ecgviz.explain.methods.METHODS", table)
    steps = checks.randomisation(*answered(small_model(seed=1), "drawn"))
    assert np.abs(steps.grid).max() < 0.15
    assert np.abs(steps.absolute).max() < 0.15


def test_a_slope_does_not_survive_random_weights():
    model = small_model(seed=1)
    before = {key: value.clone() for key, value in model.net.state_dict().items()}
    steps = checks.randomisation(*answered(model, "saliency"))
    assert abs(steps.signed[-1]) < 0.3
    assert checks.randomisation_check(steps).value < 0.3
    for key, value in model.net.state_dict().items():
        assert torch.equal(value, before[key])


def test_every_weight_and_every_buffer_is_drawn_anew():
    model = small_model(seed=1)
    with torch.no_grad():
        model.net.norm.running_mean.fill_(3.0)
    question, explanation = answered(model, "saliency")
    fresh = replace(model, net=untrained_network(model, 0))
    assert (fresh.net.norm.running_mean < 3.0).all()
    steps = checks.randomisation(question, explanation)
    wanted = question.explain(model=fresh)
    assert steps.signed[-1] == pytest.approx(spearman(explanation.values, wanted.values))


def test_stages_follow_the_definition_and_own_weights_come_last():
    net = Small(1)
    net.blocks = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2))
    net.own = torch.nn.Parameter(torch.zeros(1))
    assert stages(net) == ("conv", "norm", "output", "blocks.0", "blocks.2", "")


def test_attention_of_every_token_is_compared_over_all_of_them():
    """The tokens of ecg_mamba are those of its beats and of its rhythm: none has a window of its own."""
    model = load_model("ecg_mamba")
    slopes = explain(model, RECORD, "MI", "input_x_gradient", BEATS)
    found = {each.name: each for each in checks.attention_agreement(attention(model, RECORD, BEATS), slopes)}
    assert np.isfinite(found["attention, beat"].value)


def test_padding_makes_no_two_maps_alike():
    """Every map is 0 there; of 4 s in a window of 10 s that would be most of what is compared."""
    model = replace(small_model(), spec=replace(SPEC, pads=True))
    question, explanation = answered(model, "saliency", record=noise_record(duration_s=4.0))
    assert question.recorded(explanation).shape == (12, 400)
    assert checks.sparseness(question, explanation).value == pytest.approx(gini(explanation.values[:, :400]))
    whole = answered(model, "saliency")
    short = checks.randomisation(question, explanation).absolute[-1]
    assert abs(short - checks.randomisation(*whole).absolute[-1]) < 0.3


def test_a_check_that_fails_costs_no_other_its_result(monkeypatch):
    def refused(*_, **__):
        raise ExplanationError("not of this network")

    for name in ("infidelity", "random_logit", "max_sensitivity", "seed_stability", "training_stability"):
        monkeypatch.setattr(battery, name, refused)
    model = small_model()
    found = battery.check(model, RECORD, "MI", "saliency", BEATS, slow=True, trainings=(model, model))
    for name in ("infidelity", "other labels", "max sensitivity", "stability over seeds", "stability over trainings"):
        assert np.isnan(found[name].value)
        assert found[name].remark == "not of this network"
    assert np.isfinite(found["sparseness"].value)


def test_an_exported_program_cannot_be_randomised():
    question, explanation = answered(replace(small_model(), net_name="exported"), "amplitude")
    with pytest.raises(ExplanationError, match="exported program"):
        checks.randomisation(question, explanation)


# other labels


def test_labels_that_share_their_weights_share_their_map():
    w = np.concatenate([weights(), -2 * weights()])
    found = checks.random_logit(*answered(toy_model(Linear(w, [0, 0]), labels=("MI", "NORM"))))
    assert found.value == pytest.approx(1)
    assert "with signs -1.00" in found.remark


def test_labels_of_independent_weights_do_not():
    w = np.concatenate([weights(7), weights(8)])
    found = checks.random_logit(*answered(toy_model(Linear(w, [0, 0]), labels=("MI", "NORM")), "saliency"))
    assert abs(found.value) < 0.05


def test_one_label_alone_has_no_other():
    found = checks.random_logit(*answered(toy_model(Linear(weights()))))
    assert np.isnan(found.value)


def test_attention_is_the_same_for_every_label_by_construction():
    model = toy_model(Pooled(), labels=("MI", "NORM"))
    found = checks.random_logit(*answered(model, "attention_joint"))
    assert found.value == 1
    assert "by construction" in found.remark


# sparseness, beats


def test_gini_runs_from_even_to_one_sample():
    assert gini(np.ones(10)) == pytest.approx(0)
    assert gini(np.eye(1, 10)) == pytest.approx(0.9)
    assert gini(-np.eye(1, 10)) == pytest.approx(0.9)
    assert np.isnan(gini(np.zeros(4)))


def test_sparseness_describes_beside_the_signal():
    question, explanation = answered(toy_model(Linear(weights())), "amplitude")
    found = checks.sparseness(question, explanation)
    assert found.higher_is_better is None
    assert found.value == found.beside["|x|"]
    assert set(found.beside) == {"|x|", "|dx/dt|"}


def test_amplitude_repeats_from_beat_to_beat_and_has_no_excess():
    found = checks.beat_consistency(*answered(toy_model(Linear(weights())), "amplitude"))
    assert found.excess == 0


def test_a_map_that_repeats_while_the_signal_does_not_has_all_of_the_excess():
    question, explanation = answered(toy_model(Linear(t_waves_of_v2())), "saliency")
    found = checks.beat_consistency(question, explanation)
    assert found.value > 0.9
    assert abs(found.beside["|x|"]) < 0.1
    assert found.excess == found.value - found.beside["|x|"]


def test_two_beats_are_too_few_to_be_consistent():
    found = checks.beat_consistency(*answered(toy_model(Linear(weights())), beats=even_beats(2)))
    assert np.isnan(found.value)
    assert "2 whole beats" in found.remark


def test_a_channel_map_has_no_beats():
    found = checks.beat_consistency(*answered(toy_model(Pooled(), labels=("MI", "NORM")), "attention_channel"))
    assert found.remark == "attention_channel has no time axis"


# attention and attribution


def pooled_answers():
    model = toy_model(Pooled(), labels=("MI", "NORM"))
    return attention(model, RECORD, BEATS), explain(model, RECORD, "MI", "decomposition", BEATS)


def test_attribution_that_follows_the_attention_agrees_at_every_level():
    maps, like = pooled_answers()
    joint = explain(toy_model(Pooled(), labels=("MI", "NORM")), RECORD, "MI", "attention_joint", BEATS)
    found = checks.attention_agreement(maps, map_of(joint.values, like), map_of(3 * joint.values, like))
    assert [each.name for each in found] == [f"attention, {n}" for n in ("beat", "rhythm", "channel", "joint")]
    for each in found[:3]:
        assert each.value == pytest.approx(1)
    assert found[3].value > 0.99
    for each in found:
        assert next(iter(each.beside.values())) == pytest.approx(1, abs=1e-4)


def test_pooling_sums_and_conserves():
    maps, explanation = pooled_answers()
    for tap in maps:
        pooled = checks.agreement.pool(explanation, tap)
        assert pooled.shape == tap.values.shape
        assert pooled.sum() == pytest.approx(np.abs(explanation.values).sum())


def test_without_a_second_attribution_there_is_no_ceiling():
    maps, explanation = pooled_answers()
    found = checks.attention_agreement(maps, explanation)
    assert all(not each.beside and np.isnan(each.excess) for each in found)


def test_an_attribution_without_leads_cannot_answer_for_them():
    maps, explanation = pooled_answers()
    flat = map_of(explanation.values.sum(axis=0, keepdims=True), explanation, leads=())
    assert all("lacks an axis" in each.remark for each in checks.attention_agreement(maps, flat))


# agreement between methods


def test_a_map_agrees_with_itself_and_its_opposite_turns_round():
    _, explanation = answered(toy_model(Linear(weights())))
    opposite = map_of(-explanation.values, explanation, method="opposite")
    found = checks.agreement_matrix([explanation, explanation, opposite], BEATS)
    assert found.methods == ("input_x_gradient", "input_x_gradient", "opposite")
    np.testing.assert_allclose(np.diag(found.spearman), 1)
    np.testing.assert_allclose(found.pearson, [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])
    np.testing.assert_allclose(found.spearman, found.spearman.T)


def test_maps_are_compared_on_the_axes_that_both_have():
    _, explanation = answered(toy_model(Linear(weights())))
    by_time = map_of(explanation.values.sum(axis=0, keepdims=True), explanation, leads=())
    by_lead = map_of(np.abs(explanation.values).sum(axis=1, keepdims=True), explanation)
    found = checks.agreement_matrix([explanation, by_time, by_lead], BEATS)
    assert np.isfinite(found.pearson[0]).all()
    assert np.isnan(found.pearson[1, 2])
    assert np.isnan(found.spearman[1, 2])
    dense, without_leads = (dense_cells(each) for each in (explanation, by_time))
    np.testing.assert_allclose(found.pearson[0, 1], pearson(dense, without_leads), rtol=1e-5)


def dense_cells(explanation):
    """Return supporting less opposing mass per second of the cells that this record has, all leads together."""
    grid = evidence(explanation, BEATS)
    there = grid.area > 0
    return (grid.pos - grid.neg).sum(axis=0)[there] / grid.area[there]


NOISE = {
    "signed": lambda rng: rng.normal(size=(12, 1000)),
    "of one sign": lambda rng: np.abs(rng.normal(size=(12, 1000))),
}


@pytest.mark.parametrize("kind", NOISE)
@pytest.mark.parametrize("finding", ["normal", "af"])  # the latter has no P waves
def test_maps_of_noise_agree_in_nothing_themselves_in_all_and_opposites_are_opposite(kind, finding):
    """Waves are of very different lengths: by mass, two such maps would be 0.9 alike."""
    made = simulate(finding, seed=2, fs=100.0, duration_s=10.0)
    like = explanation_like(model_input(small_model(), made.record), "MI")
    ranks, sizes, cells = [], [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        one, other = (map_of(NOISE[kind](rng), like) for _ in range(2))
        found = checks.agreement_matrix([one, one, other, map_of(-one.values, like)], made.truth.beats)
        assert found.spearman[0, 1] == pytest.approx(1)
        assert found.pearson[0, [1, 3]] == pytest.approx([1, -1])
        ranks.append(found.spearman[0, 2])
        sizes.append(found.pearson[0, 2])
        grids = [signed_cells(evidence(each, made.truth.beats)) for each in (one, other)]
        cells.append(spearman(*densities(*grids)))
    assert np.abs([np.mean(ranks), np.mean(sizes), np.mean(cells)]).max() < 0.1
    assert np.abs([*ranks, *sizes, *cells]).max() < 0.35


def test_an_even_map_agrees_with_nothing():
    like = explanation_like(model_input(small_model(), RECORD), "MI")
    noise = map_of(np.random.default_rng(0).normal(size=(12, 1000)), like)
    found = checks.agreement_matrix([noise, map_of(np.full((12, 1000), 0.37), like)], BEATS)
    assert np.isnan([found.spearman[0, 1], found.pearson[0, 1]]).all()


def test_waves_that_one_of_two_maps_does_not_see_are_left_out_of_both():
    """A map of half of the record: zeros in the other half would be alike wherever the other has little."""
    like = explanation_like(model_input(small_model(), RECORD), "MI")
    whole, rng = map_of(np.random.default_rng(0).normal(size=(12, 1000)), like), np.random.default_rng(1)
    half = map_of(whole.values[:, :500], like)
    found = checks.agreement_matrix([whole, half, map_of(rng.normal(size=(12, 500)), like)], BEATS)
    assert found.pearson[0, 1] > 0.99  # but for the wave that the end of the window cuts
    assert abs(found.pearson[0, 2]) < 0.15


# all of them


def test_all_checks_of_one_explanation():
    model = small_model()
    found = checks.check(model, RECORD, "MI", "integrated_gradients", BEATS, seed=3)
    again = checks.check(model, RECORD, "MI", "integrated_gradients", BEATS, seed=3)
    names = [each.name for each in found.results]
    assert names[:6] == ["completeness", "deletion", "insertion", "area between", "infidelity", "other labels"]
    assert found.left_out == checks.SLOW
    assert MATCHED in found["deletion"].beside
    assert [each.value for each in found.results] == [each.value for each in again.results]
    for each in found.results:
        assert each.family in checks.FAMILIES
        assert np.isfinite(each.value) or each.remark
    with pytest.raises(KeyError):
        found["plausibility"]


def test_slow_checks_run_when_asked_for():
    found = checks.check(small_model(), RECORD, "MI", "saliency", BEATS, slow=True, trainings=[small_model(1)])
    assert found.left_out == ()
    assert {*checks.SLOW, "stability over trainings"} <= {each.name for each in found.results}
    assert found.randomisation.stages == ("output", "norm", "conv")


def test_a_record_without_beats_is_checked_as_far_as_it_goes():
    found = checks.check(small_model(), RECORD, "MI", "integrated_gradients", no_beats())
    assert np.isnan(found["deletion"].value)
    assert "no QRS complex" in found["deletion"].remark
    assert found["area between"].higher_is_better is True
    assert found.removal is None
    assert np.isfinite(found["infidelity"].value)


def test_attention_is_held_against_attribution_at_its_own_level():
    model = toy_model(build("imle_net", 2, seed=0, config={"width": 0.125}), labels=("MI", "NORM"), net_name="imle_net")
    found = checks.check(model, RECORD, "MI", "attention_rhythm", BEATS)
    held = [each for each in found.results if each.name.startswith("attention, ")]
    assert [each.name for each in held] == ["attention, rhythm"]
    assert list(held[0].beside) == ["ceiling, integrated_gradients with input_x_gradient"]


# the command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Write a small network of random weights as a model folder; beats are given, not found."""
    monkeypatch.setattr("ecgviz.cli.checks.marked", lambda clean, marks: BEATS)
    save_model(
        tmp_path / "small",
        build("toy_small", 2, seed=1, config={}),
        net_name="toy_small",
        config={},
        name="small",
        version="1",
        spec=SPEC,
        labels=("MI", "NORM"),
        thresholds=(0.5, 0.5),
        metrics={},
        training={},
        card="# small\n",
    )
    return tmp_path / "small"


def test_the_command_checks_methods_side_by_side(folder, capsys):
    command = ["check", "demo:lbbb", "--model", str(folder), "--label", "MI"]
    command += ["--method", "saliency", "--method", "input_x_gradient"]
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert list(told["methods"]) == told["agreement"]["methods"] == ["saliency", "input_x_gradient"]
    assert told["methods"]["saliency"]["checks"]["infidelity"]["value"] is None
    assert told["methods"]["input_x_gradient"]["checks"]["infidelity"]["value"] > 0
    assert told["agreement"]["pearson"][0][0] == pytest.approx(1)
    assert told["left_out"] == list(checks.SLOW)
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "Agreement of methods" in shown
    assert "not how many logits each sample contributes" in shown


def test_the_command_refuses_a_method_that_is_not_valid_here(folder, capsys):
    assert main(["check", "demo:lbbb", "--model", str(folder), "--method", "attention_beat"]) == 2
    assert "exposes no beat attention" in capsys.readouterr().err
