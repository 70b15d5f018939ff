"""Does a map say what the network does: completeness, and the error of what it predicts for a removal."""

import numpy as np

from ecgviz.explain.baselines import BASELINES, baseline
from ecgviz.explain.cells import Cells
from ecgviz.explain.checks.question import Check, Question
from ecgviz.explain.coalitions import coalition_logits
from ecgviz.explain.controls import trivial_maps
from ecgviz.explain.methods import find_method
from ecgviz.types import Explanation, ModelInput
from ecgviz.types.arrays import BoolArray, FloatArray

PATCH_S = 0.2
"""Infidelity removes stretches of this length, each of one lead."""
REMOVED = 0.1
"""Part of all stretches that each removal takes."""
CONTRIBUTIONS = ("input_x_gradient", "gradient_shap")
"""Gradient methods whose values are contributions in logits, though their sum is promised to be nothing exactly."""
FLAGGED = 0.05
"""A completeness error above this is flagged."""

SUNDARARAJAN = "Sundararajan et al. 2017, arXiv:1703.01365"
YEH = "Yeh et al. 2019, arXiv:1901.09392"


def completeness(explanation: Explanation) -> Check:
    """Return how far the sum of a map is from the change of the logit that it claims to split; lower is better.

    |delta| / max(|f(x) - f(x')|, 0.5 logit), of logits, as the explanation carries it (Sundararajan et al. 2017,
    arXiv:1703.01365).
    """
    error = explanation.completeness_error
    remark = ""
    if np.isnan(error):
        remark = f"{explanation.method} does not promise that its map adds up to a change of the logit"
    elif error > FLAGGED:
        remark = f"the map misses {100 * error:.0f} % of the change that it claims to split"
    return Check("completeness", "faithfulness", error, False, SUNDARARAJAN, remark=remark)


def infidelity(question: Question, explanation: Explanation, *, n_removals: int = 64) -> Check:
    """Return the part of a removal's effect that the map does not predict: 0 predicts all, 1 nothing.

    A tenth of all 200 ms stretches of single leads, drawn anew each time, is replaced by the map's own baseline; the
    sum of the map over them is held against the fall of the logit (Yeh et al. 2019, arXiv:1901.09392, their "square"
    perturbation). The prediction may be scaled by one positive factor, and the mean squared error is divided by the
    mean squared fall. ``beside`` has the same for ``|x|`` and ``|dx/dt|``, which may take either sign.

    Departures: captum's `infidelity` depends on the scale of the map unless ``normalize=True`` (a map ten times as
    large scores some forty times worse). With it, ours is theirs divided by the mean squared fall, but theirs lets the
    factor be negative, so that a map with every sign turned scores as well as the map; here it scores 1.
    """
    name, family = "infidelity", "faithfulness"
    if why_not := no_contributions(explanation):
        return Check(name, family, np.nan, False, YEH, remark=why_not)
    rng = np.random.default_rng(question.seed)
    cells = patches(question.inputs)
    present = draw_present(len(cells), n_removals, rng)
    fall = _fall(question, explanation, cells, present)
    if not fall.any():
        return Check(name, family, np.nan, False, YEH, remark="no removal of this record moves the logit at all")
    value = unexplained(~present @ cell_sums(explanation, cells), fall)
    trivial = {
        name: min(unexplained(sign * (~present @ cell_sums(each, cells)), fall) for sign in (1, -1))
        for name, each in trivial_maps(question.inputs, explanation).items()
    }
    return Check(name, family, value, False, YEH, trivial, min(trivial.values()) - value)


def unexplained(predicted: FloatArray, fall: FloatArray) -> float:
    """Return mean (b predicted - fall)^2 / mean fall^2 for the best b >= 0; predicted and fall (N,), fall not all 0."""
    power = float(predicted @ predicted)
    scale = max(float(predicted @ fall) / power, 0.0) if power > 0 else 0.0
    return float(np.mean((scale * predicted - fall) ** 2) / np.mean(fall**2))


def no_contributions(explanation: Explanation) -> str:
    """Return why the values of a map are no contributions to the logit, "" where they are."""
    method = find_method(explanation.method)
    if method.complete or method.family in ("exact", "perturbation") or explanation.method in CONTRIBUTIONS:
        return ""
    return f"{explanation.method} shows where or how steeply, not how many logits each sample contributes"


def patches(inputs: ModelInput) -> Cells:
    """Cut each lead into stretches of 200 ms; padding belongs to none."""
    n_leads = len(inputs.leads)
    n_long = max(round(PATCH_S * inputs.fs), 1)
    n_patches = -(-int(inputs.mask.sum()) // n_long)
    place = (np.cumsum(inputs.mask) - 1) // n_long
    owner = np.where(inputs.mask, np.arange(n_leads)[:, None] * n_patches + place, -1)
    names = tuple(f"{lead}, stretch {n + 1}" for lead in inputs.leads for n in range(n_patches))
    return Cells(owner, names)


def draw_present(n_cells: int, n_rows: int, rng: np.random.Generator) -> BoolArray:
    """Draw which cells stay, (n_rows, n_cells): a tenth of them, and one at least, is away in each row."""
    n_away = max(round(REMOVED * n_cells), 1)
    present = np.ones((n_rows, n_cells), dtype=bool)
    for row in present:
        row[rng.choice(n_cells, n_away, replace=False)] = False
    return present


def cell_sums(explanation: Explanation, cells: Cells) -> FloatArray:
    """Return the sum of a map over each cell, (K,); a map that lacks an axis is spread evenly over it."""
    shape = cells.owner.shape
    spread = np.broadcast_to(explanation.values, shape) * (explanation.values.size / cells.owner.size)
    inside = cells.owner >= 0
    return np.bincount(cells.owner[inside], weights=spread[inside], minlength=len(cells)).astype(np.float64)


def own_baseline(question: Question, explanation: Explanation) -> FloatArray:
    """Return the baseline (n, L, T) that a map speaks of: its own, else the isoelectric level.

    For input x gradient that is the mean of the training data, 0 in the network's units.
    """
    inputs = question.inputs
    if explanation.method == "input_x_gradient":
        return np.where(inputs.mask, 0.0, inputs.x).astype(np.float32)[None]
    named = explanation.params.get("baseline")
    name = str(named) if named in BASELINES else "isoelectric"
    return baseline(name, question.model, inputs, question.beats, seed=question.seed)


def _fall(question: Question, explanation: Explanation, cells: Cells, present: BoolArray) -> FloatArray:
    """Return how far the logit falls in each removal, (N,); removals take the signals of a set of baselines in turn."""
    references = own_baseline(question, explanation)
    whole = np.ones((1, len(cells)), dtype=bool)
    fall = np.empty(len(present))
    for n, reference in enumerate(references):
        rows = slice(n, None, len(references))
        both = np.concatenate([whole, present[rows]])
        logits = coalition_logits(question.model, question.inputs, cells, reference, both)[:, question.label_index]
        fall[rows] = logits[0] - logits[1:]
    return fall
