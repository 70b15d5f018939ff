"""Two null tests of a share: the same map shifted in time against the beats, and its leads exchanged.

Shuffled samples are no null: relevance is smooth in time, and independent smooth maps would be called related in 40 %
of records. A map that follows the heartbeat and knows nothing of leads passes the test of time; both tests are needed.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from ecgviz.compare.region import Place
from ecgviz.evidence import segment_edges
from ecgviz.records.leads import CHEST, LIMB
from ecgviz.types import Beats, EvidenceGrid, Explanation
from ecgviz.types.arrays import BoolArray, FloatArray

P_LIMIT = 0.05
"""Both nulls must reject at this level."""
MIN_SHIFT_S = 0.2
"""Circular shifts are at least this long, in either direction, so that none is nearly no shift."""
SAME_PHASE_S = 0.03
"""Nor is a shift that lays beats onto beats, to the tolerance with which waves are marked: of a regular rhythm, one by
a whole number of beats leaves a map where it was, and no test would tell that it is tied to a wave."""
N_ARRANGEMENTS = 199
"""Exchanges of leads that are drawn when there are more."""


@dataclass(frozen=True)
class PlaceNull:
    """The null test of place: its p-value, and how many arrangements of leads it tells apart (1 = no test)."""

    p: float
    n_arrangements: int

    @property
    def limit(self) -> float:
        """Level of rejection; among fewer than 20 arrangements the region must rank first, the best it can do."""
        return max(P_LIMIT, 1 / self.n_arrangements)

    @property
    def passed(self) -> bool:
        """Whether it rejects; a region that is the same in every lead makes no claim about leads."""
        return self.n_arrangements == 1 or self.p <= self.limit + 1e-12


def time_null(explanation: Explanation, beats: Beats, where: Place) -> float:
    """Return p over all circular shifts of the map within the recorded part of its window; the beats stay in place.

    Shifts of nearly nothing, and those that lay most beats onto others, are none; NaN where no shift is left.
    """
    edges = segment_edges(explanation, beats)
    recorded = round((beats.duration_s - explanation.start_s) * explanation.fs)
    n = min(explanation.values.shape[1], recorded)
    sample = np.arange(n)
    overlap = np.minimum(edges[..., 1:], sample + 1) - np.maximum(edges[..., :1], sample)  # (B, S, T)
    overlap = np.maximum(overlap, 0) * ~where.left_out[..., None]
    wanted = np.einsum("lbs,bst->lt", where.inside, overlap)
    on_grid = np.broadcast_to(overlap.sum(axis=(0, 1)), wanted.shape)
    mass = np.maximum(explanation.values[:, :n], 0)

    def at_every_shift(weight: FloatArray) -> FloatArray:
        spectrum = np.conj(np.fft.rfft(mass, axis=1)) * np.fft.rfft(weight, axis=1)
        return np.fft.irfft(spectrum.sum(axis=0), n)

    total = at_every_shift(on_grid)
    enough = total > 1e-9 * mass.sum()
    shares = np.divide(at_every_shift(wanted), total, out=np.zeros(n), where=enough)
    shifted = shares[_shifts(n, explanation, beats)]
    return float((np.sum(shifted >= shares[0] - 1e-9) + 1) / (shifted.size + 1)) if shifted.size else np.nan


def _shifts(n: int, explanation: Explanation, beats: Beats) -> NDArray[np.bool_]:
    """Return which circular shifts of ``n`` samples are shifts against the beats."""
    shift_s = np.arange(n) / explanation.fs
    length_s = n / explanation.fs
    apart_s = np.abs(shift_s[:, None, None] + beats.r_s[:, None] - beats.r_s)  # (shifts, B, B)
    apart_s = np.minimum(apart_s % length_s, -apart_s % length_s).min(axis=2)
    return (np.minimum(shift_s, length_s - shift_s) >= MIN_SHIFT_S) & (np.median(apart_s, axis=1) > SAME_PHASE_S)


def place_null(grid: EvidenceGrid, inside: BoolArray, rng: np.random.Generator) -> PlaceNull:
    """Exchange the map's leads within the limb and within the chest leads; equivalent arrangements count once."""
    rows, kind = np.unique(inside.reshape(inside.shape[0], -1), axis=0, return_inverse=True)
    groups = [np.flatnonzero([lead in group for lead in grid.leads]) for group in (LIMB, CHEST)]
    arranged = [np.array(sorted(set(permutations(kind[group].tolist()))), dtype=np.intp) for group in groups]
    n = arranged[0].shape[0] * arranged[1].shape[0]
    if n == 1 or not grid.has_leads:
        return PlaceNull(np.nan, 1)
    mass = grid.pos.reshape(grid.pos.shape[0], -1) @ rows.T  # (L, kinds): what each lead holds of what each kind asks
    by_group = [mass[group, orders].sum(axis=1) for group, orders in zip(groups, arranged, strict=True)]
    asked = sum(float(mass[group, kind[group]].sum()) for group in groups)
    own = [_row_of(orders, kind[group]) for orders, group in zip(arranged, groups, strict=True)]
    others = np.delete(np.add.outer(*by_group), own[0] * arranged[1].shape[0] + own[1])
    if others.size > N_ARRANGEMENTS:
        others = rng.choice(others, N_ARRANGEMENTS, replace=False)
    reached = np.sum(others >= asked - 1e-9 * grid.total)
    return PlaceNull(float((reached + 1) / (others.size + 1)), n)


def _row_of(rows: NDArray[np.intp], row: NDArray[np.intp]) -> int:
    return int(np.flatnonzero((rows == row).all(axis=1))[0])
