"""ResNet1d: a plain residual network, the baseline that the others are held against.

He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv 1512.03385; that such networks are
hard to beat on PTB-XL: Strodthoff, Wagner, Schaeffter, Samek, IEEE JBHI 2021, arXiv 2004.13701. Letters used here:

    B records    T samples (1000 at 100 Hz)    N places in time    F features (128 at full width)    C labels

Departures: one-dimensional with kernels of 7 (15 in the stem), a quarter as wide, mean and maximum over time side by
side, dropout before the output. Each ReLU and each maximum is a module that is used once, and maxima are over places
that do not overlap: so DeepLift has a rule for every step that is not linear, and its parts sum to the change of the
logit.

Padding is silent: every convolution finds zeros there, the mean does not count it, and the maximum, taken after ReLU,
is never below them.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ecgviz.nets.tokens import recorded_mean, recorded_samples, silence

N_LEADS = 12
WIDTHS = (48, 64, 96, 128)
"""Features of the stages at full width; all but the first halve the places in time."""
BLOCKS = 2
"""Residual blocks a stage."""
N_PLACES = 32
"""Places in time after the last stage, for 1000 samples: T / 32, rounded up."""


class ResidualBlock(nn.Module):
    """conv - BN - ReLU - conv - BN - add - ReLU."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1 = nn.Conv1d(n_in, n_out, 7, stride, padding=3, bias=False)
        self.norm1 = nn.BatchNorm1d(n_out)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv1d(n_out, n_out, 7, padding=3, bias=False)
        self.norm2 = nn.BatchNorm1d(n_out)
        self.relu2 = nn.ReLU()
        self.skip: nn.Module = nn.Identity()
        if stride > 1 or n_in != n_out:
            self.skip = nn.Sequential(nn.Conv1d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm1d(n_out))

    def forward(self, x: Tensor, recorded: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (B, n_in, n) to (B, n_out, ceil(n / stride)); ``recorded`` (B, n) comes back at the new stride."""
        recorded = recorded[:, :: self.stride]
        y = silence(self.relu1(self.norm1(self.conv1(x))), recorded)
        y = self.norm2(self.conv2(y)) + self.skip(x)
        return silence(self.relu2(y), recorded), recorded


class ResNet1d(nn.Module):
    """The network; input (B, 12, T) standardised samples at 100 Hz, T up to 1000; output (B, C) logits.

    Parameters
    ----------
    n_labels : int
    width : float
        Scales every feature size.
    dropout : float
        Share of the pooled features that is dropped in training.
    """

    levels: tuple[str, ...] = ()
    exposes: Mapping[str, str] = {
        "beat": "none: it has no attention",
        "rhythm": "none: it has no attention",
        "channel": "none: it has no attention, and the first convolution mixes the leads",
    }
    needs: tuple[str, ...] = ()
    pads = True
    cam_layer, cam_stride = "blocks.7.relu2", 32

    def __init__(self, n_labels: int, width: float = 1.0, dropout: float = 0.3) -> None:
        super().__init__()
        n_in, *_, n_last = sizes = [round(width * w) for w in WIDTHS]
        self.conv = nn.Conv1d(N_LEADS, n_in, 15, 2, padding=7, bias=False)
        self.norm = nn.BatchNorm1d(n_in)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool1d(2, ceil_mode=True)
        self.blocks = nn.ModuleList()
        for stage, n_out in enumerate(sizes):
            for block in range(BLOCKS):
                self.blocks.append(ResidualBlock(n_in, n_out, 2 if stage and not block else 1))
                n_in = n_out
        self.maximum = nn.MaxPool1d(N_PLACES, ceil_mode=True)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * n_last, n_labels)

    def forward(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return logits (B, C) of standardised samples x (B, 12, T); R peaks, age and sex are not used."""
        recorded = recorded_samples(x, mask)
        h = silence(self.relu(self.norm(self.conv(silence(x, recorded)))), recorded[:, ::2])
        h, recorded = self.pool(h), recorded[:, ::4]
        for block in self.blocks:
            h, recorded = block(h, recorded)
        # silenced once more, for the maximum alone: DeepLift writes its rule over all of a tensor's gradient
        maxima = self.maximum(silence(h, recorded)).flatten(1)
        pooled = torch.cat([recorded_mean(h, recorded), maxima], dim=1)
        logits: Tensor = self.output(self.dropout(pooled))
        return logits
