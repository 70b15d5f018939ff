"""Rate, regularity of the RR intervals, prematurity, and how many beats have a P wave."""

import numpy as np

from ecgviz.types import Beats
from ecgviz.types.arrays import FloatArray

FEWEST_INTERVALS = 3
LARGE_STEP_S = 0.050
"""A change from one RR interval to the next that counts for ``prr50``, the limit of pNN50."""


def rr_statistics(beats: Beats) -> tuple[dict[str, float], dict[str, str]]:
    """Return RR statistics by name, and reasons for those that are NaN.

    Rate and mean take every interval (the ventricular rate). Spread (``rr_sd_ms``, ``rr_cv``, ``rr_range_fraction``
    = (max - min) / mean, ``nrmssd`` = RMS of successive differences / mean) takes intervals between two beats that
    are not ectopic, and differences of two such intervals in a row: an ectopic beat is no irregularity of the rhythm.
    ``prr50`` is the share of such differences of 50 ms or more (pNN50 of the Task Force, Circulation 1996;93:1043,
    counts those above 50 ms, of a much longer recording).
    """
    rr = beats.rr_s
    names = ("rr_sd_ms", "rr_cv", "rr_range_fraction", "nrmssd", "prr50")
    values = {"rate_bpm": np.nan, "rr_mean_ms": np.nan, **dict.fromkeys(names, np.nan)}
    if rr.size == 0:
        return values, dict.fromkeys(values, beats.reason or "no RR interval: fewer than two beats")
    values |= {"rate_bpm": float(60 / rr.mean()), "rr_mean_ms": float(1000 * rr.mean())}
    kept = _between_own_beats(beats)
    own = rr[kept]
    if own.size < FEWEST_INTERVALS:
        reason = f"only {own.size} RR intervals without an ectopic beat (at least {FEWEST_INTERVALS} are needed)"
        return values, dict.fromkeys(names, reason)
    mean = own.mean()
    steps = np.diff(rr)[kept[:-1] & kept[1:]]
    values |= {
        "rr_sd_ms": float(1000 * own.std(ddof=1)),
        "rr_cv": float(own.std(ddof=1) / mean),
        "rr_range_fraction": float((own.max() - own.min()) / mean),
    }
    if not steps.size:
        return values, dict.fromkeys(("nrmssd", "prr50"), "no two RR intervals in a row without an ectopic beat")
    large = np.abs(steps) >= LARGE_STEP_S - 1e-9
    return values | {"nrmssd": float(np.sqrt(np.mean(steps**2)) / mean), "prr50": float(np.mean(large))}, {}


def coupling(beats: Beats) -> tuple[dict[str, float], dict[str, str]]:
    """Return the coupling interval in ms: median time from the beat before to a premature beat, R peak to R peak.

    A premature beat that follows another one (of a couplet or run) is not counted.
    """
    early = beats.ectopic
    first = np.flatnonzero(early[1:] & ~early[:-1]) if len(beats) > 1 else np.empty(0, dtype=int)
    if not first.size:
        why = beats.reason or "no premature beat follows a beat of the basic rhythm"
        return {"coupling_ms": float("nan")}, {"coupling_ms": why}
    return {"coupling_ms": float(1000 * np.median(beats.rr_s[first]))}, {}


def usual_rr_s(beats: Beats) -> float:
    """Return the median RR interval in seconds that QT is corrected for: without ectopic beats where that can be."""
    own = beats.rr_s[_between_own_beats(beats)]
    chosen: FloatArray = own if own.size >= FEWEST_INTERVALS else beats.rr_s
    return float(np.median(chosen)) if chosen.size else float("nan")


def _between_own_beats(beats: Beats) -> np.ndarray:
    own = ~beats.ectopic
    both: np.ndarray = own[:-1] & own[1:]
    return both


def p_fraction(beats: Beats) -> float:
    """Return the share of the dominant beats that have a P wave; NaN without beats."""
    dominant = beats.dominant & np.isfinite(beats.qrs_on)
    return float(np.mean(np.isfinite(beats.p_on[dominant]))) if dominant.any() else float("nan")
