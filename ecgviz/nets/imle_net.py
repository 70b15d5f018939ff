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
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ecgviz.nets.attentive import Attentive
from ecgviz.nets.imle_encoder import tokens_of
from ecgviz.nets.imle_parts import AdditiveAttention, Convolution, initialise, joined, residual_stack
from ecgviz.types import AttentionMap

N_LEADS = 12
WINDOW_SAMPLES = 50
N_WINDOWS = 20
KERNEL = 8


class IMLENet(Attentive):
    """The network; input (B, 12, 1000) standardised samples at 100 Hz, output (B, C) logits.

    Parameters
    ----------
    n_labels : int
    width : float
        1.0 is the published size; 0.5 halves every feature size.
    """

    levels = ("beat", "rhythm", "channel", "joint")
    pools = ("beat", "rhythm", "channel")
    exposes: Mapping[str, str] = {
        "beat": "additive attention over 13 tokens of each half second (at 100 Hz) of each lead: windows, not beats",
        "rhythm": "additive attention over the 20 half-second windows of each lead",
        "channel": "additive attention over the 12 leads",
    }
    needs: tuple[str, ...] = ()
    pads = False
    cam_layer = "beat_attention"

    def __init__(self, n_labels: int, width: float = 1.0) -> None:
        super().__init__()
        c = round(32 * width)
        hidden = round(64 * width)
        self.stem = Convolution(1, c, KERNEL)
        self.blocks = residual_stack(c, KERNEL)
        n_tokens = math.ceil(math.ceil(WINDOW_SAMPLES / 2) / 2)
        self.beat_attention = AdditiveAttention(4 * c, hidden, n_tokens)
        self.rhythm = nn.LSTM(4 * c, hidden, batch_first=True, bidirectional=True)
        self.rhythm_attention = AdditiveAttention(2 * hidden, hidden, N_WINDOWS)
        self.channel_attention = AdditiveAttention(2 * hidden, hidden, N_LEADS)
        self.output = nn.Linear(2 * hidden, n_labels)
        initialise(self, self.rhythm, self.output)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode every window alone: (B, L, T) to embeddings (B, L, W, F) and beat attention (B, L, W, J)."""
        tokens = tokens_of(self.stem, self.blocks, x.reshape(-1, WINDOW_SAMPLES))
        pooled, weights = self.beat_attention(tokens.unflatten(0, (x.shape[0], N_LEADS, N_WINDOWS)))
        return pooled, weights

    def encode_windows(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Encode windows (N, S), of whichever lead and time: embeddings (N, F) and beat attention (N, J)."""
        pooled, weights = self.beat_attention(tokens_of(self.stem, self.blocks, windows))
        return pooled, weights

    def read_windows(self, embeddings: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read leads alone, embeddings (N, W, F): pooled (N, F), LSTM states (N, W, F), rhythm attention (N, W)."""
        states, _ = self.rhythm(embeddings)
        pooled, weights = self.rhythm_attention(states)
        return pooled, states, weights

    def read(self, embeddings: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read embeddings (B, L, W, F): LSTM states (B, L, W, F), rhythm (B, L, W) and channel attention (B, L)."""
        by_lead, states, rhythm = (
            part.unflatten(0, (-1, N_LEADS)) for part in self.read_windows(embeddings.flatten(0, 1))
        )
        _, channel = self.channel_attention(by_lead)
        return states, rhythm, channel

    def classify(self, by_lead: Tensor) -> Tensor:
        """Return logits (B, C) of what was read of each lead (B, L, F)."""
        logits: Tensor = self.output(self.channel_attention(by_lead)[0])
        return logits

    def head(self, embeddings: Tensor) -> Tensor:
        """Classify embeddings (B, L, W, F): logits (B, C); ``head(encode(x)[0])`` is the network."""
        return self.classify(self.read_windows(embeddings.flatten(0, 1))[0].unflatten(0, (-1, N_LEADS)))

    def forward(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return logits (B, C) of standardised samples x (B, 12, 1000); R peaks, age and sex are not used."""
        return self.head(self.encode(x)[0])

    def decompose(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Split each logit exactly into a bias (C,) and contributions (B, C, L, W) of lead and window.

        The pooling is linear in the LSTM states given the attention, so
        logit_k = b_k + sum_lw c[l] r[l,w] (u_k . state[l,w]).
        Exact is not causal: a state has read the whole lead, and the attention depends on the input too.
        """
        states, rhythm, channel = self.read(self.encode(x)[0])
        return self.output.bias, torch.einsum("bl,blw,blwf,cf->bclw", channel, rhythm, states, self.output.weight)

    def spans(
        self,
        x: Tensor,
        *,
        fs: float,
        start_s: float,
        r_s: Tensor | None = None,
        meta: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> np.ndarray:
        """Return start and end of the windows that `decompose` splits a record into, seconds, shape (W, 2)."""
        return window_spans(fs, start_s)

    def attend(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Return logits (B, C) and the weights: beat (B, L, W, J), rhythm (B L, W), channel (B, L)."""
        embeddings, beat = self.encode(x)
        pooled, _, rhythm = self.read_windows(embeddings.flatten(0, 1))
        pooled, channel = self.channel_attention(pooled.unflatten(0, (-1, N_LEADS)))
        return self.output(pooled), {"beat": beat, "rhythm": rhythm, "channel": channel}

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

        The joint map, of all three levels, is channel x rhythm x beat weight; it sums to 1 over everything.
        """
        shapes = {"beat": (N_LEADS, N_WINDOWS, -1), "rhythm": (N_LEADS, N_WINDOWS), "channel": (N_LEADS,)}
        values = joined({k: each.double().numpy(force=True).reshape(shapes[k]) for k, each in weights.items()})
        tokens, windows = token_spans(fs, start_s), window_spans(fs, start_s)
        window_s, record_s = WINDOW_SAMPLES / fs, N_WINDOWS * WINDOW_SAMPLES / fs
        whole = np.array([[windows[0, 0], windows[-1, 1]]])
        places = {
            "beat": (tokens, "1 in each window of each lead", window_s),
            "rhythm": (windows, "1 over the windows of each lead", record_s),
            "channel": (whole, "1 over the leads", record_s),
            "joint": (tokens, "1 over all leads and tokens", record_s),
        }
        return [
            AttentionMap(level, values[level].reshape(N_LEADS, -1), spans, leads, None, sums_to, field_s)
            for level, (spans, sums_to, field_s) in places.items()
            if level in values
        ]

    def even(self, level: str) -> None:
        """Make a level weigh all of its places alike; see `Attentive.even`."""
        {"beat": self.beat_attention, "rhythm": self.rhythm_attention, "channel": self.channel_attention}[level].even()


def window_spans(fs: float, start_s: float) -> np.ndarray:
    """Start and end of each window in seconds, shape (W, 2); a sample reaches half a sample to either side."""
    edges = start_s + (np.arange(N_WINDOWS + 1) * WINDOW_SAMPLES - 0.5) / fs
    return np.array(list(pairwise(edges)))


def token_spans(fs: float, start_s: float) -> np.ndarray:
    """Start and end of each beat token in seconds, shape (W * J, 2).

    Token j stands near sample 4 j of its window (two strides of 2); it gets the samples nearest to it, so that
    the tokens of a window tile its 50 samples. It reads the whole window, and not evenly about its place: even kernels
    look later, by 13 samples through all convolutions, and what lies behind an edge is nothing. In the shipped network
    the gradient of a middle token is centred 20 ms later with a spread of 115 ms, that of the first 170 ms later, that
    of the last 130 ms earlier.
    """
    n_tokens = math.ceil(math.ceil(WINDOW_SAMPLES / 2) / 2)
    inner = 4 * np.arange(1, n_tokens) - 2
    edges = np.concatenate([[0], inner, [WINDOW_SAMPLES]])
    starts = (np.arange(N_WINDOWS)[:, None] * WINDOW_SAMPLES + edges[:-1]).ravel()
    ends = (np.arange(N_WINDOWS)[:, None] * WINDOW_SAMPLES + edges[1:]).ravel()
    return start_s + (np.stack([starts, ends], axis=1) - 0.5) / fs
