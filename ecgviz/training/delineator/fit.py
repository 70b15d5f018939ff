"""Fit one delineating network; the same seed and examples give the same weights on one thread of one machine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax, softmax
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ecgviz.nets.delineator import CLASSES, Delineator
from ecgviz.training.delineator.examples import IGNORED, Example
from ecgviz.training.delineator.vary import Crop, crop

N_LEADS = ((12, 0.7), (8, 0.1), (3, 0.1), (2, 0.05), (1, 0.05))
"""How many leads the crops of a step have, and how often."""
AVERAGED = 0.995
"""The weights that are kept are an exponential moving average with this memory a step."""


@dataclass(frozen=True)
class Examples:
    """Examples by what is known of them: marks of cardiologists, planted marks, P before each beat, no P at all."""

    marked: Sequence[Example]
    planted: Sequence[Example]
    with_p: Sequence[Example]
    without_p: Sequence[Example]


@dataclass(frozen=True)
class Plan:
    """What a step is made of (crops by kind of example), and the course of the fit."""

    marked: int = 6
    planted: int = 4
    with_p: int = 2
    without_p: int = 1
    steps: int = 1600
    rate: float = 4e-3
    decay: float = 1e-3


PLANS = (Plan(planted=3, steps=1100), Plan())
"""One network each; their probabilities are averaged, which in cross-validation is better than either."""


def fit(
    examples: Examples,
    plan: Plan,
    seed: int,
    say: Callable[[int, float], None] = lambda step, loss: None,
    *,
    device: str = "cpu",
) -> Delineator:
    """Return a network fitted to the examples of each kind; ``say`` hears the step and its loss.

    On a GPU (``device="cuda"``) the weights agree with those of a CPU to rounding only, which many steps amplify.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Delineator().train().to(device)
    kept = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(AVERAGED), use_buffers=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=plan.rate, weight_decay=plan.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.rate, total_steps=plan.steps, pct_start=0.15)
    kinds = [kind.name for kind in fields(examples) if getattr(examples, kind.name)]
    orders = [_shuffled(getattr(examples, kind), rng) for kind in kinds]
    numbers = [getattr(plan, kind) for kind in kinds]
    for step in range(plan.steps):
        leads = rng.choice([n for n, _ in N_LEADS], p=[share for _, share in N_LEADS])
        crops = [
            crop(next(order), rng.permutation(12)[:leads], rng)
            for order, number in zip(orders, numbers, strict=True)
            for _ in range(number)
        ]
        loss = _loss(net, crops, device)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        kept.update_parameters(net)
        say(step, float(loss.detach()))
    averaged = kept.module
    assert isinstance(averaged, Delineator)  # noqa: S101 - AveragedModel forgets what it averages
    return averaged.cpu().eval()


def _shuffled(examples: Sequence[Example], rng: np.random.Generator) -> Iterator[Example]:
    """Yield examples without end, each once before any comes again."""
    while True:
        yield from (examples[index] for index in rng.permutation(len(examples)))


def _loss(net: Delineator, crops: list[Crop], device: str) -> Tensor:
    of_lead, whole = net(torch.from_numpy(np.stack([c.x for c in crops])).to(device))
    weight = torch.tensor([c.weight for c in crops], device=device)
    lead_classes = torch.from_numpy(np.stack([c.of_lead for c in crops])).long().to(device)
    whole_classes = torch.from_numpy(np.stack([c.whole for c in crops])).long().to(device)
    total = _marked_loss(of_lead.transpose(1, 2), lead_classes, weight[:, None, None])
    total = total + _marked_loss(whole, whole_classes, torch.ones_like(weight)[:, None])
    p = CLASSES.index("P")
    silent = torch.tensor([c.without_p for c in crops], device=device)
    for logits in (of_lead[silent].transpose(1, 2), whole[silent]) if silent.any() else ():
        total = total - 0.5 * torch.log1p(-softmax(logits, dim=1)[:, p].clamp(max=1 - 1e-4)).mean()
    seen = log_softmax(whole, dim=1)[:, p]
    highest = [seen[row, a:b].max() for row, c in enumerate(crops) for a, b in c.p_places.tolist()]
    if highest:
        total = total - 0.1 * torch.stack(highest).mean()
    return total


def _marked_loss(logits: Tensor, classes: Tensor, weight: Tensor) -> Tensor:
    """Return the mean cross-entropy over marked samples; logits (R, K, ...), classes (R, ...)."""
    each = cross_entropy(logits, classes, ignore_index=IGNORED, reduction="none") * weight
    return each.sum() / ((classes != IGNORED) * weight).sum().clamp(min=1.0)
