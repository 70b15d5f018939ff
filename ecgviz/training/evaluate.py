"""How good networks are, always with the interval that so many records allow: what they say about PTB-XL's folds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecgviz.beats import delineate
from ecgviz.checkpoint import Model, predict
from ecgviz.errors import EcgvizError, ModelError, RecordError
from ecgviz.records import load_record, ptbxl
from ecgviz.records.ptbxl import Entry
from ecgviz.signal import condition
from ecgviz.training import metrics
from ecgviz.training.labels import stated
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray

LOW_RATE_HZ = 100.0
"""Rate of ``records100``; a faster model is fed from ``records500``."""
FIRST_PLAN_FOLDS, FIRST_PLAN_CHOICE = range(1, 9), 9
"""What models whose model.json names no folds were fitted to and chosen on."""


def areas(y: FloatArray, probabilities: FloatArray) -> FloatArray:
    """Return the area under the ROC curve of every label, shape (C,); NaN where only one class is present."""
    return metrics.by_label(metrics.auc, y, probabilities, np.ones((1, len(y))))[0]


def report(
    y: FloatArray, probabilities: FloatArray, labels: tuple[str, ...], patient: tuple[str, ...], *, seed: int
) -> Mapping[str, Any]:
    """Return macro and per-label AUC with 95 % intervals (bootstrap over patients), and how many are positive.

    Records of which no label is known are left out, and not counted.
    """
    known: BoolArray = np.asarray(np.isfinite(y).any(axis=1))
    y, probabilities = y[known], probabilities[known]
    patient = tuple(name for name, kept in zip(patient, known, strict=True) if kept)
    weights = metrics.patient_weights(patient, seed=seed)
    found = areas(y, probabilities)
    spread = metrics.by_label(metrics.auc, y, probabilities, weights)
    return {
        "n": len(patient),
        "n_patients": len(set(patient)),
        "macro_auc": _rounded(float(np.nanmean(found)), metrics.macro(spread)),
        "auc": {
            label: _rounded(float(found[k]), spread[:, k]) | {"positives": int(np.nansum(y[:, k]))}
            for k, label in enumerate(labels)
        },
    }


def _rounded(value: float, draws: FloatArray) -> dict[str, float | None]:
    """Return what JSON can hold: None for what is not defined."""
    found = asdict(metrics.interval(value, draws))
    return {name: round(each, 4) if np.isfinite(each) else None for name, each in found.items()}


def best_thresholds(y: FloatArray, probabilities: FloatArray) -> tuple[float, ...]:
    """Return for each label the probability above which F1 is largest on these records.

    Raises
    ------
    ModelError
        When no record has one of the labels: then no threshold is better than another.
    """
    chosen = []
    for truth, score in zip(y.T, probabilities.T, strict=True):
        if not (truth > 0).any():
            raise ModelError("no record has the label, so no threshold can be set on these records")
        candidates = np.unique(score)
        called = score[None] >= candidates[:, None]
        hits = (called & (truth[None] > 0)).sum(axis=1)
        f1 = 2 * hits / np.maximum(called.sum(axis=1) + truth.sum(), 1)
        chosen.append(float(candidates[int(f1.argmax())]))
    return tuple(chosen)


@dataclass(frozen=True, eq=False)
class Answers:
    """What several models said about the same records of PTB-XL.

    ``probabilities`` holds (n, C) a model, in the order of its labels; ``entries`` are the n rows of the table.
    ``duplicates`` counts the copies that PTB-XL 1.0.3 dropped, ``refused`` names each record that could not be
    read, or that one of the models could not be fed with, and why.
    """

    entries: tuple[Entry, ...]
    probabilities: tuple[FloatArray, ...]
    duplicates: int
    refused: tuple[str, ...]


def ask(
    models: Sequence[Model],
    folder: Path,
    folds: Sequence[int],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Answers:
    """Let every model predict every record of some folds of PTB-XL, prepared as at any prediction.

    A model of up to 100 Hz is fed with the 100 Hz files, any other with those of 500 Hz. Beats are delineated only
    for models that need R peaks.

    Raises
    ------
    RecordError
        When the folder is not PTB-XL as published, or no record of these folds can be scored.
    """
    rows = [row for row in ptbxl.read_table(folder).values() if row.strat_fold in folds]
    wanted = [row for row in rows if not row.duplicate]
    _check_files(models, folder, wanted)
    entries, answers, refused = [], [], []
    for done, entry in enumerate(wanted, start=1):
        try:
            answers.append(_answers(models, folder, entry))
            entries.append(entry)
        except EcgvizError as refusal:
            refused.append(f"record {entry.ecg_id}: {refusal}")
        progress(done, len(wanted))
    if not entries:
        why = f"; {refused[0]}" if refused else ""
        raise RecordError(f"{folder.name}: no record of fold {_listed(folds)} can be scored{why}")
    columns = tuple(np.stack(column) for column in zip(*answers, strict=True))
    return Answers(tuple(entries), columns, len(rows) - len(wanted), tuple(refused))


def _check_files(models: Sequence[Model], folder: Path, wanted: Sequence[Entry]) -> None:
    """Refuse a folder without any of the files that a model is fed from."""
    for low in {model.spec.fs <= LOW_RATE_HZ for model in models} if wanted else ():
        first = Path(wanted[0].filename_lr if low else wanted[0].filename_hr).parts[0]
        if not (folder / first).is_dir():
            rate = "100" if low else "500"
            which = "of up to 100 Hz" if low else "faster than 100 Hz"
            raise RecordError(
                f"{folder.name} has no {first}, from which models {which} are scored: ecgviz fetch ptb-xl --rate {rate}"
            )


def _answers(models: Sequence[Model], folder: Path, entry: Entry) -> list[FloatArray]:
    """Return each model's probabilities of one record; a refusal by one of them is one for all."""
    records: dict[str, tuple[Record, Beats | None]] = {}
    found = []
    for model in models:
        stem = entry.filename_lr if model.spec.fs <= LOW_RATE_HZ else entry.filename_hr
        record, beats = records.get(stem) or (load_record((folder / stem).with_suffix(".hea")), None)
        if beats is None and "r_peaks" in model.spec.needs:
            beats = delineate(condition(record))
        records[stem] = record, beats
        found.append(_probabilities(model, record, beats))
    return found


def _probabilities(model: Model, record: Record, beats: Beats | None) -> FloatArray:
    return predict(model, record, beats).probabilities


def truths(entries: Sequence[Entry], labels: Sequence[str]) -> FloatArray:
    """Return 1 where a record has a label, 0 where not (n, C); statements count whatever their likelihood.

    A record without any superclass is NaN for all of them: what it shows was not stated.
    """
    return np.array([stated(entry, labels) for entry in entries], dtype=np.float64).reshape(-1, len(labels))


def fold_warning(model: Model, folds: Sequence[int]) -> str | None:
    """Return a sentence where a model has learnt from, or was chosen on, a fold that is asked for; else None."""
    training = model.training
    if "folds" in training:
        fitted, chosen = {*training["folds"]} & {*folds}, {*training.get("chosen_on", ())} & {*folds}
    elif "plan" in training:
        fitted, chosen = {*FIRST_PLAN_FOLDS} & {*folds}, {FIRST_PLAN_CHOICE} & {*folds}
    else:
        return f"{model.name} does not say which folds it was trained on: these may be records that it has learnt"
    if fitted:
        return f"{model.name} was trained on fold {_listed(fitted)}: there its scores say what it remembers"
    if chosen:
        return f"{model.name} was chosen on fold {_listed(chosen)}: there its scores are too good"
    return None


def _listed(folds: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(folds)))
