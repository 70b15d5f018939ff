"""Training: simulated and real records in, a checked model folder with an honest card out."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecgviz import __version__
from ecgviz.checkpoint import NAME, save_model
from ecgviz.errors import ModelError
from ecgviz.nets import build
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.records.ptbxl import SUPERCLASSES
from ecgviz.training.card import model_card
from ecgviz.training.data import Examples, from_ptbxl, from_simulation
from ecgviz.training.evaluate import best_thresholds, predict_probabilities, report
from ecgviz.training.fit import Epoch, Scaling, Schedule, fit
from ecgviz.types import InputSpec

TRAINING_FOLDS = (1, 2, 3, 4, 5, 6, 7, 8)
VALIDATION_FOLD = 9
MODEL_RATE_HZ = 100.0
MODEL_SECONDS = 10.0
N_SIMULATED_TEST = 300


@dataclass(frozen=True)
class Plan:
    """What to train; kept in model.json, so that the same plan on the same data makes the same weights."""

    net: str
    config: Mapping[str, Any]
    seed: int
    n_simulated: int
    pretraining: Schedule
    finetuning: Schedule


def default_plan(net: str, config: Mapping[str, Any], *, seed: int, n_simulated: int, epochs: int) -> Plan:
    """Return the schedule that the shipped models are made with; ``epochs`` counts the second phase."""
    return Plan(
        net,
        dict(config),
        seed,
        n_simulated,
        pretraining=Schedule(max(1, epochs // 8), n_simulated, 0, 2e-3),
        finetuning=Schedule(epochs, min(n_simulated, 300), 1, 2e-3),
    )


def train(plan: Plan, data: Path, out: Path, *, progress: Callable[[str], None]) -> None:
    """Train a network on PTB-XL folds 1 to 8 and simulated records, early-stopped on fold 9, and write it to ``out``.

    Raises
    ------
    ModelError
        When ``out`` exists, or its last part is no model name (lower case letters, digits, ``_ . -``).
    RecordError
        When ``data`` is not PTB-XL as published.
    """
    if out.exists() or not NAME.fullmatch(out.name):
        raise ModelError(f"{out} cannot be written: it exists, or {out.name!r} is no model name such as imle_net")
    started = time.monotonic()
    unscaled = InputSpec(STANDARD_LEADS, MODEL_RATE_HZ, MODEL_SECONDS, 0.0, 1.0)
    real = from_ptbxl(data, TRAINING_FOLDS, unscaled, both_rates=True)
    validation = from_ptbxl(data, (VALIDATION_FOLD,), unscaled, both_rates=False)
    progress(f"{len(real)} real records to train on, {len(validation)} to validate on")
    simulated = from_simulation(plan.n_simulated, seed=plan.seed, spec=unscaled, progress=progress)
    unseen = from_simulation(N_SIMULATED_TEST, seed=plan.seed + 1, spec=unscaled, progress=progress)
    scaling = Scaling.fit(real)
    net, curve = fit(
        build(plan.net, len(SUPERCLASSES), seed=plan.seed, config=plan.config),
        real=real,
        simulated=simulated,
        validation=validation,
        scaling=scaling,
        fs=unscaled.fs,
        phases=(plan.pretraining, plan.finetuning),
        seed=plan.seed,
        progress=progress,
    )
    scored = {"fold 9": validation, "unseen simulated": unseen}
    probabilities = {
        name: predict_probabilities(net, scaling.apply(torch.from_numpy(part.x))) for name, part in scored.items()
    }
    metrics = {
        name: report(part.y, probabilities[name], part.labels, part.patient, seed=plan.seed)
        for name, part in scored.items()
    }
    history = _history(plan, real, curve, (time.monotonic() - started) / 60)
    save_model(
        out,
        net,
        net_name=plan.net,
        config=plan.config,
        name=out.name,
        version="1",
        spec=InputSpec(
            unscaled.leads, unscaled.fs, unscaled.duration_s, round(scaling.mean_mv, 6), round(scaling.std_mv, 6)
        ),
        labels=SUPERCLASSES,
        thresholds=best_thresholds(validation.y, probabilities["fold 9"]),
        metrics=metrics,
        training=history,
        card=model_card(out.name, plan.net, net, metrics, history),
    )


def _history(plan: Plan, real: Examples, curve: tuple[Epoch, ...], minutes: float) -> dict[str, Any]:
    """Return how a model came about, as model.json keeps it."""
    positives = real.y[~real.again].sum(axis=0).astype(int).tolist()
    return {
        "plan": asdict(plan),
        "n_real": int((~real.again).sum()),
        "n_again": int(real.again.sum()),
        "positives_real": dict(zip(real.labels, positives, strict=True)),
        "left_out": dict(real.left_out),
        "n_simulated": plan.n_simulated,
        "curve": [asdict(line) for line in curve],
        "minutes": round(minutes, 1),
        "threads": torch.get_num_threads(),
        "versions": {"ecgviz": __version__, "torch": torch.__version__, "numpy": np.__version__},
    }
