"""Untrained twins: they owe nothing to the training, and they still react to a recording."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ecgviz.beats import delineate
from ecgviz.checkpoint import Model, available_models, load_model, model_input, predict_batch
from ecgviz.explain import explain
from ecgviz.explain.untrained import NORMALISATIONS, untrained_network
from ecgviz.nets import build
from ecgviz.records import load_record
from ecgviz.signal import condition

RECORD = load_record("demo:lbbb")
BEATS = delineate(condition(RECORD))


@pytest.fixture(scope="module", params=available_models())
def model(request: pytest.FixtureRequest) -> Model:
    return load_model(request.param)


def drawn(net: nn.Module, like: nn.Module) -> np.ndarray:
    """Return the weights of convolutions and linear layers that ``like`` has not left where they began."""
    names = [name for name, each in like.named_parameters() if each.ndim > 1]
    weights = dict(net.named_parameters())
    return torch.cat([weights[name].detach().flatten() for name in names]).numpy()


def test_the_weights_are_not_those_with_which_the_training_began(model: Model) -> None:
    """A seed alone may be the training's: the shipped networks began with seed 0."""
    begin = build(model.net_name, len(model.labels), seed=model.training["plan"]["seed"], config=model.config)
    for seed in range(3):
        twin = untrained_network(model, seed)
        assert not torch.equal(next(twin.parameters()), next(begin.parameters()))
        if model.net_name != "ecg_mamba":  # whose state matrix begins alike with every seed
            assert abs(np.corrcoef(drawn(twin, twin), drawn(begin, twin))[0, 1]) < 0.05


def test_a_twin_reacts_to_a_recording(model: Model) -> None:
    """Fresh normalisations that normalise nothing let the signal die in a network of many layers."""
    twin = replace(model, net=untrained_network(model, 0))
    inputs = model_input(model, RECORD, BEATS)
    with_record, without = predict_batch(twin, [inputs, replace(inputs, x=np.zeros_like(inputs.x))])
    assert np.abs(with_record - without).max() > 0.1
    assert explain(twin, RECORD, "CD", "feature_ablation", BEATS, cells="wave").values.any()


def test_attention_of_a_twin_is_not_even() -> None:
    model = load_model("efficient_ecg")
    rhythm = [
        explain(replace(model, net=untrained_network(model, seed)), RECORD, "CD", "attention_rhythm", BEATS).values
        for seed in range(2)
    ]
    assert len(np.unique(rhythm[0])) > 10
    assert abs(np.corrcoef(rhythm[0].ravel(), rhythm[1].ravel())[0, 1]) < 0.9


def test_equal_seeds_give_equal_twins_in_eval_mode(model: Model) -> None:
    before = torch.random.get_rng_state()
    one, other = untrained_network(model, 7), untrained_network(replace(model, name="another"), 7)
    assert torch.equal(before, torch.random.get_rng_state())
    assert not any(part.training for part in one.modules())
    assert not any(each.requires_grad for each in one.parameters())
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name
    retold = untrained_network(replace(model, digest="0" * 64), 7)  # the same weights, and another threshold or score
    assert torch.equal(next(one.parameters()), next(retold.parameters()))
    fresh = untrained_network(replace(model, weights_sha256="0" * 64), 7)
    assert not torch.equal(next(one.parameters()), next(fresh.parameters()))


def test_every_normalisation_was_measured(model: Model) -> None:
    for part in untrained_network(model, 0).modules():
        if isinstance(part, NORMALISATIONS):
            assert part.momentum is not None
            assert not torch.equal(part.running_var, torch.ones_like(part.running_var))
