"""What the logit loses when one cell of a record, or one stretch of one lead, is replaced by a baseline.

Nothing is known of how cells act together: where two leads carry the same, each alone loses little.
"""

import numpy as np

from ecgviz.checkpoint import Model
from ecgviz.errors import ExplanationError
from ecgviz.explain.baselines import at_baseline, one_baseline
from ecgviz.explain.cells import numbered
from ecgviz.explain.coalitions import coalition_logits
from ecgviz.explain.game import game
from ecgviz.types import Beats, Explanation, ModelInput


def feature_ablation(
    model: Model,
    inputs: ModelInput,
    beats: Beats,
    label_index: int,
    *,
    seed: int,
    baseline: str = "isoelectric",
    cells: str = "lead_beat_wave",
) -> Explanation:
    """Return, for each cell, the logit of the record minus that of the record without the cell.

    Captum's FeatureAblation gives every sample the whole loss of its cell; here they share it.

    Raises
    ------
    ExplanationError
        As `ecgviz.explain.game.game`.
    """
    played = game(model, inputs, beats, label_index, baseline=baseline, cells=cells, seed=seed)
    n = len(played.cells)
    worth = played.worth(np.concatenate([np.ones((1, n), dtype=bool), ~np.eye(n, dtype=bool)]))
    return played.explanation("feature_ablation", worth[0] - worth[1:], {"logit": float(worth[0])})


def occlusion(
    model: Model,
    inputs: ModelInput,
    beats: Beats,
    label_index: int,
    *,
    seed: int,
    baseline: str = "isoelectric",
    window_s: float = 0.2,
    stride_s: float = 0.1,
) -> Explanation:
    """Return what a sliding window of one lead is worth (Zeiler and Fergus 2014, arXiv:1311.2901).

    Each window's loss is shared by its samples; a sample has the mean over the windows that cover it. Captum's
    Occlusion gives each sample the whole loss of a window.

    Raises
    ------
    ExplanationError
        For an unknown baseline, a window that is shorter than a sample or longer than the record, or a stride that is
        shorter than a sample or leaves gaps.
    """
    n_samples = inputs.x.shape[1]
    width, stride = round(window_s * inputs.fs), round(stride_s * inputs.fs)
    if not 1 <= stride <= width <= n_samples:
        raise ExplanationError(
            f"windows of {window_s:g} s at every {stride_s:g} s cannot slide over {n_samples / inputs.fs:g} s at "
            f"{inputs.fs:g} Hz: the stride is at least a sample and at most a window"
        )
    starts = np.arange(0, n_samples - width + stride, stride)
    ends = np.minimum(starts + width, n_samples)
    edges = np.unique([starts, ends])
    piece = np.searchsorted(edges, np.arange(n_samples), side="right") - 1
    raw = np.where(inputs.mask, piece + len(edges) * np.arange(len(inputs.leads))[:, None], -1)
    cells, kept = numbered(raw, [f"stretch {k + 1}" for k in range(len(edges) * len(inputs.leads))])
    lead, at = np.divmod(kept, len(edges))
    covered = (starts[:, None] <= edges[at]) & (edges[at] < ends[:, None])  # (W, K)
    absent = (np.arange(len(inputs.leads))[:, None, None] == lead) & covered  # (L, W, K)
    present = ~np.concatenate([np.zeros((1, len(cells)), dtype=bool), absent.reshape(-1, len(cells))])
    reference = one_baseline(baseline, model, inputs, beats, seed=seed)
    worth = coalition_logits(model, inputs, cells, reference, present)[:, label_index]
    loss = (worth[0] - worth[1:]).reshape(len(inputs.leads), -1)  # (L, W)
    samples = np.arange(n_samples)
    covers = (starts[:, None] <= samples) & (samples < ends[:, None]) & inputs.mask  # (W, T)
    shared = loss / np.maximum(covers.sum(axis=1), 1)
    return Explanation(
        values=shared @ covers / np.maximum(covers.sum(axis=0), 1),
        fs=inputs.fs,
        start_s=inputs.start_s,
        leads=inputs.leads,
        label=model.labels[label_index],
        method="occlusion",
        signed=True,
        resolution_s=width / inputs.fs,
        params={
            **at_baseline(model, inputs, reference, label_index).params(baseline),
            "logit": float(worth[0]),
            "window_s": window_s,
            "stride_s": stride_s,
        },
    )
