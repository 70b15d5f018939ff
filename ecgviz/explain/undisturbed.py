"""A network is as it was before, whatever was asked of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

MIN_CHANGE = 0.5
"""Completeness errors are relative to the change of the logit, but to no less than this many logits."""


@contextmanager
def undisturbed(net: nn.Module) -> Iterator[None]:
    """Hold a network in eval mode with cuDNN off, and leave it as it was, whatever happens.

    A network that is in eval mode already is not written to, so that threads can share it.
    """
    was_training = [module for module in net.modules() if module.training]
    if was_training:
        net.eval()
    try:
        with torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        for module in was_training:
            module.training = True
