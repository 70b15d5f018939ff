"""Edits of waves: scaled in chosen leads, ST shifted, QRS widened.

What lies outside of the wave that is edited stays bit for bit, apart from what a wider QRS complex moves and from the
surroundings of a P wave that is taken out. A wave is what rises above the straight line between the levels before and
after it. Changes begin and end with cosine fades, so that no step is left. An edit that breaks the sums by which limb
leads follow from one another says so in its sentence: a factor in some of them alone, an ST shift even in all.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import scipy

from ecgviz.beats.peaks import bridged
from ecgviz.edit.marks import ENDS_OF
from ecgviz.edit.relay import Edited, at_knots, bodies, edited_record, least_tp
from ecgviz.errors import EditError
from ecgviz.records.leads import IN_TERMS_OF_I_AND_II, LIMB
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import FloatArray

FADE_S = 0.010
FOOT_S = 0.010
"""Levels beside a wave are means over this long."""
SMOOTH_S, SMOOTH_ORDER = 0.040, 3
"""P and T are told from noise by a Savitzky-Golay filter of this length; QRS is as fast as noise and goes with it."""
BEFORE_P_S, TO_QRS_S = 0.040, 0.040
"""A P wave is taken out from so long before its first onset in any lead; QRS is reached over the second."""
REMOVED = "its P wave was removed by an edit"
FACTORS = (-5.0, 5.0)
WIDTHS = (0.5, 2.5)
LARGEST_ST_MV = 2.0
NO_LONGER_FOLLOW = "; limb leads no longer follow from one another"


def scale_wave(record: Record, beats: Beats, wave: str, leads: str | Sequence[str], factor: float) -> Edited:
    """Multiply a wave of every beat by a factor in the named leads; 0 takes it out, -1 turns it upside down.

    Of P and T waves the smooth part is scaled and the noise on it kept. A wave that is taken out has no marks any more
    in these leads, and none at all where they are all leads. A P wave rises before its marks and its repolarisation
    lasts beyond them: it is taken out from 40 ms before its first onset in any lead, but not from the T wave before, to
    QRS onset; what stays is the level before it, which goes over into that of the QRS onset within the last 40 ms.

    Parameters
    ----------
    record, beats
    wave : {"P", "QRS", "T"}
    leads : str or sequence of str
        Leads of the recording.
    factor : float
        Between -5 and 5, and not 1.

    Raises
    ------
    EditError
        For an unknown wave, a factor out of range or of 1, or when no beat has the wave.
    RecordError
        For a lead that the recording does not have.
    """
    if wave not in ENDS_OF:
        raise EditError(f"{wave!r} is no wave that can be scaled; known are {', '.join(ENDS_OF)}")
    if not FACTORS[0] <= factor <= FACTORS[1]:
        raise EditError(f"a wave cannot be multiplied by {factor:g}: {FACTORS[0]:g} to {FACTORS[1]:g}")
    if factor == 1:
        raise EditError(f"{wave} multiplied by 1 is as it was, so nothing would be changed")
    leads = _each(leads)
    rows = _rows(record, leads)
    signal = record.signal.astype(np.float64)
    whole = bridged(record.signal)
    spans = wave_spans(record, beats, wave)
    if not spans:
        raise EditError(f"no beat of {record.id} has a {wave} wave to scale")
    if wave == "P" and factor == 0:
        for _, first, last in p_stretches(record, beats):
            signal[rows, first : last + 1] -= _p_above_level(whole[rows], record.fs, first, last)
    else:
        for _, first, last in spans:
            above = wave_above_line(whole[rows], record.fs, first, last, wave != "QRS")
            signal[rows, first : last + 1] += (factor - 1) * above
    some = {lead in leads for lead in record.leads if lead in LIMB} == {True, False}
    sentence = f"{wave} multiplied by {factor:g} in {_named(record, leads)}{NO_LONGER_FOLLOW if some else ''}"
    left = beats if factor else _without_marks(beats, wave, rows)
    return edited_record(record, signal, left, f"{wave.lower()}x{factor:g}", sentence)


def shift_st(record: Record, beats: Beats, mv: float, leads: str | Sequence[str]) -> Edited:
    """Raise (``mv`` > 0) or lower the ST segment in the named leads; from T onset to offset the shift fades out.

    It is reached within the last 10 ms before the J point.

    Raises
    ------
    EditError
        For a shift above 2 mV or of none, or when no beat has both QRS and T marks.
    RecordError
        For a lead that the recording does not have.
    """
    if not abs(mv) <= LARGEST_ST_MV:
        raise EditError(f"an ST shift of {mv:g} mV is out of range: {LARGEST_ST_MV:g} mV at most, up or down")
    if mv == 0:
        raise EditError("ST shifted by 0 mV is as it was, so nothing would be changed")
    leads = _each(leads)
    rows = _rows(record, leads)
    at = np.arange(record.signal.shape[1]) / record.fs
    shift = np.zeros(at.size)
    known = np.flatnonzero(np.isfinite(beats.qrs_off + beats.t_on + beats.t_off))
    if not known.size:
        raise EditError(f"no beat of {record.id} has an ST segment between QRS and T marks")
    for b in known:
        j, t_on, t_off = (float(m[b]) for m in (beats.qrs_off, beats.t_on, beats.t_off))
        first, last = np.searchsorted(at, (j - FADE_S, t_off))
        within = slice(max(first - 1, 0), last + 1)  # a sample more on each side, where rounding leaves traces
        rise = np.clip((at[within] - j + FADE_S) / FADE_S, 0, 1)
        fall = np.clip((t_off - at[within]) / (t_off - max(t_on, j)), 0, 1)
        shift[within] += (np.sin(np.pi / 2 * rise) * np.sin(np.pi / 2 * fall)) ** 2
    signal = record.signal.astype(np.float64)
    signal[rows] += mv * shift
    apart = NO_LONGER_FOLLOW if _shift_breaks_sums(record, leads) else ""
    sentence = f"ST segment shifted by {mv:+g} mV in {_named(record, leads)}{apart}"
    return edited_record(record, signal, beats, "st", sentence)


def widen_qrs(record: Record, beats: Beats, factor: float) -> Edited:
    """Stretch every QRS complex in time, from its onset on; ST and T move later as they are, and TP gives the room.

    Raises
    ------
    EditError
        For a factor out of 0.5 to 2.5 or of 1, or when a T wave would reach the next beat.
    """
    if not WIDTHS[0] <= factor <= WIDTHS[1]:
        raise EditError(f"a QRS complex cannot be stretched by {factor:g}: {WIDTHS[0]:g} to {WIDTHS[1]:g}")
    if factor == 1:
        raise EditError("QRS complexes stretched by 1 are as they were, so nothing would be changed")
    first, last, _ = bodies(record, beats)
    qrs_on, qrs_off = (np.floor(m * record.fs).astype(int) for m in (beats.qrs_on, beats.qrs_off))
    more = np.rint((factor - 1) * (qrs_off - qrs_on)).astype(int)
    n = record.signal.shape[1]
    was, now = [0], [0]
    for b in range(len(beats)):
        end, laid_end = int(last[b]), int(last[b] + more[b])
        if b + 1 < len(beats) and first[b + 1] - laid_end < least_tp(record):
            raise EditError(
                f"beat {b + 1}: with a QRS complex {factor:g} times as long its T wave would reach the next"
            )
        was += [int(qrs_on[b]), int(qrs_off[b]), end]
        now += [int(qrs_on[b]), int(qrs_off[b] + more[b]), laid_end]
        if b + 1 < len(beats):
            was, now = [*was, int(first[b + 1])], [*now, int(first[b + 1])]
    # What a longer last beat pushes beyond the end is cut off; the room that a shorter one leaves is stretched over.
    was, now = [*was, n - 1], [*now, n - 1 + max(int(more[-1]), 0)]
    kept = np.flatnonzero(np.append(np.diff(was) > 0, True))
    signal, laid = at_knots(record, beats, np.array(was)[kept], np.array(now)[kept])
    return edited_record(record, signal, laid, "qrs", f"QRS complexes stretched to {factor:g} times their length")


def wave_spans(record: Record, beats: Beats, wave: str) -> list[tuple[int, int, int]]:
    """Return for each beat that has the wave its index, and the first and last sample of the wave."""
    on, off = (getattr(beats, name) for name in ENDS_OF[wave])
    if wave == "P":
        off = np.fmin(off, beats.qrs_on)
    spans, end = [], record.signal.shape[1] - 1
    for b in np.flatnonzero(np.isfinite(on) & np.isfinite(off)):
        # A wave may end with the recording, which is one step after its last sample.
        first, last = int(np.ceil(on[b] * record.fs)), min(int(np.floor(off[b] * record.fs)), end)
        if 0 <= first < last:
            spans.append((int(b), first, last))
    return spans


def p_stretches(record: Record, beats: Beats) -> list[tuple[int, int, int]]:
    """Return for each beat with a P wave its index, and the first and last sample that change when it is taken out."""
    on = np.array(beats.p_on)
    if "p_on" in beats.lead_marks and len(beats):
        on = np.fmin(on, np.fmin.reduce(beats.lead_marks["p_on"], axis=0))
    ends = np.fmax(beats.t_off, beats.qrs_off)
    before = np.concatenate([[0.0], np.nan_to_num(ends[:-1])])
    # One lead's onset may lie in the T wave before, though the P wave begins after it.
    on = np.where(beats.p_on > before, np.maximum(on - BEFORE_P_S, before), on)
    stretches = []
    for b, _, p_last in wave_spans(record, beats, "P"):
        first, to_qrs = int(np.ceil(on[b] * record.fs)), np.floor(beats.qrs_on[b] * record.fs)
        stretches.append((b, first, int(to_qrs) if np.isfinite(to_qrs) else p_last))
    return stretches


def _p_above_level(rows: FloatArray, fs: float, first: int, last: int) -> FloatArray:
    """Return a P wave (L, K) mV above the level before it, which goes over into that of QRS onset at its end."""
    foot = max(1, round(FOOT_S * fs))
    before = rows[:, max(first - foot, 0) : first + 1].mean(axis=1, keepdims=True)
    after = rows[:, max(last - foot, first) : last + 1].mean(axis=1, keepdims=True)
    part = _smooth(rows[:, first : last + 1], fs)
    length = part.shape[1]
    to_qrs = np.clip(1 - np.arange(length)[::-1] / (TO_QRS_S * fs), 0, 1)
    level = before + (after - before) * np.sin(np.pi / 2 * to_qrs) ** 2
    return np.asarray((part - level) * _fade(length, fs))


def _without_marks(beats: Beats, wave: str, rows: Sequence[int]) -> Beats:
    """Return beats without the marks of a wave that was taken out in some leads; without any where in all."""
    ends = ENDS_OF[wave]
    marks = {name: np.array(held) for name, held in beats.lead_marks.items()}
    for name in ends:
        if name in marks:
            marks[name][rows] = np.nan
    if len(set(rows)) < len(beats.leads):
        return replace(beats, lead_marks=marks)
    nothing: dict[str, Any] = dict.fromkeys(ends, np.full(len(beats), np.nan))
    if wave == "P":
        why = zip(beats.why_no_p or ("",) * len(beats), np.isfinite(beats.p_on), strict=True)
        nothing["why_no_p"] = tuple(REMOVED if had else reason for reason, had in why)
    return replace(beats, lead_marks=marks, **nothing)


def wave_above_line(rows: FloatArray, fs: float, first: int, last: int, smooth: bool) -> FloatArray:
    """Return a wave (L, K) mV above the line between the levels beside it, 0 at both ends."""
    foot = max(1, round(FOOT_S * fs))
    before = rows[:, max(first - foot, 0) : first + 1].mean(axis=1, keepdims=True)
    after = rows[:, last : last + foot].mean(axis=1, keepdims=True)
    part = rows[:, first : last + 1]
    length = part.shape[1]
    line = before + (after - before) * np.linspace(0, 1, length)
    return np.asarray(((_smooth(part, fs) if smooth else part) - line) * _fade(length, fs))


def _smooth(part: FloatArray, fs: float) -> FloatArray:
    """Return samples (L, K) without the noise on them; as they are where they are too few to tell."""
    window = 2 * round(SMOOTH_S * fs / 2) + 1
    if not SMOOTH_ORDER < window <= part.shape[1]:
        return part
    smooth: FloatArray = scipy.signal.savgol_filter(part, window, SMOOTH_ORDER, axis=1)
    return smooth


def _fade(length: int, fs: float) -> FloatArray:
    """Return weights (K,) that rise from 0 and fall to 0 within `FADE_S`."""
    weights: FloatArray = scipy.signal.windows.tukey(length, min(1.0, 2 * FADE_S * fs / length))
    return weights


def _each(leads: str | Sequence[str]) -> tuple[str, ...]:
    """Return leads one by one: a name alone is one lead, not its letters."""
    return (leads,) if isinstance(leads, str) else tuple(leads)


def _rows(record: Record, leads: Sequence[str]) -> list[int]:
    if not leads:
        raise EditError(f"no lead was named; {record.id} has {', '.join(record.leads)}")
    for lead in leads:
        record.lead(lead)
    return [record.leads.index(lead) for lead in dict.fromkeys(leads)]


def _named(record: Record, leads: Sequence[str]) -> str:
    """Return leads in words."""
    return "all leads" if set(record.leads) <= set(leads) else ", ".join(dict.fromkeys(leads))


def _shift_breaks_sums(record: Record, leads: Sequence[str]) -> bool:
    """Whether no shift of I and II would shift just these of the record's limb leads by the same voltage."""
    limb = [lead for lead in record.leads if lead in LIMB]
    sums = np.array([(*IN_TERMS_OF_I_AND_II[lead], lead in leads) for lead in limb]).reshape(-1, 3)
    return bool(np.linalg.matrix_rank(sums) > np.linalg.matrix_rank(sums[:, :2]))
