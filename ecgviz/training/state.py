"""All that changes while a network is fitted, so that it can be written down after an epoch and taken up again."""

import copy
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ecgviz.errors import ModelError
from ecgviz.records.write import written_whole

WEIGHT_DECAY = 0.02
CLIP_NORM = 1.0
PLAN = "plan.json"
"""In the folder of checkpoints: what all of them are of."""
AVERAGING = 0.99
"""Exponential moving average of the weights a step, which is what is validated and kept."""


@dataclass(frozen=True)
class Schedule:
    """One course of fitting; equal schedules, data and seeds give equal weights.

    ``n_simulated`` of the simulated records are drawn anew each epoch; ``real_passes`` says how often an epoch shows
    each real record.
    """

    epochs: int
    n_simulated: int
    real_passes: int
    learning_rate: float
    batch_size: int = 64


@dataclass(frozen=True)
class Epoch:
    """One line of the training curve; ``validation_auc`` is the macro AUC of the superclasses, None without any."""

    epoch: int
    loss: float
    validation_auc: float | None


def keep_plan(folder: Path, told: Mapping[str, Any]) -> None:
    """Write into a folder of checkpoints what they are of, once; afterwards hold it against what is asked for.

    Raises
    ------
    ModelError
        When something else is written there, or nothing beside checkpoints (of an older version).
    """
    kept, text = folder / PLAN, json.dumps(told, indent=1, sort_keys=True, default=str)
    if not kept.is_file() and not any(folder.glob("*.safetensors")):
        with written_whole(kept) as part:
            part.write_text(text, encoding="utf-8")
    elif not kept.is_file() or kept.read_text(encoding="utf-8", errors="replace") != text:
        raise ModelError(_another_plan(folder))


def _another_plan(folder: Path) -> str:
    return f"{folder} holds an interrupted training of another plan: finish it, or delete it"


class State:
    """A network in training: its weights and their average, the optimiser, the curve, the best weights so far."""

    def __init__(self, net: nn.Module, schedule: Schedule, n_steps: int, seed: int, checkpoint: Path | None) -> None:
        self.net, self.checkpoint = net, checkpoint
        self.plan: dict[str, Any] = {**asdict(schedule), "seed": seed, "steps": n_steps}
        self.averaged = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING), use_buffers=True)
        self.best, self.kept = -np.inf, copy.deepcopy(self.averaged.module.state_dict())
        self.curve: list[Epoch] = []
        undecayed = tuple(getattr(net, "no_decay", ("bias",)))
        named = list(net.named_parameters())
        groups = [
            {"params": [p for name, p in named if not name.endswith(undecayed)], "weight_decay": WEIGHT_DECAY},
            {"params": [p for name, p in named if name.endswith(undecayed)], "weight_decay": 0.0},
        ]
        rate = schedule.learning_rate
        self.optimiser = torch.optim.AdamW([group for group in groups if group["params"]], rate)
        self.rates = torch.optim.lr_scheduler.OneCycleLR(self.optimiser, rate, total_steps=schedule.epochs * n_steps)
        if checkpoint is not None and checkpoint.is_file():
            self._load(checkpoint)

    @property
    def epoch(self) -> int:
        """The number of epochs that are done."""
        return len(self.curve)

    def step(self, loss: Tensor) -> None:
        """Follow the gradient of a loss, and average the weights."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), CLIP_NORM)
        self.optimiser.step()
        self.rates.step()
        self.averaged.update_parameters(self.net)

    def end_epoch(self, line: Epoch) -> None:
        """Keep the averaged weights if they are the best so far, or if nothing scores them; write all down."""
        self.curve.append(line)
        if line.validation_auc is None or line.validation_auc > self.best:
            self.best = self.best if line.validation_auc is None else line.validation_auc
            self.kept = copy.deepcopy(self.averaged.module.state_dict())
        if self.checkpoint is not None:
            self._save(self.checkpoint)

    def result(self) -> nn.Module:
        """Return the network with the weights that were kept, in eval mode on the CPU."""
        net: nn.Module = self.averaged.module
        net.load_state_dict(self.kept)
        return net.cpu().eval()

    def _save(self, path: Path) -> None:
        """Write everything down; the file is whole or not there."""
        moments = self.optimiser.state_dict()
        tensors = {f"net.{name}": t for name, t in self.net.state_dict().items()}
        tensors |= {f"averaged.{name}": t for name, t in self.averaged.state_dict().items()}
        tensors |= {f"kept.{name}": t for name, t in self.kept.items()}
        tensors |= {f"moments.{n}.{name}": t for n, state in moments["state"].items() for name, t in state.items()}
        plain = {"plan": self.plan, "best": self.best, "curve": [asdict(line) for line in self.curve]}
        plain |= {"groups": moments["param_groups"], "rates": self.rates.state_dict()}
        stored = save({k: t.contiguous().clone() for k, t in tensors.items()}, {"state": json.dumps(plain)})
        with written_whole(path) as part:
            part.write_bytes(stored)

    def _load(self, path: Path) -> None:
        with safe_open(path, "pt") as stored:
            plain = json.loads(stored.metadata()["state"])
        if plain["plan"] != self.plan:
            raise ModelError(_another_plan(path.parent))
        device = str(next(self.net.parameters()).device)
        parts: dict[str, dict[str, Tensor]] = {"net": {}, "averaged": {}, "kept": {}, "moments": {}}
        for name, tensor in load_file(path, device).items():
            part, rest = name.split(".", 1)
            parts[part][rest] = tensor
        self.net.load_state_dict(parts["net"])
        self.averaged.load_state_dict(parts["averaged"])
        self.kept, self.best = parts["kept"], plain["best"]
        self.curve = [Epoch(**line) for line in plain["curve"]]
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in parts["moments"].items():
            number, rest = name.split(".", 1)
            moments.setdefault(int(number), {})[rest] = tensor
        self.optimiser.load_state_dict({"state": moments, "param_groups": plain["groups"]})
        self.rates.load_state_dict(plain["rates"])
