"""What gradient methods share: the logits as a function of the samples alone, and the map that an attribution becomes.

A network is in eval mode meanwhile: batch normalisation and dropout must not move while a map is made.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ecgviz.checkpoint import Model, stacked
from ecgviz.errors import ExplanationError
from ecgviz.explain.undisturbed import MIN_CHANGE, device_of, undisturbed
from ecgviz.types import Explanation, ModelInput

AT_ONCE_CPU, AT_ONCE_GPU = 8, 32
"""Signals a batch: on a CPU 8 take as little time each as more, or nearly; on a GPU, gradients of more fill it."""


class Fed(nn.Module):
    """A network of which only the samples are still open; R peaks, age, sex and mask are those of one record or each.

    ``at_once`` is how many signals a batch suit the network's device.
    """

    def __init__(self, net: nn.Module, arguments: Mapping[str, Tensor | None]) -> None:
        super().__init__()
        self.net = net
        self.arguments = arguments
        self.at_once = AT_ONCE_CPU if device_of(net).type == "cpu" else AT_ONCE_GPU

    def of(self, which: Sequence[int]) -> "Fed":
        """Return the same network for signals of these records, of those whose arguments it has."""
        return Fed(self.net, {k: None if v is None else v[list(which)] for k, v in self.arguments.items()})

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, C) of standardised samples x (B, L, T)."""
        n = x.shape[0]
        given = {k: None if v is None else v.expand(n, *v.shape[1:]) for k, v in self.arguments.items()}
        logits: Tensor = self.net(x, **given)
        return logits


def attributed(
    model: Model, inputs: Sequence[ModelInput], run: Callable[[Fed, Tensor], Tensor], *, hooked: bool = False
) -> Tensor:
    """Return what ``run(network, x)`` makes of a private copy of the samples (B, L, T).

    ``hooked`` runs it on a copy of the network, for methods that set hooks: threads share the original.

    Raises
    ------
    ExplanationError
        When no gradient reaches the input.
    """
    with undisturbed(model.net) as net:
        device = device_of(net)
        x, arguments = stacked(inputs)
        given = {k: None if v is None else v.to(device) for k, v in arguments.items()}
        try:
            return run(Fed(copy.deepcopy(net) if hooked else net, given), x.to(device)).detach()
        except RuntimeError as error:
            if "not have been used" in str(error) or "does not require grad" in str(error):
                raise ExplanationError(
                    f"{model.name}: no gradient reaches the input, so gradient methods cannot explain this network"
                ) from error
            raise


def in_batches(run: Callable[[Fed, Tensor], Tensor], fed: Fed, x: Tensor) -> Tensor:
    """Return what ``run`` makes of the signals of many records, so many at a time as suit the network's device."""
    parts = []
    for start in range(0, len(x), fed.at_once):
        some = x[start : start + fed.at_once]
        parts.append(run(fed.of(range(start, start + len(some))), some).detach())
    return torch.cat(parts)


def change_of_logit(fed: Fed, x: Tensor, reference: Tensor, label_index: int) -> float:
    """Return by how much a logit differs between x (1, L, T) and the mean over references (n, L, T)."""
    with torch.no_grad():
        at_x = fed(x)[0, label_index].double()
        at_reference = torch.cat([fed(some)[:, label_index] for some in reference.split(fed.at_once)]).double().mean()
    return float(at_x - at_reference)


def completeness_error(attribution: Tensor, change: float) -> float:
    """Return by how much an attribution misses a change of the logit, relative to it, or to 0.5 logit if it is less."""
    return abs(float(attribution.double().sum()) - change) / max(abs(change), MIN_CHANGE)


def explanation(
    model: Model,
    inputs: ModelInput,
    label_index: int,
    method: str,
    attribution: Tensor,
    params: Mapping[str, Any],
    error: float = float("nan"),
) -> Explanation:
    """Return the map of an attribution (1, L, T); one that is not finite raises ExplanationError."""
    if not torch.isfinite(attribution).all():
        raise ExplanationError(
            f"{method} of {model.name} is not finite: the logit or its gradient overflows on this record"
        )
    return Explanation(
        values=attribution[0].double().numpy(force=True),
        fs=inputs.fs,
        start_s=inputs.start_s,
        leads=inputs.leads,
        label=model.labels[label_index],
        method=method,
        signed=True,
        resolution_s=1 / inputs.fs,
        params=params,
        completeness_error=error,
    )
