"""Edits of timing: RR intervals, rate and PR interval. P waves, QRS complexes and T waves are moved, never reshaped.

Beats move by whole samples, so that what lies from P to T is the recording's own, bit for bit; only the stretches
between (TP, and PR where that is the edit) are interpolated. What lies in these, such as fibrillatory waves, becomes
slower or faster with them. Marks move with the samples.
"""

from collections.abc import Sequence

import numpy as np

from ecgviz.edit.relay import Edited, at_knots, bodies, check_marked, edited_record, in_order, least_tp
from ecgviz.errors import EditError
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import FloatArray

RATES_BPM = (30.0, 200.0)
FEWEST_BEATS = 3


def regular_rr(record: Record, beats: Beats) -> Edited:
    """Make all RR intervals equal: the first and the last R peak stay, those between move to equal steps.

    Parameters
    ----------
    record : Record
        As a network is fed it, not conditioned.
    beats : Beats
        At least three, each with QRS marks.

    Returns
    -------
    Edited
        Of the same length; R peaks lie within half a sample of equal steps.

    Raises
    ------
    EditError
        With fewer beats, or when a beat lasts longer, from P to T, than the mean RR interval leaves room for.
    """
    _check_enough(record, beats)
    rr = beats.rr_s
    sentence = f"RR intervals made equal ({1000 * rr.mean():.0f} ms each; SD was {1000 * rr.std(ddof=1):.0f} ms)"
    return _with_rr(record, beats, np.full(rr.size, rr.mean()), "regular_rr", sentence)


def set_rr(record: Record, beats: Beats, rr_s: Sequence[float] | FloatArray) -> Edited:
    """Give each beat a new distance to the next, in seconds, (B - 1,); the first R peak stays where it is.

    Raises
    ------
    EditError
        As `regular_rr`; also when the intervals are not one fewer than the beats or not all positive, or when together
        they last so much longer or shorter that the last beat would leave the recording or its end be missing.
    """
    _check_enough(record, beats)
    wanted = np.asarray(rr_s, dtype=np.float64)
    if wanted.shape != beats.rr_s.shape or not (wanted > 0).all():
        raise EditError(f"{len(beats)} beats have {len(beats) - 1} RR intervals, all above 0 s; given were {wanted}")
    off = float(wanted.sum() - beats.rr_s.sum())
    if abs(off) > 1 / record.fs:
        raise EditError(f"the new RR intervals last {off:+.3f} s longer than the old ones together; change the rate")
    return _with_rr(record, beats, wanted, "set_rr", f"RR intervals set to {_milliseconds(wanted)} ms")


def change_rate(record: Record, beats: Beats, bpm: float) -> Edited:
    """Change the mean rate: every RR interval is multiplied by one number, and P-QRS-T stays as it was recorded.

    A slower rhythm runs out of the recording at its end. A faster one leaves room there, which is filled by beats of
    the recording once more, in their order; where they are joined, their difference in level is spread over the TP
    stretch. PR and QT keep their length in ms, apart from the last quarter of T where TP is too short, so that a rate
    at which QT would be shorter still is refused.

    Parameters
    ----------
    record, beats
        As in `regular_rr`.
    bpm : float
        Rate wanted, 30 to 200 beats a minute: the mean over the beats that lie in the new recording.

    Raises
    ------
    EditError
        For a rate out of range, fewer than three beats, or when a beat is too long for it.
    """
    if not RATES_BPM[0] <= bpm <= RATES_BPM[1]:
        raise EditError(f"a rate of {bpm:g} bpm is out of range: {RATES_BPM[0]:.0f} to {RATES_BPM[1]:.0f}")
    _check_enough(record, beats)
    check_marked(beats)
    rr, wanted = beats.rr_s, 60 / bpm
    faster = (rr.mean() - wanted) * rr.size > 0.5 / record.fs
    order = _endless(beats, 0, int(record.duration_s / wanted) + 3) if faster else np.arange(len(beats))
    # How many intervals fit is known before they are: those are scaled so that their mean is the one wanted.
    after_r = beats.qrs_off[0] - beats.r_s[0]
    fit = max(min(int((record.duration_s - after_r - beats.r_s[0]) / wanted), order.size - 1), 1)
    order = order[: fit + 2]
    r_s = beats.r_s[0] + np.append(0.0, np.cumsum(wanted / rr[order[:fit]].mean() * rr[order[:-1]]))
    if order.size == fit + 2:  # one more beat, whose QRS complex comes after the end
        b = order[-1]
        r_s[-1] = max(r_s[-1], record.duration_s + beats.r_s[b] - beats.qrs_on[b])
    signal, laid = in_order(record, beats, order, np.rint((r_s - beats.r_s[order]) * record.fs).astype(int))
    again = len(laid) - (len(beats) - 1) if faster else 0
    sentence = f"rate changed from {60 / rr.mean():.0f} to {bpm:g} bpm, {_kept(record, beats, laid)}"
    if again > 0:
        sentence += f", {_counted(again)} repeated to fill the recording"
    return edited_record(record, signal, laid, "rate", sentence)


def start_later(record: Record, beats: Beats, seconds: float) -> Edited:
    """Let the recording begin some seconds later; whole beats of it follow once more at the end. RR stays as it was.

    Raises
    ------
    EditError
        With fewer than three beats, or when less than two whole beats would be left.
    """
    _check_enough(record, beats)
    first, _, _ = bodies(record, beats)
    left = np.flatnonzero(first / record.fs >= seconds)
    if seconds < 0 or left.size < FEWEST_BEATS:
        raise EditError(f"{record.id} cannot begin {seconds:g} s later: too few of its {len(beats)} beats are left")
    rr = beats.rr_s
    order = _endless(beats, int(left[0]), int(record.duration_s / rr.min()) + 3)
    r_s = beats.r_s[order[0]] - seconds + np.concatenate([[0.0], np.cumsum(rr[order[:-1]])])
    order, r_s = order[r_s < record.duration_s + rr.max()], r_s[r_s < record.duration_s + rr.max()]
    shift = np.rint((r_s - beats.r_s[order]) * record.fs).astype(int)
    signal, laid = in_order(record, beats, order, shift)
    sentence = f"begins {seconds:.2f} s later; beats repeated to fill the recording"
    return edited_record(record, signal, laid, "later", sentence)


def shift_pr(record: Record, beats: Beats, ms: float) -> Edited:
    """Lengthen (``ms`` > 0) or shorten every PR interval: P waves move, QRS complexes and T waves stay.

    P waves are copied; the PR segment after and the TP stretch before each are interpolated. The shift is a whole
    number of samples, told in the sentence. Beats without P wave stay as they are, and so does the first one where the
    recording begins too near before its P wave.

    Raises
    ------
    EditError
        For a shift of less than a sample, when no beat has a P wave, or when there is no room for one.
    """
    samples = round(ms / 1000 * record.fs)
    if not samples:
        raise EditError(f"a shift of {ms:g} ms is none: at {record.fs:g} Hz a sample lasts {1000 / record.fs:g} ms")
    first, last, _ = bodies(record, beats)
    with_p = np.flatnonzero(np.isfinite(beats.p_on) & (first > 0))
    if with_p.size and with_p[0] == 0 and first[0] - samples < 1:
        with_p = with_p[1:]
    if not with_p.size:
        raise EditError(f"no beat of {record.id} has a P wave with room before it, so no PR interval can be changed")
    qrs = np.floor(beats.qrs_on * record.fs).astype(int)
    n = record.signal.shape[1]
    was, now = [0], [0]
    for b in with_p:
        before = int(last[b - 1]) if b else 0
        p_first = int(first[b])
        p_last = min(int(np.ceil(beats.p_off[b] * record.fs)), int(qrs[b]) - 1)
        if p_first - samples - before < (least_tp(record) if b else 1) or qrs[b] - p_last + samples < 1:
            where = "the T wave before it" if samples > 0 else "its QRS complex"
            raise EditError(f"beat {b + 1}: a PR interval {abs(ms):.0f} ms {_longer(ms)} would put P on {where}")
        knots = [before] * (before > was[-1]) + [p_first, p_last, int(qrs[b])]
        was += knots
        now += [at - samples if at in (p_first, p_last) else at for at in knots]
    was, now = [*was, n - 1], [*now, n - 1]
    signal, laid = at_knots(record, beats, np.array(was), np.array(now))
    sentence = f"PR interval {abs(1000 * samples / record.fs):g} ms {_longer(samples)} in {_counted(with_p.size)}"
    return edited_record(record, signal, laid, "pr", sentence)


def move_beats(record: Record, beats: Beats, seconds: Sequence[float] | FloatArray) -> Edited:
    """Move each beat as a whole by its own time, in seconds, (B,): PR and QT stay, RR intervals do not.

    Raises
    ------
    EditError
        When there is no time for each beat, or two beats would touch.
    """
    by = np.asarray(seconds, dtype=np.float64)
    if by.shape != beats.r_s.shape or not np.isfinite(by).all():
        raise EditError(f"{len(beats)} beats need {len(beats)} finite times to move by; given were {by.size}")
    signal, laid = in_order(record, beats, np.arange(len(beats)), np.rint(by * record.fs).astype(int))
    return edited_record(record, signal, laid, "moved", f"beats moved by {_milliseconds(by)} ms")


def _with_rr(record: Record, beats: Beats, rr_s: FloatArray, name: str, sentence: str) -> Edited:
    r_s = beats.r_s[0] + np.concatenate([[0.0], np.cumsum(rr_s)])
    shift = np.rint((r_s - beats.r_s) * record.fs).astype(int)
    signal, laid = in_order(record, beats, np.arange(len(beats)), shift)
    return edited_record(record, signal, laid, name, sentence)


def _endless(beats: Beats, start: int, count: int) -> np.ndarray:
    """Return ``count`` beats from ``start`` on, all but the last, whose TP stretch is not known; then whole ones again.

    Beats that the recording cuts are not repeated.
    """
    once = np.arange(start, len(beats) - 1)
    whole = np.flatnonzero(~beats.edge[:-1])
    again = whole if whole.size else np.arange(len(beats) - 1)
    return np.concatenate([once, np.resize(again, count)])[:count]


def _check_enough(record: Record, beats: Beats) -> None:
    if len(beats) < FEWEST_BEATS:
        why = f": {beats.reason}" if beats.reason else ""
        raise EditError(f"{record.id} has {len(beats)} beats; RR intervals need at least {FEWEST_BEATS}{why}")
    unknown = np.flatnonzero(np.isnan(beats.rr_s))
    if unknown.size:
        b = int(unknown[0]) + 1
        raise EditError(
            f"no lead of {record.id} recorded a part of what lies between beats {b} and {b + 1}, where a beat may have "
            "been: RR intervals that are not known cannot be changed"
        )


def _kept(record: Record, beats: Beats, laid: Beats) -> str:
    """Return in words whether T waves had to give room."""
    recorded = (beats.t_off - beats.qrs_on)[np.isfinite(beats.t_off)]
    now = (laid.t_off - laid.qrs_on)[np.isfinite(laid.t_off)]
    nearest_s = np.abs(now[:, None] - recorded).min(axis=1)
    if (nearest_s <= 0.5 / record.fs).all():
        return "PR and QT unchanged in ms"
    return f"PR unchanged in ms, the end of T up to {1000 * nearest_s.max():.0f} ms shorter for want of TP"


def _counted(n: int) -> str:
    return "1 beat" if n == 1 else f"{n} beats"


def _longer(ms: float) -> str:
    return "longer" if ms > 0 else "shorter"


def _milliseconds(times_s: FloatArray) -> str:
    return ", ".join(f"{1000 * each:.0f}" for each in times_s)
