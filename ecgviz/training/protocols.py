"""Which records teach, which choose, which score: two protocols over PTB-XL's ten folds.

With altered copies of the real records, what trees say of their measurements is part of what is taught (`teacher`).
"cross-validated" (the shipped models): after a course on simulated records, three networks that each leave out a third
of folds 1 to 9 give every record a score out of fold, from which thresholds and past scores are read; the network that
is kept learnt from all nine. Samples are standardised by the simulated records, which belong to no fold.
"paper" (as IMLE-Net, Reddy et al. 2021): folds 1 to 8 teach, fold 9 chooses epoch and thresholds. In both, fold 10,
when it is there, is scored once and chooses nothing.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from ecgviz.errors import ModelError
from ecgviz.training.copies import Copies
from ecgviz.training.data import Examples
from ecgviz.training.fit import Epoch, Fitted, Scaling, Schedule, fit, probabilities
from ecgviz.training.scores import (
    RARE_CALLED,
    answers,
    both_rates,
    by_margin,
    reached,
    score_tables,
    scored,
    thresholds,
)
from ecgviz.training.teacher import answers_of_trees, taught
from ecgviz.types.arrays import BoolArray

GROUPS = ((1, 4, 7), (2, 5, 8), (3, 6, 9))
READ_FOLDS = tuple(range(1, 10))
VALIDATION_FOLD = 9
TEST_FOLDS = (10,)
HELD_OUT = {"cross-validated": GROUPS, "paper": ((VALIDATION_FOLD,),)}
"""By protocol, the folds that one network leaves out each, and is scored on."""


@dataclass(frozen=True, eq=False)
class Parts:
    """All records of a training: real, simulated, ``unseen`` simulated that nothing learns from, fold 10 or None.

    ``copies`` are altered copies of the real ones, None where no trees teach.
    """

    real: Examples
    simulated: Examples | None
    unseen: Examples
    test: Examples | None
    copies: Copies | None = None

    def teaching(self, chosen: BoolArray, seed: int) -> Examples:
        """Return what some real records (n,) teach: themselves, or their copies with the answers of trees."""
        return self.real.where(chosen) if self.copies is None else taught(self.real, self.copies, chosen, seed=seed)


def check_folds(real: Examples, protocol: str) -> None:
    """Refuse real records that leave a network of this protocol nothing to learn from, or nothing to be scored on.

    Raises
    ------
    ModelError
        Names the folds of which no record is there.
    """
    for group in HELD_OUT[protocol]:
        held, rest = np.isin(real.fold, group), [fold for fold in READ_FOLDS if fold not in group]
        for rows, folds, what in ((held & ~real.again, group, "is scored on"), (~held, rest, "learns from")):
            if not rows.any():
                raise ModelError(
                    f"there is no record of fold {', '.join(map(str, folds))}, which a network of the protocol "
                    f"{protocol} {what}: give --data a PTB-XL in which these folds have labelled records"
                )


def check_labels(parts: Parts, protocol: str) -> None:
    """Refuse labels that no record teaches, or whose thresholds cannot be set.

    A threshold is set by those who have the label, real or simulated, or by the real ones that are known to be without
    it, where these are enough (`ecgviz.training.scores.thresholds`).

    Raises
    ------
    ModelError
        Names each of them; such a network would have learnt nothing of them, and call them for everybody or nobody.
    """
    real, held = parts.real, np.ones(len(parts.real), dtype=bool)
    taught = held
    if protocol == "paper":
        held = real.fold == VALIDATION_FOLD
        taught = ~held
    simulated = [] if parts.simulated is None else [parts.simulated.y]
    n_without = (real.y[held & ~real.again] == 0).sum(axis=0)
    enough = f"set its threshold has the label, nor are {1 / RARE_CALLED:.0f} real ones known to be without it"
    for rows, others, what in (
        ([real.y[taught], *simulated], 0 * n_without, "teach it has the label"),
        ([real.y[held], parts.unseen.y], n_without, enough),
    ):
        here = np.concatenate(rows)
        of_each = zip(real.labels, here.T, others, strict=True)
        if never := [label for label, y, n in of_each if not (y > 0).any() and n * RARE_CALLED < 1]:
            raise ModelError(
                f"{', '.join(never)}: none of the {len(here)} real and simulated records that could {what}; leave it "
                "out of --labels, or give --data a PTB-XL in which more records have it"
            )


@dataclass(frozen=True, eq=False)
class Outcome:
    """A trained network and all that was measured of it; ``folds`` taught it, ``chosen_on`` chose its epoch."""

    net: nn.Module
    scaling: Scaling
    folds: tuple[int, ...]
    chosen_on: tuple[int, ...]
    thresholds: tuple[float, ...]
    thresholds_set_on: tuple[str, ...]
    metrics: Mapping[str, Any]
    curves: Mapping[str, Sequence[Epoch]]


@dataclass(frozen=True, eq=False)
class Course:
    """How the networks of one training come about, whichever records they learn from.

    ``fresh`` returns a network with its first weights, ``pretraining`` is the schedule on simulated records (None
    without any), ``finetuning`` that on real ones. ``scratch`` is a folder for checkpoints, or None.
    """

    fresh: Callable[[], nn.Module]
    fs: float
    pretraining: Schedule | None
    finetuning: Schedule
    seed: int
    device: str
    scratch: Path | None
    progress: Callable[[str, float], None]

    def pretrained(self, parts: Parts, scaling: Scaling) -> Fitted:
        """Return the network after the simulated records, from which every fit to real ones starts."""
        if self.pretraining is None:
            return Fitted(self.fresh(), ())
        common: dict[str, Examples | None] = {"real": None, "simulated": parts.simulated, "validation": None}
        return self._fit("pretraining", self.fresh(), self.pretraining, scaling, (0.0, 0.2), **common)

    def finetuned(
        self,
        name: str,
        start: Fitted,
        parts: Parts,
        teaching: Examples,
        scaling: Scaling,
        share: tuple[float, float],
        validation: Examples | None = None,
    ) -> Fitted:
        """Return the network after real records (and simulated ones, as the schedule says)."""
        net = copy.deepcopy(start.net)
        common: dict[str, Examples | None] = {"real": teaching, "simulated": parts.simulated, "validation": validation}
        return self._fit(name, net, self.finetuning, scaling, share, **common)

    def _fit(
        self,
        name: str,
        net: nn.Module,
        schedule: Schedule,
        scaling: Scaling,
        share: tuple[float, float],
        **examples: Examples | None,
    ) -> Fitted:
        return fit(
            net,
            schedule,
            scaling=scaling,
            fs=self.fs,
            seed=self.seed,
            device=self.device,
            checkpoint=None if self.scratch is None else self.scratch / f"{name.replace(' ', '_')}.safetensors",
            progress=lambda line, done: self.progress(f"{name}, {line}", share[0] + (share[1] - share[0]) * done),
            **examples,
        )


def cross_validated(course: Course, parts: Parts) -> Outcome:
    """Fit once without each group of folds, then to all; see the module."""
    real = parts.real
    scaling = Scaling.fit(parts.simulated or real)
    start = course.pretrained(parts, scaling)
    curves: dict[str, Sequence[Epoch]] = {"pretraining": start.curve}
    p_real, p_trees = np.full(real.y.shape, np.nan), np.full(real.y.shape, np.nan)
    for k, group in enumerate(GROUPS):
        held, name = np.isin(real.fold, group), f"without folds {' '.join(map(str, group))}"
        share = 0.2 + 0.2 * k, 0.4 + 0.2 * k
        fitted = course.finetuned(name, start, parts, parts.teaching(~held, course.seed), scaling, share)
        p_real[held] = probabilities(fitted.net, real.where(held), scaling)
        if parts.copies is not None:
            asked = held[parts.copies.of] & ~parts.copies.altered
            p_trees[held] = answers_of_trees(real, parts.copies, ~held, asked, seed=course.seed)
        curves[name] = fitted.curve
    everything = parts.teaching(np.ones(len(real), dtype=bool), course.seed)
    fitted = course.finetuned("all folds", start, parts, everything, scaling, (0.8, 1.0))
    curves["all folds"] = fitted.curve
    outcome = _outcome(fitted.net, scaling, parts, real, p_real, "out of fold", course.seed, curves)
    trees = {} if parts.copies is None else {"trees out of fold": scored(real, p_trees, seed=course.seed)}
    return replace(outcome, folds=READ_FOLDS, metrics={**outcome.metrics, **trees})


def paper(course: Course, parts: Parts) -> Outcome:
    """Fit to folds 1 to 8 and keep the epoch that is best on fold 9; see the module."""
    held = parts.real.fold == VALIDATION_FOLD
    teaching, validation = parts.teaching(~held, course.seed), parts.real.where(held & ~parts.real.again)
    scaling = Scaling.fit(parts.real.where(~held))
    start = course.pretrained(parts, scaling)
    fitted = course.finetuned("folds 1 to 8", start, parts, teaching, scaling, (0.2, 1.0), validation)
    curves = {"pretraining": start.curve, "folds 1 to 8": fitted.curve}
    scores = parts.real.where(held)
    p_held = probabilities(fitted.net, scores, scaling)
    outcome = _outcome(fitted.net, scaling, parts, scores, p_held, "fold 9", course.seed, curves)
    return replace(outcome, folds=tuple(range(1, VALIDATION_FOLD)), chosen_on=(VALIDATION_FOLD,))


def _outcome(
    net: nn.Module,
    scaling: Scaling,
    parts: Parts,
    held: Examples,
    p_held: np.ndarray,
    called: str,
    seed: int,
    curves: Mapping[str, Sequence[Epoch]],
) -> Outcome:
    """Measure a network: on held-out real records, on unseen simulated ones, on fold 10 where it is there."""
    p_unseen = probabilities(net, parts.unseen, scaling)
    chosen, where = thresholds(held, p_held, parts.unseen, p_unseen)
    measured: dict[str, Any] = {called: scored(held, p_held, seed=seed)}
    if parts.test is not None:
        measured["fold 10"] = scored(parts.test, probabilities(net, parts.test, scaling), seed=seed)
    measured |= {
        "unseen simulated": scored(parts.unseen, p_unseen, seed=seed),
        "by margin": by_margin(parts.unseen, p_unseen),
        "both rates": both_rates(held, p_held),
        "reached": reached(held, p_held, chosen),
        "past scores": {"on": called, "tables": score_tables(held, p_held), **answers(held, p_held)},
    }
    return Outcome(net, scaling, (), (), chosen, where, measured, curves)


PROTOCOLS: Mapping[str, Callable[[Course, Parts], Outcome]] = {"cross-validated": cross_validated, "paper": paper}
