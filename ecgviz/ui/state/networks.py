"""What networks say of a recording: predictions, attention, explanations, their checks, whole cases."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ecgviz.checkpoint import Model, load_model, model_input, predict
from ecgviz.evidence import evidence
from ecgviz.explain import METHODS, attention, checks, explain
from ecgviz.explain.attention import UniformAttention, uniform_attention
from ecgviz.explain.edits import EditEvidence, edit_evidence
from ecgviz.pipeline import analyse
from ecgviz.types import AttentionMap, Beats, Case, EvidenceGrid, Explanation, Prediction, Record
from ecgviz.ui.state.library import remember_prediction, remember_verdict
from ecgviz.ui.state.recordings import Key, cached, is_shared, key_of, reading


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


def _predict(key: Key, digest: str, _record: Record, _model: Model, _beats: Beats) -> Prediction:
    with _lock(digest):
        return predict(_model, _record, _beats)


def _analyse(key: Key, digest: str, label: str, method: str, _record: Record, _model: Model, _beats: Beats) -> Case:
    with _lock(digest):
        return analyse(_record, _model, label, method, beats=_beats)


def _explain(
    key: Key, digest: str, label: str, method: str, prior: str, _record: Record, _model: Model, _beats: Beats
) -> Explained:
    params: dict[str, Any] = {"prior": prior} if prior else {}
    with _lock(digest):
        made = explain(_model, _record, label, method, _beats, **params)
    return Explained(made, evidence(made, _beats))


def _check(
    key: Key, digest: str, label: str, method: str, _record: Record, _model: Model, _beats: Beats
) -> checks.Checks:
    with _lock(digest):
        return checks.check(_model, _record, label, method, _beats)


def _attend(key: Key, digest: str, label: str, _record: Record, _model: Model, _beats: Beats) -> Attended:
    with _lock(digest):
        taps = (tap for tap in attention(_model, _record, _beats) if tap.label in (None, label))
        found = {tap.level: tap for tap in taps if f"attention_{tap.level}" in METHODS}
        maps = {level: found[level] for level in getattr(_model.net, "levels", ()) if level in found}
        drawn = {level: explain(_model, _record, label, f"attention_{level}", _beats) for level in maps}
    start_s = next((each.start_s for each in drawn.values()), 0.0)
    return Attended(start_s, maps, {level: evidence(each, _beats) for level, each in drawn.items()})


def _even(key: Key, digest: str, label: str, _record: Record, _model: Model, _beats: Beats) -> UniformAttention:
    with _lock(digest):
        return uniform_attention(_model, model_input(_model, _record, _beats), _model.label_index(label))


def _edit(key: Key, digest: str, label: str, _record: Record, _model: Model, _beats: Beats) -> tuple[EditEvidence, ...]:
    with _lock(digest):
        return edit_evidence(_model, _record, _beats, label, seed=0)


_PREDICTED = cached(_predict, shared=256, own=32, spinner="Predicting")
_ATTENDED = cached(_attend, shared=128, own=16, spinner="Reading the attention")
_EXPLAINED = cached(_explain, shared=256, own=32, spinner="Explaining")
_EVEN = cached(_even, shared=256, own=32, spinner="Making attention even")
_EDITED = cached(_edit, shared=128, own=16, spinner="Editing")
_CHECKED = cached(_check, shared=128, own=16, spinner="Checking")
_ANALYSED = cached(_analyse, shared=128, own=16, spinner="Explaining, and holding it against controls")


def _asked(caches: tuple[Callable[..., Any], ...], record: Record, network: Model, *names: str) -> Any:
    for_all, for_one = caches
    run = for_all if is_shared(record) else for_one
    return run(key_of(record), network.digest, *names, record, network, reading(record).beats)


def prediction(record: Record, network: Model) -> Prediction:
    """Return what a model predicts for a recording; raises EcgvizError when the recording does not fit the model."""
    result: Prediction = _asked(_PREDICTED, record, network)
    if is_shared(record):
        remember_prediction(record, network.digest, result)
    return result


def attended(record: Record, network: Model, label: str) -> Attended:
    """Return where a model pooled; raises EcgvizError when the recording does not fit the model."""
    result: Attended = _asked(_ATTENDED, record, network, label)
    return result


def explained(record: Record, network: Model, label: str, method: str, *, prior: str = "") -> Explained:
    """Return one explanation, of attention with its ``prior`` kept or subtracted.

    Raises
    ------
    EcgvizError
        When model, label or method do not apply to the recording.
    """
    result: Explained = _asked(_EXPLAINED, record, network, label, method, prior)
    return result


def even(record: Record, network: Model, label: str) -> UniformAttention:
    """Return a logit with all attention made even; raises EcgvizError for a network without attention to make even."""
    result: UniformAttention = _asked(_EVEN, record, network, label)
    return result


def edited(record: Record, network: Model, label: str) -> tuple[EditEvidence, ...]:
    """Return what edits of rhythm, rate, P waves and PR do to a logit; raises EcgvizError as `prediction`."""
    result: tuple[EditEvidence, ...] = _asked(_EDITED, record, network, label)
    return result


def checked(record: Record, network: Model, label: str, method: str) -> checks.Checks:
    """Return the checks of one explanation that take seconds; raises EcgvizError as `explained`."""
    result: checks.Checks = _asked(_CHECKED, record, network, label, method)
    return result


def case(record: Record, network: Model, label: str, method: str) -> Case:
    """Return the whole case; raises EcgvizError when model, label or method do not apply to the recording."""
    result: Case = _asked(_ANALYSED, record, network, label, method)
    if is_shared(record):
        remember_verdict(record, network.digest, label, result.agreement)
    return result
