"""Agreement of readers beyond chance, on labels and on ratings.

Ratings are tables of units x readers; a missing rating is NaN. Labels are coded 0, 1, 2, ... in one order. Cohen's
kappa is scikit-learn's and Krippendorff's alpha that of the package of the same name; the others are short, and each
names its source. Where a coefficient is not defined (one reader, nobody ever differs) it is NaN.
"""

from collections.abc import Sequence
from typing import Literal

import krippendorff
import numpy as np
from sklearn.metrics import cohen_kappa_score

from ecgviz.types.arrays import FloatArray

Weights = Literal["none", "linear", "quadratic"]


def codes(labels: Sequence[Sequence[str | None]], known: Sequence[str]) -> FloatArray:
    """Return labels (units x readers) as numbers in the order of ``known``, a missing one as NaN."""
    return np.array([[np.nan if each is None else known.index(each) for each in unit] for unit in labels], dtype=float)


def cohen_kappa(ratings: FloatArray, n_categories: int, weights: Weights = "none") -> float:
    """Return Cohen's kappa of two readers, plain or weighted, over units that both rated.

    Cohen 1960 (doi:10.1177/001316446002000104), weighted: Cohen 1968 (doi:10.1037/h0026256).

    Parameters
    ----------
    ratings : array of shape (units, 2)
    n_categories : int
        Categories are 0 to n_categories - 1.
    weights : {"none", "linear", "quadratic"}
        How much a disagreement counts by its distance.
    """
    both = ratings[~np.isnan(ratings).any(axis=1)].astype(int)
    if len(np.unique(both)) < 2:  # nobody ever differs, and could not have
        return np.nan
    kind = None if weights == "none" else weights
    return float(cohen_kappa_score(both[:, 0], both[:, 1], labels=range(n_categories), weights=kind))


def counts(ratings: FloatArray, n_categories: int) -> FloatArray:
    """Return how many readers gave each category to each unit, shape (units, categories)."""
    return np.stack([(ratings == category).sum(axis=1) for category in range(n_categories)], axis=1).astype(float)


def fleiss_kappa(ratings: FloatArray, n_categories: int) -> float:
    """Return Fleiss' kappa over units that all readers rated (Fleiss 1971, doi:10.1037/h0031619)."""
    table = counts(ratings[~np.isnan(ratings).any(axis=1)], n_categories)
    n_readers = ratings.shape[1]
    if not len(table) or n_readers < 2:
        return np.nan
    observed = float(((table * (table - 1)).sum(axis=1) / (n_readers * (n_readers - 1))).mean())
    expected = float(((table.sum(axis=0) / table.sum()) ** 2).sum())
    return (observed - expected) / (1 - expected) if expected < 1 else np.nan


def gwet_ac(ratings: FloatArray, n_categories: int, weights: Weights = "none") -> float:
    """Return Gwet's AC1, or with weights AC2; missing ratings are allowed.

    It keeps its sense where nearly all units are of one category, where kappa falls though readers agree. Gwet 2008
    (doi:10.1348/000711006X126600); weighted and with missing ratings: Gwet, Handbook of Inter-Rater Reliability, 4th
    ed. 2014, chapters 4 and 5. Units with one rating count in the prevalence of categories, not in the agreement.
    """
    table = counts(ratings, n_categories)
    table = table[table.sum(axis=1) > 0]
    n_ratings = table.sum(axis=1)
    several = n_ratings > 1
    if not several.any() or n_categories < 2:
        return np.nan
    weight = _weights(n_categories, weights)
    weighted = table @ weight
    agreeing = (table * (weighted - 1)).sum(axis=1)[several] / (n_ratings * (n_ratings - 1))[several]
    prevalence = (table / n_ratings[:, None]).mean(axis=0)
    expected = float(weight.sum() * (prevalence * (1 - prevalence)).sum() / (n_categories * (n_categories - 1)))
    return float((agreeing.mean() - expected) / (1 - expected)) if expected < 1 else np.nan


def _weights(n_categories: int, kind: Weights) -> FloatArray:
    """Return how far two categories count as agreement, shape (categories, categories): 1 on the diagonal."""
    distance = np.abs(np.subtract.outer(np.arange(n_categories), np.arange(n_categories)))
    if kind == "none":
        return (distance == 0).astype(float)
    part = distance / (n_categories - 1)
    return 1 - (part if kind == "linear" else part**2)


def krippendorff_alpha(ratings: FloatArray, level: Literal["nominal", "ordinal", "interval"]) -> float:
    """Return Krippendorff's alpha; missing ratings are allowed (Krippendorff 2011, "Computing alpha-reliability")."""
    paired = ratings[(~np.isnan(ratings)).sum(axis=1) > 1]
    if len(np.unique(paired[~np.isnan(paired)])) < 2:
        return np.nan
    return float(krippendorff.alpha(reliability_data=paired.T, level_of_measurement=level))


def icc(ratings: FloatArray) -> float:
    """Return the intraclass correlation ICC(2,1): readers drawn at random, absolute agreement, one reader's rating.

    Over units that all readers rated. Shrout and Fleiss 1979 (doi:10.1037/0033-2909.86.2.420).
    """
    table = ratings[~np.isnan(ratings).any(axis=1)]
    n, k = table.shape
    if n < 2 or k < 2:
        return np.nan
    total = float(table.mean())
    units = k * float(((table.mean(axis=1) - total) ** 2).sum()) / (n - 1)
    readers = n * float(((table.mean(axis=0) - total) ** 2).sum()) / (k - 1)
    residual = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0, keepdims=True) + total
    rest = float((residual**2).sum()) / ((n - 1) * (k - 1))
    whole = units + (k - 1) * rest + k * (readers - rest) / n
    return (units - rest) / whole if whole > 0 else np.nan
