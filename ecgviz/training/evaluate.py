"""How good a network is, always with the interval that so many records allow."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ecgviz.training import metrics
from ecgviz.types.arrays import FloatArray

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
    return metrics.by_label(metrics.auc, y, probabilities, np.ones((1, len(y))))[0]


def report(
    y: FloatArray, probabilities: FloatArray, labels: tuple[str, ...], patient: tuple[str, ...], *, seed: int
) -> Mapping[str, Any]:
    """Return macro and per-label AUC with 95 % intervals (bootstrap over patients), and how many are positive."""
    weights = metrics.patient_weights(patient, seed=seed)
    found = areas(y, probabilities)
    spread = metrics.by_label(metrics.auc, y, probabilities, weights)
    return {
        "n": len(patient),
        "n_patients": len(set(patient)),
        "macro_auc": _rounded(float(np.nanmean(found)), metrics.macro(spread)),
        "auc": {
            label: _rounded(float(found[k]), spread[:, k]) | {"positives": int(y[:, k].sum())}
            for k, label in enumerate(labels)
        },
    }


def _rounded(value: float, draws: FloatArray) -> dict[str, float]:
    found = metrics.interval(value, draws)
    return {"value": round(found.value, 4), "low": round(found.low, 4), "high": round(found.high, 4)}


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
