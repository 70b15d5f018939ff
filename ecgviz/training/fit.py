"""Fitting: first simulated records, then real ones mixed with simulated ones, kept where fold 9 was best."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ecgviz.training.augment import augment
from ecgviz.training.data import Examples
from ecgviz.training.evaluate import areas, predict_probabilities

WEIGHT_DECAY = 0.02
CLIP_NORM = 1.0
AVERAGING = 0.98
"""Exponential moving average of the weights, which is what is validated and kept."""


@dataclass(frozen=True)
class Schedule:
    """One phase of fitting; equal schedules, data and seeds give equal weights.

    ``n_simulated`` of the simulated records are drawn anew each epoch; ``real_passes`` says how often an epoch shows
    each real record.
    """

    epochs: int
    n_simulated: int
    real_passes: int
    learning_rate: float
    batch_size: int = 16


@dataclass(frozen=True, eq=False)
class Scaling:
    """The one scalar standardisation over all samples and leads of the training records."""

    mean_mv: float
    std_mv: float

    @staticmethod
    def fit(examples: Examples) -> "Scaling":
        """Fit mean and standard deviation to the training records."""
        return Scaling(float(examples.x.mean(dtype=np.float64)), float(examples.x.std(dtype=np.float64)))

    def apply(self, x: Tensor) -> Tensor:
        """Standardise x in mV."""
        return (x - self.mean_mv) / self.std_mv


@dataclass(frozen=True)
class Epoch:
    """One line of the training curve."""

    phase: int
    epoch: int
    loss: float
    validation_auc: float


def fit(
    net: nn.Module,
    *,
    real: Examples,
    simulated: Examples,
    validation: Examples,
    scaling: Scaling,
    fs: float,
    phases: tuple[Schedule, ...],
    seed: int,
    progress: Callable[[str], None],
) -> tuple[nn.Module, tuple[Epoch, ...]]:
    """Fit a network in phases; return the averaged weights of the best validation epoch, and the training curve.

    Loss is binary cross-entropy, the optimiser AdamW with a one-cycle schedule a phase; convolutions and LSTM run in
    bfloat16 (`torch.autocast`), weights and attention stay in float32. The last phase alone chooses the epoch to keep.
    """
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    averaged = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING), use_buffers=True)
    x_validation = scaling.apply(torch.from_numpy(validation.x))
    curve: list[Epoch] = []
    best, kept = -np.inf, copy.deepcopy(averaged.module)
    for number, phase in enumerate(phases):
        steps = -(-(phase.n_simulated + phase.real_passes * len(real)) // phase.batch_size)
        optimiser = torch.optim.AdamW(net.parameters(), phase.learning_rate, weight_decay=WEIGHT_DECAY)
        rates = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, phase.learning_rate, epochs=phase.epochs, steps_per_epoch=steps
        )
        for epoch in range(phase.epochs):
            x, y = _draw_epoch(real, simulated, phase, rng)
            losses = []
            net.train()
            for part in torch.from_numpy(rng.permutation(len(x))).split(phase.batch_size):
                x_part, y_part = augment(x[part], y[part], fs=fs, generator=generator)
                losses.append(_step(net, scaling.apply(x_part), y_part, optimiser))
                rates.step()
                averaged.update_parameters(net)
            scores = areas(validation.y, predict_probabilities(averaged.module, x_validation))
            line = Epoch(number, epoch, float(np.mean(losses)), float(np.nanmean(scores)))
            curve.append(line)
            progress(
                f"phase {number + 1} epoch {epoch + 1}: loss {line.loss:.4f}, validation AUC {line.validation_auc:.4f}"
            )
            if number == len(phases) - 1 and line.validation_auc > best:
                best, kept = line.validation_auc, copy.deepcopy(averaged.module)
    return kept.eval(), tuple(curve)


def _draw_epoch(
    real: Examples, simulated: Examples, phase: Schedule, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    chosen = rng.choice(len(simulated), size=phase.n_simulated, replace=False)
    x = np.concatenate([simulated.x[chosen], *[real.x] * phase.real_passes])
    y = np.concatenate([simulated.y[chosen], *[real.y] * phase.real_passes])
    return torch.from_numpy(x), torch.from_numpy(y)


def _step(net: nn.Module, x: Tensor, y: Tensor, optimiser: torch.optim.Optimizer) -> float:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = net(x)
    loss = functional.binary_cross_entropy_with_logits(logits.float(), y)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), CLIP_NORM)
    optimiser.step()
    return float(loss.detach())
