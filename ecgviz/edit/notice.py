"""The words in which a reader's changes of marks are told."""

from ecgviz.types import Beats


def notice(beats: Beats) -> str:
    """Return in one sentence how much a reader changed, "" when nothing was."""
    n = len(beats.edits)
    if not n:
        return ""
    what = "mark was" if n == 1 else "marks were"
    return f"{n} {what} changed by a reader; every number that depends on them follows."
