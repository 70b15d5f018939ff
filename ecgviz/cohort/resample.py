"""Means over records with 95 % intervals by patient: patients are drawn, and each brings all of its records."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgviz.types.arrays import FloatArray

DRAWS = 1000
"""Draws of patients behind each interval (percentiles of the bootstrap)."""
AT_ONCE = 100
FEWEST = 5
"""Fewer patients give a mean and no interval: the bootstrap of so few says nothing."""


@dataclass(frozen=True, eq=False)
class Resampled:
    """Means of K columns and their draws: ``mean`` (K,), ``draws`` (D, K), of ``n`` (K,) records that have a value."""

    mean: FloatArray
    draws: FloatArray
    n: FloatArray

    @property
    def low(self) -> FloatArray:
        """Lower ends of the intervals, (K,)."""
        return percentile(self.draws, 2.5)

    @property
    def high(self) -> FloatArray:
        """Upper ends of the intervals, (K,)."""
        return percentile(self.draws, 97.5)


def resampled(values: FloatArray, patients: NDArray[Any], seed: int = 0) -> Resampled:
    """Return means over records and over draws of patients.

    Parameters
    ----------
    values : array of shape (n, K)
        One row a record; NaN where a record has no value, which is then left out of that column.
    patients : array of shape (n,)
        Whose record it is.
    seed : int
        The same seed and patients give the same draws, so that columns and calls can be compared draw by draw.
    """
    known = np.isfinite(values)
    _, whose = np.unique(patients, return_inverse=True)
    n_patients = int(whose.max()) + 1 if whose.size else 0
    sums, counts = (_by_patient(each, whose, n_patients) for each in (np.where(known, values, 0.0), known))
    draws = np.full((DRAWS, values.shape[1]), np.nan)
    rng = np.random.default_rng(seed)
    for start in range(0, DRAWS if n_patients >= FEWEST else 0, AT_ONCE):
        weights = np.stack(
            [np.bincount(rng.integers(n_patients, size=n_patients), minlength=n_patients) for _ in range(AT_ONCE)]
        ).astype(np.float32)
        draws[start : start + AT_ONCE] = _quotient(weights @ sums, weights @ counts)
    per_column = (counts > 0).sum(axis=0)
    draws[:, per_column < FEWEST] = np.nan
    total = known.sum(axis=0).astype(float)
    mean = _quotient(np.where(known, values, 0.0).sum(axis=0, dtype=np.float64), total)
    return Resampled(mean, draws, total)


def percentile(draws: FloatArray, q: float) -> FloatArray:
    """Return a percentile of each column of draws (D, K); NaN for a column without any."""
    found = np.full(draws.shape[1], np.nan)
    some = np.isfinite(draws).any(axis=0)
    found[some] = np.nanpercentile(draws[:, some], q, axis=0)
    return found


def above_best(values: FloatArray, patients: NDArray[Any], seed: int = 0) -> tuple[float, float, float, int]:
    """Return how far the first column is above the best of the others, the interval of that, and which it is.

    Each of the others is compared on the records on which both have a value, and the best is the one that the first is
    least above. It is chosen anew in each draw, so that the interval knows of the choice. NaN and 0 where no other
    column has a value. Parameters are those of `resampled`.
    """
    apart = resampled(values[:, :1] - values[:, 1:], patients, seed)
    if not np.isfinite(apart.mean).any():
        return np.nan, np.nan, np.nan, 0
    best = int(np.nanargmin(apart.mean))
    least = np.where(np.isfinite(apart.draws), apart.draws, np.inf).min(axis=1, keepdims=True)
    least[~np.isfinite(least)] = np.nan
    return float(apart.mean[best]), float(percentile(least, 2.5)[0]), float(percentile(least, 97.5)[0]), best


def _by_patient(values: FloatArray, whose: NDArray[np.intp], n_patients: int) -> FloatArray:
    """Return the sums of each patient's rows, (P, K)."""
    order = np.argsort(whose, kind="stable")
    if not order.size:
        return np.zeros((0, values.shape[1]), np.float32)
    starts = np.searchsorted(whose[order], np.arange(n_patients))
    sums: FloatArray = np.add.reduceat(values[order].astype(np.float64), starts, axis=0).astype(np.float32)
    return sums


def _quotient(total: FloatArray, n: FloatArray) -> FloatArray:
    return np.divide(total, n, out=np.full(np.shape(total), np.nan), where=n > 0)
