"""What networks say of a recording: predictions, attention, explanations, their checks, whole cases."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from ecgviz.checkpoint import Model, load_model, model_input, predict
from ecgviz.evidence import evidence
from ecgviz.explain import METHODS, attention, checks, explain
from ecgviz.explain.attention import UniformAttention, as_pooled, uniform_attention
from ecgviz.explain.edits import EditEvidence, edit_evidence
from ecgviz.pipeline import analyse
from ecgviz.types import AttentionMap, Beats, Case, EvidenceGrid, Explanation, Prediction, Record
from ecgviz.ui.state.library import is_open_to_all, remember_prediction, remember_verdict
from ecgviz.ui.state.recordings import is_shared, key_of, reading
from ecgviz.ui.state.running import once


@dataclass(frozen=True, eq=False)
class Attended:
    """Where a network pooled: its attention maps by level, and what each holds of every lead, beat and wave.

    ``start_s`` is where the model's window begins.

    Unlike a case it has no controls, which no attention figure shows and which can take seconds a level.
    """

    start_s: float
    maps: Mapping[str, AttentionMap]
    grids: Mapping[str, EvidenceGrid]

    def grid(self, level: str) -> EvidenceGrid | None:
        """Return the grid to read one level from: of all levels together where there is one, else of its own."""
        return self.grids.get("joint", self.grids.get(level))


@dataclass(frozen=True, eq=False)
class Explained:
    """One explanation and its mass on every lead, beat and wave, without the controls of a case."""

    explanation: Explanation
    grid: EvidenceGrid


@st.cache_resource(max_entries=8, show_spinner="Loading the model")
def model(name: str) -> Model:
    """Return a shipped model, loaded once for all sessions; its files are checked against their digests."""
    return load_model(name)


@st.cache_resource
def _lock(digest: str) -> Any:
    return threading.Lock()


def _predict(record: Record, network: Model, beats: Beats) -> Prediction:
    with _lock(network.digest):
        return predict(network, record, beats)


def _analyse(label: str, method: str, record: Record, network: Model, beats: Beats) -> Case:
    with _lock(network.digest):
        return analyse(record, network, label, method, beats=beats)


def _explain(label: str, method: str, prior: str, record: Record, network: Model, beats: Beats) -> Explained:
    params: dict[str, Any] = {"prior": prior} if prior else {}
    with _lock(network.digest):
        made = explain(network, record, label, method, beats, **params)
    return Explained(made, evidence(made, beats))


def _check(label: str, method: str, record: Record, network: Model, beats: Beats) -> checks.Checks:
    with _lock(network.digest):
        return checks.check(network, record, label, method, beats)


def _attend(label: str, record: Record, network: Model, beats: Beats) -> Attended:
    with _lock(network.digest):
        taps = (tap for tap in attention(network, record, beats) if tap.label in (None, label))
        found = {tap.level: tap for tap in taps if f"attention_{tap.level}" in METHODS}
        maps = {level: found[level] for level in getattr(network.net, "levels", ()) if level in found}
        inputs = model_input(network, record, beats)
        drawn = {level: as_pooled(tap, inputs) for level, tap in maps.items()}
    start_s = next((each.start_s for each in drawn.values()), 0.0)
    return Attended(start_s, maps, {level: evidence(each, beats) for level, each in drawn.items()})


def _even(label: str, record: Record, network: Model, beats: Beats) -> UniformAttention:
    with _lock(network.digest):
        return uniform_attention(network, model_input(network, record, beats), network.label_index(label))


def _edit(label: str, record: Record, network: Model, beats: Beats) -> tuple[EditEvidence, ...]:
    with _lock(network.digest):
        return edit_evidence(network, record, beats, label, seed=0)


def _asked(
    run: Callable[..., Any], title: str, record: Record, network: Model, *names: str, beats: Beats | None = None
) -> Any:
    """Return what one of the functions above finds, computed once for these digests and names.

    ``beats`` are those of a teaching case: no reader changes them, also where the same recording is one of the library
    and marks were changed there. What comes of them is kept apart.
    """
    if beats is None:
        key: tuple[str, ...] = key_of(record)
        beats, shared = reading(record).beats, is_shared(record)
    else:
        key, shared = (*key_of(record, changed=False), "a case"), is_open_to_all(record)
    work = partial(run, *names, record, network, beats)
    return once(run.__name__, (*key, network.digest, *names), title, work, shared=shared)


def prediction(record: Record, network: Model, *, beats: Beats | None = None) -> Prediction:
    """Return what a model predicts for a recording, of a teaching case on its own ``beats``.

    Raises
    ------
    EcgvizError
        When the recording does not fit the model.
    """
    result: Prediction = _asked(_predict, "Predicting", record, network, beats=beats)
    if beats is None and is_shared(record):
        remember_prediction(record, network.digest, result)
    return result


def attended(record: Record, network: Model, label: str) -> Attended:
    """Return where a model pooled; raises EcgvizError when the recording does not fit the model."""
    result: Attended = _asked(_attend, "Reading the attention", record, network, label)
    return result


def explained(
    record: Record, network: Model, label: str, method: str, *, prior: str = "", beats: Beats | None = None
) -> Explained:
    """Return one explanation, of attention with its ``prior`` kept or subtracted, of a teaching case on its ``beats``.

    Raises
    ------
    EcgvizError
        When model, label or method do not apply to the recording.
    """
    result: Explained = _asked(_explain, "Explaining", record, network, label, method, prior, beats=beats)
    return result


def even(record: Record, network: Model, label: str) -> UniformAttention:
    """Return a logit with all attention made even; raises EcgvizError for a network without attention to make even."""
    result: UniformAttention = _asked(_even, "Making attention even", record, network, label)
    return result


def edited(record: Record, network: Model, label: str) -> tuple[EditEvidence, ...]:
    """Return what edits of rhythm, rate, P waves and PR do to a logit; raises EcgvizError as `prediction`."""
    result: tuple[EditEvidence, ...] = _asked(_edit, "Editing", record, network, label)
    return result


def checked(record: Record, network: Model, label: str, method: str) -> checks.Checks:
    """Return the checks of one explanation that take seconds; raises EcgvizError as `explained`."""
    result: checks.Checks = _asked(_check, "Checking", record, network, label, method)
    return result


def case(record: Record, network: Model, label: str, method: str, *, beats: Beats | None = None) -> Case:
    """Return the whole case, of a teaching case on its own ``beats``.

    Raises
    ------
    EcgvizError
        When model, label or method do not apply to the recording.
    """
    title = "Explaining, and holding it against controls"
    result: Case = _asked(_analyse, title, record, network, label, method, beats=beats)
    if beats is None and is_shared(record):
        remember_verdict(record, network.digest, label, result.agreement)
    return result
