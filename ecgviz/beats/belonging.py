"""Whether beats belong to a recording, and can be beats at all: they may come from a reader, a file or a program."""

import numpy as np

from ecgviz.errors import EditError
from ecgviz.types import Beats, Record

SAME_DURATION_S = 1e-6


def check_belongs(record: Record, beats: Beats) -> None:
    """Refuse beats that were not found in this recording, and times that no beats have.

    Raises
    ------
    EditError
        When length or leads differ, R peaks are not in their order or lie outside the recording, or a wave ends before
        it begins. Two recordings of the same length and leads cannot be told apart by their beats.
    """
    if abs(record.duration_s - beats.duration_s) > SAME_DURATION_S:
        raise EditError(
            f"these beats belong to a recording of {beats.duration_s:g} s, {record.id} lasts {record.duration_s:g} s"
        )
    if record.leads != beats.leads:
        raise EditError(
            f"these beats belong to a recording of the leads {', '.join(beats.leads)}; "
            f"{record.id} has {', '.join(record.leads)}"
        )
    _check_peaks(beats)
    for wave in ("p", "qrs", "t"):
        on, off = getattr(beats, f"{wave}_on"), getattr(beats, f"{wave}_off")
        turned = np.flatnonzero(on > off)
        if turned.size:
            b = int(turned[0])
            raise EditError(f"{wave.upper()} of beat {b + 1} ends at {off[b]:g} s, before it begins at {on[b]:g} s")


def _check_peaks(beats: Beats) -> None:
    r_s = beats.r_s
    outside = np.flatnonzero(~((r_s >= 0) & (r_s <= beats.duration_s)))
    if outside.size:
        b = int(outside[0])
        raise EditError(
            f"the R peak of beat {b + 1} is at {r_s[b]:g} s of a recording of {beats.duration_s:g} s: are these "
            "samples taken for seconds?"
        )
    falling = np.flatnonzero(np.diff(r_s) <= 0)
    if falling.size:
        b = int(falling[0])
        raise EditError(
            f"R peaks are not in their order: beat {b + 1} is at {r_s[b]:g} s, beat {b + 2} at {r_s[b + 1]:g} s"
        )
