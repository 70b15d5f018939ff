"""The order in which the marks of a beat, and of its neighbours, must come."""

from collections.abc import Collection, Mapping

import numpy as np

from ecgviz.errors import EditError
from ecgviz.types.arrays import FloatArray

NAMES: Mapping[str, str] = {
    "r": "R peak",
    "p_on": "P onset",
    "p_off": "P offset",
    "qrs_on": "QRS onset",
    "qrs_off": "QRS offset",
    "t_on": "T onset",
    "t_off": "T offset",
}
"""Marks in words, the R peak among them."""

SAME_S = 0.0005
"""Closer than this two marks are the same: tables show milliseconds."""
IN_A_BEAT = ("p_on", "p_off", "qrs_on", "r", "qrs_off", "t_on", "t_off")
FROM_BEAT_TO_BEAT = (
    ("r", "r"),
    ("r", "p_on"),
    ("r", "qrs_on"),
    ("qrs_off", "p_on"),
    ("qrs_off", "qrs_on"),
    ("qrs_off", "r"),
    ("t_off", "qrs_on"),
    ("t_off", "r"),
)
"""A mark of a beat, and a mark of the next beat that must not come before it. A P wave may lie on the T wave before it
(the beat is then *fused*), but not on the QRS complex before it; a T wave ends where the next QRS complex begins."""
ENDS = ({"p_on", "p_off"}, {"qrs_on", "qrs_off"}, {"t_on", "t_off"}, {"r"})
"""Marks that may not even touch: the two ends of a wave, and two R peaks."""


def check_order(times: Mapping[str, FloatArray], beat: int, mark: str, gone: Collection[int]) -> None:
    """Refuse a mark that stands on the wrong side of another, of its own beat or of a neighbour.

    Parameters
    ----------
    times : mapping of mark to array of shape (B,)
        Seconds; NaN where a mark is not there.
    beat : int
        Counted from 1, as are those in ``gone``, which are being deleted and stand in nobody's way.

    Raises
    ------
    EditError
        With beat, mark, time, and the mark that it collides with.
    """
    at = float(times[mark][beat - 1])
    for other, name, side in _neighbours(times["r"].size, beat, mark, gone):
        limit = float(times[name][other - 1])
        wrong = limit > at if side == "after" else limit < at
        if wrong or (abs(limit - at) < SAME_S and any({mark, name} <= pair for pair in ENDS)):
            whose = "" if other == beat else f" of beat {other}"
            raise EditError(
                f"beat {beat}: {NAMES[mark]} at {at:.3f} s must come {side} {NAMES[name]}{whose} at {limit:.3f} s"
            )


def _neighbours(n_beats: int, beat: int, mark: str, gone: Collection[int]) -> list[tuple[int, str, str]]:
    """Return beat and mark of all that a mark must come "after" or "before"."""
    rank = IN_A_BEAT.index(mark)
    found = [(beat, name, "after") for name in IN_A_BEAT[:rank]]
    found += [(beat, name, "before") for name in IN_A_BEAT[rank + 1 :]]
    previous = max((b for b in range(1, beat) if b not in gone), default=None)
    following = min((b for b in range(beat + 1, n_beats + 1) if b not in gone), default=None)
    if previous is not None:
        found += [(previous, first, "after") for first, second in FROM_BEAT_TO_BEAT if second == mark]
    if following is not None:
        found += [(following, second, "before") for first, second in FROM_BEAT_TO_BEAT if first == mark]
    return found


def check_inside(beat: int, mark: str, time_s: float, duration_s: float) -> None:
    """Refuse a time that is infinite or outside the recording; NaN (no mark) passes."""
    if np.isinf(time_s):
        raise EditError(f"beat {beat}: {NAMES[mark]} cannot be at {time_s} s: a time must be finite")
    if time_s < 0 or time_s > duration_s:
        raise EditError(
            f"beat {beat}: {NAMES[mark]} at {time_s:.3f} s lies outside the recording, which lasts {duration_s:g} s"
        )
