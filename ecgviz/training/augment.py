"""What may differ between two recordings of the same heart: the network must not rely on it."""

import torch
from torch import Tensor

GAIN = 0.15
"""Amplitudes are scaled by 1 +- this (electrode and body habitus)."""
NOISE_MV = 0.02
WANDER_MV = 0.08
WANDER_HZ = 0.4
DROPPED_LEAD = 0.05
"""Chance that a lead is flat (an electrode off)."""
MIXED = 0.3
"""Share of the batch that is mixed with another record (mixup, Zhang et al. 2018, arXiv 1710.09412)."""


def augment(x: Tensor, y: Tensor, *, fs: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return altered copies of x (B, L, T) in mV and y (B, C): rolled in time, scaled, noisy, with wander, mixed."""
    n, n_leads, length = x.shape

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    # one position bias a window: rolling keeps the network from learning where in the record something stood
    shifts = torch.randint(length, (n,), generator=generator)
    index = (torch.arange(length)[None] + shifts[:, None]) % length
    x = x.gather(2, index[:, None].expand(-1, n_leads, -1))
    x = x * (1 + GAIN * (2 * uniform(n, 1, 1) - 1))
    time_s = torch.arange(length) / fs
    phase = 2 * torch.pi * (uniform(n, n_leads, 1) + WANDER_HZ * uniform(n, 1, 1) * time_s)
    x = x + WANDER_MV * uniform(n, n_leads, 1) * torch.sin(phase)
    x = x + NOISE_MV * uniform(n, 1, 1) * torch.randn(x.shape, generator=generator)
    x = x * (uniform(n, n_leads, 1) >= DROPPED_LEAD)
    share = torch.where(uniform(n) < MIXED, 0.5 * uniform(n), torch.zeros(n))
    other = torch.randperm(n, generator=generator)
    x = x * (1 - share[:, None, None]) + x[other] * share[:, None, None]
    return x, y * (1 - share[:, None]) + y[other] * share[:, None]
