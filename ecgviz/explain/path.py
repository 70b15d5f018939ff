"""Slopes summed on the way from a baseline to this record: integrated gradients and expected gradients."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import Tensor

from ecgviz.checkpoint import Model
from ecgviz.errors import ExplanationError
from ecgviz.explain import baselines
from ecgviz.explain.attribution import (
    AT_ONCE,
    Fed,
    attributed,
    change_of_logit,
    completeness_error,
    explanation,
)
from ecgviz.explain.baselines import at_baseline, one_baseline
from ecgviz.explain.gradients import slopes
from ecgviz.explain.method import Method, needs_gradients
from ecgviz.explain.undisturbed import MIN_CHANGE
from ecgviz.types import Beats, Explanation, ModelInput

COMPLETE = 0.01
"""Integrated gradients are refined until their completeness error is below this."""
FIRST_PLACES = (0.0, 0.125, 0.25, 0.5, 1.0)
"""Ends of the first panels: a network's answer changes most where the first small waves rise from the baseline."""
LAST_STEPS = 129
"""No more places on the path are asked than this; what is left is told as the completeness error."""
NARROWEST = 2.0**-16
"""Panels are not halved below this share of the path: a logit that changes there jumps, and no slope tells of it."""
EXPECTED_SAMPLES = 40
"""Places that expected gradients are a mean over."""


def integrated_gradients(
    model: Model,
    inputs: ModelInput,
    beats: Beats,
    label_index: int,
    *,
    seed: int,
    baseline: str = "isoelectric",
    n_steps: int | None = None,
) -> Explanation:
    """Return integrated gradients from a baseline to the record (Sundararajan et al. 2017, arXiv:1703.01365).

    The path is cut into panels, each integrated by Simpson's rule. What a panel should add up to is known, for it is
    the change of the logit along it; so the panel that misses most is halved, with every slope used again, until the
    completeness error |sum - (f(x) - f(x'))| / max(|f(x) - f(x')|, 0.5 logit) is below 1 %, or 129 places were asked,
    or what is missing is a jump; ``params["complete"]`` tells. With ``n_steps`` exactly so many Gauss-Legendre places
    are taken, by Captum. ``params`` also hold the logits at both ends and the labels that the baseline itself fires: a
    baseline that fires is not neutral.

    Raises
    ------
    ExplanationError
        For an unknown baseline or a set of them, a step count below 1, or a network that yields no finite logit or no
        gradient.
    """
    if n_steps is not None and n_steps < 1:
        raise ExplanationError(f"n_steps is {n_steps}; integrated gradients need at least 1")
    values = one_baseline(baseline, model, inputs, beats, seed=seed)
    at = at_baseline(model, inputs, values, label_index)
    found: dict[str, Any] = {}

    def run(fed: Fed, x: Tensor) -> Tensor:
        reference = torch.from_numpy(values)[None].to(x)
        if n_steps is None:
            attribution, change, steps = _refined(fed, x, reference, label_index)
        else:
            change, steps = change_of_logit(fed, x, reference, label_index), n_steps
            attribution = IntegratedGradients(fed).attribute(
                x, reference, target=label_index, n_steps=n_steps, internal_batch_size=AT_ONCE
            )
        error = completeness_error(attribution, change)
        found.update(n_steps=steps, complete=error < COMPLETE, logit=at.logit + change, error=error)
        return attribution

    attribution = attributed(model, inputs, run)
    error = found.pop("error")
    params = at.params(baseline) | found
    return explanation(model, inputs, label_index, "integrated_gradients", attribution, params, error)


def _refined(fed: Fed, x: Tensor, reference: Tensor, label_index: int) -> tuple[Tensor, float, int]:
    """Return integrated gradients (1, L, T), the change of the logit, and how many places were asked."""
    step = x - reference
    slope: dict[float, Tensor] = {}  # (L, T) float32 at each place asked
    rate: dict[float, float] = {}  # change of the logit per unit of the path there
    logit: dict[float, float] = {}

    def ask(places: list[float]) -> None:
        for start in range(0, len(places), AT_ONCE):
            some = places[start : start + AT_ONCE]
            at = (reference + torch.tensor(some).to(x)[:, None, None] * step).requires_grad_()
            with torch.enable_grad():
                logits = fed(at)[:, label_index]
                gradients = torch.autograd.grad(logits.sum(), at)[0]
            rates = (gradients * step).double().sum(dim=(1, 2)).tolist()
            slope.update(zip(some, gradients, strict=True))
            rate.update(zip(some, rates, strict=True))
            logit.update(zip(some, logits.detach().double().tolist(), strict=True))

    def missed(panel: tuple[float, float]) -> float:
        start, end = panel
        simpson = (end - start) / 6 * (rate[start] + 4 * rate[(start + end) / 2] + rate[end])
        return simpson - (logit[end] - logit[start])

    panels = list(pairwise(FIRST_PLACES))
    ask(sorted({*FIRST_PLACES, *((start + end) / 2 for start, end in panels)}))
    change = logit[1.0] - logit[0.0]
    errors = {panel: missed(panel) for panel in panels}
    while abs(sum(errors.values())) >= COMPLETE * max(abs(change), MIN_CHANGE) and len(slope) < LAST_STEPS:
        start, end = worst = max(errors, key=lambda panel: abs(errors[panel]))
        if end - start <= NARROWEST:
            break
        middle = (start + end) / 2
        ask([(start + middle) / 2, (middle + end) / 2])
        del errors[worst]
        errors.update({half: missed(half) for half in ((start, middle), (middle, end))})
    integral = torch.zeros_like(step, dtype=torch.float64)
    for start, end in sorted(errors):
        integral += (end - start) / 6 * (slope[start] + 4.0 * slope[(start + end) / 2] + slope[end]).double()
    return integral * step, change, len(slope)


def gradient_shap(
    model: Model,
    inputs: ModelInput,
    beats: Beats,
    label_index: int,
    *,
    seed: int,
    baseline: str = "normals",
    n_samples: int = EXPECTED_SAMPLES,
) -> Explanation:
    """Return expected gradients: the mean over baselines of slope times difference, at random places on the way.

    Erion et al. 2021 (10.1038/s42256-021-00343-w); Captum calls it GradientShap (Lundberg, Lee 2017,
    arXiv:1705.07874) and adds noise to the record, here there is none. Each baseline of the set is asked equally
    often, at one random place in each of as many equal parts of its path, which takes out most of the scatter of
    independent draws. In expectation the map adds up to the logit less its mean over the baselines; the completeness
    error tells how nearly it does.

    Raises
    ------
    ExplanationError
        For an unknown baseline, or a number of samples that is no multiple of its signals.
    """
    values = baselines.baseline(baseline, model, inputs, beats, seed=seed)
    each, left = divmod(n_samples, len(values))
    if each < 1 or left:
        raise ExplanationError(
            f"n_samples is {n_samples}; expected gradients ask each of the {len(values)} signals of {baseline!r} "
            "equally often, so it is a multiple of that"
        )
    rng = np.random.default_rng([seed, n_samples])
    places = (np.arange(each) + rng.random((len(values), each))) / each
    errors = []

    def run(fed: Fed, x: Tensor) -> Tensor:
        references = torch.from_numpy(values).to(x)
        total = torch.zeros_like(x, dtype=torch.float64)
        for reference, at in zip(references, torch.from_numpy(places).to(x), strict=True):
            step = x - reference
            for some in at.split(AT_ONCE):
                total += (slopes(fed, reference + some[:, None, None] * step, label_index) * step).double().sum(dim=0)
        attribution = total / n_samples
        errors.append(completeness_error(attribution, change_of_logit(fed, x, references, label_index)))
        return attribution

    attribution = attributed(model, inputs, run)
    at = at_baseline(model, inputs, values, label_index)
    params = at.params(baseline) | {"n_samples": n_samples, "n_baselines": len(values), "seed": seed}
    return explanation(model, inputs, label_index, "gradient_shap", attribution, params, errors[0])


PATH_METHODS: Mapping[str, Method] = {
    "integrated_gradients": Method(
        integrated_gradients,
        "gradient",
        "Integrated gradients",
        "slopes summed along the straight path from a baseline to this recording, times the sample",
        "Sundararajan et al. 2017, arXiv:1703.01365",
        needs_gradients,
        complete=True,
    ),
    "gradient_shap": Method(
        gradient_shap,
        "gradient",
        "Expected gradients",
        "slopes at random places between a set of normal records and this recording, times the difference",
        "Erion et al. 2021, 10.1038/s42256-021-00343-w",
        needs_gradients,
    ),
}
