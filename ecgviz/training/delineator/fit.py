"""Fit one delineating network; the same seed and examples give the same weights on one thread."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ecgviz.nets.delineator import CLASSES, Delineator
from ecgviz.training.delineator.examples import IGNORED, Example
from ecgviz.training.delineator.vary import Crop, crop

N_LEADS = ((12, 0.7), (8, 0.1), (3, 0.1), (2, 0.05), (1, 0.05))
"""How many leads the crops of a step have, and how often."""
AVERAGED = 0.995
"""The weights that are kept are an exponential moving average with this memory a step."""


@dataclass(frozen=True)
class Plan:
    """What a step is made of (crops by kind of example), and the course of the fit."""

    marked: int = 7
    planted: int = 4
    without_p: int = 2
    steps: int = 1600
    rate: float = 4e-3
    decay: float = 1e-3


def fit(
    marked: Sequence[Example],
    planted: Sequence[Example],
    without_p: Sequence[Example],
    plan: Plan,
    seed: int,
    say: Callable[[int, float], None] = lambda step, loss: None,
) -> Delineator:
    """Return a network fitted to the examples of each kind; ``say`` hears the step and its loss."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Delineator().train()
    kept = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(AVERAGED), use_buffers=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=plan.rate, weight_decay=plan.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.rate, total_steps=plan.steps, pct_start=0.15)
    groups = ((marked, plan.marked), (planted, plan.planted), (without_p, plan.without_p))
    orders = [_shuffled(examples, rng) for examples, _ in groups if examples]
    numbers = [number for examples, number in groups if examples]
    for step in range(plan.steps):
        leads = rng.choice([n for n, _ in N_LEADS], p=[share for _, share in N_LEADS])
        crops = [
            crop(next(order), rng.permutation(12)[:leads], rng)
            for order, number in zip(orders, numbers, strict=True)
            for _ in range(number)
        ]
        loss = _loss(net, crops)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        kept.update_parameters(net)
        say(step, float(loss.detach()))
    averaged: Delineator = kept.module
    return averaged.eval()


def _shuffled(examples: Sequence[Example], rng: np.random.Generator):  # type: ignore[no-untyped-def]
    """Yield examples without end, each once before any comes again."""
    for _ in count():
        for index in rng.permutation(len(examples)):
            yield examples[index]


def _loss(net: Delineator, crops: list[Crop]) -> Tensor:
    of_lead, whole = net(torch.from_numpy(np.stack([c.x for c in crops])))
    weight = torch.tensor([c.weight for c in crops])
    lead_classes = torch.from_numpy(np.stack([c.of_lead for c in crops])).long()
    whole_classes = torch.from_numpy(np.stack([c.whole for c in crops])).long()
    total = _marked_loss(of_lead.transpose(1, 2), lead_classes, weight[:, None, None])
    total = total + _marked_loss(whole, whole_classes, torch.ones(len(crops), 1))
    silent = torch.tensor([c.without_p for c in crops])
    if silent.any():
        p = CLASSES.index("P")
        for logits in (of_lead[silent].transpose(1, 2), whole[silent]):
            total = total - 0.5 * torch.log1p(-F.softmax(logits, dim=1)[:, p].clamp(max=1 - 1e-4)).mean()
    return total


def _marked_loss(logits: Tensor, classes: Tensor, weight: Tensor) -> Tensor:
    """Return the mean cross-entropy over marked samples; logits (R, K, ...), classes (R, ...)."""
    each = F.cross_entropy(logits, classes, ignore_index=IGNORED, reduction="none") * weight
    return each.sum() / ((classes != IGNORED) * weight).sum().clamp(min=1.0)
