"""ResLSTM-TemporalSE: LSTM layers with residual paths, each followed by squeeze and excitation attending over time.

"ResLSTM-TemporalSE", a Chinese journal article on CPSC2018 from a hospital of Southern Medical University, known to us
by its abstract. Squeeze and excitation: Hu, Shen, Sun, CVPR 2018, arXiv 1709.01507. Letters used here:

    B records    L leads (12)    T samples (1000 at 100 Hz)    N tokens (T / 4, rounded up: 250)
    F features of a token (128)    C labels

Departures: our design after the abstract; the paper's scores do not apply. Its layers, sizes and rates are not known.
Ours weighs the leads first (`LeadGate`), for otherwise it would tell nothing about leads; two convolutions make tokens
of 40 ms, because an LSTM over 1000 samples is slow and hard to train; the LSTM layers read in both directions, with
layer normalisation before them; what is classified is the mean over time under the last layer's attention.

Padding is silent: convolutions find zeros there, the LSTM layers, backwards too, begin at the record's own end, and
attention gives it no mass.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ecgviz.nets.attentive import Attentive
from ecgviz.nets.lead_gate import N_LEADS, LeadGate, gate_map
from ecgviz.nets.tokens import recorded_samples, recorded_softmax, silence, token_spans
from ecgviz.types import AttentionMap

STRIDE = 4
"""Samples from one token to the next."""
REDUCTION = 8


class TemporalSE(nn.Module):
    """Squeeze by attention over time, then gate the features.

    e_t = v . tanh(W y_t + b), a = softmax(e), z = sum_t a_t y_t, gate = sigmoid(W2 relu(W1 z)).
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.project = nn.Linear(n_features, n_features // 2)
        self.score = nn.Linear(n_features // 2, 1, bias=False)
        self.excite = nn.Sequential(
            nn.Linear(n_features, n_features // REDUCTION),
            nn.ReLU(),
            nn.Linear(n_features // REDUCTION, n_features),
            nn.Sigmoid(),
        )

    def forward(self, y: Tensor, recorded: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gated tokens (B, N, F) and the weights over time (B, N), which sum to 1, of y (B, N, F)."""
        weights = recorded_softmax(self.score(torch.tanh(self.project(y))).squeeze(-1), recorded)
        squeezed = (weights[..., None] * y).sum(dim=1)
        return y * self.excite(squeezed)[:, None], weights


class ResidualLSTM(nn.Module):
    """y = x + dropout(LSTM(norm(x))), both directions, then `TemporalSE`."""

    def __init__(self, n_features: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(n_features)
        self.lstm = nn.LSTM(n_features, n_features // 2, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.temporal_se = TemporalSE(n_features)

    def forward(self, x: Tensor, recorded: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return tokens (B, N, F) and weights over time (B, N) of x (B, N, F), recorded (B, N).

        ``lengths`` (B,) are the recorded tokens, on the CPU; None when no record is padded.
        """
        y = self.norm(x)
        if lengths is None:
            y, _ = self.lstm(y)
        else:
            packed, _ = self.lstm(pack_padded_sequence(y, lengths, batch_first=True, enforce_sorted=False))
            y, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
        gated, weights = self.temporal_se(x + self.dropout(y), recorded)
        return gated, weights


class Reading(NamedTuple):
    """One pass of the network: logits (B, C), the last attention over time (B, N), lead gates (B, L)."""

    logits: Tensor
    time: Tensor
    leads: Tensor


class ResLSTM(Attentive):
    """The network; input (B, 12, T) standardised samples at 100 Hz, output (B, C) logits.

    Parameters
    ----------
    n_labels : int
    n_features : int
        Features of a token, F; a multiple of 8.
    n_layers : int
        LSTM layers.
    dropout : float
        Share of a layer's output, and of the pooled features, that is dropped in training.
    """

    levels = ("rhythm", "channel")
    pools = ("rhythm", "channel")
    exposes: Mapping[str, str] = {
        "beat": "none of its own: tokens of 40 ms (at 100 Hz) read the whole record; all leads share one attention",
        "rhythm": "the last layer's softmax attention over tokens of 40 ms, all leads together",
        "channel": "squeeze-and-excitation gates on the 12 leads of the input",
    }
    needs: tuple[str, ...] = ()
    pads = True

    def __init__(self, n_labels: int, n_features: int = 128, n_layers: int = 3, dropout: float = 0.2) -> None:
        super().__init__()
        self.lead_gate = LeadGate()
        self.conv1 = nn.Conv1d(N_LEADS, n_features // 2, 7, 2, padding=3, bias=False)
        self.norm1 = nn.BatchNorm1d(n_features // 2)
        self.conv2 = nn.Conv1d(n_features // 2, n_features, 7, 2, padding=3, bias=False)
        self.norm2 = nn.BatchNorm1d(n_features)
        self.layers = nn.ModuleList(ResidualLSTM(n_features, dropout) for _ in range(n_layers))
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(n_features, n_labels)

    def read(self, x: Tensor, mask: Tensor | None = None) -> Reading:
        """Read samples x (B, 12, T); recorded samples come first, and each record has at least one."""
        recorded = recorded_samples(x, mask)
        gated, gates = self.lead_gate(silence(x, recorded), recorded)
        h = silence(torch.relu(self.norm1(self.conv1(gated))), recorded[:, ::2])
        recorded = recorded[:, ::STRIDE]
        y = silence(torch.relu(self.norm2(self.conv2(h))), recorded).transpose(1, 2)  # (B, N, F)
        lengths = None if mask is None or bool(recorded.all()) else recorded.sum(dim=1).cpu()
        for layer in self.layers:
            y, weights = layer(y, recorded, lengths)
        pooled = (weights[..., None] * y).sum(dim=1)
        return Reading(self.output(self.dropout(pooled)), weights, gates)

    def forward(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return logits (B, C) of standardised samples x (B, 12, T); R peaks, age and sex are not used."""
        return self.read(x, mask).logits

    def attend(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Return logits (B, C) and the weights: rhythm (B, N), channel (B, L)."""
        reading = self.read(x, mask)
        return reading.logits, {"rhythm": reading.time, "channel": reading.leads}

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
        """Place weights of one record on its leads and seconds; see `Attentive.place`.

        Tokens of the padding are left out.
        """
        n_samples = x.shape[2] if mask is None else int(mask.sum())
        maps = []
        if "rhythm" in weights:
            spans = token_spans(n_samples, STRIDE, fs, start_s)
            time = weights["rhythm"][:, : len(spans)].double().numpy(force=True)
            maps.append(AttentionMap("rhythm", time, spans, (), None, "1 over the tokens", n_samples / fs))
        if "channel" in weights:
            maps.append(gate_map(weights["channel"], n_samples, fs, start_s, leads))
        return maps

    def even(self, level: str) -> None:
        """Make a level weigh all that is recorded alike; see `Attentive.even`. Over time, in the last layer only."""
        if level == "channel":
            self.lead_gate.even()
        else:
            nn.init.zeros_(self.get_parameter(f"layers.{len(self.layers) - 1}.temporal_se.score.weight"))
