"""What a map looks like: how few samples hold it, and whether it repeats from beat to beat. Neither makes it right."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ecgviz.evidence import evidence
from ecgviz.explain.checks.question import Check, Question
from ecgviz.explain.checks.similarity import mean_known, per_second, spearman
from ecgviz.explain.controls import trivial_maps
from ecgviz.types import Beats, Explanation
from ecgviz.types.arrays import FloatArray

LEAST_BEATS = 3

CHALASANI = "Chalasani et al. 2020, arXiv:1810.06583"
OWN = "rank correlation between beats, in excess of that of |x|"


def sparseness(question: Question, explanation: Explanation) -> Check:
    """Return the Gini index of a map's absolute values: 0 spread evenly, (n - 1) / n in one sample of n.

    (Chalasani et al. 2020, arXiv:1810.06583.) It describes and does not judge: any spiky map has much of it, and the
    slope of the ECG, which knows nothing of the network, more than most.
    """
    value = gini(question.recorded(explanation))
    trivial = trivial_maps(question.inputs, explanation)
    beside = {name: gini(question.recorded(each)) for name, each in trivial.items()}
    remark = "the map is zero throughout" if np.isnan(value) else ""
    return Check("sparseness", "complexity", value, None, CHALASANI, beside, remark=remark)


def gini(values: FloatArray) -> float:
    """Return the Gini index of the absolute values of an array; NaN where all are 0."""
    ordered = np.sort(np.abs(np.ravel(values)))
    n, total = ordered.size, ordered.sum()
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total)) if total > 0 else np.nan


def beat_consistency(question: Question, explanation: Explanation) -> Check:
    """Return how alike the map is from beat to beat; ``excess`` is what counts, higher is better.

    The mean rank correlation between the patterns (lead x atom, supporting less opposing, per second, so that long
    atoms do not rank high for their length) of whole beats of the commonest kind. A heart repeats itself, and so does
    ``|x|``: the excess over that map is the part that is not amplitude. Not available under three such beats.
    """
    name, family, beats = "beat to beat", "consistency", question.beats
    whole = whole_beats(explanation, beats)
    why = ""
    if not explanation.has_time:
        why = f"{explanation.method} has no time axis"
    elif len(whole) < LEAST_BEATS:
        why = f"{len(whole)} whole beats of the commonest kind were found, and {LEAST_BEATS} are needed"
    if why:
        return Check(name, family, np.nan, True, OWN, remark=why)
    value = _between_beats(explanation, beats, whole)
    trivial = _between_beats(trivial_maps(question.inputs, explanation)["|x|"], beats, whole)
    return Check(name, family, value, True, OWN, {"|x|": trivial}, value - trivial)


def whole_beats(explanation: Explanation, beats: Beats) -> NDArray[np.intp]:
    """Return which beats of the commonest kind lie with all their atoms inside the map's window."""
    at_s = beats.segments()
    end_s = explanation.start_s + explanation.values.shape[1] / explanation.fs
    inside = (np.isnan(at_s) | ((at_s >= explanation.start_s) & (at_s <= end_s))).all(axis=(1, 2))
    return np.flatnonzero(beats.dominant & inside & ~np.isnan(at_s).all(axis=(1, 2)))


def _between_beats(explanation: Explanation, beats: Beats, whole: Sequence[int] | NDArray[np.intp]) -> float:
    """Return the mean rank correlation between beats, over the atoms that both of a pair have."""
    grid = evidence(explanation, beats)
    density = per_second(grid.pos - grid.neg, grid.area)
    pairs = []
    for a, b in combinations(whole, 2):
        both = (grid.area[a] > 0) & (grid.area[b] > 0)
        pairs.append(spearman(density[:, a, both], density[:, b, both]))
    return mean_known(pairs)
