"""What may differ between two recordings of the same heart: the network must not rely on it."""

from dataclasses import dataclass

import torch
from torch import Tensor

GAIN, LEAD_GAIN = 0.15, 0.10
"""Amplitudes are scaled by 1 +- the first (electrodes, habitus), each lead by 1 +- the second (electrode places)."""
NOISE_MV = 0.03
WANDER_MV = 0.10
WANDER_HZ = 0.4
DROPPED_LEAD = 0.05
"""Chance that a lead is flat (an electrode off)."""
HIDDEN, LONGEST_HIDDEN = 0.3, 0.2
"""Chance that a stretch of all leads is flat, and how much of the record it takes at most."""
MIXED = 0.3
"""Share of the batch that is mixed with another record (mixup, Zhang et al. 2018, arXiv 1710.09412)."""
R_JITTER_S = 0.010
"""R peaks are moved by so much (standard deviation): a detector's and the planted ones differ."""


@dataclass(frozen=True, eq=False)
class Batch:
    """``x`` (B, L, T) mV, ``y`` (B, C) with NaN where not known, ``r_s`` (B, K) NaN after the last, ``meta`` (B, 2)."""

    x: Tensor
    y: Tensor
    r_s: Tensor
    meta: Tensor


def augment(batch: Batch, *, fs: float, generator: torch.Generator) -> Batch:
    """Return altered copies: rolled in time, scaled, noisy, with wander, with leads or stretches flat, mixed.

    R peaks roll with the signal. In a mixture they, age and sex are those of the record that has the larger share; a
    target is not known where either record's is not.
    """
    x, device = batch.x, batch.x.device
    n, n_leads, length = x.shape

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=device)

    # one position bias a window: rolling keeps the network from learning where in the record something stood
    shifts = torch.randint(length, (n,), generator=generator, device=device)
    index = (torch.arange(length, device=device)[None] + shifts[:, None]) % length
    x = x.gather(2, index[:, None].expand(-1, n_leads, -1))
    jitter = R_JITTER_S * torch.randn(batch.r_s.shape, generator=generator, device=device)
    r_s = ((batch.r_s + jitter - shifts[:, None] / fs) % (length / fs)).sort(dim=1).values  # NaN is sorted last
    x = x * (1 + GAIN * (2 * uniform(n, 1, 1) - 1)) * (1 + LEAD_GAIN * (2 * uniform(n, n_leads, 1) - 1))
    time_s = torch.arange(length, device=device) / fs
    phase = 2 * torch.pi * (uniform(n, n_leads, 1) + WANDER_HZ * uniform(n, 1, 1) * time_s)
    x = x + WANDER_MV * uniform(n, n_leads, 1) * torch.sin(phase)
    x = x + NOISE_MV * uniform(n, 1, 1) * torch.randn(x.shape, generator=generator, device=device)
    x = x * (uniform(n, n_leads, 1) >= DROPPED_LEAD)
    start, width = uniform(n, 1), LONGEST_HIDDEN * uniform(n, 1) * (uniform(n, 1) < HIDDEN)
    place = torch.arange(length, device=device)[None] / length
    x = x * ~((place >= start) & (place < start + width))[:, None]
    share = torch.where(uniform(n) < MIXED, 0.5 * uniform(n), torch.zeros(n, device=device))[:, None]
    other = torch.randperm(n, generator=generator, device=device)
    x = x * (1 - share[:, None]) + x[other] * share[:, None]
    y = torch.where(share > 0, batch.y * (1 - share) + batch.y[other] * share, batch.y)
    return Batch(x, y, r_s, batch.meta)
