"""What is measured of a trained network and written into its model.json: scores, thresholds, tables of past scores."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ecgviz.records.ptbxl import SUPERCLASSES
from ecgviz.simulate import FINDINGS
from ecgviz.training import metrics
from ecgviz.training.data import Examples
from ecgviz.training.evaluate import areas, best_thresholds, report
from ecgviz.training.fit import superclass_columns
from ecgviz.types.arrays import BoolArray, FloatArray

FEWEST_POSITIVES = 10
"""A statement that fewer real records have is not scored on them, and its threshold not set by who has it."""
RARE_CALLED = 0.02
"""Such a statement is called in this share of the real records without it. Chosen on PTB-XL among shares of one to five
hundredths, largest F1, and as many calls as there are records with it: set on one half of the records, it had on the
other the F1 of the best of these for five statements of six, while largest F1 called long QT in a fifth of them."""
MARGINS = (("just past its limits", 0.0, 0.9), ("clearly past", 0.9, 1.1), ("far past", 1.1, np.inf))
"""Bins of severity of the simulated findings that meet their published limits; 1 is clearly past them."""


def scored(examples: Examples, p: FloatArray, *, seed: int) -> dict[str, Any]:
    """Return reports on superclasses and on statements with `FEWEST_POSITIVES` or more, by name, each with intervals.

    ``p`` (n, C). Second files of a record are not scored.
    """
    once = ~examples.again
    y, p = examples.y[once], p[once]
    patient = tuple(name for name, kept in zip(examples.patient, once, strict=True) if kept)
    enough = np.nansum(y, axis=0) >= FEWEST_POSITIVES
    groups = {
        "superclasses": [k for k, label in enumerate(examples.labels) if label in SUPERCLASSES],
        "statements": [k for k, label in enumerate(examples.labels) if label not in SUPERCLASSES and enough[k]],
    }
    return {
        name: report(y[:, columns], p[:, columns], tuple(examples.labels[k] for k in columns), patient, seed=seed)
        for name, columns in groups.items()
        if columns
    }


def by_margin(simulated: Examples, p: FloatArray) -> dict[str, dict[str, Any]]:
    """Return for each statement the AUC of simulated positives in each bin of `MARGINS` against all negatives.

    The negatives are healthy records, all other findings, and the same finding short of its limits. Where a statement
    goes with another finding (a fast rate with an infarct), it has no severity of its own, and is in no bin.
    """
    table: dict[str, dict[str, Any]] = {}
    for k, label in enumerate(simulated.labels):
        if label in SUPERCLASSES:
            continue
        own = np.array([bool(name) and label in FINDINGS[name].statements for name in simulated.finding])
        y = np.where((simulated.y[:, k] == 1) & ~own, np.nan, simulated.y[:, k])
        table[label] = {name: _bin(y, p[:, k], simulated.severity, low, high) for name, low, high in MARGINS}
    return table


def _bin(y: FloatArray, p: FloatArray, severity: FloatArray, low: float, high: float) -> dict[str, Any]:
    inside = (y == 0) | ((y == 1) & (severity >= low) & (severity < high))
    auc = areas(y[inside, None], p[inside, None])[0]
    return {"auc": None if np.isnan(auc) else round(float(auc), 4), "positives": int((y[inside] == 1).sum())}


def thresholds(
    real: Examples, p_real: FloatArray, simulated: Examples, p_simulated: FloatArray
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return for each label its threshold, and on which records it was set, each real one once.

    - "real": that of largest F1, where `FEWEST_POSITIVES` or more have the label
    - "real without it": where fewer have it, what `RARE_CALLED` of the others reach, if these are enough to tell
    - "simulated": that of largest F1 among simulated records, where there are too few real ones of either kind
    """
    once = ~real.again
    chosen, where = [], []
    for k in range(len(real.labels)):
        y, p = real.y[once, k], p_real[once, k]
        n_with, n_without = int((y == 1).sum()), int((y == 0).sum())
        if n_with < FEWEST_POSITIVES and n_without * RARE_CALLED >= 1:
            chosen.append(float(np.quantile(p[y == 0], 1 - RARE_CALLED)))
            where.append("real without it")
            continue
        on_real = n_with >= FEWEST_POSITIVES or not np.nansum(simulated.y[:, k])
        y, p = (y, p) if on_real else (simulated.y[:, k], p_simulated[:, k])
        known = ~np.isnan(y)
        chosen.append(best_thresholds(y[known, None], p[known, None])[0])
        where.append("real" if on_real else "simulated")
    return tuple(chosen), tuple(where)


def reached(examples: Examples, p: FloatArray, limits: Sequence[float]) -> dict[str, dict[str, int]]:
    """Return by label how many of these records, each once, reach its threshold: ``of`` all who have it, and others."""
    once = ~examples.again
    counts = {}
    for label, y, calls in zip(examples.labels, examples.y[once].T, (p[once] >= np.array(limits)).T, strict=True):
        has, lacks = y == 1, y == 0
        counts[label] = {
            "with": int((calls & has).sum()),
            "of": int(has.sum()),
            "without": int((calls & lacks).sum()),
        }
    return counts


def score_tables(examples: Examples, p: FloatArray) -> dict[str, Any]:
    """Return for each label how often such a score was right on these records, as model.json keeps it."""
    once = ~examples.again
    tables = {}
    for k, label in enumerate(examples.labels):
        known = once & ~np.isnan(examples.y[:, k])
        table = metrics.score_table(p[known, k], examples.y[known, k])
        if table is not None:
            tables[label] = asdict(table)
    return tables


def answers(examples: Examples, p: FloatArray) -> dict[str, Any]:
    """Return the probabilities of each record, to make scores, and those of averaged models, from.

    Rounded to six digits; second files of a record are left out.
    """
    rows = np.flatnonzero(~examples.again)
    return {"record": [examples.record[i] for i in rows], "probabilities": np.round(p[rows], 6).tolist()}


def both_rates(examples: Examples, p: FloatArray) -> dict[str, Any] | None:
    """Return how much logits change between the two files of a record; None without pairs.

    The logits are those of superclasses, or of statements where no label is a superclass.
    """
    low = {name: i for i, name in enumerate(examples.record) if not examples.again[i]}
    pairs = [(low[name], i) for i, name in enumerate(examples.record) if examples.again[i] and name in low]
    if not pairs:
        return None
    columns = superclass_columns(examples.labels)
    logits = np.log(p[:, columns]) - np.log1p(-p[:, columns])
    first, second = np.array(pairs).T
    change = np.abs(logits[first] - logits[second])
    return {
        "pairs": len(pairs),
        "median": round(float(np.median(change)), 3),
        "p95": round(float(np.percentile(change, 95)), 3),
        "logit_sd": round(float(logits[first].std(axis=0).mean()), 3),
    }


def positives(examples: Examples, kept: BoolArray) -> Mapping[str, int]:
    """Return how many of the kept examples have each label."""
    counts = np.nansum(examples.y[kept], axis=0).astype(int).tolist()
    return dict(zip(examples.labels, counts, strict=True))
