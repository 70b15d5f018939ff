"""The class map of Wagner et al. (Comput Biol Med 176:108525, 2024, arXiv:2305.17043), and its published findings.

Their recipe: of the 100 records with the highest output for a class, the absolute gradient of its logit is averaged
within each lead and wave segment of a record (density, not share), and these are averaged over the records. Departures:
segments are the global marks of each beat, cut hard and shared at the sample, where they have soft ones for each lead;
nine atoms for their 24 states; density a second for theirs a sample, which is a constant factor. The recipe is for the
method ``saliency``; for any other the same sums are drawn and say so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecgviz.cohort.class_map import mean_known
from ecgviz.cohort.question import Question
from ecgviz.cohort.resample import percentile, resampled
from ecgviz.cohort.schema import LEADS
from ecgviz.cohort.store import Cohort, lists, matrices
from ecgviz.errors import CohortError
from ecgviz.types import ATOMS
from ecgviz.types.arrays import FloatArray

TOP = 100
"""Records with the highest output."""
MARKED = 5
"""So many of the densest cells are marked."""
_V1_BEFORE_QRS = tuple(("V1", atom) for atom in ("P", "PR"))


@dataclass(frozen=True)
class Published:
    """One published finding: in ``label``, these cells are denser than the same segment in the other leads."""

    label: str
    says: str
    cells: tuple[tuple[str, str], ...]


PUBLISHED: tuple[Published, ...] = (
    Published("LVH", "R in V1, V2 and V5", (("V1", "QRSm"), ("V2", "QRSm"), ("V5", "QRSm"))),
    Published("IMI", "Q in II, III and aVF", (("II", "QRSi"), ("III", "QRSi"), ("aVF", "QRSi"))),
    Published("AMI", "Q and R in V2", (("V2", "QRSi"), ("V2", "QRSm"))),
    Published("ASMI", "Q and R in V2", (("V2", "QRSi"), ("V2", "QRSm"))),
    Published("CLBBB", "R in V2", (("V2", "QRSm"),)),
    Published("CLBBB", "P and PQ in V1, before the QRS complex", _V1_BEFORE_QRS),
    Published("NORM", "R in V1", (("V1", "QRSm"),)),
)
"""What their LeNet showed on PTB-XL by saliency, as their published notebook draws it; ASMI is held against AMI."""


@dataclass(frozen=True, eq=False)
class DensityMap:
    """Mean density of unsigned mass, lead x atom (12, 9), a second, over the records with the highest output.

    ``of_records`` (n, 12, 9) are those of each record, ``patients`` (n,) whose they are, ``strongest`` the densest
    cells as (lead, atom), densest first. A segment, or a lead, that no record has is NaN.
    """

    mean: FloatArray
    of_records: FloatArray
    patients: tuple[str, ...]
    strongest: tuple[tuple[str, str], ...]


def density_map(cohort: Cohort, question: Question, *, top: int = TOP) -> DensityMap:
    """Return the density map of a question's network, method and label, over the ``top`` records by its logit.

    The question's ``which`` is not asked: the recipe takes the highest outputs of all records.

    Raises
    ------
    CohortError
        When the method's maps have no matrix of leads by waves.
    """
    condition, parameters = Question(
        question.model, question.method, question.label, "all", question.group, question.member
    ).condition()
    table = cohort.arrow(
        f"SELECT patient, pos, neg, atom_s FROM cohort WHERE {condition} "  # noqa: S608
        "ORDER BY logit DESC, record LIMIT ?",
        [*parameters, top],
    )
    if table.num_rows and table.column("pos").null_count == table.num_rows:
        raise CohortError(f"maps of {question.method} lack leads or time: there is no matrix of leads by waves")
    mass = (matrices(table, "pos") + matrices(table, "neg")).astype(np.float64)
    seconds = lists(table, "atom_s", len(ATOMS)).astype(np.float64)[:, None, :]
    density = np.divide(mass, seconds, out=np.full(mass.shape, np.nan), where=seconds > 0)
    mean = mean_known(density)
    order = np.argsort(np.where(np.isfinite(mean), -mean, np.inf), axis=None, kind="stable")
    densest = order[: min(MARKED, int(np.isfinite(mean).sum()))]
    strongest = tuple((LEADS[k // len(ATOMS)], ATOMS[k % len(ATOMS)]) for k in densest.tolist())
    return DensityMap(mean, density, tuple(table.column("patient").to_pylist()), strongest)


def external_checks(label: str, found: DensityMap, *, seed: int = 0) -> pd.DataFrame:
    """Return each published finding of a label, and whether this map shows it.

    The named cells are compared with the same segments in the other leads, record by record: ``ratio`` is the mean
    density of the named cells over that of the others, ``low`` and ``high`` its interval by patient; it ``passes``
    where that is above 1, and is None where there are too few patients for one. ``in_strongest`` counts the named cells
    among the five densest of all 108, as they mark them. The other leads are those that a map has; where it lacks a
    named one, the finding cannot be checked in that record.
    """
    rows = []
    for published in (each for each in PUBLISHED if each.label == label):
        named = [(LEADS.index(lead), ATOMS.index(atom)) for lead, atom in published.cells]
        others = [(lead, atom) for _, atom in named for lead in range(len(LEADS)) if (lead, atom) not in named]
        told = [np.mean([found.of_records[:, lead, atom] for lead, atom in named], axis=0)]
        pair = np.stack([*told, _mean_there(found.of_records, others)], axis=1)
        means = resampled(pair, np.asarray(found.patients, dtype=np.str_), seed)
        ratios = means.draws[:, :1] / means.draws[:, 1:]
        low, high = percentile(ratios, 2.5)[0], percentile(ratios, 97.5)[0]
        rows.append(
            {
                "label": label,
                "published": published.says,
                "ratio": float(means.mean[0] / means.mean[1]),
                "low": float(low),
                "high": float(high),
                "in_strongest": sum(cell in found.strongest for cell in published.cells),
                "of": len(published.cells),
                "passes": bool(low > 1) if np.isfinite(low) else None,
            }
        )
    return pd.DataFrame(rows, columns=["label", "published", "ratio", "low", "high", "in_strongest", "of", "passes"])


def _mean_there(density: FloatArray, cells: Sequence[tuple[int, int]]) -> FloatArray:
    """Return each record's mean over cells of the leads that it has, (n,); NaN where a segment is missing in one."""
    leads, atoms = np.array(cells).T
    there = np.asarray(np.isfinite(density).any(axis=2))[:, leads]
    n = there.sum(axis=1)
    total = np.where(there, density[:, leads, atoms], 0.0).sum(axis=1)
    return np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
