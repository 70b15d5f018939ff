"""Stretches of a recording laid on another place of its time axis, and beats that move with them.

What keeps its length is copied sample by sample; what does not is interpolated. Every lead is treated alike, so limb
leads follow from one another as before.

Dimensions: L leads, N samples, B beats, K beats as they are laid.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import scipy

from ecgviz.beats.gaps import gaps_s
from ecgviz.beats.peaks import bridged, usable_leads
from ecgviz.beats.spikes import PLACE_S, SMEARED_S
from ecgviz.errors import EditError
from ecgviz.types import MARKS, Beats, Record
from ecgviz.types.arrays import FloatArray

LEAST_TP_S = 0.020
"""What an edit must leave between the T wave of a beat and the next beat."""
LEAST_SAMPLES = 2
"""What must be recorded there; so few are joined by a straight line when they are stretched."""
BEFORE_QRS_S = 0.020
"""A beat without P wave begins this long before its QRS complex ..."""
BEFORE_PACED_S = PLACE_S[0] + SMEARED_S
"""... and a paced one as long before it as its spike may lie, which moves with it."""
P_CUT = "the recording starts after its P onset"
CUBIC_FROM = 4
"""Samples that a cubic spline needs; fewer are joined by straight lines."""


class Stretch(NamedTuple):
    """Samples ``was_first`` to ``was_last`` of a recording, laid on samples ``first`` to ``last`` of the new one."""

    was_first: int
    was_last: int
    first: int
    last: int


@dataclass(frozen=True)
class Edited:
    """A recording that was changed on purpose, its beats moved along, and one sentence that says what was changed."""

    record: Record
    beats: Beats
    sentence: str


def edited_record(record: Record, signal: FloatArray, beats: Beats, name: str, sentence: str) -> Edited:
    """Return a recording of new samples (L, N) mV whose id ends in ``name`` and which says that it was altered."""
    changed = replace(record, signal=signal, id=f"{record.id}+{name}", altered=(*record.altered, sentence))
    found = replace(beats, gaps_s=gaps_s(changed, usable_leads(changed)))
    return Edited(changed, found, f"altered: {sentence}")


def beginning(record: Record, beats: Beats, duration_s: float) -> tuple[Record, Beats]:
    """Return the first ``duration_s`` of a recording and its beats, as if it ended there; a shorter one as it is."""
    n = math.ceil(duration_s * record.fs)
    if n >= record.signal.shape[1]:
        return record, beats
    part = replace(record, signal=record.signal[:, :n])
    kept = _inside(replace(beats, duration_s=part.duration_s))
    reason = beats.reason or ("" if len(kept) else f"none of its beats lies in its first {duration_s:g} s")
    return part, replace(kept, reason=reason)


def check_marked(beats: Beats) -> None:
    """Refuse beats of which one has no QRS marks, with an EditError."""
    unmarked = np.flatnonzero(np.isnan(beats.qrs_on) | np.isnan(beats.qrs_off))
    if unmarked.size:
        raise EditError(f"beat {unmarked[0] + 1} has no QRS marks, so it cannot be moved as a whole")


def bodies(record: Record, beats: Beats) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return first and last sample of each beat from its P wave to the end of its T wave, and the earliest last, (B,).

    A beat without P begins 20 ms before its QRS complex, a paced one 70 ms where the T wave before leaves room; one
    without T ends after the usual QT. A T wave that runs into the next beat ends just before it, at the cost of its
    last quarter at most.

    Raises
    ------
    EditError
        Without beats, when a beat has no QRS marks or no beat a T wave, or where the next beat begins earlier still.
    """
    if not len(beats):
        raise EditError(f"{record.id} has no beats to edit: {beats.reason or 'none were given'}")
    check_marked(beats)
    known = np.isfinite(beats.t_off)
    if not known.any():
        raise EditError(f"no beat of {record.id} has a T wave, so where beats end is not known")
    end = record.signal.shape[1] - 1
    end_s = np.where(known, beats.t_off, beats.qrs_on + np.median((beats.t_off - beats.qrs_on)[known]))
    begin_s = _begin_s(beats, end_s)
    quarter_s = np.where(known, (end_s - beats.t_on) / 4, 0.0)
    first = np.maximum(np.floor(begin_s * record.fs).astype(int), 0)
    last = np.minimum(np.ceil(end_s * record.fs).astype(int), end)
    earliest = np.minimum(np.ceil((end_s - np.nan_to_num(quarter_s)) * record.fs).astype(int), last)
    latest = np.append(first[1:] - LEAST_SAMPLES, end)
    tight = np.flatnonzero(latest < earliest)
    if tight.size:
        b = int(tight[0])
        raise EditError(
            f"beat {b + 2} begins at {first[b + 1] / record.fs:.3f} s and the T wave before it ends at "
            f"{end_s[b]:.3f} s: there is no TP stretch between them that could be changed"
        )
    return first, np.minimum(last, latest), earliest


def _begin_s(beats: Beats, end_s: FloatArray) -> FloatArray:
    """Return where each beat begins, (B,), in seconds; ``end_s`` (B,) is where each ends."""
    begin = np.where(np.isnan(beats.p_on), beats.qrs_on - BEFORE_QRS_S, beats.p_on)
    after_t = np.append(0.0, end_s[:-1] + LEAST_TP_S)
    with_spike = np.minimum(begin, np.maximum(beats.qrs_on - BEFORE_PACED_S, after_t))
    return np.where([kind == "paced" for kind in beats.kind], with_spike, begin)


def least_tp(record: Record) -> int:
    """Return the samples that an edit must leave of a TP stretch."""
    return max(LEAST_SAMPLES, round(LEAST_TP_S * record.fs))


def relaid(signal: FloatArray, stretches: Sequence[Stretch], n: int) -> FloatArray:
    """Return new samples (L, n) made of stretches of the old ones (L, N), which follow one another without a gap.

    Where one stretch does not go on where the one before ended, the difference in level is spread over the one before.
    Missing samples (NaN) stay missing.
    """
    whole = bridged(signal)
    result = np.full((len(signal), n), np.nan)
    for this, following in zip(stretches, [*stretches[1:], None], strict=True):
        length, was = this.last - this.first, this.was_last - this.was_first
        part: FloatArray = signal[:, this.was_first : this.was_last + 1].astype(np.float64)
        if length != was:
            at = np.linspace(0, was, length + 1)
            gaps = np.isnan(part)[:, np.rint(at).astype(int)]
            part = _between_samples(whole[:, this.was_first : this.was_last + 1], at)
            part[gaps] = np.nan
        if following is not None and following.was_first != this.was_last:
            jump = whole[:, following.was_first] - whole[:, this.was_last]
            part = part + jump[:, None] * np.linspace(0, 1, length + 1)
        low, high = max(this.first, 0), min(this.last + 1, n)
        if high > low:
            result[:, low:high] = part[:, low - this.first : high - this.first]
    return result


def _between_samples(part: FloatArray, at: FloatArray) -> FloatArray:
    """Return samples (L, M) at fractional places ``at`` (M,) of ``part`` (L, K)."""
    grid = np.arange(part.shape[1])
    if grid.size < CUBIC_FROM:
        return np.stack([np.interp(at, grid, row) for row in part])
    between: FloatArray = scipy.interpolate.CubicSpline(grid, part, axis=1)(at)
    return between


def at_knots(record: Record, beats: Beats, was: np.ndarray, now: np.ndarray) -> tuple[FloatArray, Beats]:
    """Return samples and beats of which samples ``was`` (K,) come to lie at ``now`` (K,); the rest goes linearly."""
    stretches = [Stretch(*each) for each in zip(was[:-1], was[1:], now[:-1], now[1:], strict=True)]
    signal = relaid(record.signal, stretches, record.signal.shape[1])
    was_s, now_s = was / record.fs, now / record.fs

    def moved(times_s: FloatArray) -> FloatArray:
        k = np.clip(np.searchsorted(was_s, times_s, side="right") - 1, 0, was.size - 2)
        slope = np.diff(now)[k] / np.diff(was)[k]
        return np.asarray(now_s[k] + (times_s - was_s[k]) * slope)

    times: dict[str, Any] = {name: moved(getattr(beats, name)) for name in ("r_s", "extra_p_s", *MARKS)}
    leads = {name: moved(marks) for name, marks in beats.lead_marks.items()}
    return signal, _inside(replace(beats, **times, lead_marks=leads))


def in_order(record: Record, beats: Beats, order: np.ndarray, shift: np.ndarray) -> tuple[FloatArray, Beats]:
    """Return samples and beats in which beats ``order`` (K,) lie ``shift`` (K,) samples later than they were recorded.

    Bodies are copied; the TP stretch after each is stretched or shrunk to fit, and the last quarter of T with it where
    TP alone is too short. Before the first and after the last beat lies what was recorded there, stretched only where
    too little was. A beat may be laid more than once; the last of the recording may only come last, as its TP stretch
    is not known.

    Raises
    ------
    EditError
        When less than 20 ms would lie between two beats.
    """
    n = record.signal.shape[1]
    first, last, earliest = bodies(record, beats)
    start, was_end = first[order] + shift, last[order]
    was_end[:-1] = np.minimum(was_end[:-1], start[1:] - least_tp(record) - shift[:-1])
    _check_room(record, order, was_end - earliest[order], start)
    laid = _Laid(order, was_end, first[np.minimum(order + 1, len(beats) - 1)], was_end + shift, start)
    stretches = []
    if start[0] > 0:
        stretches.append(Stretch(max(first[order[0]] - start[0], 0), first[order[0]], 0, start[0]))
    for k, b in enumerate(order):
        stretches.append(Stretch(first[b], was_end[k], start[k], laid.end[k]))
        if k + 1 < order.size:
            stretches.append(Stretch(was_end[k], laid.was_next[k], laid.end[k], start[k + 1]))
    if laid.end[-1] < n - 1:
        stretches.append(Stretch(was_end[-1], min(n - 1 - shift[-1], n - 1), laid.end[-1], n - 1))
    moved = _laid_beats(beats, laid, record.fs, shift / record.fs)
    moved = replace(moved, extra_p_s=_along(beats.extra_p_s * record.fs, stretches) / record.fs)
    return relaid(record.signal, stretches, n), _inside(moved)


class _Laid(NamedTuple):
    """Which beat each laid one is, (K,), and samples: its end and the next one's start as recorded, both as laid."""

    order: np.ndarray
    was_end: np.ndarray
    was_next: np.ndarray
    end: np.ndarray
    start: np.ndarray

    def in_tp(self, k: int, samples: FloatArray) -> FloatArray:
        """Return where samples of the TP stretch after the k-th laid beat come to lie."""
        share = np.minimum((samples - self.was_end[k]) / (self.was_next[k] - self.was_end[k]), 1.0)
        return np.asarray(self.end[k] + share * (self.start[k + 1] - self.end[k]))


def _check_room(record: Record, order: np.ndarray, spare: np.ndarray, start: np.ndarray) -> None:
    """Refuse beats that would have to end ``spare`` samples (K,) before they may; that is, fewer than none."""
    short = np.flatnonzero(spare[:-1] < 0)
    if short.size:
        k, ms = int(short[0]), 1000 / record.fs
        raise EditError(
            f"beat {order[k] + 1} is {-spare[k] * ms:.0f} ms too long, from its first wave to T, for the next to begin "
            f"{(start[k + 1] - start[k]) * ms:.0f} ms after it"
        )


def _laid_beats(beats: Beats, laid: _Laid, fs: float, shift_s: FloatArray) -> Beats:
    order = laid.order
    times: dict[str, Any] = {name: getattr(beats, name)[order] + shift_s for name in ("r_s", *MARKS)}
    leads = {name: marks[:, order] + shift_s for name, marks in beats.lead_marks.items()}
    for k, b in enumerate(order[:-1]):
        # The end of a T wave that gave room is where its samples are; where TP became longer it stays with its wave.
        if beats.t_off[b] * fs > laid.was_end[k]:
            times["t_off"][k] = np.minimum(times["t_off"][k], laid.in_tp(k, beats.t_off[b] * fs) / fs)
        for name, marks in beats.lead_marks.items():
            late = marks[:, b] * fs > laid.was_end[k]
            leads[name][late, k] = np.minimum(leads[name][late, k], laid.in_tp(k, marks[late, b] * fs) / fs)
    return replace(
        beats,
        **times,
        kind=tuple(beats.kind[b] for b in order),
        lead_marks=leads,
        why_no_p=tuple(beats.why_no_p[b] for b in order) if beats.why_no_p else (),
        edge=beats.edge[order],
    )


def _along(samples: FloatArray, stretches: Sequence[Stretch]) -> FloatArray:
    """Return where places (n,) among the old samples come to lie, each as often as it is laid."""
    laid = [np.empty(0)]
    for each in stretches:
        share = (samples - each.was_first) / max(each.was_last - each.was_first, 1)
        laid.append(each.first + share[(share >= 0) & (share < 1)] * (each.last - each.first))
    return np.concatenate(laid)


def _inside(beats: Beats) -> Beats:
    """Return the beats whose QRS complex lies inside the recording; a P or T wave that it cuts is taken out.

    Of a beat without QRS marks the R peak tells where it is.
    """
    qrs_on, qrs_off = (np.where(np.isnan(mark), beats.r_s, mark) for mark in (beats.qrs_on, beats.qrs_off))
    keep = np.flatnonzero((qrs_on >= 0) & (qrs_off <= beats.duration_s))
    times: dict[str, Any] = {name: getattr(beats, name)[keep] for name in ("r_s", *MARKS)}
    leads = {name: marks[:, keep] for name, marks in beats.lead_marks.items()}
    no_p, no_t = times["p_on"] < 0, times["t_off"] > beats.duration_s
    for mark, out in (("p_on", no_p), ("p_off", no_p), ("t_on", no_t), ("t_off", no_t)):
        times[mark] = np.where(out, np.nan, times[mark])
        leads |= {mark: np.where(out, np.nan, leads[mark])} if mark in leads else {}
    why = np.where(no_p, P_CUT, np.array(beats.why_no_p or ("",) * len(beats), dtype=object)[keep])
    return replace(
        beats,
        **times,
        lead_marks=leads,
        kind=tuple(beats.kind[b] for b in keep),
        why_no_p=tuple(str(each) for each in why),
        edge=beats.edge[keep] | no_p | no_t,
        extra_p_s=beats.extra_p_s[(beats.extra_p_s >= 0) & (beats.extra_p_s <= beats.duration_s)],
    )
