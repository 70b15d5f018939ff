"""How good a network is, always with the interval that so many records allow."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from ecgviz.types.arrays import FloatArray

BOOTSTRAP_DRAWS = 1000
MICRO_BATCH = 8
"""Large batches are slower on a CPU: the activations leave the cache."""


def predict_probabilities(net: nn.Module, x: Tensor) -> FloatArray:
    """Return probabilities (n, C) of standardised records x (n, L, T); the network is left in eval mode."""
    net.eval()
    with torch.inference_mode():
        logits = torch.cat([net(part) for part in x.split(MICRO_BATCH)])
    return torch.sigmoid(logits).double().numpy(force=True)


def areas(y: FloatArray, probabilities: FloatArray) -> FloatArray:
    """Return the area under the ROC curve of every label, shape (C,); NaN where only one class is present."""
    return np.array(
        [
            roc_auc_score(truth, score) if 0 < truth.sum() < truth.size else np.nan
            for truth, score in zip(y.T, probabilities.T, strict=True)
        ]
    )


def report(
    y: FloatArray, probabilities: FloatArray, labels: tuple[str, ...], patient: tuple[str, ...], *, seed: int
) -> Mapping[str, Any]:
    """Return macro and per-label AUC with 95 % intervals (bootstrap over patients), and how many are positive."""
    rng = np.random.default_rng(seed)
    members: dict[str, list[int]] = {}
    for i, name in enumerate(patient):
        members.setdefault(name, []).append(i)
    groups = [np.array(group) for group in members.values()]
    draws = []
    for _ in range(BOOTSTRAP_DRAWS):
        chosen = np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))])
        draws.append(areas(y[chosen], probabilities[chosen]))
    found, spread = areas(y, probabilities), np.array(draws)
    return {
        "n": len(patient),
        "n_patients": len(groups),
        "macro_auc": _interval(float(np.nanmean(found)), np.nanmean(spread, axis=1)),
        "auc": {
            label: _interval(float(found[k]), spread[:, k]) | {"positives": int(y[:, k].sum())}
            for k, label in enumerate(labels)
        },
    }


def _interval(value: float, draws: FloatArray) -> dict[str, float]:
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return {"value": round(value, 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def best_thresholds(y: FloatArray, probabilities: FloatArray) -> tuple[float, ...]:
    """Return for each label the probability above which F1 is largest on these records."""
    chosen = []
    for truth, score in zip(y.T, probabilities.T, strict=True):
        candidates = np.unique(score)
        called = score[None] >= candidates[:, None]
        hits = (called & (truth[None] > 0)).sum(axis=1)
        f1 = 2 * hits / np.maximum(called.sum(axis=1) + truth.sum(), 1)
        chosen.append(float(candidates[int(f1.argmax())]))
    return tuple(chosen)
