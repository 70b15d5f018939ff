"""A network is as it was before, whatever was asked of it, by however many threads at once."""

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import torch
from torch import nn

MIN_CHANGE = 0.5
"""Completeness errors are relative to the change of the logit, but to no less than this many logits."""

_CUDNN = threading.RLock()
"""cuDNN is on or off for the whole process: one explanation at a time may have it off."""


@contextmanager
def undisturbed(net: nn.Module) -> Iterator[nn.Module]:
    """Yield a network in eval mode whose gradient can be taken; the one that was given is never written to.

    That is ``net`` itself where it is in eval mode already, so that threads can share it, else a copy. For a
    recurrent network on a GPU cuDNN is off meanwhile: its recurrent layers refuse a backward pass in eval mode
    (captum issues 328, 564, 1159), and in training mode dropout and batch statistics would move. Such a network is
    explained by one thread at a time.
    """
    calm = copy.deepcopy(net).eval() if any(module.training for module in net.modules()) else net
    if not _recurrent_on_gpu(calm):
        yield calm
        return
    with _CUDNN, torch.backends.cudnn.flags(enabled=False):
        yield calm


def device_of(net: nn.Module) -> torch.device:
    """Return the device that a network's weights are on; the CPU for one without weights."""
    weight = next(chain(net.parameters(), net.buffers()), None)
    return torch.device("cpu") if weight is None else weight.device


def _recurrent_on_gpu(net: nn.Module) -> bool:
    return device_of(net).type == "cuda" and any(isinstance(module, nn.RNNBase) for module in net.modules())
