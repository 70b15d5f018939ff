"""Shapley values of the cells of a record: what each adds to the logit, on average over all orders of joining.

Two ways to the same values: orders are drawn (or all sets enumerated), or a weighted linear model is fitted.
"""

from typing import Any

import numpy as np
from scipy.special import gammaln

from ecgviz.checkpoint import Model
from ecgviz.errors import ExplanationError
from ecgviz.explain.game import Game, game
from ecgviz.types import Beats, Explanation, ModelInput
from ecgviz.types.arrays import BoolArray, FloatArray


def shapley(
    model: Model,
    inputs: ModelInput,
    beats: Beats,
    label_index: int,
    *,
    seed: int,
    baseline: str = "isoelectric",
    cells: str = "lead_wave",
    n_coalitions: int = 4096,
) -> Explanation:
    """Return Shapley values (Shapley 1953) of the cells, exact where all of their sets are within ``n_coalitions``.

    Otherwise orders are drawn (Castro et al. 2009, doi:10.1016/j.cor.2008.04.004), each with its reverse (antithetic;
    Mitchell et al. 2022, arXiv:2104.12199). The values add up to the change of the logit in both cases;
    ``params["standard_error"]`` is the largest of a cell, from the spread between pairs of orders, 0 where exact.

    Raises
    ------
    ExplanationError
        As `ecgviz.explain.game.game`, and for fewer coalitions than two pairs of orders take.
    """
    played = game(model, inputs, beats, label_index, baseline=baseline, cells=cells, seed=seed)
    n = len(played.cells)
    if n < 63 and 2**n <= n_coalitions:
        values, error = _exact(played), 0.0
        params: dict[str, Any] = {"exact": True, "n_coalitions": 2**n}
    else:
        n_pairs = n_coalitions // (2 * n)
        if n_pairs < 2:
            raise ExplanationError(
                f"{n_coalitions} coalitions are too few for {n} cells: two orders and their reverses take {4 * n}"
            )
        by_pair = _by_pair(played, n_pairs, np.random.default_rng(seed))
        values, error = by_pair.mean(axis=0), float(by_pair.std(axis=0, ddof=1).max() / np.sqrt(n_pairs))
        params = {"exact": False, "n_coalitions": 2 * n * n_pairs, "n_orders": 2 * n_pairs}
    whole, empty = played.ends()
    params |= {"standard_error": error, "logit": whole, "empty_logit": empty}
    return played.explanation("shapley", values, params, complete_to=whole - empty)


def kernel_shap(
    model: Model,
    inputs: ModelInput,
    beats: Beats,
    label_index: int,
    *,
    seed: int,
    baseline: str = "isoelectric",
    cells: str = "lead_wave",
    n_coalitions: int = 2048,
) -> Explanation:
    """Return Shapley values as the weighted least squares that they solve (Lundberg and Lee 2017, arXiv:1705.07874).

    Sets are drawn from the Shapley kernel, each with its complement (Covert and Lee 2021, arXiv:2012.01536), and the
    values add up to the change of the logit by constraint, where Captum gives both ends a large weight. Where all sets
    are within ``n_coalitions``, each enters once with its weight, and the values are exact.

    Raises
    ------
    ExplanationError
        As `ecgviz.explain.game.game`, and for fewer coalitions than twice the number of cells.
    """
    played = game(model, inputs, beats, label_index, baseline=baseline, cells=cells, seed=seed)
    n = len(played.cells)
    exact = n < 63 and 2**n <= n_coalitions
    if not exact and n_coalitions < 2 * n:
        raise ExplanationError(f"{n_coalitions} coalitions are too few for {n} cells: at least {2 * n} are needed")
    whole, empty = played.ends()
    if n == 1:
        values = np.array([whole - empty])
    elif exact:
        sets = _all_sets(n)[1:-1]
        values = constrained(sets, played.worth(sets) - empty, _kernel(n)[sets.sum(axis=1)], whole - empty)
    else:
        half = _drawn(n, n_coalitions // 2, np.random.default_rng(seed))
        sets = np.concatenate([half, ~half])
        values = constrained(sets, played.worth(sets) - empty, np.ones(len(sets)), whole - empty)
    params = {"exact": exact, "n_coalitions": 2**n if exact else len(sets), "logit": whole, "empty_logit": empty}
    return played.explanation("kernel_shap", values, params, complete_to=whole - empty)


def constrained(sets: BoolArray, gain: FloatArray, weight: FloatArray, total: float) -> FloatArray:
    """Return what each player is worth, (K,), by weighted least squares over sets (M, K), adding up to ``total``.

    The last player is what the others leave of the total, which takes the constraint out of the problem.

    Raises
    ------
    ExplanationError
        When the sets do not tell the players apart.
    """
    z = sets.astype(np.float64)
    scale = np.sqrt(weight)
    left = scale[:, None] * (z[:, :-1] - z[:, -1:])
    values, _, rank, _ = np.linalg.lstsq(left, scale * (gain - z[:, -1] * total), rcond=None)
    if rank < sets.shape[1] - 1:
        raise ExplanationError(f"{len(sets)} coalitions do not tell {sets.shape[1]} cells apart: take more of them")
    return np.append(values, total - values.sum())


def _exact(played: Game) -> FloatArray:
    """Sum what each player adds over all sets, weighed by the orders in which that set comes first."""
    n = len(played.cells)
    sets = _all_sets(n)
    worth, size = played.worth(sets), sets.sum(axis=1)
    orders = np.exp(
        gammaln(np.arange(n) + 1) + gammaln(n - np.arange(n)) - gammaln(n + 1)
    )  # by size without the player
    values = np.empty(n)
    for k in range(n):
        without = np.flatnonzero(~sets[:, k])
        values[k] = orders[size[without]] @ (worth[without + 2**k] - worth[without])
    return values


def _by_pair(played: Game, n_pairs: int, rng: np.random.Generator) -> FloatArray:
    """Return what each player adds (P, K): the mean over an order and its reverse, for each of P pairs."""
    n = len(played.cells)
    orders = np.stack([rng.permutation(n) for _ in range(n_pairs)])
    orders = np.concatenate([orders, orders[:, ::-1]])  # (2 P, K)
    joins_at = orders.argsort(axis=1)
    sets = joins_at[:, None, :] < np.arange(n + 1)[:, None]  # (2 P, K + 1, K): the first 0, 1, ... K of each order
    worth = played.worth(sets.reshape(-1, n)).reshape(2 * n_pairs, n + 1)
    adds = np.take_along_axis(np.diff(worth, axis=1), joins_at, axis=1)
    return adds.reshape(2, n_pairs, n).mean(axis=0)


def _all_sets(n: int) -> BoolArray:
    """Return every set of n players, (2 ** n, n): row m has player k where bit k of m is set."""
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)


def _kernel(n: int) -> FloatArray:
    """Return the Shapley kernel of one set by its size, (n + 1,), 1 over all sets but the empty and the whole one."""
    size = np.arange(1, n)
    of_size = 1 / (size * (n - size))
    each = of_size / of_size.sum() * np.exp(gammaln(size + 1) + gammaln(n - size + 1) - gammaln(n + 1))
    return np.concatenate([[0.0], each, [0.0]])


def _drawn(n: int, n_sets: int, rng: np.random.Generator) -> BoolArray:
    """Draw sets (n_sets, n) from the Shapley kernel: a size s with weight 1 / (s (n - s)), then any set of it."""
    sizes = np.arange(1, n)
    weight = 1 / (sizes * (n - sizes))
    drawn = rng.choice(sizes, size=n_sets, p=weight / weight.sum())
    ranks = rng.random((n_sets, n)).argsort(axis=1).argsort(axis=1)
    return ranks < drawn[:, None]
