"""Do maps agree: attention with attribution, level by level, and methods with one another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgviz.evidence import evidence
from ecgviz.explain.checks.question import Check
from ecgviz.explain.checks.similarity import (
    densities,
    mean_known,
    pearson,
    signed_cells,
    spearman,
    supporting_waves,
)
from ecgviz.types import AttentionMap, Beats, Explanation
from ecgviz.types.arrays import FloatArray, frozen

JAIN = "Jain and Wallace 2019, arXiv:1902.10186"


def attention_agreement(
    attention: Sequence[AttentionMap], attribution: Explanation, other: Explanation | None = None
) -> tuple[Check, ...]:
    """Return the rank correlation of attention and attribution, one check a level; higher is more agreement.

    The absolute attribution is summed (not averaged) over each token of the attention, so that both speak of the same
    places (after Jain and Wallace 2019, arXiv:1902.10186). Weights that sum to 1 over part of the record are compared
    within that part only, and the correlations averaged: beat attention within each window of each lead, rhythm
    attention within each lead, others over all. ``beside`` has the noise ceiling, the agreement of two attributions at
    that level: attention cannot be asked for more. ``excess`` over it is negative as a rule.

    Parameters
    ----------
    attention : sequence of AttentionMap
        All maps that the network exposes on the record.
    attribution : Explanation
        A map with leads and time, of the same record and network.
    other : Explanation, optional
        By another method; without it there is no ceiling.
    """
    levels = []
    for tap in attention:
        name = f"attention, {tap.level}"
        if not (attribution.has_time and (attribution.has_leads or not tap.leads)):
            told = f"{attribution.method} lacks an axis that the attention has"
            levels.append(Check(name, "consistency", np.nan, True, JAIN, remark=told))
            continue
        groups = _groups(tap, attention)
        pooled = pool(attribution, tap)
        value = _within(tap.values, pooled, groups)
        remark = "the attention, or the attribution, is the same everywhere" if np.isnan(value) else ""
        if other is None:
            levels.append(Check(name, "consistency", value, True, JAIN, remark=remark))
            continue
        ceiling = {f"ceiling, {attribution.method} with {other.method}": _within(pooled, pool(other, tap), groups)}
        levels.append(Check(name, "consistency", value, True, JAIN, ceiling, value - next(iter(ceiling.values()))))
    return tuple(levels)


def pool(attribution: Explanation, tap: AttentionMap) -> FloatArray:
    """Sum the absolute attribution over each token of an attention map, shape (L or 1, K)."""
    mass = np.abs(attribution.values)
    if not tap.leads:
        mass = mass.sum(axis=0, keepdims=True)
    n_samples = mass.shape[1]
    edges = np.clip((tap.span_s - attribution.start_s) * attribution.fs + 0.5, 0, n_samples)  # (K, 2)
    below = np.concatenate([np.zeros((len(mass), 1)), np.cumsum(mass, axis=1)], axis=1)
    at = np.stack([np.interp(edges, np.arange(n_samples + 1), row) for row in below])
    within: FloatArray = at[..., 1] - at[..., 0]
    return within.astype(np.float32).astype(np.float64)  # equal tokens that differ in the last bit have no ranks


@dataclass(frozen=True, eq=False)
class AgreementMatrix:
    """How far several maps of one record agree; both matrices (M, M) are symmetric.

    NaN is where a pair shares no axis, or one of it is even on the axes that they share.

    Densities are compared, mass per second, so that maps which share nothing are at 0 and not near 1 because both have
    more in longer waves. ``spearman`` is the rank correlation of supporting densities lead x wave, ``pearson`` the
    correlation of signed ones (supporting less opposing) lead x beat x atom. Leads are paired by name. Axes that one of
    a pair lacks are summed over in both, and cells that one of them lacks are left out.
    """

    methods: tuple[str, ...]
    spearman: FloatArray
    pearson: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "spearman", frozen(self.spearman))
        object.__setattr__(self, "pearson", frozen(self.pearson))


def agreement_matrix(explanations: Sequence[Explanation], beats: Beats) -> AgreementMatrix:
    """Compare each pair of several maps of one record on the evidence grid (after Krishna et al. 2022).

    arXiv:2202.01602. Methods are known to disagree; a high agreement of two does not make either right.
    """
    grids = [evidence(each, beats) for each in explanations]
    waves, cells = [supporting_waves(grid) for grid in grids], [signed_cells(grid) for grid in grids]
    n = len(explanations)
    ranks, sizes = np.full((n, n), np.nan), np.full((n, n), np.nan)
    for a in range(n):
        for b in range(n):
            ranks[a, b] = spearman(*densities(waves[a], waves[b]))
            sizes[a, b] = pearson(*densities(cells[a], cells[b]))
    return AgreementMatrix(tuple(each.method for each in explanations), ranks, sizes)


def _groups(tap: AttentionMap, attention: Sequence[AttentionMap]) -> NDArray[np.intp]:
    """Return the part of the record within which each weight is comparable, as numbers of the shape of the values."""
    n_leads, n_tokens = tap.values.shape
    lead = np.arange(n_leads)[:, None]
    if tap.level not in ("beat", "rhythm"):
        return np.zeros((n_leads, n_tokens), dtype=np.intp)
    windows = next((each.span_s for each in attention if each.level == "rhythm"), None)
    if tap.level == "rhythm" or windows is None or len(windows) == n_tokens:  # weights over all tokens, not of a window
        return np.broadcast_to(lead, (n_leads, n_tokens))
    middle = tap.span_s.mean(axis=1)
    window = ((middle[:, None] >= windows[:, 0]) & (middle[:, None] < windows[:, 1])).argmax(axis=1)
    return lead * len(windows) + window


def _within(a: FloatArray, b: FloatArray, groups: NDArray[np.intp]) -> float:
    return mean_known([spearman(a[groups == group], b[groups == group]) for group in np.unique(groups)])
