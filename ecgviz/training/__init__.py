"""Training: simulated and real records in, a checked model folder with an honest card out."""

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ecgviz import __version__
from ecgviz.checkpoint import NAME, network_logits, save_model
from ecgviz.checkpoint.folder import architecture
from ecgviz.checkpoint.inputs import noise_for
from ecgviz.errors import ModelError, said_by
from ecgviz.nets import NETS, build
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.records.ptbxl import read_table
from ecgviz.registry import find
from ecgviz.training.card import model_card
from ecgviz.training.copies import copies_of
from ecgviz.training.data import Examples, from_ptbxl, from_simulation
from ecgviz.training.fit import Schedule, precision_of
from ecgviz.training.labels import LABELS
from ecgviz.training.protocols import (
    PROTOCOLS,
    READ_FOLDS,
    TEST_FOLDS,
    Course,
    Outcome,
    Parts,
    check_folds,
    check_labels,
)
from ecgviz.training.scores import positives
from ecgviz.training.state import keep_plan
from ecgviz.types import InputSpec

MODEL_RATE_HZ = 100.0
MODEL_SECONDS = 10.0
PRETRAINING_EPOCHS = 8
BESIDE_REAL, BESIDE_COPIES = 600, 1800
"""Simulated records of each epoch on real ones, and with their copies. With 600 beside 7 copies each, after six epochs
of simulated ones, two networks of six did not learn extrasystoles, which few real records have: on simulated ones
`imle_net_beats` reached an area of 0.81, without copies 0.999."""
N_UNSEEN = 1500
"""Simulated records that no network learns from."""


@dataclass(frozen=True)
class Plan:
    """What to train; kept in model.json, so that the same plan on the same data makes the same weights."""

    net: str
    config: Mapping[str, Any]
    labels: tuple[str, ...]
    protocol: str
    seed: int
    n_simulated: int
    copies: int
    pretraining: Schedule | None
    finetuning: Schedule

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise ModelError(f"there is no protocol {self.protocol!r}; known are {', '.join(PROTOCOLS)}")
        if not self.labels or len(set(self.labels)) < len(self.labels):
            raise ModelError("labels are one or more, each once")
        if self.seed < 0:
            raise ModelError(f"a seed is 0 or more, not {self.seed}")


def default_plan(
    net: str,
    config: Mapping[str, Any],
    *,
    labels: tuple[str, ...] = LABELS,
    protocol: str = "cross-validated",
    seed: int = 0,
    n_simulated: int = 16000,
    copies: int = 15,
    epochs: int = 8,
) -> Plan:
    """Return the schedules that the shipped models are made with.

    ``epochs`` counts those on real records; with ``copies`` an epoch shows each of them and so many altered copies of
    it. Without copies about 15 epochs are right.
    """
    before = Schedule(min(epochs, PRETRAINING_EPOCHS), n_simulated, 0, 2e-3, 128) if n_simulated else None
    real = Schedule(epochs, min(n_simulated, BESIDE_COPIES if copies else BESIDE_REAL), 1, 1e-3)
    return Plan(net, dict(config), labels, protocol, seed, n_simulated, copies, before, real)


def input_spec(net: str) -> InputSpec:
    """Return what a network is fed, in millivolts: 10 s at 100 Hz, and what it says it needs beside."""
    architecture: Any = find(NETS, "ecgviz.nets", net)
    pads, needs = getattr(architecture, "pads", False), tuple(getattr(architecture, "needs", ()))
    return InputSpec(STANDARD_LEADS, MODEL_RATE_HZ, MODEL_SECONDS, 0.0, 1.0, pads, needs)


def read_parts(
    plan: Plan, data: Path, spec: InputSpec, *, n_jobs: int, progress: Callable[[str, float], None]
) -> Parts:
    """Read and simulate all that a plan learns from and is scored on; errors as in `train`."""

    def said(line: str) -> None:
        progress(line, 0.0)

    real = from_ptbxl(data, READ_FOLDS, spec, plan.labels, both_rates=True, n_jobs=n_jobs, progress=said)
    check_folds(real, plan.protocol)

    def made(n: int, seed: int) -> Examples:
        return from_simulation(n, seed=seed, spec=spec, labels=plan.labels, n_jobs=n_jobs, progress=said)

    simulated = made(plan.n_simulated, 2 * plan.seed) if plan.n_simulated else None
    unseen = made(N_UNSEEN, 2 * plan.seed + 1)
    test = None
    if any(entry.strat_fold in TEST_FOLDS for entry in read_table(data).values()):
        test = from_ptbxl(data, TEST_FOLDS, spec, plan.labels, both_rates=False, n_jobs=n_jobs, progress=said)
    parts = Parts(real, simulated, unseen, test)
    check_labels(parts, plan.protocol)
    if plan.copies:
        made_of_real = copies_of(real, plan.copies, fs=spec.fs, seed=plan.seed, n_jobs=n_jobs, progress=said)
        parts = replace(parts, copies=made_of_real)
    return parts


def train(
    plan: Plan,
    data: Path,
    out: Path,
    *,
    device: str = "cpu",
    n_jobs: int = 1,
    progress: Callable[[str, float], None] = lambda line, done: None,
) -> None:
    """Train a network on PTB-XL and simulated records, and write it to the folder ``out``.

    While it runs, ``out`` with ".training" after its name holds a checkpoint of every fit, rewritten each epoch; the
    same call goes on from them, to the same weights, and removes them at the end.

    Parameters
    ----------
    plan : Plan
    data : Path
        PTB-XL as PhysioNet publishes it.
    out : Path
        Model folder to write.
    device : str
        "cpu" or "cuda".
    n_jobs : int
        Processes that read and simulate records; of no influence on the result.
    progress : callable
        Hears a line and the share of the work that is done.

    Raises
    ------
    ModelError
        When ``out`` exists, its last part is no model name (lower case letters, digits, ``_ . -``), an interrupted
        training of another plan or of other records lies beside it, the network does not take a setting of the plan, a
        part of the folds has no record (`check_folds`), or no record teaches one of the labels, or tells where its
        threshold is (`check_labels`).
    RecordError
        When ``data`` is not PTB-XL as published.
    """
    if out.exists() or not NAME.fullmatch(out.name):
        raise ModelError(f"{out} cannot be written: it exists, or {out.name!r} is no model name such as imle_net")
    started, spec = time.monotonic(), input_spec(plan.net)
    _try(plan, spec)  # what it does not take is said before hours of reading
    parts = read_parts(plan, data, spec, n_jobs=n_jobs, progress=progress)
    scratch = out.with_name(f"{out.name}.training")
    resumed = any(scratch.glob("*.safetensors"))
    keep_plan(scratch, {"plan": asdict(plan), "spec": asdict(spec), "records": _digest(parts.real)})
    since = None if resumed else started
    train_on(plan, parts, spec, out, device=device, scratch=scratch, started=since, progress=progress)
    shutil.rmtree(scratch)


def _try(plan: Plan, spec: InputSpec) -> None:
    """Refuse a network that cannot be built as planned, or that does not answer noise."""
    net = architecture(plan.net, len(plan.labels), plan.config)
    x, arguments = noise_for(spec)
    called = f"{plan.net} with {dict(plan.config) or 'its usual settings'}"
    try:
        shape = tuple(network_logits(net, x, **arguments).shape)
    except Exception as fault:  # settings that no network can have fail in as many ways as there are layers
        raise ModelError(f"{called} answers nothing when it is fed noise ({said_by(fault)})") from fault
    if shape != (len(x), len(plan.labels)):
        raise ModelError(f"{called} answers {len(x)} records with numbers of shape {shape}, not one a label")


def _digest(real: Examples) -> str:
    """Return what tells the real records, and what is stated of them, from others."""
    digest = hashlib.sha256(repr((real.record, real.fold.tolist(), real.again.tolist())).encode())
    digest.update(np.ascontiguousarray(real.y).tobytes())
    return digest.hexdigest()


def train_on(
    plan: Plan,
    parts: Parts,
    spec: InputSpec,
    out: Path,
    *,
    device: str,
    scratch: Path | None,
    started: float | None,
    progress: Callable[[str, float], None],
) -> None:
    """Do what `train` does, with records that are read already; ``started`` is None where a part was fitted before."""

    def fresh() -> nn.Module:
        return build(plan.net, len(plan.labels), seed=plan.seed, config=plan.config)

    course = Course(fresh, spec.fs, plan.pretraining, plan.finetuning, plan.seed, device, scratch, progress)
    outcome = PROTOCOLS[plan.protocol](course, parts)
    minutes = None if started is None else round((time.monotonic() - started) / 60, 1)
    history = _history(plan, parts.real, outcome, minutes, device)
    save_model(
        out,
        outcome.net,
        net_name=plan.net,
        config=plan.config,
        name=out.name,
        version="1",
        spec=replace(spec, mean_mv=outcome.scaling.mean_mv, std_mv=outcome.scaling.std_mv),
        labels=plan.labels,
        thresholds=outcome.thresholds,
        metrics=outcome.metrics,
        training=history,
        card=model_card(out.name, plan.net, outcome.net, outcome.metrics, history),
    )


def _history(plan: Plan, real: Examples, outcome: Outcome, minutes: float | None, device: str) -> dict[str, Any]:
    """Return how a model came about, as model.json keeps it."""
    taught = np.isin(real.fold, outcome.folds)
    return {
        "plan": asdict(plan),
        "folds": list(outcome.folds),
        "chosen_on": list(outcome.chosen_on),
        "n_real": int((~real.again & taught).sum()),
        "n_again": int((real.again & taught).sum()),
        "n_chosen_on": int((~real.again & ~taught).sum()),
        "positives_real": dict(positives(real, ~real.again & taught)),
        "left_out": dict(real.left_out),
        "n_simulated": plan.n_simulated,
        "thresholds_set_on": list(outcome.thresholds_set_on),
        "curve": {name: [asdict(line) for line in curve] for name, curve in outcome.curves.items()},
        "minutes": minutes,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "precision": precision_of(device),
        "versions": {"ecgviz": __version__, "torch": torch.__version__, "numpy": np.__version__},
    }
