"""LIME: a linear model of the logit over the cells of one record, fitted to altered copies of it."""

import numpy as np

from ecgviz.checkpoint import Model
from ecgviz.errors import ExplanationError
from ecgviz.explain.game import game
from ecgviz.types import Beats, Explanation, ModelInput
from ecgviz.types.arrays import FloatArray

GOOD_FIT = 0.8
"""Part of the logit's weighted variance that a surrogate must account for, to stand for the network."""


def lime(
    model: Model,
    inputs: ModelInput,
    beats: Beats,
    label_index: int,
    *,
    seed: int,
    baseline: str = "isoelectric",
    cells: str = "lead_wave",
    n_coalitions: int = 2048,
    kernel_width: float = 0.25,
    alpha: float = 1.0,
) -> Explanation:
    """Return the coefficients of a weighted ridge regression (Ribeiro et al. 2016, arXiv:1602.04938).

    Each cell is kept with probability 1/2. A copy counts by its nearness to the record, `nearness`. The
    surrogate's weighted R^2 is ``params["surrogate_r2"]``, and ``params["fits"]`` whether it reaches 0.8: below that
    the coefficients describe a model that is not the network. They promise no completeness.

    Raises
    ------
    ExplanationError
        As `ecgviz.explain.game.game`, for fewer coalitions than twice the number of cells, or for a kernel width or a
        penalty ``alpha`` that is not above 0.
    """
    from sklearn.linear_model import Ridge

    if not (kernel_width > 0 and alpha > 0):
        raise ExplanationError(f"kernel_width is {kernel_width:g} and alpha {alpha:g}; both must be above 0")
    played = game(model, inputs, beats, label_index, baseline=baseline, cells=cells, seed=seed)
    n = len(played.cells)
    if n_coalitions < 2 * n:
        raise ExplanationError(f"{n_coalitions} coalitions are too few for {n} cells: at least {2 * n} are needed")
    kept = np.random.default_rng(seed).random((n_coalitions, n)) < 0.5
    worth, weight = played.worth(kept), nearness(kept.mean(axis=1), kernel_width)
    surrogate = Ridge(alpha=alpha).fit(kept, worth, sample_weight=weight)
    r2 = float(surrogate.score(kept, worth, sample_weight=weight))
    params = {
        "n_coalitions": n_coalitions,
        "kernel_width": kernel_width,
        "alpha": alpha,
        "surrogate_r2": r2,
        "fits": r2 >= GOOD_FIT,
    }
    return played.explanation("lime", surrogate.coef_, params)


def nearness(part_kept: FloatArray, kernel_width: float) -> FloatArray:
    """Return exp(-d^2 / (2 width^2)), Captum's kernel, of the cosine distance d between the cells kept and all cells.

    ``part_kept`` (M,) is the part of its cells that each copy keeps; their cosine with all cells is its root.
    """
    distance = 1 - np.sqrt(part_kept)
    return np.exp(-(distance**2) / (2 * kernel_width**2))
