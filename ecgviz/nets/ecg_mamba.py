"""1D-CNN ECG Mamba: convolutions make tokens of 40 ms, selective scans read them forwards and backwards.

Jiang, Mutahira, Huang, Muhammad: "1D-CNN ECG Mamba", arXiv 2510.13046; its encoder is that of Vim (Zhu et al.,
"Vision Mamba", arXiv 2401.09417). Letters used here:

    B records    T samples (1000 at 100 Hz)    L tokens (T / 4, rounded up: 250)    W width of a token (64)
    D channels inside a block (2 W)    N states of a channel (16)    R directions (forward, backward)
    G groups of channels that share a step dt: each channel alone (mamba1), or heads of 16 channels (ssd)    C labels

Departures: our design after the abstract; the paper's scores do not apply. Its stem, depth, width and pooling are not
known. Ours has no class token and no learnt positions, so a record may have any length; additive attention
pools over tokens instead. As in Vim, a block is RMSNorm, a projection to x and a gate z, for each direction a causal
convolution and a scan with weights of their own, the mean of both times SiLU(z), a projection back, and a residual.
``scan="ssd"`` is the scan of Mamba-2 in the same block: dt, B and C are made from x after the convolution as in
Mamba-1, and nothing is normalised behind the gate. Scan, steps and residual are float32 under autocast as well.

Padding is silent: it is set to zero before each convolution of the stem, and before each scan; a block keeps tokens
of zeros as they are, for its projections have no bias. The logits of a padded record are those of the record alone.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgviz.errors import ModelError
from ecgviz.nets.attentive import Attentive
from ecgviz.nets.precision import at_least_float32, without_autocast
from ecgviz.nets.scan import Scan, mamba1_attention, mamba1_scan, ssd_attention, ssd_scan
from ecgviz.nets.tokens import recorded_samples, recorded_softmax, silence, token_spans
from ecgviz.types import AttentionMap

SCANS: Mapping[str, Scan] = {"mamba1": mamba1_scan, "ssd": ssd_scan}
STRIDE = 4
"""Samples from one token to the next: token j stands on sample 4 j."""
TOKEN_KERNEL = 4
HEAD_CHANNELS = 16
TAP_GROUPS = 32
"""Groups of channels whose attention matrices are held in memory at once when the taps are read."""


class Operands(NamedTuple):
    """What one block scans, directions R first, the backward one in reversed time; the gate is in record time.

    x (R, B, L, D), dt (R, B, L, G), a (R, 1, D, N) for mamba1 and (R, 1, G) for ssd, b and c (R, B, L, N),
    skip (R, 1, 1, D), gate (B, L, D).
    """

    x: Tensor
    dt: Tensor
    a: Tensor
    b: Tensor
    c: Tensor
    skip: Tensor
    gate: Tensor


class Direction(nn.Module):
    """One reading direction of a block: a causal convolution, and what the scan needs at each token."""

    def __init__(self, n_channels: int, n_states: int, scan: str) -> None:
        super().__init__()
        self.sizes = (math.ceil(n_channels / 32), n_states, n_states)  # rank of dt is W / 16
        self.conv = nn.Conv1d(n_channels, n_channels, TOKEN_KERNEL, groups=n_channels)
        self.project = nn.Linear(n_channels, sum(self.sizes), bias=False)
        if scan == "mamba1":
            n_groups = n_channels
            rates = torch.arange(1.0, n_states + 1).repeat(n_channels, 1)
        else:
            n_groups = n_channels // HEAD_CHANNELS
            rates = torch.empty(n_groups).uniform_(1, 16)
        self.step = nn.Linear(self.sizes[0], n_groups)
        self.A_log = nn.Parameter(rates.log())
        self.skip = nn.Parameter(torch.ones(n_channels))
        dt = torch.exp(torch.empty(n_groups).uniform_(math.log(0.001), math.log(0.1)))
        with torch.no_grad():
            self.step.bias.copy_(dt + torch.log(-torch.expm1(-dt)))  # softplus of it is dt

    def forward(self, x: Tensor, keep: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Map x (B, L, D) to the scan's x (B, L, D), dt (B, L, G), b and c (B, L, N); ``keep`` (B, L, 1) is 0 or 1."""
        past = functional.pad(x.transpose(1, 2), (TOKEN_KERNEL - 1, 0))
        x = functional.silu(self.conv(past)).transpose(1, 2) * keep
        low_rank, b, c = self.project(x).split(self.sizes, dim=-1)
        return x, functional.softplus(self.step(low_rank)), b, c


class Block(nn.Module):
    """A bidirectional selective scan with a residual around it: (B, L, W) to (B, L, W)."""

    def __init__(self, width: int, n_states: int, scan: str, dropout: float) -> None:
        super().__init__()
        self.scan = SCANS[scan]
        self.norm = nn.RMSNorm(width, eps=1e-5)
        self.enter = nn.Linear(width, 4 * width, bias=False)
        self.forwards = Direction(2 * width, n_states, scan)
        self.backwards = Direction(2 * width, n_states, scan)
        self.leave = nn.Linear(2 * width, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, keep: Tensor) -> tuple[Tensor, Operands]:
        """Return the tokens (B, L, W) after the block, and what it scanned; ``keep`` (B, L, 1) is 0 on padding."""
        operands = self.operands(tokens, keep)
        return tokens + self.dropout(self.leave(self.mix(operands))), operands

    def operands(self, tokens: Tensor, keep: Tensor) -> Operands:
        """Return what both directions scan, in float32 or better."""
        x, z = (at_least_float32(half) for half in self.enter(self.norm(tokens)).chunk(2, dim=-1))
        with without_autocast(x.device.type):
            ways = (self.forwards(x, keep), self.backwards(x.flip(1), keep.flip(1)))
            xs, dt, b, c = (torch.stack(pair) for pair in zip(*ways, strict=True))
            a = -torch.stack([self.forwards.A_log, self.backwards.A_log]).exp()
            skip = torch.stack([self.forwards.skip, self.backwards.skip])
            return Operands(xs, dt, a[:, None], b, c, skip[:, None, None], functional.silu(z))

    def mix(self, operands: Operands) -> Tensor:
        """Scan in both directions and gate: (B, L, D)."""
        x, dt, a, b, c, skip, gate = operands
        y = self.scan(x, dt, a, b, c) + skip * x
        return gate * (y[0] + y[1].flip(1)) / 2


def hidden_attention(operands: Operands, direction: int, groups: slice = slice(None)) -> Tensor:
    """Return alpha (G, L, L) of the first record and one direction (0 forward, 1 backward), in record time.

    With x of that direction in record time, the block mixed the sum over directions of
    gate[r] (alpha[g] x + skip x)[r] / 2, where g is the group of the channel. ``groups`` picks some of G.
    """
    attention = mamba1_attention if operands.a.ndim == 4 else ssd_attention
    alpha = attention(
        operands.dt[direction, 0, :, groups],
        operands.a[direction, 0, groups],
        operands.b[direction, 0],
        operands.c[direction, 0],
    )
    return alpha.flip(1, 2) if direction == 1 else alpha


def carried(operands: Operands) -> Tensor:
    """Return how much each token takes from each other: (L, L), targets first, the mean over channels of |gate alpha|.

    Both directions are summed, of the first record of a batch.
    """
    n_groups = operands.dt.shape[-1]
    gate = operands.gate[0].unflatten(-1, (n_groups, -1)).abs().mean(dim=-1)  # (L, G)
    mass = gate.new_zeros(gate.shape[0], gate.shape[0])
    for start in range(0, n_groups, TAP_GROUPS):
        groups = slice(start, start + TAP_GROUPS)
        for direction in range(2):
            alpha = hidden_attention(operands, direction, groups)
            mass += alpha.abs().mul_(gate.T[groups, :, None]).sum(dim=0)
    return mass / (2 * n_groups)


class ECGMamba(Attentive):
    """The network; input (B, 12, T) standardised samples at 100 Hz, output (B, C) logits.

    Parameters
    ----------
    n_labels : int
    width : int
        Features of a token, W; a multiple of 8.
    depth : int
        Blocks.
    n_states : int
        States of a channel, N.
    scan : str
        "mamba1", the paper's, or "ssd".
    dropout : float
        Share of a block's output that is dropped in training.

    Raises
    ------
    ModelError
        For a scan or a width that is not among these.
    """

    levels = ("beat", "rhythm")
    pools = ("rhythm",)
    exposes: Mapping[str, str] = {
        "beat": (
            "hidden attention of the selective scans, gate included, over tokens of 40 ms that the stem sees through "
            "190 ms (at 100 Hz); all leads together"
        ),
        "rhythm": "additive attention over tokens of 40 ms, each of which read the whole record; all leads together",
        "channel": "none: the first convolution mixes the leads",
    }
    needs: tuple[str, ...] = ()
    pads = True
    no_decay = ("A_log", "skip", "bias", "norm.weight", "norm1.weight", "norm2.weight")
    """Endings of the names of parameters that weight decay should leave alone."""

    def __init__(
        self,
        n_labels: int,
        width: int = 64,
        depth: int = 4,
        n_states: int = 16,
        scan: str = "mamba1",
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if scan not in SCANS:
            raise ModelError(f"ecg_mamba knows no scan {scan!r}; it has {' and '.join(SCANS)}")
        if width < 8 or width % 8:
            raise ModelError(f"width {width} of ecg_mamba is no multiple of 8: heads have {HEAD_CHANNELS} of 2 x width")
        self.conv1 = nn.Conv1d(12, width // 2, 7, 2, padding=3, bias=False)
        self.norm1 = nn.BatchNorm1d(width // 2)
        self.conv2 = nn.Conv1d(width // 2, width, 7, 2, padding=3, bias=False)
        self.norm2 = nn.BatchNorm1d(width)
        self.blocks = nn.ModuleList(Block(width, n_states, scan, dropout) for _ in range(depth))
        self.norm = nn.RMSNorm(width, eps=1e-5)
        self.project = nn.Linear(width, width)
        self.score = nn.Linear(width, 1, bias=False)
        self.output = nn.Linear(width, n_labels)

    def tokens(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens (B, L, W) of samples x (B, 12, T), zero in the padding, and where they are none, (B, L).

        A convolution of stride 2 is centred on every other sample, and so is the mask: a record cut off anywhere has
        the tokens that it keeps in padding. A token sees 19 samples: 7, and 2 more for each of 6 further ones.
        """
        x = silence(functional.silu(self.norm1(self.conv1(silence(x, mask)))), mask[:, ::2])
        x = silence(functional.silu(self.norm2(self.conv2(x))), mask[:, ::STRIDE])
        return at_least_float32(x.transpose(1, 2)), mask[:, ::STRIDE]

    def read(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor, list[Operands]]:
        """Return the pooled record (B, W), the pooling weights (B, L), and what each block scanned.

        Padded tokens weigh exactly 0; a record that is all padding has no weights, and NaN for logits.
        """
        tokens, recorded = self.tokens(x, recorded_samples(x, mask))
        keep = recorded[..., None].to(tokens.dtype)
        scanned = []
        for block in self.blocks:
            tokens, operands = block(tokens, keep)
            scanned.append(operands)
        tokens = self.norm(tokens)
        scores = self.score(torch.tanh(self.project(tokens))).squeeze(-1)  # (B, L)
        weights = recorded_softmax(scores, recorded)
        return torch.einsum("bl,blw->bw", weights, tokens), weights, scanned

    def forward(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return logits (B, C) of standardised samples x (B, 12, T); R peaks, age and sex are not used."""
        logits: Tensor = self.output(self.read(x, mask)[0])
        return logits

    def attend(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Return logits (B, C), and the pooling weights (B, L) for rhythm, what each block scanned for beat."""
        pooled, weights, scanned = self.read(x, mask)
        return self.output(pooled), {"beat": scanned, "rhythm": weights}

    def mixing(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[list[Tensor], Tensor]:
        """Return what one record's tokens take from each other in each block, (L, L), targets first, and the pooling.

        The matrices are `carried`, all >= 0, the first block's first; the pooling weights (L,) sum to 1.
        """
        _, weights, scanned = self.read(x, mask)
        return [carried(operands) for operands in scanned], weights[0]

    def place(
        self,
        weights: Mapping[str, Any],
        x: Tensor,
        *,
        fs: float,
        start_s: float,
        leads: tuple[str, ...],
        r_s: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> list[AttentionMap]:
        """Place the attention of one record on its seconds; see `Attentive.place`. It knows no leads.

        Beat is the column mass of the hidden attention (Ali et al., arXiv 2403.01590) with the gate (Zimerman et al.,
        arXiv 2405.16504): how much of each token the scans carry to all tokens, over the channels of all blocks. It
        leaves out the skip, which carries nothing elsewhere, and the convolution, which reaches 3 tokens. Rhythm
        is the pooling. The scans read from end to end, so a weight of either depends on the whole record. Tokens of the
        padding are left out.
        """
        n_samples = int(recorded_samples(x, mask).sum())
        spans = token_spans(n_samples, STRIDE, fs, start_s)
        values = {}
        if "beat" in weights:
            mass = torch.stack([carried(operands).sum(dim=0) for operands in weights["beat"]]).mean(dim=0).double()
            values["beat"] = mass[: len(spans)] / mass[: len(spans)].sum()
        if "rhythm" in weights:
            values["rhythm"] = weights["rhythm"][0, : len(spans)].double()
        return [
            AttentionMap(level, each.numpy(force=True)[None], spans, (), None, "1 over the tokens", n_samples / fs)
            for level, each in values.items()
        ]

    def even(self, level: str) -> None:
        """Make the pooling weigh all that is recorded alike; see `Attentive.even`."""
        nn.init.zeros_(self.score.weight)
