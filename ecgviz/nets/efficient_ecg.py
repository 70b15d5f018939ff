"""EfficientECG: mobile convolutions make tokens of 160 ms, and the patient's age and sex ask them questions.

Deng, Li, Luo, Wu et al.: "EfficientECG", arXiv 2512.03804; its stages are those of EfficientNet-B0 (Tan, Le, ICML
2019, arXiv 1905.11946). Letters used here:

    B records    L leads (12)    T samples (1000 at 100 Hz)    N tokens (T / 16, rounded up: 63)
    F features of a place    Q queries (age, sex)    D features of a query (128)    H heads (4)    C labels

Departures: our design after the abstract; the paper's scores do not apply. Its sizes, its hand-made features of R and
P waves and its LSTM auto-encoder are left out or not known, as is who asks whom. Here age and sex are the queries, the
ECG tokens keys and values, without learnt positions, so a record may have any length. Of B0, all is one-dimensional
(kernel 3 became 7, 5 became 11), half as wide, and the total stride is 16 instead of 32: tokens of 320 ms would be too
coarse for waves; batch statistics follow with momentum 0.1. The leads are weighed first (`LeadGate`), for otherwise
the network would tell nothing about leads.

Padding is silent: every convolution over time finds zeros there, no mean counts it, attention gives it no mass.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ecgviz.nets.attentive import Attentive
from ecgviz.nets.lead_gate import N_LEADS, LeadGate, gate_map
from ecgviz.nets.tokens import recorded_mean, recorded_samples, recorded_softmax, silence, token_spans
from ecgviz.types import AttentionMap

STEM_CHANNELS, HEAD_CHANNELS = 32, 512
PLAN = (
    (1, 7, 1, 16, 1),
    (6, 7, 2, 24, 2),
    (6, 11, 2, 40, 2),
    (6, 7, 2, 80, 3),
    (6, 11, 1, 112, 3),
    (6, 11, 1, 192, 4),
    (6, 7, 1, 320, 1),
)
"""The stages at full width: expansion, kernel, stride of the first block, channels, blocks."""
STRIDE = 16
"""Samples from one token to the next."""
N_QUERY_FEATURES, N_HEADS = 128, 4
OLDEST_YEARS = 90.0
"""PTB-XL writes 300 for every age above 89."""
MIDDLE_YEARS, SPREAD_YEARS = 60.0, 20.0
"""Round numbers near mean and standard deviation of age in PTB-XL."""
FORGOTTEN = 0.2
"""Share of ages, and of sexes, that are hidden in training, so that the network works without them."""


class SqueezeExcite(nn.Module):
    """Gate features by what they are on average over the record."""

    def __init__(self, n_features: int, n_squeezed: int) -> None:
        super().__init__()
        self.excite = nn.Sequential(
            nn.Linear(n_features, n_squeezed), nn.SiLU(), nn.Linear(n_squeezed, n_features), nn.Sigmoid()
        )

    def forward(self, x: Tensor, recorded: Tensor) -> Tensor:
        """Map x (B, F, N) to the same shape."""
        return x * self.excite(recorded_mean(x, recorded))[..., None]


class MBConv(nn.Module):
    """Expand, convolve each feature over time, squeeze and excite, project; a residual where shapes allow.

    In training the branch beside a residual is left out for a share ``drop`` of records (stochastic depth).
    """

    def __init__(self, n_in: int, n_out: int, expansion: int, kernel: int, stride: int, drop: float) -> None:
        super().__init__()
        n = n_in * expansion
        self.stride, self.drop, self.residual = stride, drop, stride == 1 and n_in == n_out
        self.expand = unit(n_in, n, 1) if expansion > 1 else nn.Identity()
        self.depthwise = unit(n, n, kernel, stride, groups=n)
        self.squeeze_excite = SqueezeExcite(n, max(n_in // 4, 1))
        self.project = nn.Sequential(nn.Conv1d(n, n_out, 1, bias=False), nn.BatchNorm1d(n_out))

    def forward(self, x: Tensor, recorded: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (B, n_in, n) to (B, n_out, ceil(n / stride)); ``recorded`` (B, n) comes back at the new stride."""
        after = recorded[:, :: self.stride]
        y = self.depthwise(silence(self.expand(x), recorded))
        y = silence(self.project(self.squeeze_excite(y, after)), after)
        if not self.residual:
            return y, after
        if self.training:
            kept = torch.rand(x.shape[0], 1, 1, device=x.device) >= self.drop
            y = y * kept / (1 - self.drop)
        return x + y, after


def unit(n_in: int, n_out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Return a convolution that is centred on every ``stride``-th place, batch normalisation and SiLU."""
    convolution = nn.Conv1d(n_in, n_out, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm1d(n_out), nn.SiLU())


def scaled(channels: int, width: float) -> int:
    """Return a number of channels times ``width``, to the nearest multiple of 8 that is not a tenth below it."""
    wanted = channels * width
    nearest = max(8, int(wanted + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * wanted else nearest + 8


class Patient(nn.Module):
    """Age and sex as two queries; each has a learnt vector that stands for "unknown"."""

    def __init__(self) -> None:
        super().__init__()
        half = N_QUERY_FEATURES // 2
        self.age = nn.Sequential(nn.Linear(1, half), nn.SiLU(), nn.Linear(half, N_QUERY_FEATURES))
        self.sex = nn.Embedding(2, N_QUERY_FEATURES)
        self.unknown = nn.Parameter(torch.randn(2, N_QUERY_FEATURES))

    def forward(self, meta: Tensor | None, n_records: int) -> Tensor:
        """Return queries (B, Q, D) of age in years and sex (B, 2), NaN where unknown; None knows neither."""
        unknown = self.unknown.expand(n_records, -1, -1)
        if meta is None:
            return unknown
        known = ~meta.isnan()
        if self.training:
            known = known & (torch.rand(known.shape, device=known.device) >= FORGOTTEN)
        age_years, sex = meta.nan_to_num().unbind(dim=1)
        age = self.age((age_years.clamp(max=OLDEST_YEARS)[:, None] - MIDDLE_YEARS) / SPREAD_YEARS)
        return torch.where(known[..., None], torch.stack([age, self.sex(sex.long())], dim=1), unknown)


class CrossAttention(nn.Module):
    """Queries look at tokens: multi-head attention with a residual, then a small MLP with another, both pre-norm."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        d = N_QUERY_FEATURES
        self.query_norm, self.token_norm, self.mlp_norm = nn.LayerNorm(d), nn.LayerNorm(n_features), nn.LayerNorm(d)
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(n_features, d, bias=False)  # softmax would not see a bias: it is the same for all tokens
        self.value = nn.Linear(n_features, d)
        self.leave = nn.Linear(d, d)
        self.mlp = nn.Sequential(nn.Linear(d, 2 * d), nn.SiLU(), nn.Linear(2 * d, d))

    def forward(self, queries: Tensor, tokens: Tensor, recorded: Tensor) -> tuple[Tensor, Tensor]:
        """Return answers (B, Q, D) and weights (B, H, Q, N), which sum to 1 over recorded (B, N) tokens (B, N, F)."""
        tokens = self.token_norm(tokens)
        q, k, v = (
            projected.unflatten(2, (N_HEADS, -1)).transpose(1, 2)  # (B, H, Q or N, D / H)
            for projected in (self.query(self.query_norm(queries)), self.key(tokens), self.value(tokens))
        )
        scores = q @ k.transpose(2, 3) / q.shape[-1] ** 0.5
        weights = recorded_softmax(scores, recorded[:, None, None])
        queries = queries + self.leave((weights @ v.to(weights.dtype)).transpose(1, 2).flatten(2))
        return queries + self.mlp(self.mlp_norm(queries)), weights


class Reading(NamedTuple):
    """One pass of the network: logits (B, C), attention (B, H, Q, N), lead gates (B, L)."""

    logits: Tensor
    attention: Tensor
    leads: Tensor


class EfficientECG(Attentive):
    """The network; input (B, 12, T) standardised samples at 100 Hz and, where known, age and sex; output (B, C) logits.

    Parameters
    ----------
    n_labels : int
    width : float
        1.0 has the channels of EfficientNet-B0.
    dropout : float
        Share of the pooled features that is dropped in training.
    drop_path : float
        Share of records that skip the last residual branch in training; earlier ones skip less, in proportion.
    """

    levels = ("rhythm", "channel", "age", "sex")
    pools = ("rhythm", "channel")
    exposes: Mapping[str, str] = {
        "beat": "none of its own: tokens of 160 ms (at 100 Hz) are too coarse for waves; all leads share one attention",
        "rhythm": "where age and sex look: the mean of their cross-attention over tokens of 160 ms, all leads together",
        "channel": "squeeze-and-excitation gates on the 12 leads of the input",
    }
    needs: tuple[str, ...] = ()
    pads = True
    cam_layer, cam_stride = "head", STRIDE

    def __init__(self, n_labels: int, width: float = 0.5, dropout: float = 0.2, drop_path: float = 0.2) -> None:
        super().__init__()
        self.lead_gate = LeadGate()
        n_in = scaled(STEM_CHANNELS, width)
        self.stem = unit(N_LEADS, n_in, 7, 2)
        self.blocks = nn.ModuleList()
        n_blocks = sum(repeats for *_, repeats in PLAN)
        for expansion, kernel, stride, channels, repeats in PLAN:
            for repeat in range(repeats):
                n_out, drop = scaled(channels, width), drop_path * (len(self.blocks) + 1) / n_blocks
                self.blocks.append(MBConv(n_in, n_out, expansion, kernel, 1 if repeat else stride, drop))
                n_in = n_out
        n_features = scaled(HEAD_CHANNELS, width)
        self.head = unit(n_in, n_features, 1)
        self.patient = Patient()
        self.attention = CrossAttention(n_features)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(n_features + 2 * N_QUERY_FEATURES, n_labels)

    def read(self, x: Tensor, meta: Tensor | None = None, mask: Tensor | None = None) -> Reading:
        """Read samples x (B, 12, T) with age and sex (B, 2); each record has at least one recorded sample."""
        recorded = recorded_samples(x, mask)
        h, gates = self.lead_gate(silence(x, recorded), recorded)
        recorded = recorded[:, ::2]
        h = silence(self.stem(h), recorded)
        for block in self.blocks:
            h, recorded = block(h, recorded)
        h = self.head(h)  # (B, F, N)
        answers, weights = self.attention(self.patient(meta, x.shape[0]), h.transpose(1, 2), recorded)
        features = torch.cat([recorded_mean(h, recorded), answers.flatten(1)], dim=1)
        return Reading(self.output(self.dropout(features)), weights, gates)

    def forward(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return logits (B, C) of standardised samples x (B, 12, T), age and sex (B, 2); R peaks are not used."""
        return self.read(x, meta, mask).logits

    def attend(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Return logits (B, C) and the weights: rhythm (B, H, Q, N) of age and sex, channel (B, L)."""
        reading = self.read(x, meta, mask)
        return reading.logits, {"rhythm": reading.attention, "channel": reading.leads}

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

        The maps of age and sex come with the rhythm map, which is their mean. Tokens of the padding are left out.
        """
        n_samples = x.shape[2] if mask is None else int(mask.sum())
        maps = []
        if "channel" in weights:
            maps.append(gate_map(weights["channel"], n_samples, fs, start_s, leads))
        if "rhythm" in weights:
            spans = token_spans(n_samples, STRIDE, fs, start_s)
            by_query = weights["rhythm"].mean(dim=1)[0, :, None, : len(spans)]
            age, sex = by_query.double().numpy(force=True)
            maps += [
                AttentionMap(level, values, spans, (), None, "1 over the tokens", n_samples / fs)
                for level, values in {"rhythm": (age + sex) / 2, "age": age, "sex": sex}.items()
            ]
        return maps

    def even(self, level: str) -> None:
        """Make a level weigh all that is recorded alike; see `Attentive.even`. Over time, for age and sex both."""
        if level == "channel":
            self.lead_gate.even()
        else:
            nn.init.zeros_(self.attention.key.weight)
