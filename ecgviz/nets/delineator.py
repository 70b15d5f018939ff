"""The delineating network: which wave each sample of each lead belongs to, and which wave the beat as a whole is in.

Dimensions: R records, L leads, T samples at 250 Hz, C channels, K classes (`CLASSES`).

A one-dimensional U-Net (Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28), as first used on the cardiologists'
marks of LUDB by Moskalenko et al. 2020 (doi:10.1007/978-3-030-30425-6_29). Departures: the same weights read every
lead, and in each stage a lead also sees the mean and the maximum of that stage over all leads, so that the order of the
leads is of no matter and their number free; a second head reads the pooled leads and marks the beat as a whole; samples
enter and leave in pairs, which halves the work and keeps the time resolution; a tenth of the width.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

CLASSES = ("none", "P", "QRS", "T")
PAIR = 2
"""Samples that are read, and marked, together."""
WIDTHS = (16, 16, 32, 32, 48)
KERNEL = 7
STRIDE = PAIR * 2 ** (len(WIDTHS) - 1)
"""Input lengths are multiples of this."""


class _Stage(nn.Module):
    """Two convolutions; after the first, what the leads have in common is added to each lead."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(c_in, c_out, KERNEL, padding=KERNEL // 2, bias=False)
        self.norm1 = nn.BatchNorm1d(c_out)
        self.shared = nn.Conv1d(2 * c_out, c_out, 1, bias=False)
        self.second = nn.Conv1d(c_out, c_out, KERNEL, padding=KERNEL // 2, bias=False)
        self.norm2 = nn.BatchNorm1d(c_out)

    def forward(self, x: Tensor, n_leads: int) -> Tensor:
        """Return (R * L, c_out, T) for x (R * L, c_in, T)."""
        h = torch.relu(self.norm1(self.first(x)))
        together = self.shared(over_leads(h, n_leads))  # (R, c_out, T)
        h = (h.unflatten(0, (-1, n_leads)) + together[:, None]).flatten(0, 1)
        return torch.relu(self.norm2(self.second(h)))


def over_leads(h: Tensor, n_leads: int) -> Tensor:
    """Return the mean and the maximum over leads, (R, 2 C, T), of h (R * L, C, T)."""
    by_record = h.unflatten(0, (-1, n_leads))
    return torch.cat([by_record.mean(dim=1), by_record.amax(dim=1)], dim=1)


class Delineator(nn.Module):
    """Map leads (R, L, 2, T) to class logits of each lead (R, L, K, T) and of the beat as a whole (R, K, T).

    The two inputs of a lead are its signal over its own scale and over the scale of all leads (`ecgviz.beats.scaled`).
    """

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(_Stage(a, b) for a, b in zip((2 * PAIR, *WIDTHS[:-1]), WIDTHS, strict=True))
        self.up = nn.ModuleList(_Stage(low + deep, low) for deep, low in pairwise(WIDTHS[::-1]))
        self.of_lead = nn.Conv1d(WIDTHS[0], PAIR * len(CLASSES), 1)
        self.whole = nn.Sequential(
            nn.Conv1d(2 * WIDTHS[0], 2 * WIDTHS[0], KERNEL, padding=KERNEL // 2),
            nn.ReLU(),
            nn.Conv1d(2 * WIDTHS[0], PAIR * len(CLASSES), 1),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of each lead and of the whole; T must be a multiple of `STRIDE`."""
        n_leads = x.shape[1]
        h = _paired(x.flatten(0, 1))
        kept = []
        for depth, stage in enumerate(self.down):
            h = stage(nn.functional.max_pool1d(h, 2) if depth else h, n_leads)
            kept.append(h)
        for stage, skip in zip(self.up, kept[-2::-1], strict=True):
            h = stage(torch.cat([skip, nn.functional.interpolate(h, scale_factor=2.0, mode="linear")], dim=1), n_leads)
        of_leads = _unpaired(self.of_lead(h)).unflatten(0, (-1, n_leads))
        return of_leads, _unpaired(self.whole(over_leads(h, n_leads)))


class Delineators(nn.Module):
    """Several delineators as one: its logits are the logarithm of the mean of their probabilities."""

    def __init__(self, members: Sequence[Delineator]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-probabilities of each lead and of the whole; shapes as those of a `Delineator`."""
        of_leads, whole = zip(*(member(x) for member in self.members), strict=True)
        return _mean_of(of_leads, 2), _mean_of(whole, 1)


def _mean_of(logits: Sequence[Tensor], class_axis: int) -> Tensor:
    """Return the logarithm of the mean probability over members."""
    spread = torch.stack([each.log_softmax(class_axis) for each in logits])
    return spread.logsumexp(0) - math.log(len(logits))


def _paired(x: Tensor) -> Tensor:
    """Return (R, PAIR * C, T / PAIR) for x (R, C, T): neighbouring samples become channels."""
    return x.unflatten(2, (-1, PAIR)).transpose(2, 3).flatten(1, 2)


def _unpaired(x: Tensor) -> Tensor:
    """Undo `_paired`."""
    return x.unflatten(1, (-1, PAIR)).transpose(2, 3).flatten(2, 3)
