"""Training reads what is published, counts what it leaves out, and makes the same weights twice."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ecgviz.checkpoint import load_model
from ecgviz.errors import ModelError, RecordError
from ecgviz.nets import build
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.training import Plan, Schedule, train
from ecgviz.training.augment import augment
from ecgviz.training.data import Examples, from_ptbxl, from_simulation
from ecgviz.training.evaluate import areas, best_thresholds, report
from ecgviz.training.fit import Scaling, fit
from ecgviz.types import InputSpec

SPEC = InputSpec(STANDARD_LEADS, 100.0, 10.0, 0.0, 1.0)


def quiet(_: str) -> None:
    """Show no progress."""


def planted(n: int, seed: int) -> Examples:
    """Return noise in which lead V1 tells the label: a bump that is up or down."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.05, (n, 12, 1000)).astype(np.float32)
    y = (np.arange(n) % 2).astype(np.float32)
    x[:, 6, 200:800] += np.where(y > 0, 0.5, -0.5)[:, None].astype(np.float32)
    return Examples(x, y[:, None], ("UP",), tuple(map(str, range(n))), np.zeros(n, bool), {})


def fitted(seed: int) -> tuple[torch.nn.Module, float]:
    real, validation = planted(16, 0), planted(16, 1)
    net, curve = fit(
        build("imle_net", 1, seed=0, config={"width": 0.125}),
        real=real,
        simulated=real,
        validation=validation,
        scaling=Scaling.fit(real),
        fs=100.0,
        phases=(Schedule(2, 8, 0, 0.01, 8), Schedule(4, 0, 2, 0.01, 8)),
        seed=seed,
        progress=quiet,
    )
    return net, max(line.validation_auc for line in curve if line.phase == 1)


@pytest.mark.slow
def test_a_clue_is_learnt_and_the_same_seed_makes_the_same_weights() -> None:
    first, auc = fitted(seed=4)
    assert auc == 1.0
    second, _ = fitted(seed=4)
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_areas_are_those_of_a_known_ranking() -> None:
    y = np.array([[0, 1], [0, 1], [1, 1], [1, 1]], float)
    scores = np.array([[0.1, 0.1], [0.4, 0.2], [0.35, 0.3], [0.8, 0.4]])
    found = areas(y, scores)
    assert found[0] == pytest.approx(0.75)
    assert np.isnan(found[1])


@pytest.mark.slow
def test_intervals_hold_the_value_and_narrow_with_n() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for n in (60, 600):
        y = rng.integers(0, 2, (n, 1)).astype(float)
        scores = y * 0.5 + rng.random((n, 1))
        macro = report(y, scores, ("A",), tuple(map(str, range(n))), seed=1)["macro_auc"]
        assert macro["low"] <= macro["value"] <= macro["high"]
        widths.append(macro["high"] - macro["low"])
    assert widths[1] < widths[0] / 2


def test_threshold_with_the_largest_f1() -> None:
    y = np.array([[0], [0], [0], [1], [1]], float)
    assert best_thresholds(y, np.array([[0.1], [0.2], [0.6], [0.5], [0.9]])) == (0.5,)


def test_augmentation_keeps_shape_and_mixes_labels_with_samples() -> None:
    x, y = torch.zeros(64, 12, 100), torch.zeros(64, 1)
    x[:32], y[:32] = 1.0, 1.0
    changed, labels = augment(x, y, fs=100.0, generator=torch.Generator().manual_seed(0))
    assert changed.shape == x.shape
    assert float(labels.min()) >= 0
    assert float(labels.max()) <= 1
    mixed = (labels > 0) & (labels < 1)
    assert mixed.any()
    assert not changed.isnan().any()


def test_simulated_examples_carry_one_superclass_each() -> None:
    examples = from_simulation(12, seed=0, spec=SPEC, progress=quiet)
    assert examples.x.shape == (12, 12, 1000)
    np.testing.assert_array_equal(examples.y.sum(axis=1), 1)
    again = from_simulation(12, seed=0, spec=SPEC, progress=quiet)
    np.testing.assert_array_equal(examples.x, again.x)


@pytest.mark.data
def test_ptbxl_folds_keep_what_has_a_superclass(data_dir: Path) -> None:
    examples = from_ptbxl(data_dir / "ptbxl", (9,), SPEC, both_rates=False)
    assert examples.labels == ("CD", "HYP", "MI", "NORM", "STTC")
    assert len(examples) == 70
    assert not examples.again.any()
    assert (examples.y.sum(axis=1) >= 1).all()


def test_a_folder_that_is_not_ptbxl_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="PTB-XL"):
        from_ptbxl(tmp_path, (9,), SPEC, both_rates=False)


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    plan = Plan("imle_net", {}, 0, 1, Schedule(1, 1, 0, 0.1), Schedule(1, 1, 1, 0.1))
    with pytest.raises(ModelError, match="cannot be written"):
        train(plan, tmp_path, tmp_path, progress=quiet)


@pytest.mark.slow
@pytest.mark.data
def test_training_ends_in_a_model_that_loads_with_an_honest_card(data_dir: Path, tmp_path: Path) -> None:
    plan = Plan("imle_net", {"width": 0.125}, 0, 10, Schedule(1, 10, 0, 0.001), Schedule(1, 4, 0, 0.001))
    train(plan, data_dir / "ptbxl", tmp_path / "tiny", progress=quiet)
    model = load_model(tmp_path / "tiny")
    auc = model.metrics["fold 9"]["macro_auc"]
    assert f"| macro | {auc['value']:.3f} | {auc['low']:.3f} to {auc['high']:.3f} |" in model.card
    assert "343 real records" in model.card
    assert "CC BY 4.0" in model.card
    assert model.spec.std_mv == pytest.approx(0.23, abs=0.02)
