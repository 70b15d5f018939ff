"""Scores of the order of cells, by density: what a share, which a few large cells decide, does not tell."""

from typing import NamedTuple

import numpy as np

from ecgviz.types import EvidenceGrid
from ecgviz.types.arrays import BoolArray

DECIMALS = 12
"""Densities that agree to so many digits of the largest are ties."""


class RankScores(NamedTuple):
    """Scores of one map in one region (see `Agreement`); an even map has the area of the region in each."""

    pointing: float
    rank_accuracy: float
    auprc: float


def rank_scores(grid: EvidenceGrid, inside: BoolArray) -> RankScores:
    """Rank the cells of a map by density of supporting mass, and see how early those of a region come.

    Cells count by their area, and ties share what they reach: so a map that is the same in all leads is not told apart
    by the order in which leads happen to stand. Pointing game: Zhang et al. 2018 (doi:10.1007/s11263-017-1059-x);
    relevance rank accuracy: Arras et al. 2022 (doi:10.1016/j.inffus.2021.11.008), both there on pixels.

    Returns
    -------
    RankScores
        NaN for a map without supporting mass, or a region without area.
    """
    area = np.broadcast_to(grid.area, grid.pos.shape)
    there = area > 0
    if grid.total == 0 or not inside[there].any():
        return RankScores(np.nan, np.nan, np.nan)
    density = grid.pos[there] / area[there]
    _, level = np.unique(-np.round(density / density.max(), DECIMALS), return_inverse=True)
    of_level = np.bincount(level, area[there])
    hit = np.bincount(level, area[there] * inside[there])
    reached, hits = np.cumsum(of_level), np.cumsum(hit)
    size = hits[-1]
    last = int(np.searchsorted(reached, size))
    before, hits_before = (reached[last - 1], hits[last - 1]) if last else (0.0, 0.0)
    ranked = hits_before + hit[last] * (size - before) / of_level[last]
    return RankScores(
        pointing=float(hit[0] / of_level[0]),
        rank_accuracy=float(ranked / size),
        auprc=float((hit / size * hits / reached).sum()),
    )
