"""Expected gradients: what moved the logit on the ways from a set of normal records to this one."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from ecgviz.checkpoint import Model
from ecgviz.errors import ExplanationError
from ecgviz.explain import baselines
from ecgviz.explain.attribution import Fed, attributed, change_of_logit, completeness_error, explanation
from ecgviz.explain.gradients import slopes
from ecgviz.explain.method import Method, needs_gradients
from ecgviz.types import Beats, Explanation, ModelInput

EXPECTED_SAMPLES = 40
"""Places that expected gradients are a mean over."""


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
            for some in at.split(fed.at_once):
                total += (slopes(fed, reference + some[:, None, None] * step, label_index) * step).double().sum(dim=0)
        attribution = total / n_samples
        errors.append(completeness_error(attribution, change_of_logit(fed, x, references, label_index)))
        return attribution

    attribution = attributed(model, [inputs], run)
    at = baselines.at_baseline(model, inputs, values, label_index)
    params = at.params(baseline) | {"n_samples": n_samples, "n_baselines": len(values), "seed": seed}
    return explanation(model, inputs, label_index, "gradient_shap", attribution, params, errors[0])


def no_normals(model: Model) -> str:
    """Return why there are no normal records to begin a path at, "" where there are, and gradients."""
    return needs_gradients(model) or baselines.not_simulated("normals", model.spec)


EXPECTED_METHODS: Mapping[str, Method] = {
    "gradient_shap": Method(
        gradient_shap,
        "gradient",
        "Expected gradients",
        "slopes at random places between a set of normal records and this recording, times the difference",
        "Erion et al. 2021, 10.1038/s42256-021-00343-w",
        no_normals,
    ),
}
