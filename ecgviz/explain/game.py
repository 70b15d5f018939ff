"""One logit as a game: the cells of a record are the players, and a coalition of them is worth the logit it yields.

Cells that take no part are replaced by a baseline. Ablation, Shapley values and surrogates all play it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgviz.checkpoint import Model
from ecgviz.explain.baselines import at_baseline, one_baseline
from ecgviz.explain.cells import KINDS, Cells, IntArray, cells_by
from ecgviz.explain.coalitions import coalition_logits
from ecgviz.explain.undisturbed import MIN_CHANGE
from ecgviz.types import Beats, Explanation, ModelInput
from ecgviz.types.arrays import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class Game:
    """The cells of one record, of one kind, and what replaces them; ``params`` tell a reader what was chosen."""

    model: Model
    inputs: ModelInput
    label_index: int
    kind: str
    cells: Cells
    reference: FloatArray
    params: Mapping[str, Any]

    def worth(self, present: BoolArray) -> FloatArray:
        """Return the logit of each coalition, (M,) of (M, K)."""
        logits = coalition_logits(self.model, self.inputs, self.cells, self.reference, present)
        return np.asarray(logits[:, self.label_index])

    def ends(self) -> tuple[float, float]:
        """Return the logit of the record, and that of the record with every cell replaced."""
        whole, empty = self.worth(np.array([[True], [False]]).repeat(len(self.cells), axis=1))
        return float(whole), float(empty)

    def explanation(
        self, method: str, mass: FloatArray, params: Mapping[str, Any], *, complete_to: float = np.nan
    ) -> Explanation:
        """Return a map that spreads the mass (K,) of each cell evenly over its samples; their sum is conserved.

        ``complete_to`` is what the masses should sum to, where the method promises that. The map has only the axes
        that tell its cells apart. Cells of waves end where waves end, so ``resolution_s`` is a sample; inside of a wave
        such a map tells nothing.
        """
        axes, owner = KINDS[self.kind], self.cells.owner
        owner = owner if "lead" in axes else owner[:1]
        values = np.append(mass / np.bincount(owner[owner >= 0], minlength=len(mass)), 0.0)[owner]
        if axes == ("lead",):
            values = values.sum(axis=1, keepdims=True)
        inputs = self.inputs
        return Explanation(
            values=values,
            fs=inputs.fs,
            start_s=inputs.start_s,
            leads=inputs.leads if "lead" in axes else (),
            label=self.model.labels[self.label_index],
            method=method,
            signed=True,
            resolution_s=(1 if "wave" in axes else _longest(owner)) / inputs.fs,
            params={**self.params, **params},
            completeness_error=abs(float(mass.sum()) - complete_to) / max(abs(complete_to), MIN_CHANGE),
        )


def game(
    model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, baseline: str, cells: str, seed: int
) -> Game:
    """Set up the game of one record.

    Raises
    ------
    ExplanationError
        For an unknown baseline or kind of cells, a baseline that is a set, or where either needs beats and there are
        none.
    """
    players = cells_by(cells, model, inputs, beats)
    reference = one_baseline(baseline, model, inputs, beats, seed=seed)
    at = at_baseline(model, inputs, reference, label_index)
    params = {**at.params(baseline), "cells": cells, "n_cells": len(players)}
    return Game(model, inputs, label_index, cells, players, reference, params)


def _longest(owner: IntArray) -> int:
    """Return the samples of the longest stretch that one cell has in one lead."""
    change = np.ones(owner.shape, dtype=bool)
    change[:, 1:] = owner[:, 1:] != owner[:, :-1]
    starts = np.flatnonzero(change)
    lengths = np.diff(starts, append=owner.size)
    return int(lengths[owner.ravel()[starts] >= 0].max())
