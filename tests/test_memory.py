"""Memory that a process has freed is handed out again, even under the settings that Dask's nanny gives its workers."""

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
