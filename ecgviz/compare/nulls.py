"""Two null tests of a share: the same map shifted in time against the beats, and its leads exchanged.

Shuffled samples are no null: relevance is smooth in time, and independent smooth maps would be called related in 40 %
of records. A map that follows the heartbeat and knows nothing of leads passes the test of time; both tests are needed.
"""

from dataclasses import dataclass, replace
from itertools import combinations
from math import factorial, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgviz.compare.region import Place
from ecgviz.compare.scores import resampled_shares
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
a whole number of beats leaves a map where it was, and no test would tell that it is tied to a wave. Beats count by the
mass that the map holds on them: one of a single beat is where it was once that beat lies on another."""
N_ARRANGEMENTS = 999
"""Exchanges of leads that are drawn when there are more; of two kinds of leads there never are."""


@dataclass(frozen=True)
class PlaceNull:
    """The null test of place: p over exchanges of leads, how many it tells apart (1 = no test), and the excess.

    ``ahead_low`` is the lower end of the 95 % interval, over beats, of the share that the region's leads hold beyond
    the mean over choices of as many within the limb and within the chest leads; NaN where all choices are alike.
    """

    p: float
    n_arrangements: int
    ahead_low: float = np.nan

    @property
    def limit(self) -> float:
        """Level of rejection; among fewer than 20 arrangements the region must rank first, the best it can do."""
        return max(P_LIMIT, 1 / self.n_arrangements)

    def of_several(self, n_regions: int) -> "PlaceNull":
        """Return the test of one of several regions of which one is enough."""
        return replace(self, p=float(np.minimum(n_regions * self.p, 1)))

    @property
    def passed(self) -> bool:
        """Whether it rejects; a region that is the same in every lead makes no claim about leads."""
        return self.n_arrangements == 1 or not self.doubt

    @property
    def doubt(self) -> str:
        """What speaks against a tie to these leads, "" where nothing does."""
        if self.p > self.limit + 1e-12:
            return f"p {self.p:.2g}"
        return "not clearly more than in others of the limb or chest leads" if self.ahead_low <= 1e-9 else ""


class TimeNull(NamedTuple):
    """The null test of time: p over shifts against the beats, and over all shifts.

    ``p`` leaves out shifts of nearly nothing, and those that lay most of the map's mass from beats onto beats; NaN
    where no shift is left. It tells a map that follows these waves from one that follows other waves. A map that
    follows the beats at some phase or other can lie in phase by chance, which p does not know of: of such maps 6 to
    10 % have a p of 0.05 or less, at 60 to 120 beats a minute. ``p_phase`` counts every shift, so that at most one in
    twenty of them has a p_phase of 0.05 or less; it is what many records, or several tests, are judged by.
    """

    p: float
    p_phase: float


def time_null(explanation: Explanation, beats: Beats, where: Place) -> TimeNull:
    """Shift the map round the recorded part of its window; the beats stay in place."""
    edges = segment_edges(explanation, beats)
    recorded = round((beats.duration_s - explanation.start_s) * explanation.fs)
    n = min(explanation.values.shape[1], recorded)
    seen = ((edges[..., 1] > 0) & (edges[..., 0] < n)).any(axis=1)  # of an hour's beats a window has ten
    edges, left_out, inside = edges[seen], where.left_out[seen], where.inside[:, seen]
    sample = np.arange(n)
    overlap = np.minimum(edges[..., 1:], sample + 1) - np.maximum(edges[..., :1], sample)  # (B, S, T)
    overlap = np.maximum(overlap, 0) * ~left_out[..., None]
    wanted = np.einsum("lbs,bst->lt", inside, overlap)
    on_grid = np.broadcast_to(overlap.sum(axis=(0, 1)), wanted.shape)
    mass = np.maximum(explanation.values[:, :n], 0)

    def at_every_shift(weight: FloatArray) -> FloatArray:
        spectrum = np.conj(np.fft.rfft(mass, axis=1)) * np.fft.rfft(weight, axis=1)
        return np.fft.irfft(spectrum.sum(axis=0), n)

    total = at_every_shift(on_grid)
    enough = total > 1e-9 * mass.sum()
    shares = np.divide(at_every_shift(wanted), total, out=np.zeros(n), where=enough)
    of_beats = overlap.sum(axis=1) @ mass.sum(axis=0)
    reached = shares >= shares[0] - 1e-9
    against = reached[_shifts(n, explanation.fs, beats.r_s[seen], of_beats)]
    p = float((against.sum() + 1) / (against.size + 1)) if against.size else np.nan
    return TimeNull(p, float(reached.mean()))


def _shifts(n: int, fs: float, r_s: FloatArray, mass: FloatArray) -> NDArray[np.bool_]:
    """Return which circular shifts of ``n`` samples are shifts against the beats; ``mass`` (B,) is what each holds."""
    shift_s = np.arange(n) / fs
    length_s = n / fs
    apart_s = np.abs(shift_s[:, None, None] + r_s[:, None] - r_s)  # (shifts, B, B)
    apart_s = np.minimum(apart_s % length_s, -apart_s % length_s).min(axis=2)
    onto_beats = (apart_s <= SAME_PHASE_S) @ mass
    return (np.minimum(shift_s, length_s - shift_s) >= MIN_SHIFT_S) & (onto_beats < 0.5 * mass.sum())


def place_null(grid: EvidenceGrid, inside: BoolArray, rng: np.random.Generator) -> PlaceNull:
    """Exchange the map's leads.

    Exchanges are among all leads: within the limb or the chest leads there are 20 at the most for a region of as many
    leads as these are, and a map that holds nearly all in two of its three leads is no rarer than 1 in 5 there. But
    waves are taller in chest leads, so that a map which knows that much only passes; therefore the region's leads must
    hold more than others of their group, too, in all of the interval over beats.
    """
    rows, kind = np.unique(inside.reshape(inside.shape[0], -1), axis=0, return_inverse=True)
    n = factorial(kind.size) // prod(factorial(count) for count in np.bincount(kind).tolist())
    if n == 1 or not grid.has_leads:
        return PlaceNull(np.nan, 1)
    mass = grid.pos.reshape(grid.pos.shape[0], -1) @ rows.T  # (L, kinds): what each lead holds of what each kind asks
    asked = float(mass[np.arange(kind.size), kind].sum())
    reached = _exchanged(mass, kind, rng) >= asked - 1e-9 * grid.total
    p = float(reached.mean()) if len(rows) == 2 else float((reached.sum() + 1) / (reached.size + 1))
    return PlaceNull(p, n, _ahead_low(grid, inside, rng))


def _exchanged(mass: FloatArray, kind: NDArray[np.intp], rng: np.random.Generator) -> FloatArray:
    """Return what a region holds of a map whose leads were exchanged: all exchanges of two kinds of leads, or a draw.

    ``mass`` (L, kinds) is what each lead holds of what each kind asks, ``kind`` (L,) of which kind each lead is.
    """
    if mass.shape[1] == 2:
        chosen = np.array(list(combinations(range(kind.size), int(kind.sum()))))
        return np.asarray(mass[:, 0].sum() + (mass[:, 1] - mass[:, 0])[chosen].sum(axis=1))
    orders = rng.permuted(np.tile(np.arange(kind.size), (N_ARRANGEMENTS, 1)), axis=1)
    return np.asarray(mass[orders, kind].sum(axis=1))


def _ahead_low(grid: EvidenceGrid, inside: BoolArray, rng: np.random.Generator) -> float:
    beyond = np.zeros(inside.shape)
    for group in (LIMB, CHEST):
        own = [row for row, lead in enumerate(grid.leads) if lead in group]
        beyond[own] = inside[own] - inside[own].mean(axis=0)
    return float(np.percentile(resampled_shares(grid, beyond, rng), 2.5)) if beyond.any() else np.nan
