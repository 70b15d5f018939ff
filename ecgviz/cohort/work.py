"""What one worker does: a chunk of recordings, all networks and methods that are still open for them.

A task names files and settings and carries no samples; weights are loaded once a process. Its results go to the store
from here, and only counts go back.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from ecgviz.checkpoint import Model, load_model, on_device
from ecgviz.cohort.files import write_records, write_rows
from ecgviz.cohort.folder import Recording
from ecgviz.cohort.settings import Settings
from ecgviz.cohort.store import Failed
from ecgviz.cohort.together import answers, subject
from ecgviz.errors import CohortError, EcgvizError
from ecgviz.memory import keep_freed_memory

ORPHANED_S = 0.5
TOGETHER = 8
"""Recordings that are examined, predicted and explained together; of a chunk always the same ones."""


@dataclass(frozen=True)
class Ask:
    """What is open of one network and method: ``labels`` by recording; ``source`` is where the model is loaded from."""

    settings: Settings
    source: str
    labels: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Chunk:
    """Recordings of a folder and all that is open for them.

    ``held`` has the ``record_key`` of those of which the store has a row already, None of one that failed. ``owner`` is
    the process that a worker on this machine ends with, None for workers that have a life of their own.
    """

    store: str
    data: str
    recordings: tuple[Recording, ...]
    asks: tuple[Ask, ...]
    held: Mapping[str, str | None]
    owner: int | None = None


@dataclass
class Done:
    """What was worked out: how many recordings and rows, failed rows by reason, and in sentences what was not asked.

    ``examples`` holds for each reason, which has no numbers, the sentence of one row that failed so. ``in_store`` is
    about the recordings of the whole store, once all is done.
    """

    n_recordings: int = 0
    n_rows: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    in_store: Failed = field(default_factory=Failed)

    def add(self, other: "Done") -> None:
        """Count another chunk in."""
        self.n_recordings += other.n_recordings
        self.n_rows += other.n_rows
        self.failures.update(other.failures)
        self.examples = other.examples | self.examples


def run_chunk(chunk: Chunk) -> Done:
    """Work out a chunk and write it to the store.

    Raises
    ------
    CohortError
        When this worker's copy of a model has other weights than the run was started with.
    ModelError
        When this worker has no such device, or a network says something else on it than on the CPU.
    """
    _end_with(chunk.owner)
    keep_freed_memory()
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic = False, True
    for ask in chunk.asks:
        _model(ask)
    done = Done(n_recordings=len(chunk.recordings))
    records: list[dict[str, Any]] = []
    rows: dict[str, list[dict[str, Any]]] = {ask.settings.digest: [] for ask in chunk.asks}
    for start in range(0, len(chunk.recordings), TOGETHER):
        some = chunk.recordings[start : start + TOGETHER]
        subjects = [subject(Path(chunk.data), each, chunk.held) for each in some]
        records.extend(each.about for each in subjects)
        for ask in chunk.asks:
            model = _model(ask)
            rows[ask.settings.digest].extend(answers(model, ask.settings, subjects, ask.labels))
    new = [each for each in records if each["record"] not in chunk.held]
    if new:
        write_records(Path(chunk.store), new)
    for ask in chunk.asks:
        kept = rows[ask.settings.digest]
        done.n_rows += len(kept)
        for each in kept:
            if each.get("failure"):
                done.failures[each["failure_reason"]] += 1
                done.examples.setdefault(each["failure_reason"], each["failure"])
        if kept:
            write_rows(Path(chunk.store), ask.settings, kept)
    return done


def _model(ask: Ask) -> Model:
    return _loaded(ask.source, ask.settings.model_digest, ask.settings.device)


@lru_cache(maxsize=16)
def _loaded(source: str, digest: str, device: str) -> Model:
    """Return a model on the device that is asked for, loaded once a process."""
    try:
        model = load_model(source)
    except EcgvizError as missing:
        raise CohortError(f"a worker cannot load {source}, which it must see there, too: {missing}") from missing
    if model.digest != digest:
        raise CohortError(f"{source}: this worker's copy has other weights than the run was started with")
    return model if device == "cpu" else on_device(model, device)


@lru_cache(maxsize=1)
def _end_with(owner: int | None) -> None:
    """End this process soon after its owner, which may have been killed without a word."""

    def watch() -> None:
        while os.getppid() == owner:
            time.sleep(ORPHANED_S)
        os._exit(1)

    if owner is not None and os.getpid() != owner:
        threading.Thread(target=watch, daemon=True).start()
