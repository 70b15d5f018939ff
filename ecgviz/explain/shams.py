"""Sham edits: without what an edit asks about, and as large as it where that can be (`moved_with_p` is larger).

Each function draws up to ``n`` of them; where a recording has no room for one, it is drawn again.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from ecgviz.edit import Edited, move_beats, set_rr, start_later
from ecgviz.edit.relay import edited_record
from ecgviz.edit.waves import p_stretches, wave_spans
from ecgviz.errors import EditError
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import FloatArray

DRAWS_A_SHAM = 40
"""So many orders, places or signs are drawn for each sham edit before it is given up."""
PLACED = 0.8
"""A change that has room beside fewer than this share of its P waves is much smaller than the edit: no sham edit."""


def permuted_rr(record: Record, beats: Beats, edited: Edited, rng: np.random.Generator, n: int) -> list[Edited]:
    """Return recordings with the RR intervals in another order, as irregular as before.

    Of all orders drawn, those are taken that lengthen and shorten TP stretches by nearly as much in sum as the edit.
    """
    rr = beats.rr_s
    wanted = float(np.abs(edited.beats.rr_s - rr).sum())
    orders = {tuple(rng.permutation(rr.size)) for _ in range(DRAWS_A_SHAM * n)} - {tuple(range(rr.size))}
    drawn = sorted(orders, key=lambda order: (abs(float(np.abs(rr[list(order)] - rr).sum()) - wanted), order))
    shams: list[Edited] = []
    for order in drawn:
        if len(shams) < n:
            shams += _tried(partial(set_rr, record, beats, rr[list(order)]))
    return shams


def later(record: Record, beats: Beats, edited: Edited, rng: np.random.Generator, n: int) -> list[Edited]:
    """Return recordings that begin up to one RR interval later: beats lie elsewhere, and some are repeated."""
    longest = float(beats.rr_s.mean())
    return _drawn(lambda: start_later(record, beats, float(rng.uniform(0.1, 1.0)) * longest), n)


def moved_with_p(record: Record, beats: Beats, edited: Edited, rng: np.random.Generator, n: int) -> list[Edited]:
    """Return recordings in which each beat moves, with its P wave, by as much as P waves did, forwards or backwards."""
    by = float(np.nanmedian(np.abs(edited.beats.p_on - beats.p_on)))
    return _drawn(lambda: move_beats(record, beats, by * rng.choice((-1.0, 1.0), len(beats))), n)


def misplaced(record: Record, beats: Beats, edited: Edited, rng: np.random.Generator, n: int) -> list[Edited]:
    """Return recordings that are changed by the same samples as the P waves, at another time of the beat before.

    What was taken off (or put on) the P wave is taken off (or put on) between the end of T and the P wave; where that
    stretch is too short, between QRS complex and P wave. So duration, leads and mV are those of the edit. There is none
    where fewer than 80 % of the P waves leave room for that.
    """
    removed = np.isfinite(beats.p_on).sum() > np.isfinite(edited.beats.p_on).sum()
    change = edited.record.signal.astype(np.float64) - record.signal
    where = p_stretches(record, beats) if removed else wave_spans(record, edited.beats, "P")
    spans = [span for span in where if np.nan_to_num(change[:, span[1] : span[2]]).any()]
    t_off, qrs_off = (np.ceil(np.nan_to_num(m) * record.fs).astype(int) for m in (beats.t_off, beats.qrs_off))

    places = []
    for b, first, last in spans:
        latest = first - (last + 1 - first)
        earliest = 0 if b == 0 else int(t_off[b - 1] if 0 < t_off[b - 1] <= latest else qrs_off[b - 1])
        if earliest <= latest:
            places.append((first, last, earliest, latest))
    if len(places) < PLACED * len(spans):
        return []

    def one() -> Edited:
        signal = record.signal.astype(np.float64)
        for first, last, earliest, latest in places:
            start = int(rng.integers(earliest, latest + 1))
            signal[:, start : start + last + 1 - first] += change[:, first : last + 1]
        return edited_record(record, signal, beats, "misplaced", "what P waves were changed by, at another time")

    return _drawn(one, n)


def size_mv(record: Record, edited: Edited) -> float:
    """Return the root mean square in mV by which an edit changed the samples of all leads."""
    change: FloatArray = edited.record.signal.astype(np.float64) - record.signal
    return float(np.sqrt(np.nanmean(np.square(change))))


def _drawn(make: Callable[[], Edited], n: int) -> list[Edited]:
    shams: list[Edited] = []
    for _ in range(DRAWS_A_SHAM * n):
        if len(shams) < n:
            shams += _tried(make)
    return shams


def _tried(make: Callable[[], Edited]) -> list[Edited]:
    """Return the sham edit, or none where the recording has no room for it."""
    try:
        return [make()]
    except EditError:
        return []
