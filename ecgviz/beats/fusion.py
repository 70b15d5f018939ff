"""From marks of single leads to the marks of a beat: what most leads agree on."""

import warnings
from collections.abc import Mapping

import numpy as np

from ecgviz.beats.waves import OUTLIER_S, without_outliers
from ecgviz.types.arrays import BoolArray, FloatArray

EARLIEST, LATEST = 0.25, 0.75
"""Quantiles over leads that stand for the earliest onset and the latest offset, so that no single lead decides."""
FEWEST = 0.25
"""Share of the leads that must have a wave's peak near the median for the wave to be believed."""


def middle(times: FloatArray) -> FloatArray:
    """Return the median over leads of (L, B), NaN where fewer than a quarter of the leads agree within 40 ms."""
    kept = without_outliers(times)
    agreed = np.isfinite(kept).sum(axis=0) >= max(1.0, FEWEST * len(kept))
    return np.where(agreed, _over_leads(kept, 0.5), np.nan)


def widest(on: FloatArray, off: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the earliest onset and the latest offset of (L, B) marks that lie near their medians, shape (B,) each."""
    return _over_leads(without_outliers(on), EARLIEST), _over_leads(without_outliers(off), LATEST)


def _over_leads(times: FloatArray, share: float) -> FloatArray:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="All-NaN", category=RuntimeWarning)
        return np.asarray(np.nanquantile(times, share, axis=0))


def p_marks(
    marks: Mapping[str, FloatArray], qrs_on: FloatArray, has_p: BoolArray, chosen: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return P onset and offset of each beat, shape (B,) each, NaN without P wave.

    ``marks`` are those of `ecgviz.beats.waves.lead_waves`, stacked to (L, B). A beat whose P wave was recognised by its
    shape (``has_p``), but whose bounds are over 40 ms off the usual distance to its QRS complex, gets that distance.
    """
    on, off = widest(marks["p_on"], marks["p_off"])
    off = np.fmin(off, qrs_on)
    bounds = []
    for mark in (on, off):
        distance = qrs_on - mark
        known = distance[chosen & has_p & np.isfinite(distance)]
        usual = float(np.median(known)) if known.size else float("nan")
        with np.errstate(invalid="ignore"):
            near = np.abs(distance - usual) <= OUTLIER_S
        bounds.append(np.where(has_p, np.where(near, mark, qrs_on - usual), np.nan))
    with np.errstate(invalid="ignore"):
        valid = (bounds[0] < bounds[1]) & (bounds[0] >= 0)
    return np.where(valid, bounds[0], np.nan), np.where(valid, bounds[1], np.nan)


def t_marks_by_leads(marks: Mapping[str, FloatArray], qrs_off: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return T onset and offset of each beat as the leads agree on them, shape (B,) each: for single ectopic beats."""
    on, off = widest(marks["t_on"], marks["t_off"])
    with np.errstate(invalid="ignore"):
        valid = np.isfinite(middle(marks["t_peak"])) & (on > qrs_off) & (on < off)
    return np.where(valid, on, np.nan), np.where(valid, off, np.nan)


def lead_marks(
    marks: Mapping[str, FloatArray], usable: BoolArray, whole: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    """Return the marks of all leads (L, B): NaN where a lead contradicts the others, or the beat has no such wave.

    ``marks`` hold the ``usable`` leads (L,) only, ``whole`` the global marks (B,).

    QRS marks lie inside the global ones: neurokit2's stop at the S wave's lowest point, and may leave the complex.
    """
    every = {}
    for name, times in whole.items():
        kept = np.where(np.isfinite(times), without_outliers(marks[name]), np.nan)
        if name in ("qrs_on", "qrs_off"):
            kept = np.clip(kept, whole["qrs_on"], whole["qrs_off"])
        every[name] = np.full((usable.size, times.size), np.nan)
        every[name][usable] = kept
    return every
