"""Many records explained together get what each gets alone, whoever is beside them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from ecgviz.checkpoint import Model, load_model, model_input, predict, predict_many
from ecgviz.cohort.together import all_or_each
from ecgviz.errors import ExplanationError
from ecgviz.explain import METHODS, controls_of_many, explain, explain_controls, explain_many
from ecgviz.simulate import simulate
from ecgviz.types import Explanation

FINDINGS = ("normal", "lbbb", "af", "inferior_stemi", "pvc")
MADE = [simulate(finding, seed=seed, fs=100.0, duration_s=10.0) for seed, finding in enumerate(FINDINGS)]
RECORDS, BEATS = [each.record for each in MADE], [each.truth.beats for each in MADE]
NETWORKS = ("resnet1d", "efficient_ecg", "imle_net_beats")
TOGETHER = [name for name, method in METHODS.items() if method.together is not None]
OTHERS = ("attention_rhythm", "decomposition")


KINK = 1e-2
"""Share of a map's largest value by which it may differ where rounding puts one ReLU on the other side of zero."""


def same(found: Explanation, expected: Explanation, tolerance: float = 1e-5) -> None:
    largest = np.abs(expected.values).max()
    np.testing.assert_allclose(found.values, expected.values, rtol=0, atol=tolerance * largest)
    assert (found.method, found.label, found.leads) == (expected.method, expected.label, expected.leads)
    assert found.completeness_error == pytest.approx(expected.completeness_error, abs=1e-4, nan_ok=True)
    assert found.params.keys() == expected.params.keys()
    assert found.params.get("n_steps") == expected.params.get("n_steps")


@pytest.fixture(scope="module", params=NETWORKS)
def model(request: pytest.FixtureRequest) -> Model:
    return load_model(request.param)


def test_gradient_methods_answer_together() -> None:
    assert {"saliency", "input_x_gradient", "integrated_gradients"} <= set(TOGETHER)


def test_predictions_together_are_those_of_each(model: Model) -> None:
    inputs = [model_input(model, *each) for each in zip(RECORDS, BEATS, strict=True)]
    for found, record, beats in zip(predict_many(model, inputs), RECORDS, BEATS, strict=True):
        np.testing.assert_allclose(found.logits, predict(model, record, beats).logits, rtol=1e-5, atol=1e-5)
    assert predict_many(model, []) == []


@pytest.mark.parametrize("method", TOGETHER)
def test_maps_together_are_those_of_each(model: Model, method: str) -> None:
    n = 2 if method == "integrated_gradients" else len(RECORDS)
    records, beats = RECORDS[:n], BEATS[:n]
    inputs = [model_input(model, *each) for each in zip(records, beats, strict=True)]
    together = explain_many(model, inputs, "MI", method, beats)
    for found, record, its_beats in zip(together, records, beats, strict=True):
        same(found, explain(model, record, "MI", method, its_beats))
    assert explain_many(model, [], "MI", method, []) == []


@pytest.mark.parametrize("method", OTHERS)
def test_other_methods_take_many_one_after_another(method: str) -> None:
    model = load_model("imle_net")
    inputs = [model_input(model, record) for record in RECORDS[:2]]
    for n, found in enumerate(explain_many(model, inputs, "MI", method, BEATS[:2])):
        expected = explain(model, RECORDS[n], "MI", method, BEATS[n])
        np.testing.assert_array_equal(found.values, expected.values)


def test_each_record_keeps_its_own_random_networks() -> None:
    model = load_model("efficient_ecg")  # it has no kinks at which a batch's last digits choose a side
    seeds = [(0,), (1,), (1, 0)]
    inputs = [model_input(model, record) for record in RECORDS[:3]]
    found = controls_of_many(model, inputs, "MI", "saliency", BEATS[:3], seeds=seeds)
    for n, its_seeds in enumerate(seeds):
        expected = explain_controls(model, RECORDS[n], "MI", "saliency", BEATS[n], seeds=its_seeds)
        assert found[n].keys() == expected.keys()
        for name, maps in expected.items():
            assert len(found[n][name]) == len(maps)
            for one, other in zip(found[n][name], maps, strict=True):
                same(one, other, 1e-4)
    with pytest.raises(ExplanationError, match="at least one seed"):
        controls_of_many(model, inputs, "MI", "saliency", BEATS[:3], seeds=[(0,), (), (1,)])


def test_a_record_that_cannot_be_explained_costs_no_other_its_map() -> None:
    model = load_model("resnet1d")
    inputs = [model_input(model, record) for record in RECORDS[:3]]
    inputs[1] = replace(inputs[1], x=np.full_like(inputs[1].x, np.nan))

    def work(some: Sequence[int]) -> list[Explanation]:
        return explain_many(model, [inputs[n] for n in some], "MI", "input_x_gradient", [BEATS[n] for n in some])

    with pytest.raises(ExplanationError, match="is not finite"):
        work([0, 1, 2])
    found = all_or_each(work, [0, 1, 2])
    assert found[1][0] is None
    assert found[1][1].startswith("input_x_gradient of resnet1d is not finite")
    for n in (0, 2):
        same(found[n][0], explain(model, RECORDS[n], "MI", "input_x_gradient", BEATS[n]))
