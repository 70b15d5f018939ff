"""Class maps: where a network looks in many records of one label, lead by atom, beside the guideline and controls."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from ecgviz.cohort.question import Question
from ecgviz.cohort.resample import resampled
from ecgviz.cohort.schema import LEADS, N_CELLS
from ecgviz.cohort.store import Cohort, matrices
from ecgviz.errors import CohortError
from ecgviz.records.leads import CHEST, LIMB
from ecgviz.types import ATOMS, WAVES
from ecgviz.types.arrays import FloatArray

CONTROLS: Mapping[str, str] = {"amplitude": "|x|", "slope": "|dx/dt|", "random": "random networks"}
"""Columns of control maps, and their names for readers."""


@dataclass(frozen=True, eq=False)
class ClassMap:
    """Mean shares of supporting mass, lead x atom (12, 9), over the records of a question.

    Every record counts the same, whatever its mass. ``low`` and ``high`` are 95 % intervals by patient. ``guideline``
    is the mean region, part of each cell, over the ``n_guideline`` records in which criteria of the label are met and
    name a place; ``controls`` are the mean maps that know nothing of the training. All NaN without records.

    Shares are of the mass on the leads that a map has, and each cell is the mean over the ``n_by_lead`` (12,) records
    whose maps have its lead: NaN where none has, and the cells sum to 1 where all have the same.
    """

    question: Question
    n_records: int
    n_patients: int
    mean: FloatArray
    low: FloatArray
    high: FloatArray
    guideline: FloatArray
    n_guideline: int
    controls: Mapping[str, FloatArray]
    p_place: float
    n_by_lead: tuple[int, ...]


def class_map(cohort: Cohort, question: Question, *, seed: int = 0) -> ClassMap:
    """Return the class map of a question.

    ``p_place`` is over all exchanges of leads within the limb and within the chest leads, the same in all records: in
    what part of them the records' mass, with its leads exchanged, lies in their regions as much as it does. A region
    of three limb leads has 20 arrangements, so p is not below 0.05 there; the test of a single map exchanges all twelve
    leads, and its region must be confirmed within each group besides. Only leads that the maps of all records have are
    exchanged. NaN where no region tells such leads of a group apart.

    Raises
    ------
    CohortError
        When the method's maps have no lead or no time axis, so that there is no such matrix.
    """
    columns = ["patient", "pos", "region", *CONTROLS]
    table = question.rows(cohort, *columns)
    if table.num_rows and table.column("pos").null_count == table.num_rows:
        raise CohortError(f"maps of {question.method} lack leads or time: there is no matrix of leads by waves")
    patients = np.asarray(table.column("patient").to_pylist(), dtype=np.str_)
    share = shares_of(matrices(table, "pos"))
    means = resampled(share.reshape(len(share), N_CELLS), patients, seed)
    region = matrices(table, "region")
    pointed = np.isfinite(region).any(axis=(1, 2))
    shape = (len(LEADS), len(ATOMS))
    return ClassMap(
        question=question,
        n_records=len(share),
        n_patients=len(set(patients.tolist())),
        mean=means.mean.reshape(shape),
        low=means.low.reshape(shape),
        high=means.high.reshape(shape),
        guideline=mean_known(region),
        n_guideline=int(pointed.sum()),
        controls={name: mean_known(matrices(table, column)) for column, name in CONTROLS.items()},
        p_place=place_p(share[pointed], region[pointed]),
        n_by_lead=count_leads(share),
    )


def shares_of(mass: FloatArray) -> FloatArray:
    """Return each record's mass (n, 12, S) as parts of its sum, so that every record counts the same; NaN without.

    A lead that the map does not have is NaN, in what is given and what is returned, and no part of the sum.
    """
    total = np.nansum(mass, axis=(1, 2), dtype=np.float64, keepdims=True)
    return np.divide(mass, total, out=np.full(mass.shape, np.nan), where=total > 0)


def count_leads(cells: FloatArray) -> tuple[int, ...]:
    """Return how many records (n, 12, S) have each lead, (12,)."""
    return tuple(np.isfinite(cells).any(axis=2).sum(axis=0).tolist())


def by_wave(matrix: FloatArray) -> FloatArray:
    """Return sums over the atoms of each wave: (..., 9) to (..., 6), in the order of `WAVES`."""
    waves = [matrix[..., [ATOMS.index(a) for a in some]].sum(axis=-1) for some in WAVES.values()]
    return np.stack(waves, axis=-1)


def place_p(share: FloatArray, region: FloatArray) -> float:
    """Return the p-value of place for shares and regions (n, 12, 9); NaN where regions tell no leads apart.

    Exchanged are the leads that all records have, in map and region: where these are I, II and V1 to V6, a region of
    one limb lead and four chest leads is one of 30 choices.
    """
    held = np.isfinite(share).any(axis=(1, 2)) & np.isfinite(region).any(axis=(1, 2))
    share, region = share[held].astype(np.float64), region[held].astype(np.float64)
    there = np.asarray((np.isfinite(share) & np.isfinite(region)).all(axis=(0, 2)))
    limb, chest = ([k for k, lead in enumerate(LEADS) if lead in group and there[k]] for group in (LIMB, CHEST))
    share, region = (np.where(there[:, None], each, 0.0) for each in (share, region))
    if all(np.allclose(region[:, group], region[:, group[:1]]) for group in (limb, chest)):
        return np.nan
    crossed = np.einsum("ras,rbs->ab", share, region)  # what lead a holds where lead b is asked
    of_limb, of_chest = (
        np.array([crossed[order, group].sum() for order in permutations(group)]) for group in (limb, chest)
    )
    own = float(np.trace(crossed))
    return float(np.mean(of_limb[:, None] + of_chest >= own - 1e-9 * abs(own)))


def mean_known(maps: FloatArray) -> FloatArray:
    """Return the mean of each cell (n, 12, S) over the records that have one; NaN where none has."""
    known = np.isfinite(maps)
    n = known.sum(axis=0)
    total = np.where(known, maps, 0.0).sum(axis=0, dtype=np.float64)
    return np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
