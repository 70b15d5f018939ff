"""Attention rollout: how much of each token reaches the logits' tokens through a stack of blocks."""

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


def attention_rollout(
    model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, seed: int, prior: str = "keep"
) -> Explanation:
    """Return attention rolled out through all blocks and the pooling; the same for every label, and sums to 1.

    What the tokens of a block take from each other is a matrix, its rows divided by their sums; the residual around
    the block is the identity, and counts half (Abnar and Zuidema, ACL 2020, arXiv:2005.00928). The matrices are
    multiplied, and weighed by the pooling of the last tokens. For a selective scan the matrix is its hidden attention
    with the gate, absolute, as the mean over channels and directions (Ali et al. 2024, arXiv:2403.01590).

    With ``prior="subtract"`` the map is signed: the excess over what the network rolls out on inputs without a
    diagnosis (`attention_prior`).

    Raises
    ------
    ExplanationError
        For a network without a stack of such matrices, another ``prior``, or to subtract it without beats.
    """
    if why_not := lacks_stack(model):
        raise ExplanationError(why_not)
    subtract = checked(prior)
    values = _rolled(model, inputs)
    params: dict[str, Any] = {"prior": prior}
    if subtract:
        habit = prior_of(lambda each: _rolled(model, each), model, inputs, beats, seed=seed)
        values, params["prior_overlap"] = excess(values, habit)
    (tap,) = placed(model.net, {pools_of(model)[0]: torch.from_numpy(values)}, inputs)
    return on_samples(tap, inputs, method="attention_rollout", label=None, signed=subtract, params=params)


def steps_of(matrices: Sequence[Tensor]) -> list[Tensor]:
    """Return what a token of each block's output is made of, (K, K), rows summing to 1: half itself, half its row.

    A token that takes nothing, as those of the padding, stays itself.
    """
    steps = []
    for each in matrices:
        itself = torch.eye(len(each), dtype=torch.float64, device=each.device)
        taken = each.double().sum(dim=1, keepdim=True)
        steps.append(torch.where(taken > 0, (each.double() / taken + itself) / 2, itself))
    return steps


def lacks_stack(model: Model) -> str:
    """Return why a model's attention cannot be rolled out, "" where it can."""
    levels = getattr(model.net, "levels", ())
    if hasattr(model.net, "mixing"):
        return ""
    if "joint" in levels:
        return f"{model.name} pools level by level: attention_joint, the product of its levels, is its rollout"
    if levels:
        return (
            f"{model.name} has no stack of attention matrices to multiply: its tokens are pooled, "
            f"and attention_{levels[0]} shows where"
        )
    return f"{model.name} has no attention to roll out"


def _rolled(model: Model, inputs: ModelInput) -> FloatArray:
    """Return the share of each token of the first block in the pooled record, (1, K)."""
    net: Any
    with undisturbed(model.net) as net, torch.inference_mode():
        x, arguments = given_to(net, inputs)
        matrices, pooling = net.mixing(x, **arguments)
        share = pooling.double()
        for step in reversed(steps_of(matrices)):
            share = share @ step
    values: FloatArray = share[None].numpy(force=True)
    return values


ROLLOUT_METHODS: Mapping[str, Method] = {
    "attention_rollout": Method(
        attention_rollout,
        "attention",
        "Attention rollout",
        "how much of each token reaches the pooled record through all blocks; not what moved the logit",
        "Abnar and Zuidema 2020, arXiv:2005.00928",
        lacks_stack,
    ),
}
