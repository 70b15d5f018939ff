"""Fitting: simulated and real records, averaged weights, a checkpoint from which it goes on after a kill."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgviz.checkpoint import network_logits
from ecgviz.memory import give_back_freed_memory
from ecgviz.records.ptbxl import SUPERCLASSES
from ecgviz.training.augment import Batch, augment
from ecgviz.training.data import Examples
from ecgviz.training.evaluate import areas
from ecgviz.training.state import Epoch, Schedule, State
from ecgviz.types.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Scaling:
    """The one scalar standardisation over all samples and leads of the training records."""

    mean_mv: float
    std_mv: float

    @staticmethod
    def fit(examples: Examples) -> "Scaling":
        """Fit mean and standard deviation to the training records, rounded as model.json keeps them."""
        mean, std = examples.x.mean(dtype=np.float64), examples.x.std(dtype=np.float64)
        return Scaling(round(float(mean), 6), round(float(std), 6))

    def apply(self, x: Tensor) -> Tensor:
        """Standardise x in mV."""
        return (x - self.mean_mv) / self.std_mv


@dataclass(frozen=True, eq=False)
class Fitted:
    """A network in eval mode on the CPU, and how it came about."""

    net: nn.Module
    curve: tuple[Epoch, ...]


def fit(
    net: nn.Module,
    schedule: Schedule,
    *,
    real: Examples | None,
    simulated: Examples | None,
    scaling: Scaling,
    fs: float,
    seed: int,
    device: str,
    validation: Examples | None = None,
    checkpoint: Path | None = None,
    progress: Callable[[str, float], None] = lambda line, done: None,
) -> Fitted:
    """Fit a network; return its averaged weights, and the training curve.

    Loss is binary cross-entropy over known targets, superclasses and statements weighing the same; the optimiser AdamW
    with a one-cycle schedule. Convolutions and LSTM run in bfloat16 where the device is fast at it (`precision_of`),
    weights stay float32. With ``validation`` the epoch that scores best on it is kept, else the last one.

    Parameters
    ----------
    net : nn.Module
        With the weights to start from; it is changed.
    schedule : Schedule
        What an epoch draws from ``real`` and ``simulated``, and for how long.
    real, simulated, validation : Examples or None
        In millivolts; one of the first two is there.
    scaling : Scaling
        Applied to each batch after augmentation.
    fs : float
        Rate of the examples, Hz.
    seed : int
        Of drawing, augmentation and dropout.
    device : str
        "cpu" or "cuda". On a CPU the same weights come out again with the same number of threads, and another kind of
        CPU gives others; a GPU adds in changing order, so that there they come out nearly the same.
    checkpoint : Path or None
        File that is rewritten after every epoch; when it is there, fitting goes on from it, to the same weights.
    progress : callable
        Hears a line and the share of all epochs that is done, after every epoch.

    Raises
    ------
    ModelError
        When the checkpoint was written by another plan.
    """
    data = _Pool.on(device, [part for part in (real, simulated) if part is not None])
    n_real, n_simulated = (0 if part is None else len(part) for part in (real, simulated))
    n_steps = -(-(min(schedule.n_simulated, n_simulated) + schedule.real_passes * n_real) // schedule.batch_size)
    state = State(net.to(device), schedule, n_steps, seed, checkpoint)
    for epoch in range(state.epoch, schedule.epochs):
        own_seed = int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])
        order = _order(n_real, n_simulated, schedule, own_seed)
        loss = _epoch(state, data, order.to(device), schedule.batch_size, scaling, fs, own_seed)
        score = None if validation is None else _score(state.averaged.module, validation, scaling)
        state.end_epoch(Epoch(epoch, loss, score))
        said = f"epoch {epoch + 1} of {schedule.epochs}: loss {loss:.4f}"
        progress(said if score is None else f"{said}, validation AUC {score:.4f}", (epoch + 1) / schedule.epochs)
    return Fitted(state.result(), tuple(state.curve))


def precision_of(device: str) -> str:
    """Return what convolutions and LSTM are computed in on "cpu" or "cuda": "bfloat16" or "float32".

    A CPU without AVX-512 has no instructions for bfloat16: a step of training takes it 4 to 15 times as long as in
    float32.
    """
    fast = device != "cpu" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return "bfloat16" if fast else "float32"


def probabilities(net: nn.Module, examples: Examples, scaling: Scaling) -> FloatArray:
    """Return what a network says of examples, (n, C), on its own device; it is left in eval mode."""
    x, r_s, meta = (torch.from_numpy(part) for part in (examples.x, examples.r_s, examples.meta))
    logits = network_logits(net.eval(), scaling.apply(x), r_s=r_s, meta=meta)
    return torch.sigmoid(logits.double()).numpy(force=True)


def _score(net: nn.Module, validation: Examples, scaling: Scaling) -> float:
    scores = areas(validation.y, probabilities(net, validation, scaling))
    return float(np.nanmean(scores[superclass_columns(validation.labels)]))


def superclass_columns(labels: tuple[str, ...]) -> list[int]:
    """Return the places of the superclasses; of all labels where none is one."""
    return [k for k, label in enumerate(labels) if label in SUPERCLASSES] or list(range(len(labels)))


@dataclass(frozen=True, eq=False)
class _Pool:
    """All examples as tensors on a device, and which labels are superclasses (C,)."""

    batch: Batch
    is_superclass: Tensor

    @staticmethod
    def on(device: str, parts: Sequence[Examples]) -> "_Pool":
        names = ("x", "y", "r_s", "meta")
        whole = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
        is_superclass = torch.tensor([label in SUPERCLASSES for label in parts[0].labels], device=device)
        return _Pool(Batch(*(torch.from_numpy(each).to(device) for each in whole)), is_superclass)

    def rows(self, chosen: Tensor) -> Batch:
        b = self.batch
        return Batch(b.x[chosen], b.y[chosen], b.r_s[chosen], b.meta[chosen])


def _order(n_real: int, n_simulated: int, schedule: Schedule, seed: int) -> Tensor:
    """Return which records an epoch shows, in what order; simulated ones are numbered after the real ones."""
    rng = np.random.default_rng(seed)
    drawn = n_real + rng.permutation(n_simulated)[: schedule.n_simulated]
    shown = np.concatenate([drawn, *[np.arange(n_real)] * schedule.real_passes])
    return torch.from_numpy(rng.permutation(shown).astype(np.int64))


def _epoch(state: State, data: _Pool, order: Tensor, batch_size: int, scaling: Scaling, fs: float, seed: int) -> float:
    """Show one epoch's records; return the mean loss."""
    device = order.device
    torch.manual_seed(seed)  # dropout
    generator = torch.Generator(device).manual_seed(seed)
    state.net.train()
    losses = []
    for chosen in order.split(batch_size):
        batch = augment(data.rows(chosen), fs=fs, generator=generator)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision_of(device.type) == "bfloat16"):
            logits = state.net(scaling.apply(batch.x), r_s=batch.r_s, meta=batch.meta)
        loss = masked_loss(logits.float(), batch.y, data.is_superclass)
        state.step(loss)
        losses.append(loss.detach())
        give_back_freed_memory()
    return float(torch.stack(losses).mean())


def masked_loss(logits: Tensor, y: Tensor, is_superclass: Tensor) -> Tensor:
    """Return the mean cross-entropy over known targets: of superclasses, plus of statements, where there are any."""
    known = ~torch.isnan(y)
    each = functional.binary_cross_entropy_with_logits(logits, y.nan_to_num(0.0), reduction="none") * known
    groups = [group for group in (is_superclass, ~is_superclass) if bool(group.any())]
    means = [(each[:, group].sum() / known[:, group].sum().clamp(min=1)) for group in groups]
    return torch.stack(means).sum()
