"""Whether beats belong to a recording, and the words in which a reader's changes are told."""

from ecgviz.errors import EditError
from ecgviz.types import Beats, Record

SAME_DURATION_S = 1e-6


def check_belongs(record: Record, beats: Beats) -> None:
    """Refuse beats that were not found in this recording.

    Raises
    ------
    EditError
        When length or leads differ. Two recordings of the same length and leads cannot be told apart by their beats.
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


def notice(beats: Beats) -> str:
    """Return in one sentence how much a reader changed, "" when nothing was."""
    n = len(beats.edits)
    if not n:
        return ""
    what = "mark was" if n == 1 else "marks were"
    return f"{n} {what} changed by a reader; every number that depends on them follows."
