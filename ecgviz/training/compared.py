"""Several models side by side: all scores of the same records, on the same draws of patients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecgviz.checkpoint import Model
from ecgviz.records.ptbxl import SUPERCLASSES, Entry
from ecgviz.training import metrics
from ecgviz.training.evaluate import Answers, truths
from ecgviz.training.metrics import CurvePoint, Interval
from ecgviz.types.arrays import FloatArray

GROUPS = ("superclasses", "statements")


@dataclass(frozen=True)
class LabelScores:
    """One label: ``n`` records for which it is known, how many have it, scores by name, and the reliability curve."""

    label: str
    n: int
    positives: int
    scores: Mapping[str, Interval]
    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class GroupScores:
    """Scores of one model over a group of labels: "superclasses", or "statements" of SCP-ECG.

    ``macro`` has the mean over labels of each of `metrics.PER_LABEL`, and "fmax". ``difference`` is the macro AUC minus
    that of the first model that has such labels, over those that both have; None for that one, or without any.
    """

    n: int
    n_patients: int
    labels: tuple[LabelScores, ...]
    macro: Mapping[str, Interval]
    difference: Interval | None


def grouped(labels: Sequence[str], entries: Sequence[Entry]) -> dict[str, tuple[str, ...]]:
    """Sort a model's labels into `GROUPS`, and "unknown": neither a superclass nor a statement of these records."""
    stated = {code for entry in entries for code in entry.scp_codes}
    of = {label: _group(label, stated) for label in labels}
    return {name: tuple(label for label in labels if of[label] == name) for name in (*GROUPS, "unknown")}


def _group(label: str, stated: set[str]) -> str:
    if label in SUPERCLASSES:
        return "superclasses"
    return "statements" if label in stated else "unknown"


def score_group(
    models: Sequence[Model], answers: Answers, group: str, *, seed: int, draws: int = metrics.BOOTSTRAP_DRAWS
) -> tuple[GroupScores | None, ...]:
    """Score one of `GROUPS` for every model, all on the same draws of patients; None for a model without such labels.

    Of several models the last score is that of their average: the mean of their probabilities, for the labels that all
    of them have. Records without a superclass are left out of the scores of superclasses.
    """
    rows = [n for n, entry in enumerate(answers.entries) if group != "superclasses" or entry.superclasses]
    entries = [answers.entries[n] for n in rows]
    if not entries:
        return (None,) * (len(models) + (len(models) > 1))
    patient = [str(entry.patient_id) for entry in entries]
    weights = metrics.patient_weights(patient, seed=seed, draws=draws)
    first: _Drawn | None = None
    found: list[GroupScores | None] = []
    for labels, probabilities in _asked(models, answers, group):
        if not labels:
            found.append(None)
            continue
        p = probabilities[rows]
        drawn = _draw(labels, truths(entries, labels), p, weights)
        difference = None if first is None else _difference(drawn, first)
        first = first or drawn
        found.append(GroupScores(len(rows), len(set(patient)), _by_label(drawn), _macro(drawn), difference))
    return tuple(found)


def _asked(models: Sequence[Model], answers: Answers, group: str) -> list[tuple[tuple[str, ...], FloatArray]]:
    """Return each model's labels of a group with their probabilities (N, C), and of several models their average."""
    labels = [grouped(model.labels, answers.entries)[group] for model in models]

    def of(model: Model, probabilities: FloatArray, some: Sequence[str]) -> FloatArray:
        return probabilities[:, [model.label_index(label) for label in some]]

    each = list(zip(models, answers.probabilities, strict=True))
    found = [(own, of(*one, own)) for one, own in zip(each, labels, strict=True)]
    if len(models) > 1:
        shared = tuple(label for label in labels[0] if all(label in others for others in labels))
        found.append((shared, np.mean([of(*one, shared) for one in each], axis=0)))
    return found


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Scores of one model by name (1 + D, C), and Fmax (1 + D,): row 0 of the records as they are, then the draws."""

    labels: tuple[str, ...]
    y: FloatArray
    p: FloatArray
    scores: Mapping[str, FloatArray]
    fmax: FloatArray


def _draw(labels: tuple[str, ...], y: FloatArray, p: FloatArray, weights: FloatArray) -> _Drawn:
    weights = np.vstack([np.ones((1, len(y)), weights.dtype), weights])
    scores = {name: metrics.by_label(score, y, p, weights) for name, score in metrics.PER_LABEL.items()}
    return _Drawn(labels, y, p, scores, metrics.joint(y, p, weights))


def _by_label(drawn: _Drawn) -> tuple[LabelScores, ...]:
    return tuple(
        LabelScores(
            label,
            int((~np.isnan(drawn.y[:, c])).sum()),
            int(np.nansum(drawn.y[:, c])),
            {name: _interval(score[:, c]) for name, score in drawn.scores.items()},
            metrics.reliability(drawn.y[:, c], drawn.p[:, c]),
        )
        for c, label in enumerate(drawn.labels)
    )


def _macro(drawn: _Drawn) -> dict[str, Interval]:
    means = {name: _interval(metrics.macro(score)) for name, score in drawn.scores.items()}
    return means | {"fmax": _interval(drawn.fmax)}


def _difference(ours: _Drawn, first: _Drawn) -> Interval | None:
    """Return the macro AUC minus that of the first model, draw by draw, over the labels that both have."""
    shared = [label for label in ours.labels if label in first.labels]
    if not shared:
        return None
    areas = [each.scores["auc"][:, [each.labels.index(label) for label in shared]] for each in (ours, first)]
    return _interval(metrics.macro(areas[0]) - metrics.macro(areas[1]))


def _interval(drawn: FloatArray) -> Interval:
    return metrics.interval(float(drawn[0]), drawn[1:])
