"""Clusters of explanations: records in which a network looks at the same places, and the records nearest to each."""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from ecgviz.cohort.class_map import by_wave
from ecgviz.cohort.question import Question
from ecgviz.cohort.store import Cohort, matrices
from ecgviz.errors import CohortError
from ecgviz.types.arrays import FloatArray

NEAREST = 5
"""Records shown of each cluster: those nearest to its centre."""
LARGEST = 12


@dataclass(frozen=True, eq=False)
class Clusters:
    """K clusters of n maps, the largest first.

    ``members`` (n,) is the cluster of each of ``records``, ``places`` (n, 2) where it lies on the first two principal
    components, which hold ``explained`` of the variance. ``centres`` (K, 12, 6) are the mean shares by lead and wave,
    ``sizes`` (K,) how many records, ``stated`` (K,) to which part of them readers gave the label, of those of which it
    is known (NaN without any), ``nearest`` (K,) the records nearest to each centre.
    """

    records: tuple[str, ...]
    members: tuple[int, ...]
    places: FloatArray
    explained: float
    centres: FloatArray
    sizes: tuple[int, ...]
    stated: tuple[float, ...]
    nearest: tuple[tuple[str, ...], ...]


def clusters(cohort: Cohort, question: Question, k: int, *, seed: int = 0) -> Clusters:
    """Return k clusters of the maps of a question (k-means on square roots of shares by lead and wave).

    Square roots make the distance Hellinger's, in which a small share that doubles counts as much as a large one that
    grows by its half. How many clusters there are is not told by the data: k is the reader's.

    Raises
    ------
    CohortError
        For fewer than 1 or more than 12 clusters, fewer records than twice the clusters, or maps without matrix.
    """
    if not 1 <= k <= LARGEST:
        raise CohortError(f"{k} clusters: choose between 1 and {LARGEST}")
    table = question.rows(cohort, "record", "stated", "pos")
    mass = by_wave(matrices(table, "pos"))
    total = mass.sum(axis=(1, 2))
    known = np.isfinite(total) & (total > 0)
    if known.sum() < 2 * k:
        raise CohortError(f"{int(known.sum())} maps of leads by waves are too few for {k} clusters")
    share = mass[known] / total[known, None, None]
    points = np.sqrt(share.reshape(len(share), -1).astype(np.float64))
    fitted = KMeans(k, random_state=seed, n_init=4).fit(points)
    order = np.argsort(-np.bincount(fitted.labels_, minlength=k), kind="stable")
    member = np.argsort(order)[fitted.labels_]
    away = fitted.transform(points)[:, order]
    pca = PCA(2, random_state=seed).fit(points)
    records = np.asarray(table.column("record").to_pylist(), dtype=np.str_)[known]
    stated = np.array([np.nan if each is None else each for each in table.column("stated").to_pylist()], float)[known]
    chosen = [np.flatnonzero(member == each) for each in range(k)]
    return Clusters(
        records=tuple(records.tolist()),
        members=tuple(member.tolist()),
        places=pca.transform(points),
        explained=float(pca.explained_variance_ratio_.sum()),
        centres=np.stack([share[some].mean(axis=0) for some in chosen]),
        sizes=tuple(len(some) for some in chosen),
        stated=tuple(_mean_known(stated[some]) for some in chosen),
        nearest=tuple(
            tuple(records[some[np.argsort(away[some, each], kind="stable")[:NEAREST]]].tolist())
            for each, some in enumerate(chosen)
        ),
    )


def _mean_known(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan
