"""What the networks of the IMLE-Net family are made of: residual blocks, additive attention, Keras' initial weights.

Reddy, Talwar, Alle, Bapi: "IMLE-Net: An Interpretable Multi-level Multi-channel Model for ECG Classification",
IEEE SMC 2021, arXiv 2204.05116. The sizes of a network are in its own file.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgviz.types.arrays import FloatArray


def pad_same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Pad the last axis so that a convolution yields ceil(length / stride) samples, the odd one to the right.

    With an even kernel this is asymmetric (3 left, 4 right for kernel 8 at stride 1), which ``padding=`` of a PyTorch
    convolution cannot do.
    """
    return functional.pad(x, same_zeros(x.shape[-1], kernel, stride))


def same_zeros(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return how many zeros before and after ``length`` samples make a convolution yield ceil(length / stride)."""
    total = max((math.ceil(length / stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


class Convolution(nn.Conv1d):
    """A convolution over windows (n, c, 1, s) to (n, c', 1, ceil(s / stride)), padded as by `pad_same`.

    It has the weights (c', c, kernel) of a convolution in one dimension, and runs as one in two, of height 1, with
    channels last in memory: on a CPU that takes three quarters of the time, forwards and backwards.
    """

    bias: nn.Parameter

    def forward(self, x: Tensor) -> Tensor:
        """Convolve the last axis."""
        (kernel,), (stride,) = self.kernel_size, self.stride
        before, after = same_zeros(x.shape[-1], kernel, stride)
        if after > before:  # zeros of a convolution's own take no copy of x, but are as many on either side
            x, before = pad_same(x, kernel, stride), 0
        y = functional.conv2d(x, self.weight[:, :, None], self.bias, (1, stride), (0, before))
        return y.contiguous(memory_format=torch.channels_last)


class Normalisation(nn.BatchNorm2d):
    """A batch normalisation with the small number of Keras under the root."""

    weight: nn.Parameter
    bias: nn.Parameter
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, n_features: int) -> None:
        super().__init__(n_features, eps=1e-3)


class ResidualBlock(nn.Module):
    """conv - ReLU - BN - conv - add - ReLU - BN; note that ReLU comes before the batch normalisation."""

    def __init__(self, n_in: int, n_out: int, stride: int, kernel: int) -> None:
        super().__init__()
        self.conv1 = Convolution(n_in, n_out, kernel, stride)
        self.norm1 = Normalisation(n_out)
        self.conv2 = Convolution(n_out, n_out, kernel)
        self.norm2 = Normalisation(n_out)
        self.skip = Convolution(n_in, n_out, 1, stride) if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Map windows (n, n_in, 1, s) to (n, n_out, 1, ceil(s / stride))."""
        y = self.norm1(functional.relu(self.conv1(x)))
        y = self.conv2(y) + (x if self.skip is None else self.skip(x))
        return self.norm2(functional.relu(y))


def residual_stack(c: int, kernel: int) -> nn.Sequential:
    """Return six blocks that map (n, c, 1, s) to (n, 4 c, 1, ceil(ceil(s / 2) / 2)): one token every four samples."""
    sizes = [(c, c, 1), (c, c, 1), (c, 2 * c, 2), (2 * c, 2 * c, 1), (2 * c, 4 * c, 2), (4 * c, 4 * c, 1)]
    return nn.Sequential(*(ResidualBlock(*size, kernel) for size in sizes))


class AdditiveAttention(nn.Module):
    """score_t = v . tanh(W x_t + b_t): the bias has one row a position, so each level can prefer places by itself.

    With ``n_positions`` 1 all positions share one row, and no place is preferred.
    """

    def __init__(self, n_features: int, n_hidden: int, n_positions: int) -> None:
        super().__init__()
        self.project = nn.Linear(n_features, n_hidden, bias=False)
        self.bias = nn.Parameter(torch.zeros(n_positions, n_hidden))
        self.score = nn.Linear(n_hidden, 1, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Pool (..., t, f) over t; return the sum (..., f) and the weights (..., t), which sum to 1.

        Where ``mask`` (..., t) is False the weight is exactly 0; each row has a position where it is True.
        """
        scores = self.score(torch.tanh(self.project(x) + self.bias)).squeeze(-1)
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        weights = torch.softmax(scores, dim=-1)
        return torch.einsum("...t,...tf->...f", weights, x), weights

    def even(self) -> None:
        """Make all positions weigh alike from now on: every score becomes 0."""
        nn.init.zeros_(self.score.weight)


def joined(values: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Add the joint weights (L, W, J) of one record, where beat (L, W, J), rhythm (L, W) and channel (L,) are there."""
    if {"beat", "rhythm", "channel"} <= values.keys():
        return values | {"joint": values["channel"][:, None, None] * values["rhythm"][:, :, None] * values["beat"]}
    return values


def initialise(net: nn.Module, rhythm: nn.LSTM, output: nn.Linear) -> None:
    """Draw the weights as Keras does by default, which the published weights were trained from."""
    for module in net.modules():
        if isinstance(module, nn.Conv1d):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias) if module.bias is not None else None
        elif isinstance(module, AdditiveAttention):
            nn.init.normal_(module.project.weight, std=0.05)
            nn.init.normal_(module.score.weight, std=0.05)
    nn.init.xavier_uniform_(output.weight)
    nn.init.zeros_(output.bias)
    for name, parameter in rhythm.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(parameter)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(parameter)
        else:
            nn.init.zeros_(parameter)
            if name.startswith("bias_ih"):
                n = parameter.shape[0] // 4
                nn.init.ones_(parameter[n : 2 * n])  # forget gate
