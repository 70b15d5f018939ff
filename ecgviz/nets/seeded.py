"""Weights that are the same for the same seed, in whatever thread they are drawn."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_DRAWING = threading.RLock()
"""PyTorch draws first weights from one generator of the process: two networks drawn at once would share its numbers.
A network may be built of networks, in the same thread."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let PyTorch's global generator start at a seed; it goes on afterwards as if nothing had been drawn."""
    with _DRAWING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
