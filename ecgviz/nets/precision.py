"""What must not be computed in half precision."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """Return x as float32 where it is of lower precision, else as it is.

    The types are compared here, not by PyTorch, whose comparison would stand in an exported program as an operator.
    """
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def without_autocast(device_type: str) -> AbstractContextManager[object]:
    """Switch autocast off where it is on; elsewhere do nothing, so that an exported program has nothing to switch."""
    return torch.autocast(device_type, enabled=False) if torch.is_autocast_enabled(device_type) else nullcontext()
