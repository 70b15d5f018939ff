"""The encoder of the IMLE-Net family: tokens of windows, layer by layer or, without gradients, in less time.

On a CPU, where no gradient is asked for, two rearrangements give the same tokens but for the order of sums, in three
quarters of the time:

- Windows are the columns of one image and time is its height. A tap of a kernel is then one matrix product over all
  windows, and the zeros before and after a window are left out of it.
- Batch normalisation after ReLU, s relu(y) + t, is a clamp of s y + t: from t upwards where s >= 0, up to t elsewhere.
  With s in the weights of the convolution before it, ReLU and normalisation are one pass, in place.

With gradients neither pays: nothing is done in place, and those of weights are summed over columns slowly. A program
that is exported goes layer by layer, so that it takes any number of records.
"""

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgviz.nets.imle_parts import Convolution, Normalisation, ResidualBlock, same_zeros

COLUMNS = 240
"""Windows side by side: their activations fit a cache, and a recording of IMLE-Net has as many, so that it is computed
alike alone and among others."""


def tokens_of(stem: Convolution, blocks: nn.Sequential, windows: Tensor) -> Tensor:
    """Return the tokens (n, j, f) of windows (n, s)."""
    in_place = windows.device.type == "cpu" and not (stem.training or torch.compiler.is_compiling())
    if torch.is_grad_enabled() or not in_place:
        features: Tensor = blocks(functional.relu(stem(windows[:, None, None])))  # (n, f, 1, j)
        return features.squeeze(2).transpose(1, 2)
    return torch.cat([_side_by_side(stem, blocks, some) for some in windows.split(COLUMNS)])


def _side_by_side(stem: Convolution, blocks: nn.Sequential, windows: Tensor) -> Tensor:
    """Return the tokens (n, j, f) of windows (n, s) as columns of one image."""
    x = _convolve(stem, windows.t()[None, None].contiguous()).relu_()
    x = x.contiguous(memory_format=torch.channels_last)
    for block in cast("Iterable[ResidualBlock]", blocks):
        x = _through(block, x)
    return x[0].permute(2, 1, 0)


def _through(block: ResidualBlock, x: Tensor) -> Tensor:
    """Map an image (1, c, s, n) as the block does."""
    norm = _Scaled(block.norm1)
    y = norm.rectified_(_convolve(block.conv1, x, norm.scale, norm.shift))
    norm = _Scaled(block.norm2)
    y = _convolve(block.conv2, y, norm.scale, norm.shift)
    if block.skip is None:
        y.addcmul_(x, norm.scale[:, None, None])
    else:
        y += _convolve(block.skip, x, norm.scale)
    return norm.rectified_(y)


class _Scaled:
    """A batch normalisation by the statistics that it has, as a scale (c,) and a shift (c,)."""

    def __init__(self, norm: Normalisation) -> None:
        self.scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        self.shift = norm.bias - norm.running_mean * self.scale
        falling = self.scale < 0
        self._low = self.shift.masked_fill(falling, -torch.inf)[:, None, None]
        self._high = self.shift.masked_fill(~falling, torch.inf)[:, None, None]

    def rectified_(self, y: Tensor) -> Tensor:
        """Return scale relu(z) + shift of y = scale z + shift, in its place."""
        return y.clamp_(self._low, self._high)


def _convolve(layer: Convolution, x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
    """Return scale times the layer's convolution of an image (1, c, s, n), plus shift: (1, c', ceil(s / stride), n)."""
    weight: Tensor = layer.weight
    bias: Tensor = layer.bias
    if scale is not None:
        weight, bias = weight * scale[:, None, None], bias * scale
    if shift is not None:
        bias = bias + shift
    (kernel,), (stride,) = layer.kernel_size, layer.stride
    before, after = same_zeros(x.shape[2], kernel, stride)
    if after > before and stride > 1:
        x, after = functional.pad(x, (0, 0, 0, after - before)), before
    # A convolution adds as many zeros before as after; where that makes a row too many, it is left out.
    return functional.conv2d(x, weight[..., None], bias, (stride, 1), (after, 0))[:, :, after - before :]
