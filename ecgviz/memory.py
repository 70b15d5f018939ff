"""How a process holds the memory that it has freed, and how often it looks for more."""

import ctypes
import gc
import sys
from functools import cache

REUSED_BYTES = 2**30
"""Freed arrays up to this size, and as much free memory in all, stay with the process for the next ones."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h


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


def give_back_freed_memory() -> None:
    """Have glibc give back what is freed anywhere, not at the end of its heap alone; elsewhere do nothing.

    Arrays whose size changes leave gaps that the next ones do not fit: a network that reads as many windows as a record
    has beats held 24 GB after 10 minutes of training, and 3 GB of it were in use.
    """
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


def collect_seldom() -> None:
    """Have Python look for reference cycles once in 10,000 new objects, not in 700.

    Importing PyTorch and SciPy makes a million objects that stay; to look through them again and again takes a quarter
    of the time until the first command or page.
    """
    gc.set_threshold(10_000)
