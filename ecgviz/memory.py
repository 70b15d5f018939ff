"""How a process holds the memory that it has freed, and how often it looks for more."""

import ctypes
import gc
import os
import sys
from functools import cache
from pathlib import Path

HELD_BYTES = 2**32
"""Freed memory that a process in training may hold: its programs, half a gigabyte, are among it."""
REUSED_BYTES = 2**30
"""Freed arrays up to this size, and as much free memory in all, stay with the process for the next ones."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h
_COUNTS = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")


@cache
def keep_freed_memory() -> None:
    """Have glibc hand freed arrays out again instead of giving each back to the system; elsewhere do nothing.

    By default glibc fetches every array above some megabytes from the system, which zeroes it page by page: training on
    a CPU spends two fifths of its time there. Dask's nanny sets ``MALLOC_TRIM_THRESHOLD_``, which lowers that size to
    128 KiB: a worker of a cohort then takes twice the time.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, REUSED_BYTES)
        mallopt(_M_TRIM_THRESHOLD, REUSED_BYTES)


def give_back_freed_memory(held_bytes: int = HELD_BYTES) -> None:
    """Have glibc give back what is freed once that is more than ``held_bytes``; elsewhere do nothing.

    It gives back the end of its heap by itself. Arrays whose size changes leave gaps before that, which the next ones
    do not fit: a network that reads as many windows as a record has beats held 24 GB within minutes, and used 3.
    """
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    counted, trim = (getattr(library, name, None) for name in ("mallinfo2", "malloc_trim"))
    if counted is None or trim is None:
        return
    counted.restype = _Counted
    found = counted()
    if _resident_bytes() - found.uordblks - found.hblkhd > held_bytes:
        trim(0)


class _Counted(ctypes.Structure):
    """What glibc's mallinfo2 counts; ``uordblks`` and ``hblkhd`` are in use, in its heaps and beside them."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in _COUNTS)


def _resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def collect_seldom() -> None:
    """Have Python look for reference cycles once in 10,000 new objects, not in 700.

    Importing PyTorch and SciPy makes a million objects that stay; to look through them again and again takes a quarter
    of the time until the first command or page.
    """
    gc.set_threshold(10_000)
