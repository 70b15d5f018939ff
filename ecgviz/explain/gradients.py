"""Gradient attributions by Captum, of the logit, signed, at every sample of every lead.

The network stays in eval mode: batch normalisation and dropout must not move while a map is made. cuDNN is off
meanwhile, because its recurrent layers refuse a backward pass in eval mode (captum issues 328, 564, 1159).
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from captum.attr import InputXGradient, IntegratedGradients, Saliency
from torch import Tensor

from ecgviz.checkpoint import Model, tensors
from ecgviz.errors import ExplanationError
from ecgviz.explain.method import Method, needs_gradients
from ecgviz.explain.undisturbed import MIN_CHANGE, undisturbed
from ecgviz.types import Beats, Explanation, InputSpec, ModelInput

COMPLETE = 0.01
"""Integrated gradients are refined until their completeness error is below this."""
FIRST_STEPS, LAST_STEPS = 16, 512
STEPS_AT_ONCE = 2
"""Path points a batch: on a CPU, large batches run 2.5 times slower per record than batches of 1 to 4."""


def isoelectric(x: Tensor, spec: InputSpec) -> Tensor:
    """Return 0 mV in every sample, in the units that the network is fed."""
    return torch.full_like(x, (0.0 - spec.mean_mv) / spec.std_mv)


BASELINES: Mapping[str, Callable[[Tensor, InputSpec], Tensor]] = {"isoelectric": isoelectric}


def saliency(model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, seed: int) -> Explanation:
    """Return the gradient of the logit, signed (Simonyan et al. 2013, arXiv:1312.6034, took its absolute value).

    Its unit is logits per standard deviation of the training data; it promises no completeness.
    """

    def run(forward: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        attribution: Tensor = Saliency(forward).attribute(x.requires_grad_(), target=label_index, abs=False)
        return attribution

    return _explanation(model, inputs, label_index, "saliency", _attributed(model, inputs, run), {})


def input_x_gradient(model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, seed: int) -> Explanation:
    """Return input times gradient (Shrikumar et al. 2016, arXiv:1605.01713): exact for a linear network only.

    The input is the standardised signal, so the reference is the mean of the training data.
    """

    def run(forward: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        attribution: Tensor = InputXGradient(forward).attribute(x.requires_grad_(), target=label_index)
        return attribution

    return _explanation(model, inputs, label_index, "input_x_gradient", _attributed(model, inputs, run), {})


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

    Gauss-Legendre points on the path. Without ``n_steps`` they start at 16 and double until the completeness error
    |sum - (f(x) - f(x'))| / max(|f(x) - f(x')|, 0.5 logit) is below 1 % or 512 are reached; ``params["complete"]``
    tells. With ``n_steps`` exactly so many are taken. ``params`` also hold the logits at both ends and the labels that
    the baseline itself fires: a baseline that fires is not neutral.

    Raises
    ------
    ExplanationError
        For an unknown baseline, a step count below 1, or a network that yields no finite logit or no gradient.
    """
    if baseline not in BASELINES:
        raise ExplanationError(f"there is no baseline {baseline!r}; known are {', '.join(BASELINES)}")
    if n_steps is not None and n_steps < 1:
        raise ExplanationError(f"n_steps is {n_steps}; integrated gradients need at least 1")
    params: dict[str, Any] = {"baseline": baseline}

    def run(forward: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        reference = BASELINES[baseline](x, model.spec)
        with torch.no_grad():
            at_x, at_reference = forward(torch.cat([x, reference])).double()
        change = float(at_x[label_index] - at_reference[label_index])
        steps = n_steps or FIRST_STEPS
        while True:
            attribution: Tensor = IntegratedGradients(forward).attribute(
                x, reference, target=label_index, n_steps=steps, internal_batch_size=STEPS_AT_ONCE
            )
            error = abs(float(attribution.double().sum()) - change) / max(abs(change), MIN_CHANGE)
            if n_steps is not None or error < COMPLETE or steps >= LAST_STEPS:
                break
            steps *= 2
        fires = torch.sigmoid(at_reference) >= torch.tensor(model.thresholds, dtype=torch.float64)
        params.update(
            n_steps=steps,
            complete=error < COMPLETE,
            completeness_error=error,
            logit=float(at_x[label_index]),
            baseline_logit=float(at_reference[label_index]),
            fires_at_baseline=[name for name, fired in zip(model.labels, fires.tolist(), strict=True) if fired],
        )
        return attribution

    attribution = _attributed(model, inputs, run)
    error = params.pop("completeness_error")
    return _explanation(model, inputs, label_index, "integrated_gradients", attribution, params, error)


def _attributed(
    model: Model, inputs: ModelInput, run: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]
) -> Tensor:
    """Run a Captum method on a private copy of the input; the network is as before afterwards."""
    x, arguments = tensors(inputs)

    def forward(batch: Tensor) -> Tensor:
        n = batch.shape[0]
        expanded = {k: None if v is None else v.expand(n, *v.shape[1:]) for k, v in arguments.items()}
        logits: Tensor = net(batch, **expanded)
        return logits

    with undisturbed(model.net) as net:
        try:
            return run(forward, x).detach()
        except RuntimeError as error:
            if "not have been used" in str(error) or "does not require grad" in str(error):
                raise ExplanationError(
                    f"{model.name}: no gradient reaches the input, so gradient methods cannot explain this network"
                ) from error
            raise


def _explanation(
    model: Model,
    inputs: ModelInput,
    label_index: int,
    method: str,
    attribution: Tensor,
    params: Mapping[str, Any],
    completeness_error: float = float("nan"),
) -> Explanation:
    values = attribution[0].double().numpy(force=True)
    if not torch.isfinite(attribution).all():
        raise ExplanationError(
            f"{method} of {model.name} is not finite: the logit or its gradient overflows on this record"
        )
    return Explanation(
        values=values,
        fs=inputs.fs,
        start_s=inputs.start_s,
        leads=inputs.leads,
        label=model.labels[label_index],
        method=method,
        signed=True,
        resolution_s=1 / inputs.fs,
        params=params,
        completeness_error=completeness_error,
    )


GRADIENT_METHODS: Mapping[str, Method] = {
    "saliency": Method(
        saliency,
        "gradient",
        "Saliency",
        "the slope of the logit with respect to each sample",
        "Simonyan et al. 2013, arXiv:1312.6034",
        needs_gradients,
    ),
    "input_x_gradient": Method(
        input_x_gradient,
        "gradient",
        "Input x gradient",
        "that slope times the sample, as the network is fed it",
        "Shrikumar et al. 2016, arXiv:1605.01713",
        needs_gradients,
    ),
    "integrated_gradients": Method(
        integrated_gradients,
        "gradient",
        "Integrated gradients",
        "slopes summed along the straight path from a baseline to this recording, times the sample",
        "Sundararajan et al. 2017, arXiv:1703.01365",
        needs_gradients,
        complete=True,
    ),
}
