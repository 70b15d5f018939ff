"""Tokens of strided convolutions: which of them are recorded, and which seconds they stand for.

B records, F features, T samples, N tokens. A convolution with an odd kernel k, k // 2 zeros at either end and stride
s puts token j on sample s j. A token is recorded when that sample is, so a record that is cut off anywhere has exactly
the tokens that it keeps when it is padded.
"""

import math

import numpy as np
import torch
from torch import Tensor

from ecgviz.nets.precision import at_least_float32
from ecgviz.types.arrays import FloatArray


def recorded_samples(x: Tensor, mask: Tensor | None) -> Tensor:
    """Return which samples of x (B, L, T) are recorded, (B, T): the mask, or all where there is none."""
    return x.new_ones(x.shape[0], x.shape[2], dtype=torch.bool) if mask is None else mask


def silence(x: Tensor, recorded: Tensor) -> Tensor:
    """Set x (B, F, N) to zero where ``recorded`` (B, N) is False, as a convolution finds it beyond a record's end."""
    return x * recorded[:, None]


def recorded_mean(x: Tensor, recorded: Tensor) -> Tensor:
    """Return the mean (B, F) of x (B, F, N) over recorded places (B, N), in float32 or better; 0 without any."""
    return silence(at_least_float32(x), recorded).sum(dim=2) / recorded.sum(dim=1, keepdim=True).clamp(min=1)


def recorded_softmax(scores: Tensor, recorded: Tensor) -> Tensor:
    """Return the softmax of scores (..., N) over recorded places (of a shape that fits), in float32 or better.

    Padding weighs exactly 0.
    """
    return torch.softmax(at_least_float32(scores).masked_fill(~recorded, -torch.inf), dim=-1)


def token_spans(n_samples: int, stride: int, fs: float, start_s: float) -> FloatArray:
    """Start and end in seconds of each token of a record of n samples, shape (N, 2); together they tile the record.

    A token gets the samples nearest to its own; a sample reaches half a sample to either side.
    """
    inner = stride * np.arange(1, math.ceil(n_samples / stride)) - stride // 2
    edges = start_s + (np.concatenate([[0], inner, [n_samples]]) - 0.5) / fs
    return np.stack([edges[:-1], edges[1:]], axis=1)
