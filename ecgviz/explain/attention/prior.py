"""What a network attends to when there is no diagnosis to see: its habit, which a map should exceed.

Learnt position biases, the shape of a QRS complex and the place of the beats draw attention whatever the diagnosis.
The prior is the mean over three kinds of input that share this record's R peaks, padding, age and sex: a flat line,
noise, and healthy hearts that beat when this one does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ecgviz.checkpoint import Model
from ecgviz.errors import ExplanationError
from ecgviz.explain.attention.maps import level_tap
from ecgviz.explain.baselines import baseline
from ecgviz.types import Beats, ModelInput
from ecgviz.types.arrays import FloatArray

N_NOISE, N_PATIENTS = 4, 4
"""Inputs of noise, and healthy hearts, that the prior is the mean of."""
KEEP, SUBTRACT = "keep", "subtract"


@dataclass(frozen=True, eq=False)
class AttentionPrior:
    """Mean attention on each kind of input without a diagnosis: "flat", "noise", "data", in the shape of the map."""

    parts: Mapping[str, FloatArray]

    @property
    def mean(self) -> FloatArray:
        """The prior: the mean of its parts."""
        return np.asarray(np.mean(list(self.parts.values()), axis=0))

    def overlap(self, values: FloatArray) -> dict[str, float]:
        """Return the share of a map's mass that each part, and their mean, already explains.

        The sum over places of the smaller of both, each divided by its own sum: 1 where the map is the prior, 0 where
        they have no place in common. NaN for a map without mass.
        """
        return {kind: _shared(values, part) for kind, part in {**self.parts, "mean": self.mean}.items()}


def attention_prior(
    model: Model, inputs: ModelInput, beats: Beats, level: str, label_index: int, *, seed: int
) -> AttentionPrior:
    """Return what a network attends to at one level when there is no diagnosis to see.

    Parameters
    ----------
    model, inputs, beats
        The record whose R peaks, padding, age and sex the inputs share.
    level : str
        One of the network's levels.
    label_index : int
        Read only where a network's maps differ between labels.
    seed : int
        Draws the noise, of the standard deviation of the training data, and the healthy patients.

    Raises
    ------
    ExplanationError
        For a level that the network does not have, or a recording without beats.
    """
    if level not in getattr(model.net, "levels", ()):
        raise ExplanationError(f"{model.name} exposes no {level} attention, so it has no prior of it")
    label = model.labels[label_index]
    return prior_of(lambda each: level_tap(model, each, level, label).values, model, inputs, beats, seed=seed)


def prior_of(
    read: Callable[[ModelInput], FloatArray], model: Model, inputs: ModelInput, beats: Beats, *, seed: int
) -> AttentionPrior:
    """Return the prior of whatever ``read`` reads of an input: its mean over each kind of `without_diagnosis`."""
    kinds = without_diagnosis(model, inputs, beats, seed=seed)
    return AttentionPrior(
        {kind: np.mean([read(replace(inputs, x=x)) for x in signals], axis=0) for kind, signals in kinds.items()}
    )


def without_diagnosis(model: Model, inputs: ModelInput, beats: Beats, *, seed: int) -> dict[str, FloatArray]:
    """Return signals (n, L, T) of each kind, standardised and padded like ``inputs.x``.

    "flat" is 0 mV; "noise" is white, of the mean and the standard deviation of the training data; "data" are healthy
    beats of several simulated patients at this record's own R peaks.
    """
    patients = np.random.default_rng(seed).integers(2**31, size=N_PATIENTS)
    noise = np.random.default_rng((seed, 1)).normal(size=(N_NOISE, *inputs.x.shape))
    hearts = [baseline("healthy", model, inputs, beats, seed=int(each)) for each in patients]
    return {
        "flat": baseline("zero", model, inputs, beats, seed=seed),
        "noise": np.where(inputs.mask, noise, inputs.x).astype(np.float32),
        "data": np.concatenate(hearts),
    }


def checked(prior: str) -> bool:
    """Return whether the prior is to be subtracted; any word but "keep" and "subtract" raises ExplanationError."""
    if prior not in (KEEP, SUBTRACT):
        raise ExplanationError(f"prior is {prior!r}; the prior of attention can be kept ({KEEP!r}) or {SUBTRACT!r}ed")
    return prior == SUBTRACT


def excess(values: FloatArray, prior: AttentionPrior) -> tuple[FloatArray, dict[str, float]]:
    """Return attention less its prior, and how much of it each part of the prior explains."""
    return values - prior.mean, prior.overlap(values)


def _shared(one: FloatArray, other: FloatArray) -> float:
    total, other_total = float(one.sum()), float(other.sum())
    if not (total > 0 and other_total > 0):
        return float("nan")
    return float(np.minimum(one / total, other / other_total).sum())
