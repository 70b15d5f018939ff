"""Rate, regularity of the RR intervals, prematurity, and how many beats have a P wave."""

import numpy as np

from ecgviz.types import Beats
from ecgviz.types.arrays import BoolArray, FloatArray

FEWEST_INTERVALS = 3
LARGE_STEP_S = 0.050
"""A change from one RR interval to the next that counts for ``prr50``, the limit of pNN50."""


def rr_statistics(beats: Beats) -> tuple[dict[str, float], dict[str, str]]:
    """Return RR statistics by name, and reasons for those that are NaN.

    Rate and mean take every known interval (the ventricular rate), see `known_rr_s`. Spread (``rr_sd_ms``, ``rr_cv``,
    ``rr_range_fraction`` = (max - min) / mean, ``nrmssd`` = RMS of successive differences / mean) takes intervals
    between two beats that are not ectopic, and differences of two such intervals in a row: an ectopic beat is no
    irregularity of the rhythm.
    ``prr50`` is the share of such differences of 50 ms or more (pNN50 of the Task Force, Circulation 1996;93:1043,
    counts those above 50 ms, of a much longer recording).
    """
    rr = known_rr_s(beats)
    known = rr[np.isfinite(rr)]
    names = ("rr_sd_ms", "rr_cv", "rr_range_fraction", "nrmssd", "prr50")
    values = {"rate_bpm": np.nan, "rr_mean_ms": np.nan, **dict.fromkeys(names, np.nan)}
    if known.size == 0:
        why = "no RR interval is known: each is across a gap or at a cut QRS complex" if rr.size else ""
        return values, dict.fromkeys(values, why or beats.reason or "no RR interval: fewer than two beats")
    values |= {"rate_bpm": float(60 / known.mean()), "rr_mean_ms": float(1000 * known.mean())}
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


def known_rr_s(beats: Beats) -> FloatArray:
    """Return the RR intervals that can be counted in seconds, (B - 1,), NaN for the others.

    Not known is an interval across a span that no lead recorded, since a beat may have been there; nor one from or to a
    beat whose QRS complex the recording cuts: its R peak may be what is cut.
    """
    cut = beats.cut_qrs
    return np.where(cut[:-1] | cut[1:], np.nan, beats.rr_s)


def coupling(beats: Beats) -> tuple[dict[str, float], dict[str, str]]:
    """Return the coupling interval in ms: median time from the beat before to a premature beat, R peak to R peak.

    A premature beat that follows another one (of a couplet or run) is not counted.
    """
    early = beats.ectopic
    rr = known_rr_s(beats)
    first = np.flatnonzero(early[1:] & ~early[:-1] & np.isfinite(rr)) if len(beats) > 1 else np.empty(0, dtype=int)
    if not first.size:
        why = beats.reason or "no premature beat follows a beat of the basic rhythm"
        return {"coupling_ms": float("nan")}, {"coupling_ms": why}
    return {"coupling_ms": float(1000 * np.median(rr[first]))}, {}


def usual_rr_s(beats: Beats) -> float:
    """Return the usual RR interval in seconds: the median of those without ectopic beats, where there are enough.

    Elsewhere, as in bigeminy, it is the mean: a coupling interval and the pause after it make two usual ones.
    """
    rr = known_rr_s(beats)
    own, known = rr[_between_own_beats(beats)], rr[np.isfinite(rr)]
    if not known.size:
        return float("nan")
    if own.size < FEWEST_INTERVALS and beats.ectopic.any():
        return float(known.mean())
    return float(np.median(own if own.size >= FEWEST_INTERVALS else known))


def adapted_rr_s(beats: Beats) -> float:
    """Return the median RR interval in seconds that QT intervals have adapted to, and are corrected for.

    NaN where nearly every interval begins or ends in a premature beat, as in bigeminy: a coupling interval is too
    short, and the pause after it too long (AHA/ACCF/HRS 2009 part IV corrects no QT where RR varies much).
    """
    few = _between_own_beats(beats).sum() < FEWEST_INTERVALS
    return float("nan") if few and beats.ectopic.any() else usual_rr_s(beats)


def _between_own_beats(beats: Beats) -> np.ndarray:
    """Return True for known RR intervals between two beats of the basic rhythm, (B - 1,)."""
    own = own_beats(beats)
    both: np.ndarray = own[:-1] & own[1:] & np.isfinite(known_rr_s(beats))
    return both


def own_beats(beats: Beats) -> BoolArray:
    """Return True for beats that are not premature, (B,).

    One that an end of the recording cuts and that is of no sure kind may be premature: it is none of them.
    """
    unsure = np.array([kind == "unsure" for kind in beats.kind], dtype=bool)
    return np.asarray(~beats.ectopic & ~(unsure & beats.edge))


def p_fraction(beats: Beats) -> float:
    """Return the share of the dominant beats that have a P wave; NaN without beats."""
    dominant = beats.dominant & np.isfinite(beats.qrs_on)
    return float(np.mean(np.isfinite(beats.p_on[dominant]))) if dominant.any() else float("nan")
