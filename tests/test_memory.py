"""Freed memory is handed out again, whatever Dask's nanny sets; objects that stay are seldom looked through."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COUNTED = """
import resource
import numpy as np
from ecgviz.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(2**20)  # 8 MiB, freed at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

fetched = faults()
keep_freed_memory()
faults()
print(fetched, faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is that of Linux")
def test_a_freed_array_is_not_fetched_from_the_system_again() -> None:
    nanny = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536", "PYTHONPATH": str(ROOT)}
    told = subprocess.run([sys.executable, "-c", COUNTED], env=nanny, check=True, capture_output=True, text=True)
    fetched, kept = map(int, told.stdout.split())
    assert kept < fetched / 10


GAPS = """
import numpy as np
from ecgviz.memory import give_back_freed_memory, keep_freed_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1])

keep_freed_memory()
before = resident()
arrays = [np.ones(2**17) for _ in range(200)]  # 1 MiB each
full = resident()
del arrays[:-1]
kept = resident()
give_back_freed_memory(held_bytes=0)
given_back = resident()
arrays = [np.ones(2**17) for _ in range(100)]
held = [np.ones(2**17)]
del arrays[:]
give_back_freed_memory()
print(*(each - before for each in (full, kept, given_back, resident())))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is that of Linux")
def test_freed_memory_below_what_is_in_use_is_given_back() -> None:
    ours = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run([sys.executable, "-c", GAPS], env=ours, check=True, capture_output=True, text=True)
    full, kept, given_back, little = map(int, told.stdout.split())
    assert kept > 0.9 * full
    assert given_back < 0.1 * full
    assert little > 0.4 * full  # less than a process may hold


LOOKED = """
import gc
from ecgviz.memory import collect_seldom

def looks():
    before = sum(each["collections"] for each in gc.get_stats())
    kept = [[] for _ in range(100_000)]
    return sum(each["collections"] for each in gc.get_stats()) - before

often = looks()
collect_seldom()
print(often, looks())
"""


def test_objects_that_stay_are_seldom_looked_through() -> None:
    ours = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run([sys.executable, "-c", LOOKED], env=ours, check=True, capture_output=True, text=True)
    often, seldom = map(int, told.stdout.split())
    assert 0 < seldom < often / 10
