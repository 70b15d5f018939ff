"""Networks, beats and models whose answers are known by hand."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from ecgviz.checkpoint import Model
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import AttentionMap, Beats, InputSpec, Record

LEADS = STANDARD_LEADS
SPEC = InputSpec(LEADS, fs=100.0, duration_s=10.0, mean_mv=0.0, std_mv=0.25)


def even_beats(
    n: int, *, duration_s: float = 10.0, rr_s: float = 1.0, qrs_s: float = 0.1, without_p: Iterable[int] = ()
) -> Beats:
    """Beats one RR apart: P 100 ms, PR 60 ms, QRS, ST 100 ms, T 200 ms; marks lie between samples of 100 Hz."""
    p_on = 0.105 + rr_s * np.arange(n)
    qrs_on = p_on + 0.16
    qrs_off = qrs_on + qrs_s
    p_on_found, p_off = p_on.copy(), p_on + 0.1
    for b in without_p:
        p_on_found[b] = p_off[b] = np.nan
    return Beats(
        r_s=qrs_on + qrs_s / 2,
        p_on=p_on_found,
        p_off=p_off,
        qrs_on=qrs_on,
        qrs_off=qrs_off,
        t_on=qrs_off + 0.1,
        t_off=qrs_off + 0.3,
        kind=("normal",) * n,
        duration_s=duration_s,
        leads=LEADS,
    )


def no_beats(duration_s: float = 10.0) -> Beats:
    """No beat was found."""
    none = np.empty(0)
    return Beats(none, none, none, none, none, none, none, (), duration_s, LEADS, reason="no QRS complex")


def noise_record(seed: int = 0, *, fs: float = 100.0, duration_s: float = 10.0) -> Record:
    """Twelve leads of independent noise, 0.3 mV."""
    rng = np.random.default_rng(seed)
    return Record(0.3 * rng.normal(size=(12, round(fs * duration_s))), fs, LEADS, id=f"noise {seed}")


class Linear(nn.Module):
    """logit_k = sum over leads and samples of w_k x, plus b_k: every exact method must return w_k x."""

    levels = ()

    def __init__(self, weight: np.ndarray, bias: Iterable[float] = (0.0,)) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight, dtype=torch.float32))  # (C, L, T)
        self.bias = nn.Parameter(torch.tensor(tuple(bias), dtype=torch.float32))

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return torch.einsum("blt,clt->bc", x, self.weight) + self.bias


class Bent(Linear):
    """tanh of a linear network: the gradient saturates, the path integral does not."""

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return 3 * torch.tanh(super().forward(x))


class Step(nn.Module):
    """A kink so sharp that no number of steps integrates it: completeness must be reported as missed."""

    levels = ()

    def __init__(self, at: float) -> None:
        super().__init__()
        self.at = at

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return torch.tanh(1e9 * (x.mean(dim=(1, 2), keepdim=True)[..., 0] - self.at))


class Crossed(Linear):
    """A rise soon after the start of the path that lead I makes, and a fall as large a little later, by lead II.

    On first panels of one width: what Simpson's rule misses in the one it has too much in the other.
    """

    def __init__(self, x, steepness: float) -> None:
        weight = np.zeros((2, 12, 1000))
        for lead in range(2):
            weight[lead, lead] = x[lead] / (x[lead] ** 2).sum()  # each lead adds up to its place on the path from 0
        super().__init__(weight)
        self.steepness = steepness

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        one, two = super().forward(x).T
        step = torch.tanh(self.steepness * (one - 0.06)) - torch.tanh(self.steepness * (two - 0.185))
        return step[:, None]


class Deaf(nn.Module):
    """A logit that reads its input through nothing that has a gradient."""

    levels = ()

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return (x.detach().sum(dim=(1, 2))[:, None] > 0).float()


class Breaks(nn.Module):
    """Fails half way, as a network out of memory does."""

    levels = ()

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        raise MemoryError("no more memory")


class Small(nn.Module):
    """A small real network: convolution, batch normalisation, dropout, pooling; two labels."""

    levels = ()

    def __init__(self, n_labels: int, width: int = 8) -> None:
        super().__init__()
        self.conv = nn.Conv1d(12, width, 7, padding=3)
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(0.5)
        self.output = nn.Linear(width, n_labels)

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return self.output(self.dropout(torch.nn.functional.silu(self.norm(self.conv(x))).mean(dim=2)))


class Pooled(nn.Module):
    """Attention that is known by hand: lead 1 holds half of the channel mass, 20 windows, 4 tokens a window."""

    levels = ("beat", "rhythm", "channel", "joint")

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        bias, parts = self.decompose(x)
        return bias + parts.sum(dim=(2, 3))

    def decompose(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> tuple[Tensor, Tensor]:
        """Return contributions that are the window means, label 1 with the opposite sign."""
        means = x.reshape(x.shape[0], 12, 20, -1).mean(dim=3)
        return torch.tensor([0.5, -0.5]), torch.stack([means, -means], dim=1)

    def spans(self, x: Tensor, *, fs, start_s, r_s=None, meta=None, mask=None) -> np.ndarray:
        edges = start_s + (np.arange(21) * 50 - 0.5) / fs
        return np.stack([edges[:-1], edges[1:]], 1)

    def taps(self, x: Tensor, *, fs, start_s, leads, r_s=None, meta=None, mask=None) -> list[AttentionMap]:
        channel = np.full(12, 0.5 / 11)
        channel[1] = 0.5
        rhythm = np.tile(np.arange(1.0, 21.0) / 210, (12, 1))
        beat = np.tile([0.1, 0.2, 0.3, 0.4], (12, 20))
        joint = channel[:, None] * np.repeat(rhythm, 4, axis=1) * beat
        edges = start_s + (np.arange(81) * 12.5 - 0.5) / fs
        tokens, windows = np.stack([edges[:-1], edges[1:]], 1), np.stack([edges[:-4:4], edges[4::4]], 1)
        whole = np.array([[edges[0], edges[-1]]])
        return [
            AttentionMap("beat", beat, tokens, leads, None, "1 in each window", 0.5),
            AttentionMap("rhythm", rhythm, windows, leads, None, "1 over the windows of each lead", 10.0),
            AttentionMap("channel", channel[:, None], whole, leads, None, "1 over the leads", 10.0),
            AttentionMap("joint", joint, tokens, leads, None, "1 over all", 10.0),
        ]


def toy_model(
    net: nn.Module,
    *,
    labels: tuple[str, ...] = ("MI",),
    spec: InputSpec = SPEC,
    net_name: str = "toy",
    **config: object,
) -> Model:
    """Wrap a network as a trained model; thresholds are all 0.5."""
    digests = {"digest": f"digest of {net_name}", "weights_sha256": f"weights of {net_name}"}
    return Model(net.eval(), net_name, config, "toy", "1", spec, labels, (0.5,) * len(labels), **digests)
