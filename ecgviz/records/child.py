"""A child process with limits, for files that must not be trusted: what eats memory or time, or crashes, ends there."""

import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REFUSAL = "refusal.txt"
"""A child that refuses what it reads leaves its sentence in this file of its folder."""


@dataclass(frozen=True)
class Limits:
    """What a child may take: memory in bytes, seconds of processor and of wall clock, bytes of a file it writes."""

    memory_bytes: int
    processor_s: int
    wall_s: float
    file_bytes: int


def run(module: str, folder: Path, limits: Limits, called: str) -> str:
    """Run ``python -m module folder`` in that folder; return why it failed, "" when it did not.

    ``called`` is what the sentence calls the file that is read.
    """
    environment = {"PATH": os.environ.get("PATH", ""), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry)
    command = [sys.executable, "-P", "-m", module, str(folder)]  # -P: import nothing from the folder
    try:
        child = subprocess.run(  # noqa: S603
            command, cwd=folder, env=environment, capture_output=True, timeout=limits.wall_s, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{called}: reading took more than {limits.wall_s:.0f} s and was stopped"
    refusal = folder / REFUSAL
    if refusal.is_file():
        return refusal.read_text(encoding="utf-8")
    if child.returncode != 0:
        return (
            f"{called}: reading it broke the limits of {limits.memory_bytes / 1e9:.1f} GB and {limits.processor_s} s, "
            f"or the file is malformed; nothing was kept"
        )
    return ""


def limit(limits: Limits, memory: int = resource.RLIMIT_AS) -> None:
    """Give this process its limits; core files are off, so that nothing of what is read stays on disk."""
    for what, most in (
        (memory, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.processor_s),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
