"""From marks of single leads to the marks of a beat: what most leads agree on."""

import warnings
from collections.abc import Mapping

import numpy as np

from ecgviz.beats.waves import without_outliers
from ecgviz.types.arrays import BoolArray, FloatArray

EARLIEST, LATEST = 0.1, 0.9
"""Quantiles over leads that stand for the earliest onset and the latest offset, so that no single lead decides."""
FEWEST = 0.25
"""Share of the leads that must have a wave's peak near the median for the wave to be believed."""
T_AFTER_S = 0.010
"""A T wave starts no earlier than this after the QRS complex."""


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


def global_marks(
    marks: Mapping[str, FloatArray], qrs_on: FloatArray, qrs_off: FloatArray, has_p: BoolArray
) -> dict[str, FloatArray]:
    """Return the six global marks (B,) each, in order within a beat.

    ``marks`` are those of `ecgviz.beats.waves.lead_waves`, stacked to (L, B); ``qrs_on`` and ``qrs_off`` (B,) come
    from the steepness over leads; ``has_p`` (B,) says which beats have a P wave at all.
    """
    p_on, p_off = widest(marks["p_on"], marks["p_off"])
    t_on, t_off = widest(marks["t_on"], marks["t_off"])
    p_off = np.fmin(p_off, qrs_on)
    t_on = np.fmax(t_on, qrs_off + T_AFTER_S)
    with np.errstate(invalid="ignore"):
        p_there = has_p & (p_on < p_off) & np.isfinite(qrs_on)
        t_there = np.isfinite(middle(marks["t_peak"])) & (t_on < t_off) & np.isfinite(qrs_off)
    return {
        "p_on": np.where(p_there, p_on, np.nan),
        "p_off": np.where(p_there, p_off, np.nan),
        "qrs_on": qrs_on,
        "qrs_off": qrs_off,
        "t_on": np.where(t_there, t_on, np.nan),
        "t_off": np.where(t_there, t_off, np.nan),
    }


def lead_marks(marks: Mapping[str, FloatArray], whole: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the marks a lead (L, B): NaN where a lead contradicts the others, or the beat has no such wave.

    QRS marks lie inside the global ones: neurokit2's stop at the S wave's lowest point, and may leave the complex.
    """
    kept = {name: np.where(np.isfinite(whole[name]), without_outliers(marks[name]), np.nan) for name in whole}
    for name in ("qrs_on", "qrs_off"):
        kept[name] = np.clip(kept[name], whole["qrs_on"], whole["qrs_off"])
    return kept
