"""What one worker does: a chunk of recordings, all networks and methods that are still open for them.

A task names files and settings and carries no samples; weights are loaded once a process. Its results go to the store
from here, and only counts go back.
"""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch

from ecgviz.checkpoint import Model, load_model, predict
from ecgviz.cohort.files import write_records, write_rows
from ecgviz.cohort.folder import Recording, stated
from ecgviz.cohort.rows import failed_record, failed_row, record_row, row
from ecgviz.cohort.settings import Settings
from ecgviz.errors import CohortError, EcgvizError
from ecgviz.pipeline import Examined, Explained, examine, explain_beside_controls, findings_of, hold_against
from ecgviz.records import load_record
from ecgviz.types import Finding, Prediction

ORPHANED_S = 0.5
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ask:
    """What is open of one network and method: ``labels`` by recording; ``source`` is where the model is loaded from."""

    settings: Settings
    source: str
    labels: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Chunk:
    """Recordings of a folder and all that is open for them; ``new`` are those without a row of their own.

    ``owner`` is the process that a worker on this machine ends with, None for workers that have a life of their own.
    """

    store: str
    data: str
    recordings: tuple[Recording, ...]
    asks: tuple[Ask, ...]
    new: frozenset[str]
    owner: int | None = None


@dataclass
class Done:
    """What was worked out: how many recordings and rows, failed rows by reason, and in sentences what was not asked."""

    n_recordings: int = 0
    n_rows: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    left_out: tuple[str, ...] = ()

    def add(self, other: "Done") -> None:
        """Count another chunk in."""
        self.n_recordings += other.n_recordings
        self.n_rows += other.n_rows
        self.failures.update(other.failures)


def run_chunk(chunk: Chunk) -> Done:
    """Work out a chunk and write it to the store.

    Raises
    ------
    CohortError
        When this worker's copy of a model has other weights than the run was started with.
    """
    _end_with(chunk.owner)
    torch.set_num_threads(1)
    for ask in chunk.asks:
        _model(ask.source, ask.settings.model_digest)
    done, records = Done(), []
    rows: dict[str, list[dict[str, Any]]] = {ask.settings.digest: [] for ask in chunk.asks}
    for recording in chunk.recordings:
        about, found = _recording(chunk, recording)
        records.append(about)
        for ask, each in found:
            rows[ask.settings.digest].append(each)
        done.n_recordings += 1
    new = [each for each in records if each["record"] in chunk.new]
    if new:
        write_records(Path(chunk.store), new)
    for ask in chunk.asks:
        kept = rows[ask.settings.digest]
        done.n_rows += len(kept)
        done.failures.update(each["failure_reason"] for each in kept if each.get("failure"))
        if kept:
            write_rows(Path(chunk.store), ask.settings, kept)
    return done


def _recording(chunk: Chunk, recording: Recording) -> tuple[dict[str, Any], list[tuple[Ask, dict[str, Any]]]]:
    """Return the row of a recording, and its rows for every network and method that is open."""
    started = time.perf_counter()
    examined, failure = _attempt(lambda: examine(load_record(Path(chunk.data) / recording.file)))
    if examined is None:
        rows = [(ask, each) for ask in chunk.asks for each in _failed(ask, recording, failure)]
        return failed_record(recording, failure), rows
    about = record_row(recording, examined, time.perf_counter() - started)
    subject = _Subject(recording, examined)
    return about, [(ask, each) for ask in chunk.asks for each in subject.rows(ask)]


@dataclass(eq=False)
class _Subject:
    """One examined recording; what was predicted of it, and what criteria say of it, is worked out once."""

    recording: Recording
    examined: Examined
    findings: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    predictions: dict[str, tuple[Prediction | None, str]] = field(default_factory=dict)

    def rows(self, ask: Ask) -> list[dict[str, Any]]:
        """Return one row a label; a map that is the same for every label is made once."""
        labels = ask.labels.get(self.recording.id, ())
        if not labels:
            return []
        model = _model(ask.source, ask.settings.model_digest)
        prediction, failure = self._prediction(model)
        if prediction is None:
            return _failed(ask, self.recording, failure)
        found, shared = [], None
        for label in labels:
            started = time.perf_counter()
            explained, failure = (shared, "") if shared else _attempt(partial(self._explained, ask, model, label))
            seconds = 0.0 if shared else time.perf_counter() - started
            if explained is not None and explained.explanation.label is None:
                shared = explained
            told = None
            if explained is not None:
                told, failure = _attempt(partial(self._row, ask, label, prediction, explained, seconds))
            found.append(told or failed_row(self.recording, label, failure, stated(self.recording, label)))
        return found

    def _prediction(self, model: Model) -> tuple[Prediction | None, str]:
        if model.digest not in self.predictions:
            ask = partial(predict, model, self.examined.record, self.examined.beats)
            self.predictions[model.digest] = _attempt(ask)
        return self.predictions[model.digest]

    def _explained(self, ask: Ask, model: Model, label: str) -> Explained:
        settings = ask.settings
        seeds = settings.random_seeds(self.recording.id)
        return explain_beside_controls(
            model,
            self.examined,
            label,
            settings.method,
            seed=settings.seed,
            random_seeds=seeds,
            **settings.params,
        )

    def _row(
        self, ask: Ask, label: str, prediction: Prediction, explained: Explained, seconds: float
    ) -> dict[str, Any]:
        if label not in self.findings:
            self.findings[label] = findings_of(self.examined, label)
        found = self.findings[label]
        agreement = hold_against(self.examined, explained, found, prediction, label, seed=ask.settings.seed)
        known = stated(self.recording, label)
        return row(
            self.recording,
            label,
            self.examined,
            prediction,
            explained,
            found,
            agreement,
            stated=known,
            seconds=seconds,
        )


def _attempt(work: Callable[[], Any]) -> tuple[Any, str]:
    """Return what ``work`` gives, or None and the sentence of its refusal, or of a fault of ours."""
    try:
        return work(), ""
    except EcgvizError as refusal:
        return None, " ".join(str(refusal).split())
    except Exception as fault:  # one recording in a million must not end a night's run: it is a row, and a traceback
        logger.exception("a fault of ecgviz, kept as a row of the table")
        return None, f"fault: {type(fault).__name__}: {' '.join(str(fault).split())}"[:400]


def _failed(ask: Ask, recording: Recording, failure: str) -> list[dict[str, Any]]:
    labels = ask.labels.get(recording.id, ())
    return [failed_row(recording, label, failure, stated(recording, label)) for label in labels]


@lru_cache(maxsize=16)
def _model(source: str, digest: str) -> Model:
    """Return a model, loaded once a process."""
    model = load_model(source)
    if model.digest != digest:
        raise CohortError(f"{source}: this worker's copy has other weights than the run was started with")
    return model


@lru_cache(maxsize=1)
def _end_with(owner: int | None) -> None:
    """End this process soon after its owner, which may have been killed without a word."""

    def watch() -> None:
        while os.getppid() == owner:
            time.sleep(ORPHANED_S)
        os._exit(1)

    if owner is not None and os.getpid() != owner:
        threading.Thread(target=watch, daemon=True).start()
