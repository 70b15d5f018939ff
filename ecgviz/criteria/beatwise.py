"""Numbers of single beats and of their sequence, for rules on premature beats, pauses and blocked P waves."""

import numpy as np

from ecgviz.beats.kinds import like_usual_pr
from ecgviz.measure.rhythm import known_rr_s, own_beats, usual_rr_s
from ecgviz.types import Beats
from ecgviz.types.arrays import BoolArray, FloatArray

FEWEST = 3
"""A range is taken over so many intervals at least."""


def beat_numbers(beats: Beats) -> dict[str, FloatArray]:
    """Return numbers of each beat by name, (B,), NaN where a beat has none.

    ``beat_coupling``: the RR interval before it, as a share of the usual one. ``beat_pause``: the RR intervals before
    and after it together, in usual ones; 2 is a full compensatory pause; an interval across a span that no lead
    recorded is not known. ``beat_qrs_ms``, ``beat_pr_ms``: its own global marks, the former unless the recording cuts
    the QRS complex. ``beat_p``: 1 with a P wave, 0 where none was found before its QRS, or, of a premature ventricular
    beat, where its PR is not that of the basic rhythm (60 ms either way): such a wave is there by chance.
    """
    usual = usual_rr_s(beats)
    rr = known_rr_s(beats)
    before, after = np.append(np.nan, rr)[: len(beats)], np.append(rr, np.nan)[: len(beats)]
    return {
        "beat_coupling": before / usual,
        "beat_pause": (before + after) / usual,
        "beat_qrs_ms": np.where(beats.cut_qrs, np.nan, 1000 * (beats.qrs_off - beats.qrs_on)),
        "beat_pr_ms": 1000 * (beats.qrs_on - beats.p_on),
        "beat_p": np.where(np.isnan(beats.qrs_on), np.nan, _own_p(beats)),
    }


def _own_p(beats: Beats) -> BoolArray:
    ventricular = np.array([kind == "premature_ventricular" for kind in beats.kind], dtype=bool)
    return np.isfinite(beats.p_on) & (~ventricular | like_usual_pr(beats.qrs_on - beats.p_on, beats.dominant))


def rhythm_numbers(beats: Beats) -> tuple[dict[str, float], dict[str, str]]:
    """Return numbers of the sequence of beats by name, and reasons for those that are NaN.

    ``pp_range_ms`` and ``pr_range_ms`` (largest less smallest) take beats that are not premature, PP only where no
    blocked P lies between. ``blocked_p`` counts P waves that no QRS follows, ``blocked_p_run`` the most of them between
    two QRS complexes; beside a premature ventricular beat, which leaves the ventricles unable to answer, none counts.
    ``conducted_p_run`` is the most P waves in a row that are conducted: 1 in 2 to 1 and in 3 to 1 block.
    ``blocked_pr_change_ms`` is PR before a blocked P less PR after it, the median over blocked ones. ``p_per_qrs`` is
    the number of P waves over that of QRS complexes. ``bigeminy_cycles`` counts the premature beats of the longest
    chain in which each follows one beat of the basic rhythm, ``trigeminy_cycles`` two.
    """
    rr = known_rr_s(beats)
    known = rr[np.isfinite(rr)]
    early = _apart_at_gaps(beats)
    values = {
        "pp_range_ms": _range_ms(_pp_s(beats)),
        "pr_range_ms": _range_ms((beats.qrs_on - beats.p_on)[beats.dominant & np.isfinite(beats.p_on)]),
        "longest_rr_ms": 1000 * float(np.max(known)) if known.size else float("nan"),
        "blocked_p": float(_blocked_p_s(beats).size),
        "blocked_p_run": float(_blocked_by_beat(beats).max(initial=0)),
        "conducted_p_run": _conducted_run(beats),
        "blocked_pr_change_ms": _pr_change_ms(beats),
        "p_per_qrs": _p_per_qrs(beats),
        "bigeminy_cycles": float(longest_chain(early, 2)),
        "trigeminy_cycles": float(longest_chain(early, 3)),
    }
    if beats.reason:
        return dict.fromkeys(values, float("nan")), dict.fromkeys(values, beats.reason)
    return values, {
        "pp_range_ms": f"fewer than {FEWEST} PP intervals without a premature beat",
        "pr_range_ms": f"fewer than {FEWEST} beats with a P wave",
        "longest_rr_ms": "no RR interval is known",
        "blocked_pr_change_ms": "no blocked P wave lies between two beats with P waves",
        "p_per_qrs": "no QRS complex was found",
    }


def _apart_at_gaps(beats: Beats) -> BoolArray:
    """Return which beats are premature, with three that are not where one may be missing, so that no chain crosses."""
    gaps = np.flatnonzero(np.isnan(beats.rr_s)) + 1
    return np.insert(beats.ectopic, np.repeat(gaps, 3), False)


def longest_chain(early: BoolArray, period: int) -> int:
    """Return the number of beats of the longest chain of ``early`` (B,) ones, each ``period`` beats after the last."""
    longest, chain, expected = 0, 0, -1
    for b in np.flatnonzero(early).tolist():
        chain = chain + 1 if b == expected else 1
        longest, expected = max(longest, chain), b + period
    return longest


def _range_ms(intervals_s: FloatArray) -> float:
    return float(1000 * np.ptp(intervals_s)) if intervals_s.size >= FEWEST else float("nan")


def _pp_s(beats: Beats) -> FloatArray:
    return np.diff(beats.p_on)[_conducted_pairs(beats)]


def _conducted_run(beats: Beats) -> float:
    one = bool(np.isfinite(beats.p_on[~beats.ectopic]).any())
    return float(one + longest_chain(_conducted_pairs(beats), 1))


def _conducted_pairs(beats: Beats) -> BoolArray:
    """Return where a beat and the next, neither premature, have P waves and no blocked one lies between, (B - 1,)."""
    own = own_beats(beats) & np.isfinite(beats.p_on)
    return np.asarray(own[:-1] & own[1:] & (_blocked_by_beat(beats)[1:-1] == 0) & np.isfinite(beats.rr_s))


def _blocked_by_beat(beats: Beats) -> FloatArray:
    """Return how many blocked P waves lie before each beat and after the last, (B + 1,)."""
    return np.bincount(np.searchsorted(beats.r_s, _blocked_p_s(beats)), minlength=len(beats) + 1).astype(float)


def _blocked_p_s(beats: Beats) -> FloatArray:
    """Return the P waves that conduction may have blocked, not those that a premature ventricular beat forestalls."""
    early = np.array([kind == "premature_ventricular" for kind in beats.kind], dtype=bool)
    beside = np.append(False, early) | np.append(early, False)
    return beats.extra_p_s[~beside[np.searchsorted(beats.r_s, beats.extra_p_s)]]


def _pr_change_ms(beats: Beats) -> float:
    pr = beats.qrs_on - beats.p_on
    after = np.flatnonzero(_blocked_by_beat(beats)[1:-1]) + 1
    change = pr[after - 1] - pr[after]
    known = change[np.isfinite(change)]
    return float(1000 * np.median(known)) if known.size else float("nan")


def _p_per_qrs(beats: Beats) -> float:
    complexes = int(np.isfinite(beats.qrs_on).sum())
    return (np.isfinite(beats.p_on).sum() + beats.extra_p_s.size) / complexes if complexes else float("nan")
