"""What kind of beat each is: normal, premature from the ventricles or the atria, paced, or not to be told."""

from dataclasses import dataclass, field

import numpy as np

from ecgviz.beats.atrial import IRREGULAR, NO_GAPS, variation
from ecgviz.beats.complexes import EARLY
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.beats import steps_s

WIDER_S = 0.030
"""So much wider than the usual ones is one sign of a beat from the ventricles."""
LIKE_PR_S = 0.060
"""A P wave is a beat's own where PR differs by no more than this from that of the usual beats."""
FAR_EARLY = 0.80
"""A beat after so short an RR interval, of those around and of the one before, is early in bigeminy too."""
DUE = (EARLY, 2 - EARLY)
"""In usual RR intervals, how long after the beat before a premature ventricular one the next of the rhythm may come for
the premature one to be interpolated; concealed conduction delays it a little."""
AROUND = 4
"""So many RR intervals to each side are around it."""
CUT_BEFORE_S, CUT_AFTER_S = 0.300, 0.400
"""A beat with less than this before and after its R peak is cut by an end of the recording."""
HALF = 0.5
"""Premature atrial beats are told in rhythms whose other beats have P waves, more than this share of them."""


@dataclass(frozen=True, eq=False)
class Signs:
    """What tells the kinds apart, (B,): whether shaped like most, QRS width, PR (NaN without P), whether spiked or cut.

    ``extra_p_s`` are P waves that no QRS follows.

    Of a QRS complex that the recording cuts the R peak may be what is cut: whether it is early is not known.
    """

    r_s: FloatArray
    alike: BoolArray
    width_s: FloatArray
    pr_s: FloatArray
    spiked: BoolArray
    cut: BoolArray
    gaps_s: FloatArray = field(default_factory=lambda: NO_GAPS)
    extra_p_s: FloatArray = field(default_factory=lambda: np.empty(0))

    @property
    def has_p(self) -> BoolArray:
        """True where a P wave was seen, (B,)."""
        return np.isfinite(self.pr_s)

    @property
    def own_p(self) -> BoolArray:
        """True where PR is that of the usual beats, or none is usual, (B,): the P wave is not there by chance."""
        return like_usual_pr(self.pr_s, self.alike)

    @property
    def wide(self) -> BoolArray:
        """True where QRS is wider than that of the usual beats, (B,)."""
        return np.asarray(self.width_s > _usual(self.width_s, self.alike) + WIDER_S)


def like_usual_pr(pr_s: FloatArray, usual: BoolArray) -> BoolArray:
    """Return True where PR (B,) is that of the ``usual`` beats, or none of these has one; False where it is NaN."""
    return np.isfinite(pr_s) & ~(np.abs(pr_s - _usual(pr_s, usual)) > LIKE_PR_S)


def _usual(values: FloatArray, alike: BoolArray) -> float:
    return _median_known(values[alike])


def early(rr: FloatArray) -> BoolArray:
    """Return True for beats that come early, (B,): against the RR intervals around them, and against the one before.

    ``rr`` (B - 1,) is NaN where an interval is not known: the beat after it is not early. Where every second beat is
    early, the beat's own interval makes the half of those around it short: it is left out where it is `FAR_EARLY`, not
    otherwise, since sinus arrhythmia has such intervals.
    """
    result = np.zeros(rr.size + 1, dtype=bool)
    for b in (np.flatnonzero(np.isfinite(rr)) + 1).tolist():
        usual = _usual_around(rr, b)
        before = rr[b - 2] if b > 1 and np.isfinite(rr[b - 2]) else usual
        result[b] = rr[b - 1] < EARLY * usual and rr[b - 1] < EARLY * before
        others = _median_known(np.concatenate([rr[max(0, b - 1 - AROUND) : b - 1], rr[b : b + AROUND]]))
        result[b] |= rr[b - 1] < FAR_EARLY * min(others, before)
    return result


def _usual_around(rr: FloatArray, b: int) -> float:
    """Return the median of the RR intervals around beat ``b`` that are known."""
    return _median_known(rr[max(0, b - 1 - AROUND) : b + AROUND])


def _median_known(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def when_due(rr: FloatArray, ventricular: BoolArray) -> BoolArray:
    """Return True for beats, (B,), that follow an interpolated ``ventricular`` one, and come when they were due."""
    result = np.zeros(rr.size + 1, dtype=bool)
    for b in (np.flatnonzero(ventricular[1:-1]) + 1).tolist():
        both = rr[b - 1] + rr[b]
        if np.isfinite(both):
            usual = _usual_around(rr, b)
            result[b + 1] = DUE[0] * usual <= both <= DUE[1] * usual
    return result


def after_dropped(r_s: FloatArray, extra_p_s: FloatArray) -> BoolArray:
    """Return True for beats, (B,), whose RR is short only beside the one before, in which a P wave was blocked."""
    n_blocked = np.histogram(extra_p_s, r_s)[0] if r_s.size > 1 else np.zeros(0, dtype=int)
    return np.concatenate([np.zeros(min(r_s.size, 2), dtype=bool), n_blocked[:-1] > 0])


def beat_kinds(signs: Signs) -> tuple[str, ...]:
    """Name the kind of each beat.

    Paced: a spike starts it. Premature ventricular: not shaped like most, and wider by 30 ms without a P wave of its
    own, or early, and wider or without any P wave. Premature atrial: early, as narrow as most (or with a P wave), in a
    rhythm that is regular otherwise; in atrial fibrillation every other beat is "early". Unsure: of another shape, but
    neither, as beats of a bundle branch block that comes and goes. The beat after an interpolated premature ventricular
    one is not early, nor is the one after the pause of a blocked P wave.
    """
    rr = steps_s(signs.r_s, signs.gaps_s)
    soon = early(rr) & ~signs.cut
    ventricular = (signs.wide & ~signs.own_p) | (soon & (signs.wide | ~signs.has_p))
    soon &= ~(signs.alike & when_due(rr, ventricular & ~signs.alike & ~signs.spiked))
    soon &= ~after_dropped(signs.r_s, signs.extra_p_s)
    late_or_usual = signs.alike & ~signs.cut & ~soon & ~np.append(False, soon[:-1])
    with_p = signs.has_p[late_or_usual]
    even = variation(signs.r_s, late_or_usual, signs.gaps_s) <= IRREGULAR
    regular = even and with_p.size > 0 and with_p.mean() > HALF
    kinds = []
    for b in range(signs.r_s.size):
        if signs.spiked[b]:
            kinds.append("paced")
        elif signs.alike[b]:
            kinds.append("premature_atrial" if soon[b] and regular else "normal")
        elif ventricular[b]:
            kinds.append("premature_ventricular")
        else:
            kinds.append("premature_atrial" if soon[b] and regular else "unsure")
    return tuple(kinds)


def at_edges(r_s: FloatArray, t_off: FloatArray, alike: BoolArray, duration_s: float) -> BoolArray:
    """Return True for beats that the recording cuts, (B,): under 0.3 s before R, or no room for the usual T wave."""
    tails = (t_off - r_s)[alike & np.isfinite(t_off)]
    tail = float(np.median(tails)) if tails.size else CUT_AFTER_S
    return np.asarray((r_s < CUT_BEFORE_S) | (r_s + tail > duration_s))
