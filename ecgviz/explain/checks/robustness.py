"""Does a map stay when what should not matter changes: the record's noise, the seed, the training."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import median_abs_deviation

from ecgviz.checkpoint import Model
from ecgviz.errors import ExplanationError
from ecgviz.evidence import evidence
from ecgviz.explain.cells import owner_of
from ecgviz.explain.checks.question import Check, Question
from ecgviz.explain.checks.similarity import (
    densities,
    leads_compared,
    mean_known,
    mean_pairwise,
    signed_cells,
    spearman,
)
from ecgviz.explain.controls import trivial_maps
from ecgviz.explain.methods import explain
from ecgviz.types import ATOMS, Beats, Explanation, ModelInput, Record
from ecgviz.types.arrays import BoolArray, FloatArray

LEAST_NOISE_MV = 0.001
"""No lead counts as quieter than this, the resolution of common recordings."""
LEAST_TRAININGS = 3

YEH = "Yeh et al. 2019, arXiv:1901.09392"
ARENDS = "Arends et al. 2026"


def max_sensitivity(question: Question, explanation: Explanation, *, n_draws: int = 5) -> Check:
    """Return the largest relative change of a map when noise as large as the record's own is added; lower is better.

    max |A(x + d) - A(x)| / |A(x)| (Frobenius norms) over draws d, uniform within each lead's `noise_sd`, on recorded
    samples (Yeh et al. 2019, arXiv:1901.09392). The method's seed is the same each time. ``beside`` has the ``|x|``
    map; a map that ignores the record scores 0, which is no merit.

    Departure: captum's and Quantus' radius, 0.02 and 0.2, is in the units of the input, so that millivolts and standard
    deviations give different answers.
    """
    name, family = "max sensitivity", "robustness"
    size = float(np.linalg.norm(explanation.values))
    if size == 0:
        return Check(name, family, np.nan, False, YEH, remark="the map is zero throughout")
    inputs = question.inputs
    radius = noise_sd(inputs, question.beats, question.model.spec.std_mv)
    rng = np.random.default_rng(question.seed)
    amplitude = trivial_maps(inputs, explanation)["|x|"].values
    change, trivial = 0.0, 0.0
    for _ in range(n_draws):
        moved = disturbed(inputs, radius, rng)
        values = question.explain(inputs=moved).values
        change = max(change, float(np.linalg.norm(values - explanation.values)) / size)
        step = trivial_maps(moved, explanation)["|x|"].values - amplitude
        trivial = max(trivial, float(np.linalg.norm(step) / np.linalg.norm(amplitude)))
    return Check(name, family, change, False, YEH, {"|x|": trivial}, trivial - change)


def noise_sd(inputs: ModelInput, beats: Beats, std_mv: float) -> FloatArray:
    """Return each lead's noise, a robust standard deviation in the network's units, shape (L,).

    1.4826 x the median absolute deviation of second differences between samples of TP segments, / sqrt 6: right for
    white noise, less than all of it where noise is slow, and blind to wander and slopes. Without a TP segment of three
    samples all recorded ones count. It is 1 uV at least.
    """
    quiet = inputs.mask & (owner_of(beats.segments()[:, ATOMS.index("TP")], inputs) >= 0)
    three = _three_in_a_row(quiet)
    if not three.any():  # at a fast rate TP may have fewer samples
        three = _three_in_a_row(inputs.mask)
    bends = np.diff(inputs.x.astype(np.float64), n=2, axis=1)[:, three]
    spread = median_abs_deviation(bends, axis=1, scale="normal")
    return np.maximum(spread / np.sqrt(6), LEAST_NOISE_MV / std_mv)


def _three_in_a_row(chosen: BoolArray) -> BoolArray:
    three: BoolArray = chosen[2:] & chosen[1:-1] & chosen[:-2]
    return three


def disturbed(inputs: ModelInput, radius: FloatArray, rng: np.random.Generator) -> ModelInput:
    """Return a record with uniform noise within each lead's radius (L,) on its recorded samples."""
    noise = radius[:, None] * rng.uniform(-1, 1, size=inputs.x.shape) * inputs.mask
    return replace(inputs, x=inputs.x + noise)


def seed_stability(question: Question, explanation: Explanation, *, n_seeds: int = 3) -> Check:
    """Return the mean rank correlation between the maps of several seeds; higher is better.

    Not available for a method that draws nothing: two seeds then give one map.
    """
    name, family = "stability over seeds", "robustness"
    maps = [question.recorded(explanation)]
    for n in range(1, n_seeds):
        maps.append(question.recorded(question.explain(seed=question.seed + n)))
        if n == 1 and np.array_equal(maps[0], maps[1]):
            told = f"{explanation.method} draws nothing at random"
            return Check(name, family, np.nan, True, "", remark=told)
    return Check(name, family, mean_pairwise(maps), True, "")


def training_stability(
    models: Sequence[Model], record: Record, label: str, method: str, beats: Beats, *, seed: int = 0, **params: Any
) -> Check:
    """Return the mean rank correlation between the maps of several trainings; higher is better.

    The signed densities (supporting less opposing mass per second) of the cells of the evidence grid are compared, so
    that trainings of different networks can be, also of other leads or in another order, and long waves are not alike
    for their length (Arends et al. 2026 found 0.41 to 0.65 between equally accurate trainings). Not available under
    three trainings.

    Raises
    ------
    ExplanationError
        When the trainings do not predict the same labels.
    """
    name, family = "stability over trainings", "robustness"
    if len(models) < LEAST_TRAININGS:
        told = f"{len(models)} trainings of these labels are given, and {LEAST_TRAININGS} are needed"
        return Check(name, family, np.nan, True, ARENDS, remark=told)
    for model in models[1:]:
        if set(model.labels) != set(models[0].labels):
            raise ExplanationError(
                f"{model.name} predicts {', '.join(model.labels)}, {models[0].name} {', '.join(models[0].labels)}: "
                "only trainings of the same labels can be compared"
            )
    maps = [explain(model, record, label, method, beats, seed=seed, **params) for model in models]
    cells = [signed_cells(evidence(each, beats)) for each in maps]
    alike = [spearman(*densities(one, other)) for one, other in combinations(cells, 2)]
    remark = leads_compared([model.name for model in models], [each.leads for each in cells])
    return Check(name, family, mean_known(alike), True, ARENDS, remark=remark)
