"""Networks that read other leads, or the same in another order, are compared lead by lead, by name."""

import copy
import json
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from on_page import figures
from streamlit.testing.v1 import AppTest
from test_pages import pick_demo, texts, unescaped, visit
from torch import nn
from toys import LEADS, SPEC, Linear, Small, even_beats, noise_record, toy_model

from ecgviz.checkpoint import Model
from ecgviz.checkpoint.convert import import_program
from ecgviz.evidence import evidence
from ecgviz.explain import explain
from ecgviz.explain.checks import agreement_matrix, training_stability
from ecgviz.explain.checks.similarity import leads_compared, pearson, spearman
from ecgviz.registry import OWN_MODELS
from ecgviz.types import WAVES, Explanation, InputSpec

RECORD, BEATS = noise_record(), even_beats(9)
EIGHT = ("V6", "V5", "V4", "V3", "V2", "V1", "II", "I")


def reordered(model: Model, seed: int) -> Model:
    """Return the same network for its leads in another order: only the channels of its first convolution change."""
    order, net = np.random.default_rng(seed).permutation(len(LEADS)), copy.deepcopy(model.net)
    with torch.no_grad():
        net.conv.weight.copy_(net.conv.weight[:, order])
    return replace(model, net=net, spec=replace(model.spec, leads=tuple(LEADS[k] for k in order)))


def of_leads(leads: Sequence[str], seed: int, labels: tuple[str, ...] = ("MI",)) -> Model:
    """Return a linear network of weights of its own that reads these leads."""
    weight = np.random.default_rng(seed).normal(size=(len(labels), len(leads), 1000))
    return toy_model(Linear(weight, np.zeros(len(labels))), labels=labels, spec=replace(SPEC, leads=tuple(leads)))


def answer(model: Model) -> Explanation:
    return explain(model, RECORD, "MI", "input_x_gradient", BEATS)


def only(explanation: Explanation, leads: Sequence[str]) -> Explanation:
    rows = [explanation.leads.index(lead) for lead in leads]
    return replace(explanation, values=explanation.values[rows], leads=tuple(leads))


@pytest.fixture(scope="module")
def same() -> tuple[Model, ...]:
    torch.manual_seed(0)
    model = toy_model(Small(2), labels=("MI", "NORM"))
    return (model, reordered(model, 1), reordered(model, 2))


def test_networks_that_differ_in_the_order_of_their_leads_agree_in_all(same: tuple[Model, ...]) -> None:
    assert len({model.spec.leads for model in same}) == 3
    found = agreement_matrix([answer(model) for model in same], BEATS)
    np.testing.assert_allclose(found.spearman, 1, atol=1e-4)
    np.testing.assert_allclose(found.pearson, 1, atol=1e-4)


def test_trainings_that_differ_in_the_order_of_their_leads_are_stable(same: tuple[Model, ...]) -> None:
    found = training_stability(same, RECORD, "MI", "input_x_gradient", BEATS)
    assert found.value == pytest.approx(1, abs=1e-4)
    assert found.remark == ""


def test_a_network_of_eight_leads_is_compared_with_one_of_twelve_over_the_eight() -> None:
    twelve, eight = answer(of_leads(LEADS, 1)), answer(of_leads(EIGHT, 2))
    found, wanted = (agreement_matrix(pair, BEATS) for pair in ([twelve, eight], [only(twelve, EIGHT), eight]))
    np.testing.assert_allclose(found.spearman, wanted.spearman)
    np.testing.assert_allclose(found.pearson, wanted.pearson)
    assert np.isfinite(found.spearman).all()
    alike = agreement_matrix([twelve, only(twelve, EIGHT)], BEATS)
    np.testing.assert_allclose([alike.spearman, alike.pearson], 1)


def test_a_network_of_one_lead_is_compared_with_one_of_twelve_in_that_lead() -> None:
    """It has a lead axis, of length 1: the sum over the twelve leads of the other answers for no lead."""
    twelve, one = answer(of_leads(LEADS, 1)), answer(of_leads(("V5",), 2))
    found = agreement_matrix([twelve, one], BEATS)
    grids, row = [evidence(each, BEATS) for each in (twelve, one)], LEADS.index("V5")
    there = grids[0].area > 0
    densities = [(g.pos - g.neg)[r][there] / g.area[there] for g, r in zip(grids, (row, 0), strict=True)]
    assert found.pearson[0, 1] == pytest.approx(pearson(*densities), abs=1e-5)
    waves = [g.pos[r].sum(axis=0) / g.area.sum(axis=0) for g, r in zip(grids, (row, 0), strict=True)]
    parts = [(0,), (1,), (2, 3, 4), (5,), (6, 7), (8,)]  # atoms of P, PR, QRS, ST, T and TP
    seconds = grids[0].area.sum(axis=0)
    by_wave = [np.array([np.average(w[[*p]], weights=seconds[[*p]]) for p in parts]) for w in waves]
    assert len(parts) == len(WAVES)
    assert found.spearman[0, 1] == pytest.approx(spearman(*by_wave))


def test_networks_of_one_lead_each_that_is_another_cannot_be_compared() -> None:
    found = agreement_matrix([answer(of_leads(("V5",), 1)), answer(of_leads(("II",), 2))], BEATS)
    assert np.isnan([found.spearman[0, 1], found.pearson[0, 1]]).all()
    assert np.isfinite(np.diag(found.pearson)).all()


def test_a_map_without_leads_is_compared_with_the_sum_over_all_leads_whatever_their_number() -> None:
    twelve, one = answer(of_leads(LEADS, 1)), answer(of_leads(("V5",), 2))
    for each in (twelve, one):
        flat = replace(each, values=each.values.sum(axis=0, keepdims=True), leads=())
        assert agreement_matrix([each, flat], BEATS).pearson[0, 1] == pytest.approx(1)


def test_trainings_of_other_leads_are_compared_over_those_they_share_and_say_so() -> None:
    models = [replace(of_leads(LEADS, 1), name="a"), replace(of_leads(LEADS, 1), name="b"), of_leads(EIGHT, 2)]
    found = training_stability(models, RECORD, "MI", "input_x_gradient", BEATS)
    assert found.value == pytest.approx(1 / 3, abs=0.1)  # one pair of three is the same network twice
    assert found.remark == "Only leads that both networks read are compared (a with toy: 8 leads; b with toy: 8 leads)."


def test_over_how_many_leads_two_maps_are_compared_is_said_where_they_are_not_the_same() -> None:
    told = leads_compared(["a", "b", "c", "d"], [("I", "II", "V1"), ("II", "I"), ("V1",), ()])
    assert told.endswith("(a with b: 2 leads; a with c: 1 lead; b with c: no lead).")
    assert leads_compared(["a", "b"], [("I", "II"), ("II", "I")]) == ""
    assert leads_compared(["a", "b"], [("I", "II"), ()]) == ""


class Eight(nn.Module):
    """A convolution over eight leads, averaged in time."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.output = nn.Conv1d(8, 4, 15, stride=4), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(torch.relu(self.conv(x)).mean(dim=2))


def imported(folder: Path, name: str, net: nn.Module, spec: InputSpec) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given = torch.zeros(2, len(spec.leads), 1000)
        batch = {"x": {0: torch.export.Dim("batch")}}
        program = torch.export.export(net.eval(), (given,), dynamic_shapes=batch)
        torch.export.save(program, folder / f"{name}.pt2")
    import_program(folder / f"{name}.pt2", folder / name, labels=("MI", "NORM"), spec=spec)
    return folder / name


class Twelve(Eight):
    """The same over twelve."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(12, 4, 15, stride=4)


def test_the_page_shows_networks_of_other_leads_beside_one_another_and_says_over_how_many_they_agree(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    nets = {"eight": (Eight(), replace(SPEC, leads=EIGHT)), "twelve": (Twelve(), SPEC)}
    monkeypatch.setenv(OWN_MODELS, ":".join(str(imported(tmp_path, name, *of)) for name, of in nets.items()))
    visit(pick_demo(app, "normal"), "attributions")
    app.selectbox(key="model").set_value("twelve").run()
    app.selectbox(key="method").set_value("feature_ablation").run()
    app.segmented_control(key="by").set_value("Networks").run()
    app.multiselect(key="networks twelve").set_value(["twelve", "eight"]).run()
    assert not app.exception
    assert not app.error
    (drawn,) = [each for each in figures(app) if "Rank correlation" in json.dumps(each["layout"])]
    (cells,) = [each["text"] for each in drawn["data"] if each["type"] == "heatmap"]
    assert cells[0][0] == "+1.00"
    assert -1 <= float(cells[0][1]) <= 1
    said = unescaped(texts(app))
    assert "Only leads that both networks read are compared (twelve with eight: 8 leads)." in said
