"""What ships is what its card says: every model folder loads, knows its findings, and shows what it claims to."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.checkpoint import Model, available_models, load_model, model_input, predict_batch
from ecgviz.errors import ExplanationError, ModelError
from ecgviz.evidence import evidence
from ecgviz.explain import METHODS, applicable, attention, explain
from ecgviz.nets import NETS
from ecgviz.pipeline import analyse
from ecgviz.records import load_record
from ecgviz.records.ptbxl import read_table
from ecgviz.registry import shipped
from ecgviz.signal import condition
from ecgviz.simulate import FINDINGS, Simulation, simulate
from ecgviz.training.data import Examples
from ecgviz.training.labels import LABELS, stated
from ecgviz.training.scores import reached, scored, thresholds
from ecgviz.types import AttentionMap, Beats, Record
from ecgviz.types.arrays import FloatArray

AFTER_ABSTRACT = "Our design after the abstract; the paper's scores do not apply."
SEEDS = range(900_001, 900_006)
STATED = {
    "normal": ("NORM",),
    "lbbb": ("CD", "CLBBB"),
    "rbbb": ("CD", "CRBBB"),
    "inferior_stemi": ("MI", "IMI"),
    "lvh": ("HYP", "LVH"),
    "t_inversion": ("STTC", "ISC_"),
    "af": ("AFIB",),
    "pvc": ("PVC",),
}
"""What a reader would say of a planted finding, at the least."""


@pytest.fixture(scope="module", params=available_models())
def model(request: pytest.FixtureRequest) -> Model:
    return load_model(request.param)


@pytest.fixture(scope="module")
def record() -> Record:
    return load_record("demo:lbbb")


@pytest.fixture(scope="module")
def beats(record: Record) -> Beats:
    return delineate(condition(record))


@pytest.fixture(scope="module")
def planted() -> Mapping[str, list[Simulation]]:
    """Return patients whom no training drew, each finding clearly past its limits, at an inconspicuous rate."""

    def made(finding: str, seed: int) -> Simulation:
        severity = min(1.3, FINDINGS[finding].severity_range[1])
        return simulate(finding, seed=seed, fs=500.0, duration_s=10.0, severity=severity, heart_rate_bpm=75.0)

    return {finding: [made(finding, seed) for seed in SEEDS] for finding in STATED}


CHEAP: dict[str, dict[str, object]] = {
    "feature_ablation": {"cells": "wave"},
    "occlusion": {"window_s": 2.0, "stride_s": 2.0},
    **{key: {"cells": "wave", "n_coalitions": 64} for key in ("shapley", "kernel_shap", "lime")},
    "gradient_shap": {"n_samples": 16},
    "smooth_grad": {"n_samples": 2},
}
"""What a slow network is asked less of: all 64 sets of six waves, each of eight baselines twice, two noisy copies."""


def valid(model: Model, method: str) -> bool:
    if method == "attention_x_gradient":
        return bool(model.net.levels)
    if method == "attention_rollout":
        return hasattr(model.net, "mixing")
    if method.startswith("attention_"):
        return method.removeprefix("attention_") in model.net.levels
    if method == "grad_cam":
        return model.net_name not in ("ecg_mamba", "res_lstm")
    if method in ("deep_lift", "guided_backprop"):
        return model.net_name == "resnet1d"
    return method != "decomposition" or hasattr(model.net, "decompose")


def test_the_methods_on_offer_are_those_that_fit(model: Model) -> None:
    assert [name for name in METHODS if valid(model, name)] == list(applicable(model))


def test_every_architecture_ships_trained() -> None:
    assert sorted(load_model(name).net_name for name in available_models()) == sorted(NETS)


def test_a_folder_stays_below_six_megabytes(model: Model) -> None:
    files = [path for path in (Path(shipped("models")) / model.name).iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6e6


def test_every_model_predicts_the_same_labels_from_thresholds_that_can_be_reached(model: Model) -> None:
    assert model.labels == LABELS
    assert len(set(LABELS)) == 18
    assert all(0 < threshold < 1 for threshold in model.thresholds)


def test_networks_made_after_an_abstract_say_so_first(model: Model) -> None:
    origin = model.card.split("\n\n")[2]
    assert origin.startswith(AFTER_ABSTRACT) == (model.net_name in ("ecg_mamba", "res_lstm", "efficient_ecg"))


def rows_of(card: str) -> Mapping[str, list[tuple[str, ...]]]:
    """Return the rows of each table of scores in a card by its title."""
    tables: dict[str, list[tuple[str, ...]]] = {}
    title = ""
    for line in card.splitlines():
        if line.startswith("**"):
            title = line.split("**")[1]
        elif line.startswith("AUC of the unseen simulated"):
            title = "by margin"
        elif line.startswith("| ") and not line.startswith(("| ---", "| label", "| statement")):
            tables.setdefault(title, []).append(tuple(re.findall(r"[\w.]+", line)))
    return tables


def measured(metrics: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield title and row of each score of model.json as a card prints it."""
    for on in ("out of fold", "unseen simulated"):
        for group, scores in metrics[on].items():
            for label, score in {"macro": scores["macro_auc"], **scores["auc"]}.items():
                numbers = [f"{score[key]:.3f}" for key in ("value", "low", "high")]
                positives = [str(score["positives"])] if label != "macro" else []
                yield f"{on}, {group}", (label, *numbers[:2], "to", numbers[2], *positives)
    for label, cells in metrics["by margin"].items():
        row = [label]
        for cell in cells.values():
            row += ["none"] if cell["auc"] is None else [f"{cell['auc']:.3f}", str(cell["positives"])]
        yield "by margin", tuple(row)


def test_a_card_prints_the_scores_that_were_measured(model: Model) -> None:
    expected: dict[str, list[tuple[str, ...]]] = {}
    for title, row in measured(model.metrics):
        expected.setdefault(title, []).append(row)
    assert rows_of(model.card) == expected
    assert f"{model.n_parameters:,} parameters" in model.card
    for on in ("out of fold", "unseen simulated"):
        for group, scores in model.metrics[on].items():
            assert f"**{on}, {group}**, {scores['n']} records of {scores['n_patients']} patients" in model.card
    pairs = model.metrics["both rates"]
    assert f"{pairs['median']:.2f} (median), {pairs['p95']:.2f} (95th percentile)" in model.card
    assert f"{model.training['n_real']} real records" in model.card


@pytest.mark.data
def test_scores_and_thresholds_are_those_of_the_answers_out_of_fold(model: Model, data_dir: Path) -> None:
    entries = {str(each.ecg_id): each for each in read_table(data_dir / "ptbxl").values()}
    past = model.metrics["past scores"]
    answered, p = [entries[name] for name in past["record"]], np.array(past["probabilities"])
    n = len(answered)
    real = Examples(
        x=np.zeros((n, 12, 1), np.float32),
        y=np.array([stated(each, model.labels) for each in answered]),
        r_s=np.full((n, 1), np.nan),
        meta=np.full((n, 2), np.nan),
        labels=model.labels,
        patient=tuple(str(each.patient_id) for each in answered),
        record=tuple(past["record"]),
        finding=("",) * n,
        fold=np.array([each.strat_fold for each in answered]),
        again=np.zeros(n, dtype=bool),
        severity=np.full(n, np.nan),
        left_out={},
    )
    chosen, where = thresholds(real, p, real, p)
    assert model.thresholds == pytest.approx(chosen, abs=2e-6)
    assert model.training["thresholds_set_on"] == list(where)
    assert model.metrics["out of fold"] == scored(real, p, seed=model.training["plan"]["seed"])
    counts = reached(real, p, model.thresholds)
    assert model.metrics["reached"] == counts
    for label in (label for label, each in zip(model.labels, where, strict=True) if each != "real"):
        told = counts[label]
        assert f"{told['with']} of {told['of']} with {label} and {told['without']} without" in model.card


def fired(model: Model, made: list[Simulation]) -> FloatArray:
    """Return which labels reach their thresholds, (n, C), with the planted R peaks."""
    logits = predict_batch(model, [model_input(model, each.record, each.truth.beats) for each in made])
    return 1 / (1 + np.exp(-logits)) >= np.array(model.thresholds)


@pytest.mark.parametrize("finding", STATED)
def test_the_network_says_what_was_planted(model: Model, planted: Mapping[str, list[Simulation]], finding: str) -> None:
    says = fired(model, planted[finding])
    for label in STATED[finding]:
        assert says[:, LABELS.index(label)].mean() >= 0.8, label
    if FINDINGS[finding].superclass not in (None, "NORM"):
        assert says[:, LABELS.index("NORM")].mean() <= 0.2


def test_a_healthy_heart_has_none_of_the_findings(model: Model, planted: Mapping[str, list[Simulation]]) -> None:
    others = [k for k, label in enumerate(LABELS) if label != "NORM"]
    assert (~fired(model, planted["normal"])[:, others].any(axis=1)).mean() >= 0.8


def sums(tap: AttentionMap, maps: Mapping[str, AttentionMap]) -> FloatArray:
    """Return all that must be 1 by what a map says of its sums."""
    if tap.sums_to in ("1 over the leads", "1 over the tokens", "1 over all leads and tokens"):
        return tap.values.sum(keepdims=True)
    if tap.sums_to in ("1 over the windows of each lead", "1 over the beats of each lead"):
        return tap.values.sum(axis=1)
    assert tap.sums_to in ("1 in each window of each lead", "1 in each beat of each lead")
    middles, spans = tap.span_s.mean(axis=1), maps["rhythm"].span_s
    inside = (middles >= spans[:, :1]) & (middles < spans[:, 1:])  # (windows, tokens)
    assert inside.any(axis=0).all()
    return tap.values @ inside.T


def test_attention_of_a_trained_network_sums_to_what_it_says(model: Model, record: Record, beats: Beats) -> None:
    maps = {tap.level: tap for tap in attention(model, record, beats)}
    assert set(maps) == set(model.net.levels)
    for tap in maps.values():
        assert (tap.values >= 0).all()
        if tap.sums_to.startswith("no fixed value"):
            assert ((tap.values > 0) & (tap.values < 1)).all()
        else:
            np.testing.assert_allclose(sums(tap, maps), 1, atol=1e-5, err_msg=tap.level)


@pytest.mark.parametrize(
    "method",
    [
        pytest.param(name, marks=pytest.mark.slow if METHODS[name].family in ("gradient", "perturbation") else ())
        for name in METHODS
    ],
)
def test_a_method_that_fits_the_network_loses_no_mass_and_another_is_refused(
    model: Model, record: Record, beats: Beats, method: str
) -> None:
    if not valid(model, method):
        with pytest.raises(ExplanationError, match=re.escape(METHODS[method].why_not(model))) as refusal:
            explain(model, record, "CLBBB", method, beats)
        assert model.name in str(refusal.value)
        return
    explanation = explain(model, record, "CLBBB", method, beats, **CHEAP.get(method, {}))
    size = np.abs(explanation.values).sum()
    assert size > 0
    grid = evidence(explanation, beats)
    assert abs(grid.pos.sum() - grid.neg.sum() + grid.outside - explanation.values.sum()) <= 1e-9 * size
    assert grid.pos.sum() + grid.neg.sum() + grid.outside_abs == pytest.approx(size)
    if method == "decomposition":
        logit = explanation.values.sum() + explanation.params["bias"]
        assert logit == pytest.approx(explanation.params["logit"], abs=1e-4)
    if method == "integrated_gradients":
        assert explanation.completeness_error < 0.05


def test_the_whole_path_from_a_record_to_a_case(model: Model, record: Record, beats: Beats) -> None:
    case = analyse(record, model, "CLBBB", "saliency", beats=beats)
    assert case.prediction.positive("CLBBB")
    assert any(finding.criterion == "CLBBB" and finding.state == "met" for finding in case.findings)
    assert len(case.controls["random networks"]) == 5
    assert {tap.level for tap in case.attention} == set(model.net.levels)
    assert case.provenance["model_sha256"] == model.digest
    assert case.agreement.why


def test_what_a_model_cannot_do_is_refused_by_a_sentence(model: Model, record: Record, beats: Beats) -> None:
    with pytest.raises(ModelError, match=f"{model.name} does not predict 'WPW'; its labels are CD, HYP"):
        analyse(record, model, "WPW", "saliency", beats=beats)
    method = next((name for name in METHODS if not valid(model, name)), None)
    if method is not None:
        with pytest.raises(ExplanationError, match=model.name):
            analyse(record, model, "CLBBB", method, beats=beats)
