"""Slopes of the logit at this record, by Captum: signed, at every sample of every lead.

Captum is imported where it is asked, here and in the other files: it takes most of a second, with Matplotlib and more
behind it, which what explains nothing need not wait for.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ecgviz.checkpoint import Model
from ecgviz.errors import ExplanationError
from ecgviz.explain.attribution import Fed, attributed, explanation, in_batches
from ecgviz.explain.method import Method, needs_gradients
from ecgviz.types import Beats, Explanation, ModelInput

NOISE_SHARE = 0.05
"""Noise of SmoothGrad, as a share of each lead's standard deviation."""
NOISY_COPIES = 16


def saliency(model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, seed: int) -> Explanation:
    """Return the gradient of the logit, signed (Simonyan et al. 2013, arXiv:1312.6034, took its absolute value).

    Its unit is logits per standard deviation of the training data; it promises no completeness.
    """
    return saliency_together(model, [inputs], [beats], label_index, seed=seed)[0]


def saliency_together(
    model: Model, inputs: Sequence[ModelInput], beats: Sequence[Beats], label_index: int, *, seed: int
) -> list[Explanation]:
    """Return the `saliency` of each of many records."""

    def run(fed: Fed, x: Tensor) -> Tensor:
        return slopes(fed, x, label_index)

    return _together(model, inputs, label_index, "saliency", run)


def input_x_gradient(model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, seed: int) -> Explanation:
    """Return input times gradient (Shrikumar et al. 2016, arXiv:1605.01713): exact for a linear network only.

    The input is the standardised signal, so the reference is the mean of the training data.
    """
    return input_x_gradient_together(model, [inputs], [beats], label_index, seed=seed)[0]


def input_x_gradient_together(
    model: Model, inputs: Sequence[ModelInput], beats: Sequence[Beats], label_index: int, *, seed: int
) -> list[Explanation]:
    """Return the `input_x_gradient` of each of many records."""
    from captum.attr import InputXGradient

    def run(fed: Fed, x: Tensor) -> Tensor:
        attribution: Tensor = InputXGradient(fed).attribute(x.requires_grad_(), target=label_index)
        return attribution

    return _together(model, inputs, label_index, "input_x_gradient", run)


def _together(
    model: Model,
    inputs: Sequence[ModelInput],
    label_index: int,
    method: str,
    run: Callable[[Fed, Tensor], Tensor],
) -> list[Explanation]:
    """Return a method's map of each record, all of it worked out in batches."""
    made = attributed(model, inputs, partial(in_batches, run))
    return [explanation(model, each, label_index, method, made[[n]], {}) for n, each in enumerate(inputs)]


def smooth_grad(
    model: Model,
    inputs: ModelInput,
    beats: Beats,
    label_index: int,
    *,
    seed: int,
    noise_share: float = NOISE_SHARE,
    n_samples: int = NOISY_COPIES,
) -> Explanation:
    """Return the mean saliency of noisy copies of the record (Smilkov et al. 2017, arXiv:1706.03825), signed.

    The noise is white and normal; its standard deviation is ``noise_share`` of that of each lead's recorded samples,
    so that a low lead is not drowned. The paper took one level for the whole image, as Captum's NoiseTunnel does,
    which also draws from a generator that all threads share; so the copies are made here.

    Raises
    ------
    ExplanationError
        For a share that is not positive or fewer than one sample, or when no gradient reaches the input.
    """
    if not 0 < noise_share <= 1:
        raise ExplanationError(
            f"noise_share is {noise_share}; it is a share of each lead's deviation, above 0, up to 1"
        )
    if n_samples < 1:
        raise ExplanationError(f"n_samples is {n_samples}; SmoothGrad needs at least 1")
    deviation = noise_share * inputs.x[:, inputs.mask].astype(np.float64).std(axis=1)
    rng = np.random.default_rng(seed)

    def run(fed: Fed, x: Tensor) -> Tensor:
        total = torch.zeros_like(x, dtype=torch.float64)
        for start in range(0, n_samples, fed.at_once):
            n = min(fed.at_once, n_samples - start)
            noise = rng.standard_normal((n, *inputs.x.shape)) * deviation[:, None] * inputs.mask
            total += slopes(fed, x + torch.from_numpy(noise).to(x), label_index).double().sum(dim=0)
        return total / n_samples

    params = {"noise_share": noise_share, "n_samples": n_samples, "seed": seed}
    return explanation(model, inputs, label_index, "smooth_grad", attributed(model, [inputs], run), params)


def slopes(fed: Fed, x: Tensor, label_index: int) -> Tensor:
    """Return the signed gradient of one logit at each of some signals, (n, L, T)."""
    from captum.attr import Saliency

    attribution: Tensor = Saliency(fed).attribute(x.requires_grad_(), target=label_index, abs=False)
    return attribution


GRADIENT_METHODS: Mapping[str, Method] = {
    "saliency": Method(
        saliency,
        "gradient",
        "Saliency",
        "the slope of the logit with respect to each sample",
        "Simonyan et al. 2013, arXiv:1312.6034",
        needs_gradients,
        together=saliency_together,
    ),
    "input_x_gradient": Method(
        input_x_gradient,
        "gradient",
        "Input x gradient",
        "the slope of the logit times the sample, as the network is fed it",
        "Shrikumar et al. 2016, arXiv:1605.01713",
        needs_gradients,
        together=input_x_gradient_together,
    ),
    "smooth_grad": Method(
        smooth_grad,
        "gradient",
        "SmoothGrad",
        "the mean slope over copies of this recording with a little noise in each lead",
        "Smilkov et al. 2017, arXiv:1706.03825",
        needs_gradients,
    ),
}
