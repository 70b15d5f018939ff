"""Single changes to marks: each returns new beats with one more sentence, or refuses in one.

What stands in an impossible place is refused; what was there before is not judged, so only marks that a change touches
are held against their neighbours (`ecgviz.edit.order`).

Marks of single leads (`Beats.lead_marks`) are those leads' own and stay when a global mark moves, unless the order
breaks: an onset that no longer comes before its wave's global offset, or an offset that no longer follows its global
onset, is taken out. All of them go with a wave that is deleted, and a wave that is added has none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ecgviz.edit.order import NAMES, SAME_S, check_inside, check_order
from ecgviz.errors import EditError
from ecgviz.types import KINDS, MARKS, Beats
from ecgviz.types.arrays import FloatArray

ENDS_OF: Mapping[str, tuple[str, str]] = {
    "P": ("p_on", "p_off"),
    "QRS": ("qrs_on", "qrs_off"),
    "T": ("t_on", "t_off"),
}
"""The waves that have marks, and their two marks."""
NO_P = "its P wave was deleted by a reader"
NO_BEATS = "all beats were deleted by a reader"


@dataclass(frozen=True)
class Change:
    """A mark of a beat (counted from 1) set to a time in seconds; NaN deletes it."""

    beat: int
    mark: str
    time_s: float


def move_mark(beats: Beats, beat: int, mark: str, time_s: float) -> Beats:
    """Move one mark that is there.

    Parameters
    ----------
    beats : Beats
    beat : int
        Counted from 1.
    mark : str
        One of `NAMES`: the six global marks, and "r".
    time_s : float
        Seconds from the recording's start; within half a millisecond of the old place nothing changes.

    Returns
    -------
    Beats
        With one more sentence in ``edits``.

    Raises
    ------
    EditError
        For an unknown beat or mark, a mark that is not there, and a time that is not finite, outside the recording,
        or on the wrong side of another mark, which the sentence names.
    """
    if np.isnan(time_of(beats, beat, mark)):
        raise EditError(f"beat {beat} has no {NAMES[mark]} to move; add its wave with both marks")
    if np.isnan(time_s):
        raise EditError(f"beat {beat}: {NAMES[mark]} cannot be at nan s: give a time, or delete the mark")
    return changed(beats, [Change(beat, mark, time_s)])


def delete_mark(beats: Beats, beat: int, mark: str) -> Beats:
    """Delete a mark and with it its wave, which has both its marks or none; the R peak takes the beat with it.

    Raises
    ------
    EditError
        For an unknown beat or mark, or a mark that is not there.
    """
    if np.isnan(time_of(beats, beat, mark)):
        raise EditError(f"beat {beat} has no {NAMES[mark]} to delete")
    return changed(beats, [Change(beat, mark, np.nan)])


def add_wave(beats: Beats, beat: int, wave: str, on_s: float, off_s: float) -> Beats:
    """Set both marks of a wave ("P", "QRS" or "T"), in seconds, whether or not it was there.

    Raises
    ------
    EditError
        As `move_mark`, and for an unknown wave.
    """
    if wave not in ENDS_OF:
        raise EditError(f"{wave!r} is no wave with marks; known are {', '.join(ENDS_OF)}")
    on, off = ENDS_OF[wave]
    if np.isnan(on_s) or np.isnan(off_s):
        raise EditError(f"beat {beat}: {wave} needs both its marks; to take it out, delete one of them")
    return changed(beats, [Change(beat, on, on_s), Change(beat, off, off_s)])


def delete_beat(beats: Beats, beat: int) -> Beats:
    """Delete a beat with all its marks; those after it are counted anew.

    Raises
    ------
    EditError
        For an unknown beat.
    """
    at = time_of(beats, beat, "r")
    keep = np.arange(len(beats)) != beat - 1
    kept: dict[str, Any] = {name: getattr(beats, name)[keep] for name in ("r_s", "edge", *MARKS)}
    return replace(
        beats,
        **kept,
        kind=_without(beats.kind, beat),
        why_no_p=_without(beats.why_no_p, beat),
        lead_marks={name: marks[:, keep] for name, marks in beats.lead_marks.items()},
        edits=(*beats.edits, f"beat {beat} (R peak at {at:.3f} s) deleted by a reader"),
        reason=beats.reason if keep.any() else NO_BEATS,
    )


def set_kind(beats: Beats, beat: int, kind: str) -> Beats:
    """Say what kind of beat it is, one of `KINDS`; no mark and no other beat is judged anew.

    Raises
    ------
    EditError
        For an unknown beat or kind.
    """
    time_of(beats, beat, "r")
    if kind not in KINDS:
        raise EditError(f"beat {beat}: {kind!r} is no kind of beat; known are {', '.join(KINDS)}")
    old = beats.kind[beat - 1]
    if kind == old:
        return beats
    sentence = f"beat {beat}: kind changed from {_readable(old)} to {_readable(kind)} by a reader"
    kinds = (*beats.kind[: beat - 1], kind, *beats.kind[beat:])
    return replace(beats, kind=kinds, edits=(*beats.edits, sentence))


def changed(beats: Beats, changes: Sequence[Change]) -> Beats:
    """Apply several changes as one, so that marks that move together are judged where they end up.

    Raises
    ------
    EditError
        As `move_mark`; also when a wave would keep only one of its marks.
    """
    real = [each for each in changes if not same(time_of(beats, each.beat, each.mark), each.time_s)]
    gone = {each.beat for each in real if each.mark == "r" and np.isnan(each.time_s)}
    real = [each for each in real if each.beat not in gone]
    times = {name: np.array(marks_of(beats, name)) for name in NAMES}
    for each in real:
        check_inside(each.beat, each.mark, each.time_s, beats.duration_s)
        times[each.mark][each.beat - 1] = each.time_s
    touched = dict.fromkeys((each.beat, _wave(each.mark)) for each in real)
    edits = [sentence for beat, wave in touched for sentence in _settled(beats, times, beat, wave)]
    for each in real:
        check_order(times, each.beat, each.mark, gone)
    moved: dict[str, Any] = {name: times[name] for name in MARKS}
    result = replace(
        beats,
        r_s=times["r"],
        **moved,
        lead_marks=_lead_marks(beats, times, [key for key in touched if key[1] != "R"]),
        why_no_p=_why_no_p(beats, times, [beat for beat, wave in touched if wave == "P"]),
        edits=(*beats.edits, *edits),
    )
    for beat in sorted(gone, reverse=True):
        result = delete_beat(result, beat)
    return result


def time_of(beats: Beats, beat: int, mark: str) -> float:
    """Return a mark's time in seconds, NaN where it is not there; refuses an unknown beat or mark."""
    if mark not in NAMES:
        raise EditError(f"{mark!r} is no mark; known are {', '.join(NAMES)}")
    if not 1 <= beat <= len(beats):
        raise EditError(f"there is no beat {beat}: the recording has {len(beats)} beats, counted from 1")
    return float(marks_of(beats, mark)[beat - 1])


def marks_of(beats: Beats, mark: str) -> FloatArray:
    """Return the times (B,) of one of `NAMES`."""
    times: FloatArray = beats.r_s if mark == "r" else getattr(beats, mark)
    return times


def same(old_s: float, new_s: float) -> bool:
    """Whether two times, NaN for none, are the same mark."""
    return bool(np.isnan(old_s) and np.isnan(new_s)) or abs(old_s - new_s) < SAME_S


def _settled(beats: Beats, times: dict[str, FloatArray], beat: int, wave: str) -> list[str]:
    """Return the sentences about one wave that was touched; a mark taken out takes its partner in ``times`` along."""
    names: Sequence[str] = ENDS_OF.get(wave, ("r",))
    before = [time_of(beats, beat, name) for name in names]
    after = [float(times[name][beat - 1]) for name in names]
    if np.isnan(after).all() or (np.isnan(after).any() and not np.isnan(before).any()):
        _refuse_half(beat, names, before, after)
        for name in names:
            times[name][beat - 1] = np.nan
        return [f"beat {beat}: {wave}{' marks' if wave == 'QRS' else ' wave'} deleted by a reader"]
    if np.isnan(after).any():
        has, lacks = (names[0], names[1]) if np.isnan(after[1]) else (names[1], names[0])
        raise EditError(
            f"beat {beat}: {NAMES[has]} was set to {times[has][beat - 1]:.3f} s without {NAMES[lacks]}; "
            "a wave has both its marks or none"
        )
    if np.isnan(before).any():
        return [f"beat {beat}: {wave} added from {after[0]:.3f} s to {after[1]:.3f} s by a reader"]
    return [
        f"beat {beat}: {NAMES[name]} moved from {old:.3f} s to {new:.3f} s by a reader"
        for name, old, new in zip(names, before, after, strict=True)
        if not same(old, new)
    ]


def _refuse_half(beat: int, names: Sequence[str], before: Sequence[float], after: Sequence[float]) -> None:
    """Refuse a wave of which one mark was deleted and the other moved: it is not clear what was meant."""
    for n, other in ((0, 1), (1, 0)):
        if np.isnan(after[other]) and not np.isnan(after[n]) and not same(before[n], after[n]):
            raise EditError(
                f"beat {beat}: {NAMES[names[n]]} was moved to {after[n]:.3f} s but {NAMES[names[other]]} deleted; "
                "a wave has both its marks or none"
            )


def _lead_marks(
    beats: Beats, times: Mapping[str, FloatArray], touched: Sequence[tuple[int, str]]
) -> dict[str, FloatArray]:
    result = {name: np.array(marks) for name, marks in beats.lead_marks.items()}
    for beat, wave in touched:
        on, off = ENDS_OF[wave]
        onset, offset = times[on][beat - 1], times[off][beat - 1]
        for name, marks in result.items():
            column = marks[:, beat - 1]
            if name == on:
                column[~(column < offset)] = np.nan
            elif name == off:
                column[~(column > onset)] = np.nan
    return result


def _why_no_p(beats: Beats, times: Mapping[str, FloatArray], touched: Sequence[int]) -> tuple[str, ...]:
    reasons = list(beats.why_no_p or ("",) * len(beats))
    for beat in touched:
        reasons[beat - 1] = NO_P if np.isnan(times["p_on"][beat - 1]) else ""
    return tuple(reasons)


def _wave(mark: str) -> str:
    return next((wave for wave, ends in ENDS_OF.items() if mark in ends), "R")


def _without(texts: tuple[str, ...], beat: int) -> tuple[str, ...]:
    return (*texts[: beat - 1], *texts[beat:])


def _readable(kind: str) -> str:
    return kind.replace("_", " ")
