"""Several recordings in hand at once: each is examined once, and networks and methods are asked about all together."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ecgviz.checkpoint import Model, model_input, predict_many
from ecgviz.cohort.folder import Recording, stated
from ecgviz.cohort.rows import failed_record, failed_row, record_row, row
from ecgviz.cohort.settings import Settings
from ecgviz.errors import EcgvizError, said_by
from ecgviz.pipeline import Examined, Explained, examine, explain_many_beside_controls, findings_of, hold_against
from ecgviz.records import load_record
from ecgviz.types import Finding, ModelInput, Prediction

logger = logging.getLogger(__name__)
CHANGED = "its file is not the one that the store holds: it was changed since; name a new store"
REPAIRED = "the store holds it as one that failed, and its file can be read now; name a new store"
Made = tuple[Explained | None, str, float]
"""A map beside its controls, or None and why there is none; and the seconds that it took."""


@dataclass(frozen=True, eq=False)
class Ready:
    """A recording as one network was fed it, and what it predicted."""

    examined: Examined
    inputs: ModelInput
    prediction: Prediction


@dataclass(eq=False)
class Subject:
    """One recording, its row, and what is worked out of it once; ``examined`` is None where ``failure`` says why.

    ``asked`` holds, by the digest of a model, what it was asked and said, or None and why not.
    """

    recording: Recording
    about: dict[str, Any]
    examined: Examined | None
    failure: str = ""
    findings: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    asked: dict[str, tuple[Ready | None, str]] = field(default_factory=dict)

    def failed(self, label: str, failure: str) -> dict[str, Any]:
        """Return the row of a label that has no answer."""
        return failed_row(self.recording, label, failure, stated(self.recording, label))


def subject(data: Path, recording: Recording, held: Mapping[str, str | None]) -> Subject:
    """Read and examine a recording; one that cannot be is a subject with its failure.

    So is one of which the store has a row with another key, by ``held``: a table would join two recordings as one.
    """
    started = time.perf_counter()
    examined, failure = attempt(lambda: examine(load_record(data / recording.file)))
    if examined is None:
        return Subject(recording, failed_record(recording, failure), None, failure)
    about = record_row(recording, examined, time.perf_counter() - started)
    key = held.get(recording.id, examined.record.key)
    if key != examined.record.key:
        return Subject(recording, about, None, REPAIRED if key is None else CHANGED)
    return Subject(recording, about, examined)


def answers(
    model: Model, settings: Settings, subjects: Sequence[Subject], labels: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Return the rows of one network and method: of each subject, one for each of its ``labels``.

    A map that is the same for every label is made once.
    """
    wanted = [each for each in subjects if labels.get(each.recording.id)]
    _predict(model, wanted)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    shared: dict[str, Made] = {}
    for label in model.labels:
        asked = [each for each in wanted if label in labels[each.recording.id]]
        ready = {each.recording.id: told for each in asked if (told := each.asked[model.digest][0]) is not None}
        made = _made(model, settings, label, {name: each for name, each in ready.items() if name not in shared})
        for each in asked:
            name = each.recording.id
            if name not in ready:
                rows[name, label] = each.failed(label, each.asked[model.digest][1])
                continue
            explained, failure, seconds = made.get(name) or shared[name]
            told = None
            if explained is not None:
                if explained.explanation.label is None:
                    shared[name] = (explained, "", 0.0)
                told, failure = attempt(partial(_row, settings, label, each, ready[name], explained, seconds))
            rows[name, label] = told or each.failed(label, failure)
    return [rows[each.recording.id, label] for each in wanted for label in labels[each.recording.id]]


def _predict(model: Model, subjects: Sequence[Subject]) -> None:
    """Prepare recordings for a network and predict all of them together, unless it was done for another method."""
    fed = []
    for each in subjects:
        if model.digest in each.asked:
            continue
        each.asked[model.digest] = (None, each.failure)
        if each.examined is not None:
            inputs, failure = attempt(partial(model_input, model, each.examined.record, each.examined.beats))
            each.asked[model.digest] = (None, failure)
            if inputs is not None:
                fed.append((each, each.examined, inputs))
    found = all_or_each(lambda some: predict_many(model, [inputs for _, _, inputs in some]), fed)
    for (each, examined, inputs), (prediction, failure) in zip(fed, found, strict=True):
        ready = None if prediction is None else Ready(examined, inputs, prediction)
        each.asked[model.digest] = (ready, failure)


def _made(model: Model, settings: Settings, label: str, ready: Mapping[str, Ready]) -> dict[str, Made]:
    """Return the maps of one label by recording, with controls; seconds are the mean of those made together."""

    def explain(some: Sequence[tuple[str, Ready]]) -> list[Explained]:
        return explain_many_beside_controls(
            model,
            [(each.examined, each.inputs) for _, each in some],
            label,
            settings.method,
            seed=settings.seed,
            random_seeds=[settings.random_seeds(name) for name, _ in some],
            **settings.params,
        )

    started = time.perf_counter()
    found = all_or_each(explain, list(ready.items()))
    seconds = (time.perf_counter() - started) / max(len(ready), 1)
    return {name: (*made, seconds) for name, made in zip(ready, found, strict=True)}


def _row(
    settings: Settings, label: str, one: Subject, ready: Ready, explained: Explained, seconds: float
) -> dict[str, Any]:
    if label not in one.findings:
        one.findings[label] = findings_of(ready.examined, label)
    found = one.findings[label]
    agreement = hold_against(ready.examined, explained, found, ready.prediction, label, seed=settings.seed)
    known = stated(one.recording, label)
    return row(
        one.recording,
        label,
        ready.examined,
        ready.prediction,
        explained,
        found,
        agreement,
        stated=known,
        seconds=seconds,
    )


def all_or_each(work: Callable[[Sequence[Any]], Sequence[Any]], given: Sequence[Any]) -> list[tuple[Any, str]]:
    """Return what ``work`` makes of all together; where that fails, of each by itself, or None and why not.

    So a recording that cannot be answered costs those beside it time, but no answer.
    """
    if len(given) > 1:
        try:
            return [(each, "") for each in work(given)]
        except Exception:  # whatever it is, the recording that it is about meets it again, alone
            logger.info("%d recordings are taken one by one", len(given), exc_info=True)
    return [attempt(partial(_only, work, each)) for each in given]


def _only(work: Callable[[Sequence[Any]], Sequence[Any]], one: Any) -> Any:
    return work([one])[0]


def attempt(work: Callable[[], Any]) -> tuple[Any, str]:
    """Return what ``work`` gives, or None and the sentence of its refusal, or of a fault of ours."""
    try:
        return work(), ""
    except EcgvizError as refusal:
        return None, " ".join(str(refusal).split())
    except Exception as fault:  # one recording in a million must not end a night's run: it is a row, and a traceback
        logger.exception("a fault of ecgviz, kept as a row of the table")
        return None, f"fault: {said_by(fault)}"[:400]
