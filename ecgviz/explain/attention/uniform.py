"""What a logit would be if the network weighed everything alike: how much it leans on its attention."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from ecgviz.checkpoint import Model, network_logits, tensors
from ecgviz.errors import ExplanationError
from ecgviz.explain.attention.gradient import lacks_weights
from ecgviz.explain.attention.maps import pools_of
from ecgviz.explain.undisturbed import undisturbed
from ecgviz.types import ModelInput


@dataclass(frozen=True)
class UniformAttention:
    """A logit as it is, and with attention made even: at each level by itself, and at all of them."""

    logit: float
    by_level: Mapping[str, float]
    all_levels: float

    @property
    def change(self) -> dict[str, float]:
        """How far the logit moves, by level, and for "all": near 0 where the attention makes no difference."""
        return {level: each - self.logit for level, each in {**self.by_level, "all": self.all_levels}.items()}


def uniform_attention(model: Model, inputs: ModelInput, label_index: int) -> UniformAttention:
    """Return a logit beside what it would be if attention weighed all that is recorded alike; padding stays out.

    Wiegreffe and Pinter (EMNLP 2019, arXiv:1908.04626) train a network anew with uniform weights; here the trained
    one is asked, on a copy whose scores are 0, so a change says that this network relies on its attention, not that
    no other could do without. No change says that its attention explains nothing of this logit (Jain and Wallace, NAACL
    2019, arXiv:1902.10186). Gates, which do not sum to 1, all become their mean. The scans of ECG Mamba stay: they
    have no scores.

    Raises
    ------
    ExplanationError
        For a network without attention weights that can be made even.
    """
    if why_not := lacks_weights(model):
        raise ExplanationError(why_not)
    pools = pools_of(model)
    x, arguments = tensors(inputs)

    def logit(net: nn.Module) -> float:
        return float(network_logits(net, x, **arguments)[0, label_index])

    with undisturbed(model.net) as net:  # for all of them: on a GPU cuDNN rounds in its own way
        by_level = {level: logit(_evened(net, (level,))) for level in pools}
        return UniformAttention(logit(net), by_level, logit(_evened(net, pools)))


def _evened(net: nn.Module, levels: Sequence[str]) -> nn.Module:
    even: Any = copy.deepcopy(net).eval()
    for level in levels:
        even.even(level)
    calm: nn.Module = even
    return calm
