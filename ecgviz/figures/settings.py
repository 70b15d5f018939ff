"""Matplotlib's settings are those of the whole process: who draws with settings of their own draws alone."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import RLock
from typing import Any

import matplotlib as mpl

_DRAWING = RLock()
"""The pages of a PDF are drawn while it is written, each with settings: the same thread may enter again."""


@contextmanager
def settings(wanted: Mapping[Any, Any]) -> Iterator[None]:
    """Draw with settings of Matplotlib (its rcParams), and put them back; one thread at a time.

    Every page of the dashboard is a thread of its own. Two that change and put back the same settings in turns would
    draw with each other's, and leave them changed for good.
    """
    with _DRAWING, mpl.rc_context(dict(wanted)):
        yield
