"""Architectures only: what a network computes, and what it shows of itself.

A network is called as ``net(x, r_s=None, meta=None, mask=None)`` with x of shape (B, 12, T) and returns
logits (B, C). It has ``levels`` (the attention it exposes, empty for none) and, if it has any,
``taps(x, fs=, start_s=, leads=, ...)``. Optionally ``encode`` and ``head``, whose composition is the network,
and ``decompose`` for an exact split of its logits.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from ecgviz.nets.imle_net import IMLENet
from ecgviz.registry import find

NETS: Mapping[str, Callable[..., nn.Module]] = {
    "imle_net": IMLENet,
}


def build(name: str, n_labels: int, *, seed: int, config: Mapping[str, Any]) -> nn.Module:
    """Build a freshly initialised network in eval mode.

    Equal seeds give equal weights; the global random generator is left as it was.

    Raises
    ------
    EcgvizError
        For a name that is neither in `NETS` nor an installed entry point of ``ecgviz.nets``.
    """
    constructor = find(NETS, "ecgviz.nets", name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net: nn.Module = constructor(n_labels, **config)
    return net.eval()
