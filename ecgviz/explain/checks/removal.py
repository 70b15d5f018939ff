"""Deletion and insertion, cell by cell, against orders that remove as much time and as much signal."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgviz.explain.baselines import one_baseline
from ecgviz.explain.cells import Cells, cells_by
from ecgviz.explain.checks.faithfulness import cell_sums
from ecgviz.explain.checks.question import Check, Question
from ecgviz.explain.coalitions import coalition_logits
from ecgviz.explain.undisturbed import MIN_CHANGE
from ecgviz.types import Explanation, ModelInput
from ecgviz.types.arrays import FloatArray, frozen

IntArray = NDArray[np.intp]

CANDIDATES, LEAST_CANDIDATES, PART = 64, 2, 8
"""Each step of a matched order takes the best of so many cells drawn from those that are left."""

RISE = "Petsiuk et al. 2018 (RISE), arXiv:1806.07421"
SCHULZ = "Schulz et al. 2020, arXiv:2001.00396"
MATCHED = "orders of equal duration and energy"


@dataclass(frozen=True, eq=False)
class Removal:
    """Curves of one logit while cells are removed, or brought back, most relevant first.

    ``moved`` (K,) are shares of the cells, from 0 to 1. ``deletion`` and ``insertion`` (K,) are
    (logit - logit without any cell) / max(|change|, 0.5): 0 once all cells are gone, 1 on the record, -1 where the
    record as a whole speaks against the label, so that support is always up. A map without sign cannot tell support
    from opposition: there the curves are divided by the signed change, and are 1 on the record. ``control_deletion``
    and ``control_insertion`` (R, K) are the same for R matched orders. ``change``, record less none, is in logits;
    ``kind`` says what the cells are, ``baseline`` what replaced them.
    """

    moved: FloatArray
    deletion: FloatArray
    insertion: FloatArray
    control_deletion: FloatArray
    control_insertion: FloatArray
    change: float
    kind: str
    baseline: str

    def __post_init__(self) -> None:
        for name in ("moved", "deletion", "insertion", "control_deletion", "control_insertion"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def area(self, curve: FloatArray) -> FloatArray:
        """Return the area under a curve (..., K)."""
        under: FloatArray = np.asarray(np.trapezoid(curve, self.moved, axis=-1))
        return under


def removal(
    question: Question,
    explanation: Explanation,
    *,
    baseline: str = "isoelectric",
    n_steps: int = 16,
    n_orders: int = 5,
) -> Removal:
    """Remove and bring back the cells of a record, one lead's wave of one beat at a time, as a map orders them.

    A map without lead axis orders the waves of all leads together, one without time axis whole leads. Cells of equal
    relevance stand in a random order. The order of each control is random too, but such that at every step about as
    many seconds and as much energy (squared distance from the baseline) are gone as in the map's own: without that,
    any map that ranks by amplitude looks faithful.

    Parameters
    ----------
    baseline : str
        One of `ecgviz.explain.baselines.BASELINES` that is a single signal.
    n_steps : int
        Points of the curves beyond the first.
    n_orders : int
        Matched orders, one at least.

    Raises
    ------
    ExplanationError
        When there are no beats to cut a record by, or for a baseline that cannot be used.
    """
    inputs = question.inputs
    kind = _kind(explanation)
    cells = cells_by(kind, question.model, inputs, question.beats)
    reference = one_baseline(baseline, question.model, inputs, question.beats, seed=question.seed)
    rng = np.random.default_rng(question.seed)
    relevance = cell_sums(explanation, cells)
    own = np.lexsort((rng.random(len(cells)), -relevance))
    seconds, energy = sizes(cells, inputs, reference)
    orders = np.stack([own, *(matched_order(own, seconds, energy, rng) for _ in range(n_orders))])
    n_moved = np.round(np.linspace(0, len(cells), n_steps + 1)).astype(np.intp)
    away = np.argsort(orders, axis=1)[:, None, :] < n_moved[:, None]  # (1 + R, K, cells)
    present = np.concatenate([~away, away]).reshape(-1, len(cells))
    logits = coalition_logits(question.model, inputs, cells, reference, present)[:, question.label_index]
    curves = logits.reshape(2, len(orders), -1)
    change = float(curves[0, 0, 0] - curves[0, 0, -1])
    size = max(abs(change), MIN_CHANGE)
    scale = size if explanation.signed else np.copysign(size, change)
    curves = (curves - curves[0, 0, -1]) / scale
    return Removal(
        moved=n_moved / len(cells),
        deletion=curves[0, 0],
        insertion=curves[1, 0],
        control_deletion=curves[0, 1:],
        control_insertion=curves[1, 1:],
        change=change,
        kind=kind,
        baseline=baseline,
    )


def removal_checks(curves: Removal) -> tuple[Check, Check, Check]:
    """Return the areas under deletion (lower is better) and insertion (higher), and what lies between.

    Deletion and insertion are those of RISE (Petsiuk et al. 2018, arXiv:1806.07421). The area between is that of
    removing the least relevant first less that of removing the most relevant first (Schulz et al. 2020,
    arXiv:2001.00396): removing the least relevant first passes through the same records as insertion, backwards, so
    it is insertion less deletion. ``excess`` is over the mean of the matched orders, ``excess_sd`` their spread.

    Departure: Quantus' pixel flipping and region perturbation have no control of equal size; a map of amplitudes
    scores well there on any network that reads QRS complexes.
    """
    deletion, insertion = float(curves.area(curves.deletion)), float(curves.area(curves.insertion))
    by_deletion, by_insertion = curves.area(curves.control_deletion), curves.area(curves.control_insertion)
    remark = ""
    if abs(curves.change) < MIN_CHANGE:
        remark = f"removing every cell moves the logit by {curves.change:+.2f} only: there is little to take apart"
    return (
        _against("deletion", deletion, by_deletion, higher=False, source=RISE, remark=remark),
        _against("insertion", insertion, by_insertion, higher=True, source=RISE, remark=remark),
        _against("area between", insertion - deletion, by_insertion - by_deletion, True, SCHULZ, remark),
    )


def sizes(cells: Cells, inputs: ModelInput, reference: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return seconds, summed over leads, and energy, the squared distance from the reference, of each cell, (K,)."""
    inside = cells.owner >= 0
    owner = cells.owner[inside]
    squared = ((inputs.x - reference).astype(np.float64) ** 2)[inside]
    seconds: FloatArray = np.bincount(owner, minlength=len(cells)) / inputs.fs
    return seconds, np.bincount(owner, weights=squared, minlength=len(cells)).astype(np.float64)


def matched_order(order: IntArray, seconds: FloatArray, energy: FloatArray, rng: np.random.Generator) -> IntArray:
    """Draw an order of the same cells in which about as much duration and energy is gone at every step as in ``order``.

    Step by step, of cells drawn from those that are left, the one that keeps both sums nearest to the given order's is
    taken. So many are drawn: an eighth of them, but two at least and 64 at most. Among all that are left the nearest
    would be the given order's own next one, and so on to the last.
    """
    size = np.stack([seconds / seconds.sum(), energy / max(energy.sum(), np.finfo(float).tiny)], axis=1)
    wanted = np.cumsum(size[order], axis=0)
    left = rng.permutation(len(order))
    gone = np.zeros(2)
    drawn = np.empty(len(order), dtype=np.intp)
    for step, target in enumerate(wanted):
        n = min(CANDIDATES, max(LEAST_CANDIDATES, len(left) // PART), len(left))
        some = rng.choice(len(left), n, replace=False)
        best = some[np.abs(gone + size[left[some]] - target).sum(axis=1).argmin()]
        drawn[step] = left[best]
        gone = gone + size[left[best]]
        left = np.delete(left, best)
    return drawn


def _kind(explanation: Explanation) -> str:
    if not explanation.has_time:
        return "lead"
    return "lead_beat_wave" if explanation.has_leads else "beat_wave"


def _against(name: str, value: float, controls: FloatArray, higher: bool, source: str, remark: str) -> Check:
    control = float(controls.mean())
    excess = value - control if higher else control - value
    spread = float(controls.std(ddof=1)) if controls.size > 1 else np.nan
    return Check(name, "faithfulness", value, higher, source, {MATCHED: control}, excess, spread, remark)
