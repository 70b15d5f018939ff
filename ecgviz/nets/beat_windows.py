"""Windows around R peaks: which samples belong to which beat, and where their tokens lie.

B records    L leads    M beats of all records    K beats (the most of a record of the batch)
S samples a window (113)    J tokens a window (29)
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ecgviz.errors import InputError

FS = 100.0
BEFORE, AFTER = 40, 72
"""Samples of a window before and after its R peak."""
SHARE_BEFORE = 0.4
"""A beat begins at this part of the RR interval before its R peak, unless its window begins later."""
N_TOKENS = math.ceil((BEFORE + 1 + AFTER) / 4)
CLOSEST_S = 0.05
"""R peaks closer than this are those of one beat: no heart beats twice within it."""
RR_MEAN_S, RR_SD_S = 0.8, 0.2
N_RR = 4
FAR = 10**9
"""Where the R peak of a beat that a record does not have is put: behind every record."""


def checked(r_s: Tensor | None) -> Tensor:
    """Return R peaks (B, K); two within 50 ms, which rolling a record may bring together, are one.

    Raises
    ------
    InputError
        Without R peaks, for a record that has none, or where they do not rise.
    """
    if r_s is None:
        raise InputError("IMLE-Net on beats reads windows around R peaks, and none were given (r_s)")
    there = r_s.isfinite()
    without = (~there.any(dim=1)).nonzero()
    if len(without):
        raise InputError(f"record {int(without[0])} of the batch has no R peak in its window; the network needs one")
    if (r_s.diff(dim=1) < 0).any() or (there[:, 1:] & ~there[:, :-1]).any():
        raise InputError("R peaks (r_s) must rise from left to right, with NaN only after the last one of a record")
    again = functional.pad(r_s.diff(dim=1) < CLOSEST_S, (1, 0))
    return r_s.masked_fill(again, math.nan).sort(dim=1).values  # NaN is sorted last


def of_records(values: Tensor, there: Tensor) -> Tensor:
    """Sort what was made of beats (M, L, ...) by record and lead, (B, L, K, ...): 0 where ``there`` (B, K) is False."""
    sorted_in = values.new_zeros(*there.shape, *values.shape[1:])
    sorted_in[there] = values
    return sorted_in.transpose(1, 2)


def beat_windows(r_s: Tensor, n_samples: int, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the samples of each beat's window and which of them belong to the beat, both (B, K, S).

    Raises
    ------
    InputError
        For an R peak so far outside of the recorded samples that its beat has none.
    """
    there = r_s.isfinite()
    r = torch.where(there, (r_s * FS).round(), FAR).long()
    before = (SHARE_BEFORE * r.diff(dim=1)).clamp(max=BEFORE).long()
    starts = r - functional.pad(before, (1, 0), value=BEFORE)
    ends = functional.pad(starts[:, 1:], (0, 1), value=FAR)
    positions = r[:, :, None] + torch.arange(-BEFORE, AFTER + 1, device=r.device)
    owned = (positions >= starts[:, :, None]) & (positions < ends[:, :, None])
    owned &= (positions >= 0) & (positions < n_samples)
    positions = positions.clamp(0, n_samples - 1)
    if mask is not None:
        owned &= mask[:, None].expand(-1, r.shape[1], -1).gather(2, positions)
    if not owned[there].any(dim=-1).all():
        raise InputError("an R peak (r_s) lies outside of the recorded samples; it is in seconds from their start")
    return positions, owned


def by_token(samples: Tensor) -> Tensor:
    """Group the samples of windows (..., S) by the token nearest to them, (..., J, 4), with 0 at the ends.

    Token j stands on sample 4 j (two strides of 2), so that the tokens of a window tile its samples.
    """
    return functional.pad(samples, (2, 1)).unflatten(-1, (N_TOKENS, 4))


def owned_spans(positions: Tensor, owned: Tensor, fs: float, start_s: float) -> np.ndarray:
    """Return where the owned samples of each row begin and end in seconds, (..., 2) of (..., s); NaN without any.

    A sample reaches half a sample to either side.
    """
    at, own = positions.numpy(force=True), owned.numpy(force=True)
    first = np.where(own, at, np.inf).min(axis=-1)
    last = np.where(own, at, -np.inf).max(axis=-1)
    edges = np.stack([first - 0.5, last + 0.5], axis=-1)
    edges[~own.any(axis=-1)] = np.nan
    return start_s + edges / fs


def rr_features(r_s: Tensor) -> Tensor:
    """Return RR before and after each beat, standardised, and 1 where each is unknown: (B, K, 4) of (B, K).

    An unknown RR, at the ends of a record, is 0, which is the mean.
    """
    rr = (r_s.diff(dim=1) - RR_MEAN_S) / RR_SD_S
    before, after = (functional.pad(rr, ends, value=math.nan) for ends in ((1, 0), (0, 1)))
    both = torch.stack([before, after], dim=2)
    return torch.cat([both.nan_to_num(0.0), both.isnan().to(rr.dtype)], dim=2)
