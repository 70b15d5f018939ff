"""Clusters of explanations: records in which a network looks at the same places, and the records nearest to each."""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from ecgviz.cohort.class_map import by_wave, count_leads, mean_known, shares_of
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
    is known (NaN without any), ``nearest`` (K,) the records nearest to each centre. ``n_by_lead`` (12,) is how many of
    the maps have each lead: a centre is the mean over those of its records, NaN where none of them has the lead.
    """

    records: tuple[str, ...]
    members: tuple[int, ...]
    places: FloatArray
    explained: float
    centres: FloatArray
    sizes: tuple[int, ...]
    stated: tuple[float, ...]
    nearest: tuple[tuple[str, ...], ...]
    n_by_lead: tuple[int, ...]


def clusters(cohort: Cohort, question: Question, k: int, *, seed: int = 0) -> Clusters:
    """Return k clusters of the maps of a question (k-means on square roots of shares by lead and wave).

    Square roots make the distance Hellinger's, in which a small share that doubles counts as much as a large one that
    grows by its half. A lead that a map does not have holds none of it. How many clusters there are is not told by the
    data: k is the reader's.

    Raises
    ------
    CohortError
        For fewer than 1 or more than 12 clusters, fewer records than twice the clusters, or maps without matrix.
    """
    if not 1 <= k <= LARGEST:
        raise CohortError(f"{k} clusters: choose between 1 and {LARGEST}")
    table = question.rows(cohort, "record", "stated", "pos")
    shares = shares_of(by_wave(matrices(table, "pos")))
    known = np.isfinite(shares).any(axis=(1, 2))
    if known.sum() < 2 * k:
        raise CohortError(f"{int(known.sum())} maps of leads by waves are too few for {k} clusters")
    share = shares[known]
    points = np.sqrt(np.nan_to_num(share).reshape(len(share), -1))
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
        centres=np.stack([mean_known(share[some]) for some in chosen]),
        sizes=tuple(len(some) for some in chosen),
        stated=tuple(_mean_known(stated[some]) for some in chosen),
        nearest=tuple(
            tuple(records[some[np.argsort(away[some, each], kind="stable")[:NEAREST]]].tolist())
            for each, some in enumerate(chosen)
        ),
        n_by_lead=count_leads(share),
    )


def _mean_known(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan
