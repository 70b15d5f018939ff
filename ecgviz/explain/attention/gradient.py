"""What attention does for one logit: each weight times the slope of the logit with respect to it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ecgviz.checkpoint import Model
from ecgviz.errors import ExplanationError
from ecgviz.explain.attention.maps import given_to, on_samples, placed, pools_of
from ecgviz.explain.attention.prior import checked, excess, prior_of
from ecgviz.explain.method import Method
from ecgviz.explain.undisturbed import undisturbed
from ecgviz.types import Beats, Explanation, ModelInput
from ecgviz.types.arrays import FloatArray


def attention_x_gradient(
    model: Model,
    inputs: ModelInput,
    beats: Beats,
    label_index: int,
    *,
    seed: int,
    level: str | None = None,
    prior: str = "keep",
) -> Explanation:
    """Return attention times its gradient, a x d logit / d a, signed and for one label.

    The weights are those of ``level``, by default the finest that the network's logits are made from: for IMLE-Net the
    beat weights, whose gradient passes through rhythm and channel attention, so that the map is that of all levels
    together, on leads and tokens. Each weight moves by itself, with the tokens it weighs held fixed. So the values of
    a window sum to the window's pooled embedding times its gradient where they reach the logit through the pooling
    alone; what all tokens of a window have in common counts, too. With ``prior="subtract"`` it does not: then the
    weights less their prior are multiplied by the same gradient, which is the first-order change of the logit from the
    attention that the network has without a diagnosis (`attention_prior`) to this one.

    Sources: Chefer et al., ICCV 2021, arXiv:2103.15679; Barkan et al., CIKM 2021, arXiv:2204.11073 (Grad-SAM). Both cut
    off what is negative; here the sign is kept, for evidence against a label is evidence. Heads are averaged, as there.

    Raises
    ------
    ExplanationError
        When the network's weights cannot be reached, for a level that has none of its own, another ``prior``, or a
        gradient that is not finite.
    """
    if why_not := lacks_weights(model):
        raise ExplanationError(why_not)
    subtract = checked(prior)
    logit, weights, slopes = weights_and_slopes(model, inputs, label_index)
    chosen = level or pools_of(model)[0]
    pool = _pool_of(chosen, model, weights, inputs)
    params: dict[str, Any] = {"level": chosen, "prior": prior, "logit": logit}
    weighed = weights[pool]
    if subtract:
        habit = prior_of(lambda each: _weights(model, each, pool), model, inputs, beats, seed=seed)
        weighed, params["prior_overlap"] = excess(weighed, habit)
    product = torch.from_numpy(weighed * slopes[pool])
    tap = next(tap for tap in placed(model.net, {pool: product}, inputs) if tap.level == chosen)
    label = model.labels[label_index]
    return on_samples(tap, inputs, method="attention_x_gradient", label=label, signed=True, params=params)


def weights_and_slopes(
    model: Model, inputs: ModelInput, label_index: int
) -> tuple[float, dict[str, FloatArray], dict[str, FloatArray]]:
    """Return a logit and, for each of the network's ``pools``, its weights and the gradient of the logit (1, ...)."""
    net: Any
    with undisturbed(model.net) as net, torch.enable_grad():
        x, arguments = given_to(net, inputs)
        logits, attended = net.attend(x.requires_grad_(), **arguments)
        weights = [attended[pool] for pool in net.pools]
        slopes = torch.autograd.grad(logits[0, label_index], weights)
    if not all(slope.isfinite().all() for slope in slopes):
        raise ExplanationError(
            f"attention_x_gradient of {model.name} is not finite: the logit or its gradient overflows on this record"
        )
    return float(logits[0, label_index].detach()), _arrays(net.pools, weights), _arrays(net.pools, slopes)


def lacks_weights(model: Model) -> str:
    """Return why the gradient of a model's attention weights cannot be taken, "" where it can."""
    levels = getattr(model.net, "levels", ())
    if not levels:
        return f"{model.name} has no attention whose weights could be multiplied by a gradient"
    if not pools_of(model):
        return f"{model.name} shows its attention as maps only: its logits are made from no weights that it names"
    return ""


def _pool_of(level: str, model: Model, weights: Mapping[str, FloatArray], inputs: ModelInput) -> str:
    """Return which of the network's pools a level is read from."""
    found = {
        tap.level: pool
        for pool, each in weights.items()
        for tap in placed(model.net, {pool: torch.from_numpy(each)}, inputs)
    }
    if level not in found:
        raise ExplanationError(
            f"{model.name} has no {level} weights that its logits are made from; it has those of {', '.join(found)}"
        )
    return found[level]


def _weights(model: Model, inputs: ModelInput, pool: str) -> FloatArray:
    net: Any
    with undisturbed(model.net) as net, torch.inference_mode():
        x, arguments = given_to(net, inputs)
        weights: FloatArray = net.attend(x, **arguments)[1][pool].double().numpy(force=True)
    return weights


def _arrays(names: Sequence[str], values: Sequence[Tensor]) -> dict[str, FloatArray]:
    return {name: value.double().numpy(force=True) for name, value in zip(names, values, strict=True)}


ATTENTION_GRADIENT_METHODS: Mapping[str, Method] = {
    "attention_x_gradient": Method(
        attention_x_gradient,
        "attention",
        "Attention x gradient",
        "each attention weight times the slope of the logit with respect to it",
        "Chefer et al. 2021, arXiv:2103.15679; Barkan et al. 2021, arXiv:2204.11073",
        lacks_weights,
    ),
}
