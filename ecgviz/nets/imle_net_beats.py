"""IMLE-Net on real beats: windows stand on R peaks, so that beat attention falls on P, QRS, ST and T.

Our design after Reddy, Talwar, Alle, Bapi: "IMLE-Net: An Interpretable Multi-level Multi-channel Model for ECG
Classification", IEEE SMC 2021, arXiv 2204.05116; the paper's scores do not apply. Letters used here:

    B records    L leads (12)    T samples (1000 at 100 Hz)    K beats (the most of a record of the batch)
    S samples a window (113)    J tokens a window (29)    F features (64 at width 0.5)    C labels

Each beat of each lead has a window from 0.40 s before to 0.72 s after its R peak. A sample belongs to one beat at the
most: a beat begins 0.4 RR before its R peak where that is later than 0.40 s before it. Samples of other beats, outside
of the record or in its padding are 0 and have no attention. One encoder, shared by all beats of all leads, turns a
window into F numbers; one BiLSTM, shared by leads, reads the beats with their RR intervals; three additive attentions
pool over J, K and L.

Departures from IMLE-Net: windows are beats; kernel 5 instead of 8, so that with 4 (J - 1) + 1 samples a window token j
is centred on sample 4 j exactly (token 10 is the R peak) and sees 1.05 s instead of 1.83; the rhythm attention prefers
no place, since records do not begin with the same beat; each beat brings the RR before and after it; half the width.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ecgviz.nets.attentive import Attentive
from ecgviz.nets.beat_windows import (
    FS,
    N_RR,
    N_TOKENS,
    beat_windows,
    by_token,
    checked,
    of_records,
    owned_spans,
    rr_features,
)
from ecgviz.nets.imle_encoder import tokens_of
from ecgviz.nets.imle_parts import AdditiveAttention, Convolution, initialise, joined, residual_stack
from ecgviz.types import AttentionMap

N_LEADS = 12
KERNEL = 5
FIELD_SAMPLES = 1 + 26 * (KERNEL - 1)
"""Samples that one token sees: the steps of the 13 convolutions, of 1, 2 or 4 samples, sum to 26."""


class IMLENetBeats(Attentive):
    """The network; input (B, 12, T) standardised samples at 100 Hz with R peaks (B, K), output (B, C) logits.

    Parameters
    ----------
    n_labels : int
    width : float
        1.0 has the feature sizes of the published IMLE-Net.
    """

    levels = ("beat", "rhythm", "channel", "joint")
    pools = ("beat", "rhythm", "channel")
    exposes: Mapping[str, str] = {
        "beat": "additive attention over 29 tokens of 40 ms around the R peak of each beat of each lead",
        "rhythm": "additive attention over the beats of each lead",
        "channel": "additive attention over the 12 leads",
    }
    needs: tuple[str, ...] = ("r_peaks",)
    pads = True
    fs = FS
    cam_layer = "beat_attention"

    def __init__(self, n_labels: int, width: float = 0.5) -> None:
        super().__init__()
        c = round(32 * width)
        hidden = round(64 * width)
        self.stem = Convolution(1, c, KERNEL)
        self.blocks = residual_stack(c, KERNEL)
        self.beat_attention = AdditiveAttention(4 * c, hidden, N_TOKENS)
        self.rhythm = nn.LSTM(4 * c + N_RR, hidden, batch_first=True, bidirectional=True)
        self.rhythm_attention = AdditiveAttention(2 * hidden, hidden, 1)
        self.channel_attention = AdditiveAttention(2 * hidden, hidden, N_LEADS)
        self.output = nn.Linear(2 * hidden, n_labels)
        initialise(self, self.rhythm, self.output)

    def encode(self, x: Tensor, r_s: Tensor | None, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Encode every beat alone: (B, L, T) to embeddings (B, L, K, F) and beat attention (B, L, K, J).

        Both are 0 for a beat that a record does not have; such beats do not enter the batch statistics either.
        """
        pooled, weights = self._encode_beats(x, r_s, mask)
        there = checked(r_s).isfinite()
        return of_records(pooled, there), of_records(weights, there)

    def _encode_beats(self, x: Tensor, r_s: Tensor | None, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Encode the M beats that the records of a batch have: embeddings (M, L, F) and beat attention (M, L, J)."""
        r_s = checked(r_s)
        positions, owned = beat_windows(r_s, x.shape[2], mask)
        n, k, s = positions.shape
        gathered = x.gather(2, positions.reshape(n, 1, k * s).expand(-1, N_LEADS, -1)).reshape(n, N_LEADS, k, s)
        there = r_s.isfinite()
        windows = (gathered * owned[:, None]).transpose(1, 2)[there].reshape(-1, s)  # (M * L, S)
        tokens = tokens_of(self.stem, self.blocks, windows).unflatten(0, (-1, N_LEADS))  # (M, L, J, F)
        pooled, weights = self.beat_attention(tokens, by_token(owned)[there].any(dim=-1)[:, None])
        return pooled, weights

    def read_windows(self, embeddings: Tensor, r_s: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Read leads alone, embeddings (N, K, F) with R peaks (N, K).

        Returns
        -------
        pooled, states, weights : Tensor
            (N, F), LSTM states (N, K, F), rhythm attention (N, K).
        """
        r_s = checked(r_s)
        there = r_s.isfinite()
        beats = torch.cat([embeddings, rr_features(r_s).to(embeddings.dtype)], dim=2)
        packed = pack_padded_sequence(beats, there.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.rhythm(packed)[0], batch_first=True, total_length=r_s.shape[1])
        pooled, weights = self.rhythm_attention(states, there)
        return pooled, states, weights

    def _read_leads(self, embeddings: Tensor, r_s: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        of_each_lead = checked(r_s).repeat_interleave(N_LEADS, dim=0)
        pooled, states, weights = self.read_windows(embeddings.flatten(0, 1), of_each_lead)
        return (
            pooled.unflatten(0, (-1, N_LEADS)),
            states.unflatten(0, (-1, N_LEADS)),
            weights.unflatten(0, (-1, N_LEADS)),
        )

    def read(self, embeddings: Tensor, r_s: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Read embeddings (B, L, K, F): LSTM states (B, L, K, F), rhythm (B, L, K) and channel attention (B, L)."""
        by_lead, states, rhythm = self._read_leads(embeddings, r_s)
        _, channel = self.channel_attention(by_lead)
        return states, rhythm, channel

    def classify(self, by_lead: Tensor) -> Tensor:
        """Return logits (B, C) of what was read of each lead (B, L, F)."""
        logits: Tensor = self.output(self.channel_attention(by_lead)[0])
        return logits

    def head(self, embeddings: Tensor, r_s: Tensor | None) -> Tensor:
        """Classify embeddings (B, L, K, F): logits (B, C); ``head(encode(x, r_s)[0], r_s)`` is the network."""
        return self.classify(self._read_leads(embeddings, r_s)[0])

    def forward(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return logits (B, C) of standardised samples x (B, 12, T) with R peaks r_s; age and sex are not used.

        Raises
        ------
        InputError
            Without R peaks, for a record that has none, or where they do not rise or lie outside of the record.
        """
        return self.head(self.encode(x, r_s, mask)[0], r_s)

    def decompose(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Split each logit exactly into a bias (C,) and contributions (B, C, L, K) of lead and beat.

        The pooling is linear in the LSTM states given the attention, so
        logit_c = b_c + sum_lk channel[l] rhythm[l,k] (u_c . state[l,k]).
        Exact is not causal: a state has read the whole lead, and the attention depends on the input too.
        """
        states, rhythm, channel = self.read(self.encode(x, r_s, mask)[0], r_s)
        return self.output.bias, torch.einsum("bl,blk,blkf,cf->bclk", channel, rhythm, states, self.output.weight)

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
        """Return start and end of the samples of each beat of one record x (1, 12, T), seconds, shape (K, 2)."""
        positions, owned = beat_windows(checked(r_s), x.shape[2], mask)
        return owned_spans(positions[0], owned[0], fs, start_s)

    def attend(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Return logits (B, C) and the weights: beat (M, L, J) of all M beats, rhythm (B L, K), channel (B, L)."""
        pooled, beat = self._encode_beats(x, r_s, mask)
        embeddings = of_records(pooled, checked(r_s).isfinite())
        pooled, _, rhythm = self.read_windows(embeddings.flatten(0, 1), checked(r_s).repeat_interleave(N_LEADS, dim=0))
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

        The joint map, of all three levels, is channel x rhythm x beat weight; it sums to 1 over everything. A token
        covers those of its samples that belong to its beat; tokens without any are left out.
        """
        found = dict(weights)
        if "beat" in found:
            found["beat"] = of_records(found["beat"], checked(r_s).isfinite())[0]  # (L, K, J)
        if "channel" in found:
            found["channel"] = found["channel"][0]
        values = joined({level: each.double().numpy(force=True) for level, each in found.items()})
        n = x.shape[2]
        positions, owned = beat_windows(checked(r_s), n, mask)
        beats = owned_spans(positions[0], owned[0], fs, start_s)
        tokens = owned_spans(by_token(positions[0]), by_token(owned[0]), fs, start_s).reshape(-1, 2)
        recorded = torch.ones(n, dtype=torch.bool) if mask is None else mask[0]
        whole = owned_spans(torch.arange(n)[None], recorded[None], fs, start_s)
        record_s = float(whole[0, 1] - whole[0, 0])
        places = {
            "beat": (tokens, "1 in each beat of each lead", FIELD_SAMPLES / fs),
            "rhythm": (beats, "1 over the beats of each lead", record_s),
            "channel": (whole, "1 over the leads", record_s),
            "joint": (tokens, "1 over all leads and tokens", record_s),
        }

        def placed(level: str, spans: np.ndarray, sums_to: str, field_s: float) -> AttentionMap:
            covers = np.isfinite(spans[:, 0])
            of_level = values[level].reshape(N_LEADS, -1)[:, covers]
            return AttentionMap(level, of_level, spans[covers], leads, None, sums_to, field_s)

        return [placed(level, *where) for level, where in places.items() if level in values]

    def even(self, level: str) -> None:
        """Make a level weigh all of its places alike; see `Attentive.even`."""
        {"beat": self.beat_attention, "rhythm": self.rhythm_attention, "channel": self.channel_attention}[level].even()
