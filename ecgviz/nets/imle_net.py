"""IMLE-Net: leads stay separate to the last layer, so that attention can be read at beat, rhythm and channel level.

Reddy, Talwar, Alle, Bapi: "IMLE-Net: An Interpretable Multi-level Multi-channel Model for ECG Classification",
IEEE SMC 2021, arXiv 2204.05116. Letters used here:

    B records    L leads (12)    T samples (1000 at 100 Hz)    W windows a lead (20)    S samples a window (50)
    J tokens a window (13)    F features (128 at full width)    C labels

Each lead is cut into W windows of half a second, which are *not* heart beats; one encoder, shared by all windows
of all leads, turns a window into F numbers. One BiLSTM, shared by leads, reads the W windows; three additive
attentions pool over J, W and L.

Departures from the published layers: two LSTM biases a direction (PyTorch) instead of one (Keras), which makes 747,237
parameters instead of 746,725; logits are returned, the sigmoid is the caller's; batch statistics follow ten times
faster (momentum 0.1), for training sets of hundreds of records; ``width`` scales every feature size.
"""

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgviz.types import AttentionMap

N_LEADS = 12
WINDOW_SAMPLES = 50
N_WINDOWS = 20
KERNEL = 8


def pad_same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Pad the last axis so that a convolution yields ceil(length / stride) samples, the odd one to the right.

    With an even kernel this is asymmetric (3 left, 4 right for kernel 8 at stride 1), which ``padding=`` of a PyTorch
    convolution cannot do.
    """
    length = x.shape[-1]
    total = max((math.ceil(length / stride) - 1) * stride + kernel - length, 0)
    return functional.pad(x, (total // 2, total - total // 2))


class ResidualBlock(nn.Module):
    """conv - ReLU - BN - conv - add - ReLU - BN; note that ReLU comes before the batch normalisation."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1 = nn.Conv1d(n_in, n_out, KERNEL, stride)
        self.norm1 = nn.BatchNorm1d(n_out, eps=1e-3)
        self.conv2 = nn.Conv1d(n_out, n_out, KERNEL)
        self.norm2 = nn.BatchNorm1d(n_out, eps=1e-3)
        self.skip = nn.Conv1d(n_in, n_out, 1, stride) if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, n_in, s) to (n, n_out, ceil(s / stride))."""
        y = self.norm1(functional.relu(self.conv1(pad_same(x, KERNEL, self.stride))))
        y = self.conv2(pad_same(y, KERNEL, 1)) + (x if self.skip is None else self.skip(x))
        return self.norm2(functional.relu(y))


class AdditiveAttention(nn.Module):
    """score_t = v . tanh(W x_t + b_t): the bias has one row a position, so each level can prefer places by itself."""

    def __init__(self, n_features: int, n_hidden: int, n_positions: int) -> None:
        super().__init__()
        self.project = nn.Linear(n_features, n_hidden, bias=False)
        self.bias = nn.Parameter(torch.zeros(n_positions, n_hidden))
        self.score = nn.Linear(n_hidden, 1, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Pool (n, t, f) over t; return the sum (n, f) and the weights (n, t), which sum to 1."""
        weights = torch.softmax(self.score(torch.tanh(self.project(x) + self.bias)).squeeze(-1), dim=-1)
        return torch.einsum("nt,ntf->nf", weights, x), weights


class IMLENet(nn.Module):
    """The network; input (B, 12, 1000) standardised samples at 100 Hz, output (B, C) logits.

    Parameters
    ----------
    n_labels : int
    width : float
        1.0 is the published size; 0.5 halves every feature size.
    """

    levels = ("beat", "rhythm", "channel", "joint")
    exposes: Mapping[str, str] = {
        "beat": "additive attention over 13 tokens of each half-second window of each lead (windows are not beats)",
        "rhythm": "additive attention over the 20 half-second windows of each lead",
        "channel": "additive attention over the 12 leads",
    }
    needs: tuple[str, ...] = ()
    pads = False

    def __init__(self, n_labels: int, width: float = 1.0) -> None:
        super().__init__()
        c = round(32 * width)
        hidden = round(64 * width)
        self.stem = nn.Conv1d(1, c, KERNEL)
        sizes = [(c, c, 1), (c, c, 1), (c, 2 * c, 2), (2 * c, 2 * c, 1), (2 * c, 4 * c, 2), (4 * c, 4 * c, 1)]
        self.blocks = nn.Sequential(*(ResidualBlock(*size) for size in sizes))
        n_tokens = math.ceil(math.ceil(WINDOW_SAMPLES / 2) / 2)
        self.beat_attention = AdditiveAttention(4 * c, hidden, n_tokens)
        self.rhythm = nn.LSTM(4 * c, hidden, batch_first=True, bidirectional=True)
        self.rhythm_attention = AdditiveAttention(2 * hidden, hidden, N_WINDOWS)
        self.channel_attention = AdditiveAttention(2 * hidden, hidden, N_LEADS)
        self.output = nn.Linear(2 * hidden, n_labels)
        self._initialise()

    def _initialise(self) -> None:
        # Keras' defaults, which the published weights were trained from
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias) if module.bias is not None else None
            elif isinstance(module, AdditiveAttention):
                nn.init.normal_(module.project.weight, std=0.05)
                nn.init.normal_(module.score.weight, std=0.05)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        for name, parameter in self.rhythm.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(parameter)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(parameter)
            else:
                nn.init.zeros_(parameter)
                if name.startswith("bias_ih"):
                    n = parameter.shape[0] // 4
                    nn.init.ones_(parameter[n : 2 * n])  # forget gate

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode every window alone: (B, L, T) to embeddings (B, L, W, F) and beat attention (B, L, W, J)."""
        n = x.shape[0]
        windows = x.reshape(n * N_LEADS * N_WINDOWS, 1, WINDOW_SAMPLES)
        features = self.blocks(functional.relu(self.stem(pad_same(windows, KERNEL, 1))))  # (BLW, F, J)
        pooled, weights = self.beat_attention(features.transpose(1, 2))
        return pooled.reshape(n, N_LEADS, N_WINDOWS, -1), weights.reshape(n, N_LEADS, N_WINDOWS, -1)

    def read(self, embeddings: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read embeddings (B, L, W, F): LSTM states (B, L, W, F), rhythm (B, L, W) and channel attention (B, L)."""
        n = embeddings.shape[0]
        states, _ = self.rhythm(embeddings.reshape(n * N_LEADS, N_WINDOWS, -1))
        by_lead, rhythm = self.rhythm_attention(states)
        _, channel = self.channel_attention(by_lead.reshape(n, N_LEADS, -1))
        return states.reshape(n, N_LEADS, N_WINDOWS, -1), rhythm.reshape(n, N_LEADS, N_WINDOWS), channel

    def head(self, embeddings: Tensor) -> Tensor:
        """Classify embeddings (B, L, W, F): logits (B, C); ``head(encode(x)[0])`` is the network."""
        states, rhythm, channel = self.read(embeddings)
        return self.output(torch.einsum("bl,blw,blwf->bf", channel, rhythm, states))

    def forward(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return logits (B, C) of standardised samples x (B, 12, 1000); R peaks, age and sex are not used."""
        return self.head(self.encode(x)[0])

    def decompose(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Split each logit exactly into a bias (C,) and contributions (B, C, L, W) of lead and window.

        The pooling is linear in the LSTM states given the attention, so
        logit_k = b_k + sum_lw c[l] r[l,w] (u_k . state[l,w]).
        Exact is not causal: a state has read the whole lead, and the attention depends on the input too.
        """
        states, rhythm, channel = self.read(self.encode(x)[0])
        return self.output.bias, torch.einsum("bl,blw,blwf,cf->bclw", channel, rhythm, states, self.output.weight)

    def taps(
        self,
        x: Tensor,
        *,
        fs: float,
        start_s: float,
        leads: tuple[str, ...],
        r_s: Tensor | None = None,
        meta: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> list[AttentionMap]:
        """Read the attention of one record x (1, 12, 1000) at its levels, times from the record's start.

        The joint map is channel x rhythm x beat weight; it sums to 1 over everything. Each map is the same for every
        label.
        """
        with torch.inference_mode():
            embeddings, beat_weights = self.encode(x)
            _, rhythm_weights, channel_weights = self.read(embeddings)
        beat = beat_weights[0].double().numpy(force=True)  # (L, W, J)
        rhythm = rhythm_weights[0].double().numpy(force=True)  # (L, W)
        channel = channel_weights[0].double().numpy(force=True)  # (L,)
        joint = channel[:, None, None] * rhythm[:, :, None] * beat
        tokens, windows = token_spans(fs, start_s), window_spans(fs, start_s)
        window_s, record_s = WINDOW_SAMPLES / fs, N_WINDOWS * WINDOW_SAMPLES / fs
        whole = np.array([[windows[0, 0], windows[-1, 1]]])

        def tap(level: str, values: np.ndarray, spans: np.ndarray, sums_to: str, field_s: float) -> AttentionMap:
            return AttentionMap(level, values.reshape(N_LEADS, -1), spans, leads, None, sums_to, field_s)

        return [
            tap("beat", beat, tokens, "1 in each window of each lead", window_s),
            tap("rhythm", rhythm, windows, "1 over the windows of each lead", record_s),
            tap("channel", channel, whole, "1 over the leads", record_s),
            tap("joint", joint, tokens, "1 over all leads and tokens", record_s),
        ]


def window_spans(fs: float, start_s: float) -> np.ndarray:
    """Start and end of each window in seconds, shape (W, 2); a sample reaches half a sample to either side."""
    edges = start_s + (np.arange(N_WINDOWS + 1) * WINDOW_SAMPLES - 0.5) / fs
    return np.array(list(pairwise(edges)))


def token_spans(fs: float, start_s: float) -> np.ndarray:
    """Start and end of each beat token in seconds, shape (W * J, 2).

    Token j stands near sample 4 j of its window (two strides of 2); it gets the samples nearest to it, so that
    the tokens of a window tile its 50 samples.
    """
    n_tokens = math.ceil(math.ceil(WINDOW_SAMPLES / 2) / 2)
    inner = 4 * np.arange(1, n_tokens) - 2
    edges = np.concatenate([[0], inner, [WINDOW_SAMPLES]])
    starts = (np.arange(N_WINDOWS)[:, None] * WINDOW_SAMPLES + edges[:-1]).ravel()
    ends = (np.arange(N_WINDOWS)[:, None] * WINDOW_SAMPLES + edges[1:]).ravel()
    return start_s + (np.stack([starts, ends], axis=1) - 0.5) / fs
