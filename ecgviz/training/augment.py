"""What may differ between two recordings of the same heart: the network must not rely on it."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ecgviz.simulate.dipole import DOWER, INVERSE_DOWER, twelve

GAIN, LEAD_GAIN = 0.15, 0.10
"""Amplitudes are scaled by 1 +- the first (electrodes, habitus), each lead by 1 +- the second (electrode places)."""
NOISE_MV = 0.03
WANDER_MV = 0.10
WANDER_HZ = 0.4
DROPPED_LEAD = 0.05
"""Chance that a lead is flat (an electrode off)."""
MASKED, MOST_MASKED = 0.3, 0.5
"""Chance that leads of a record are hidden, and the share of its leads that is hidden at most."""
TURN_RAD, STRETCH = 0.15, 0.10
"""The heart is turned about each axis and stretched along it by so much (standard deviations)."""
HIDDEN, LONGEST_HIDDEN = 0.3, 0.2
"""Chance that a stretch of all leads is flat, and how much of the record it takes at most."""
MIXED = 0.7
"""Share of the batch that is mixed with another record (mixup, Zhang et al. 2018, arXiv 1710.09412)."""
R_JITTER_S = 0.010
"""R peaks are moved by so much (standard deviation): a detector's and the planted ones differ."""

_FORWARD = twelve(DOWER)
_INVERSE = np.zeros((3, 12))
_INVERSE[:, [0, 1, 6, 7, 8, 9, 10, 11]] = INVERSE_DOWER


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

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, device=device)

    # one position bias a window: rolling keeps the network from learning where in the record something stood
    shifts = torch.randint(length, (n,), generator=generator, device=device)
    index = (torch.arange(length, device=device)[None] + shifts[:, None]) % length
    x = x.gather(2, index[:, None].expand(-1, n_leads, -1))
    jitter = R_JITTER_S * normal(*batch.r_s.shape)
    r_s = ((batch.r_s + jitter - shifts[:, None] / fs) % (length / fs)).sort(dim=1).values  # NaN is sorted last
    x = turned(x, TURN_RAD * normal(n, 3), 1 + STRETCH * normal(n, 3))
    x = x * (1 + GAIN * (2 * uniform(n, 1, 1) - 1)) * (1 + LEAD_GAIN * (2 * uniform(n, n_leads, 1) - 1))
    time_s = torch.arange(length, device=device) / fs
    phase = 2 * torch.pi * (uniform(n, n_leads, 1) + WANDER_HZ * uniform(n, 1, 1) * time_s)
    x = x + WANDER_MV * uniform(n, n_leads, 1) * torch.sin(phase)
    x = x + NOISE_MV * uniform(n, 1, 1) * normal(*x.shape)
    masked = DROPPED_LEAD + MOST_MASKED * uniform(n, 1, 1) * (uniform(n, 1, 1) < MASKED)
    x = x * (uniform(n, n_leads, 1) >= masked)
    start, width = uniform(n, 1), LONGEST_HIDDEN * uniform(n, 1) * (uniform(n, 1) < HIDDEN)
    place = torch.arange(length, device=device)[None] / length
    x = x * ~((place >= start) & (place < start + width))[:, None]
    share = torch.where(uniform(n) < MIXED, 0.5 * uniform(n), torch.zeros(n, device=device))[:, None]
    other = torch.randperm(n, generator=generator, device=device)
    x = x * (1 - share[:, None]) + x[other] * share[:, None]
    y = torch.where(share > 0, batch.y * (1 - share) + batch.y[other] * share, batch.y)
    return Batch(x, y, r_s, batch.meta)


def turned(x: Tensor, angles_rad: Tensor, stretch: Tensor) -> Tensor:
    """Turn and stretch the heart of records x (B, 12, T): rotation vectors (B, 3), and factors along x, y, z (B, 3).

    The dipole is read off with the inverse Dower matrix (Edenbrandt and Pahlm 1988), changed, and projected again
    (Dower 1980); what a dipole does not explain stays as it was. Limb leads stay exact combinations of I and II.
    """
    forward = torch.from_numpy(_FORWARD).to(x)  # (12, 3)
    inverse = torch.from_numpy(_INVERSE).to(x)  # (3, 12)
    change = _rotation(angles_rad) * stretch[:, None, :] - torch.eye(3).to(x)  # (B, 3, 3)
    return x + torch.einsum("lc,bcd,de,bet->blt", forward, change, inverse, x)


def _rotation(angles_rad: Tensor) -> Tensor:
    """Return the rotations (B, 3, 3) about axes along, and by the length of, the vectors of angles (B, 3)."""
    turn = torch.zeros(len(angles_rad), 3, 3, device=angles_rad.device)
    for axis, (i, j) in enumerate(((1, 2), (2, 0), (0, 1))):
        turn[:, i, j], turn[:, j, i] = -angles_rad[:, axis], angles_rad[:, axis]
    return torch.linalg.matrix_exp(turn)
