"""Lead-wise squeeze and excitation: one weight a lead, made from how the leads of this record look.

Squeeze and excitation is from Hu, Shen, Sun: "Squeeze-and-Excitation Networks", CVPR 2018, arXiv 1709.01507. Letters
used here:

    B records    L leads (12)    T samples    S statistics a lead (3)    H hidden (24)

Departures: it stands on the leads of the input, so that its gates are about leads and not about features; a lead is
squeezed to three numbers instead of its mean, which is near zero in any ECG.
"""

import torch
from torch import Tensor, nn

from ecgviz.nets.tokens import recorded_mean, token_spans
from ecgviz.types import AttentionMap

N_LEADS = 12
N_STATISTICS = 3
N_HIDDEN = 24
SUMS_TO = "no fixed value: each lead has a gate of its own between 0 and 1"
LEAST_VARIANCE = 1e-4
"""Added to the variance in squared standard deviations of the training data: a flat lead has a gradient too."""


class LeadGate(nn.Module):
    """Weigh the leads of a record by gates between 0 and 1, which depend on the signal and do not sum to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.excite = nn.Sequential(
            nn.Linear(N_LEADS * N_STATISTICS, N_HIDDEN), nn.ReLU(), nn.Linear(N_HIDDEN, N_LEADS), nn.Sigmoid()
        )

    def forward(self, x: Tensor, recorded: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gated leads (B, L, T) and the gates (B, L) of x (B, L, T); ``recorded`` (B, T) is True or False.

        Only recorded samples enter the squeeze.
        """
        gates = self.excite(squeeze(x, recorded).flatten(1))
        return x * gates[..., None], gates

    def even(self) -> None:
        """Give all leads of a record the mean of its gates from now on."""
        self.excite = nn.Sequential(self.excite, MeanOverLeads())


class MeanOverLeads(nn.Module):
    """Put the mean of gates (B, L) in the place of each."""

    def forward(self, gates: Tensor) -> Tensor:
        """Return (B, L)."""
        return gates.mean(dim=1, keepdim=True).expand_as(gates)


def squeeze(x: Tensor, recorded: Tensor) -> Tensor:
    """Return mean, standard deviation and mean absolute step between neighbours of each lead, (B, L, S)."""
    mean = recorded_mean(x, recorded)
    variance = recorded_mean((x - mean[..., None]).square(), recorded)
    step = recorded_mean(x.diff(dim=2).abs(), recorded[:, 1:] & recorded[:, :-1])
    return torch.stack([mean, (variance + LEAST_VARIANCE).sqrt(), step], dim=2)


def gate_map(gates: Tensor, n_samples: int, fs: float, start_s: float, leads: tuple[str, ...]) -> AttentionMap:
    """Return the gates (1, L) of one record of n samples as its channel map."""
    values = gates[0, :, None].double().numpy(force=True)
    whole = token_spans(n_samples, n_samples, fs, start_s)
    return AttentionMap("channel", values, whole, leads, None, SUMS_TO, n_samples / fs)
