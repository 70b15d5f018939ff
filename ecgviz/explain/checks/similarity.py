"""How alike two maps are: by rank, by size, and by how densely they lie on which wave of which lead.

Mass grows with the length of a wave, whatever a map knows: by mass, two maps of noise are 0.9 alike. So waves are
compared by mass per second, and one that a map does not have is compared by nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import rankdata

from ecgviz.types import ATOMS, WAVES, EvidenceGrid
from ecgviz.types.arrays import FloatArray

LEAST_VALUES = 3
"""Fewer values than this have no correlation worth its name."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Mass of a map in cells lead x beat x segment, and how long each is; length 1 on an axis that the map lacks.

    ``mass`` is (L or 1, B or 1, S or 1); ``area`` (B or 1, S or 1) are seconds, 0 where there is no such cell.
    ``leads`` names the rows of ``mass``; it is empty where the map has no lead axis.
    """

    mass: FloatArray
    area: FloatArray
    leads: tuple[str, ...]


def spearman(a: FloatArray, b: FloatArray) -> float:
    """Return the rank correlation of two arrays of one shape; NaN where either is constant or has under 3 values."""
    a, b = np.ravel(a), np.ravel(b)
    if a.size < LEAST_VALUES or np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan
    ranks = rankdata(a) - (a.size + 1) / 2, rankdata(b) - (b.size + 1) / 2
    return float(ranks[0] @ ranks[1] / np.sqrt((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1])))


def pearson(a: FloatArray, b: FloatArray) -> float:
    """Return the correlation of two arrays of one shape; NaN where either is constant or has under 3 values."""
    a, b = np.ravel(a), np.ravel(b)
    if a.size < LEAST_VALUES or np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan
    a, b = a - a.mean(), b - b.mean()
    return float(a / np.linalg.norm(a) @ (b / np.linalg.norm(b)))


def mean_pairwise(arrays: Sequence[FloatArray]) -> float:
    """Return the mean rank correlation over the pairs of several arrays; NaN where no pair has one."""
    return mean_known([spearman(a, b) for a, b in combinations(arrays, 2)])


def mean_known(values: Sequence[float]) -> float:
    """Return the mean of the values that are not NaN; NaN without any."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


def signed_cells(grid: EvidenceGrid) -> Cells:
    """Return supporting less opposing mass of each cell of the evidence grid."""
    return Cells(grid.pos - grid.neg, grid.area, grid.leads)


def supporting_waves(grid: EvidenceGrid) -> Cells:
    """Return supporting mass lead x wave (in the order of `WAVES`), all beats together."""
    if not grid.has_time:
        return Cells(grid.pos, grid.area, grid.leads)
    atoms = [[ATOMS.index(atom) for atom in wave] for wave in WAVES.values()]
    mass, area = grid.pos.sum(axis=1, keepdims=True), grid.area.sum(axis=0, keepdims=True)
    by_wave = np.stack([mass[..., of_wave].sum(axis=-1) for of_wave in atoms], axis=-1)
    seconds = np.stack([area[:, of_wave].sum(axis=-1) for of_wave in atoms], axis=-1)
    return Cells(by_wave, seconds, grid.leads)


def per_second(mass: FloatArray, area: FloatArray) -> FloatArray:
    """Return mass / area, of the shape of ``mass``; NaN where there is no area.

    Single precision, which is that of the maps: what is even in a map ties, and rounding gives it no order.
    """
    density = np.divide(mass, area, out=np.full(mass.shape, np.nan), where=np.broadcast_to(area > 0, mass.shape))
    return density.astype(np.float32).astype(np.float64)


def densities(one: Cells, other: Cells) -> tuple[FloatArray, FloatArray]:
    """Return mass per second of two maps in the cells that both have, (N,) each.

    Leads are paired by name, in the order of ``one``. Both are summed over each axis that one of them lacks, masses and
    seconds alike, before they are divided.
    """
    if one.leads and other.leads:
        leads = [lead for lead in one.leads if lead in other.leads]
        masses = [each.mass[[each.leads.index(lead) for lead in leads]] for each in (one, other)]
    else:
        masses = [each.mass.sum(axis=0, keepdims=True) for each in (one, other)]
    missing = tuple(axis for axis, sizes in enumerate(zip(one.area.shape, other.area.shape, strict=True)) if 1 in sizes)
    a, b = (
        per_second(
            mass.sum(axis=tuple(axis + 1 for axis in missing), keepdims=True),
            each.area.sum(axis=missing, keepdims=True),
        )
        for mass, each in zip(masses, (one, other), strict=True)
    )
    both = np.isfinite(a) & np.isfinite(b)
    return a[both], b[both]


def leads_compared(names: Sequence[str], leads: Sequence[Sequence[str]]) -> str:
    """Return a sentence on how many leads each two maps are compared over; nothing where all have the same leads.

    ``leads`` are those of each map, empty where it has no lead axis; ``names`` tell whose maps they are.
    """
    told = [
        f"{one} with {other}: {_counted(len(of_one & of_other))}"
        for (one, of_one), (other, of_other) in combinations(zip(names, map(set, leads), strict=True), 2)
        if of_one and of_other and of_one != of_other
    ]
    return f"Only leads that both networks read are compared ({'; '.join(told)})." if told else ""


def _counted(n_leads: int) -> str:
    return {0: "no lead", 1: "1 lead"}.get(n_leads, f"{n_leads} leads")
