"""Intervals by the bootstrap: patients are drawn, with all their recordings and everybody's answers to these."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
MIN_PATIENTS = 5
"""Resampling fewer patients tells nothing."""
MIN_DEFINED = 0.5
"""An interval needs the statistic to be defined in at least this part of the draws."""


@dataclass(frozen=True)
class Estimate:
    """A statistic with its 95 % interval over patients, how many of them there are, and why there is no interval."""

    value: float
    low: float
    high: float
    n_patients: int
    why: str = ""


def by_patient(
    patients: Sequence[str], statistic: Callable[[NDArray[np.intp]], float], *, draws: int, seed: int
) -> Estimate:
    """Return a statistic of rows with its percentile interval (Efron and Tibshirani 1993, chapter 13).

    Parameters
    ----------
    patients : sequence of str
        Whose recording each row is about.
    statistic : callable
        From the indices of rows, some of them repeated, to a number; NaN where it is not defined.
    draws, seed : int
        How often patients are drawn, and the seed of the drawing.

    Returns
    -------
    Estimate
        With NaN bounds and a sentence for fewer than 5 patients, or where most draws leave the statistic undefined.
    """
    names, owner = np.unique(np.asarray(patients, dtype=object).astype(str), return_inverse=True)
    rows = [np.flatnonzero(owner == i) for i in range(len(names))]
    value = statistic(np.arange(len(patients), dtype=np.intp)) if len(patients) else float("nan")
    if len(names) < MIN_PATIENTS:
        return Estimate(value, np.nan, np.nan, len(names), f"an interval needs {MIN_PATIENTS} patients or more")
    if np.isnan(value):
        return Estimate(value, np.nan, np.nan, len(names), "not defined on these answers")
    rng = np.random.default_rng(seed)
    drawn = [
        statistic(np.concatenate([rows[i] for i in rng.integers(len(names), size=len(names))])) for _ in range(draws)
    ]
    defined = np.array([each for each in drawn if np.isfinite(each)])
    if len(defined) < MIN_DEFINED * draws:
        return Estimate(value, np.nan, np.nan, len(names), "undefined in most resamples, so there is no interval")
    low, high = np.percentile(defined, [2.5, 97.5])
    return Estimate(value, float(low), float(high), len(names))
