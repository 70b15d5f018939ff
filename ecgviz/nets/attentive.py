"""What networks with attention have in common: weights are read where the logits are made, then placed on the record.

B records, C labels, L leads, K tokens.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ecgviz.types import AttentionMap


class Attentive(nn.Module, ABC):
    """A network that shows its attention: what it weighs (`attend`), and where on the record that lies (`place`)."""

    levels: tuple[str, ...]
    pools: tuple[str, ...]
    """Levels whose weights the logits are made from, finest first: each has a gradient, and can be made even."""

    @abstractmethod
    def attend(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Return the logits (B, C) and, by level, what `place` reads; those of ``pools`` are tensors of their graph."""

    @abstractmethod
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
        """Place what `attend` gave, or values of the same shape, on the leads and seconds of one record x (1, L, T).

        Levels may be left out; only maps that the others allow are returned. Where several heads or queries share a
        place, its value is their mean.
        """

    @abstractmethod
    def even(self, level: str) -> None:
        """Make a level of ``pools`` weigh all that is recorded alike, from now on: for a copy of the network.

        Gates, which do not sum to 1, all become the mean of the record's gates.
        """

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
        """Read the attention of one record x (1, L, T) at its levels, times from the record's start.

        Each map is the same for every label.
        """
        with torch.inference_mode():
            _, weights = self.attend(x, r_s=r_s, meta=meta, mask=mask)
            return self.place(weights, x, fs=fs, start_s=start_s, leads=leads, r_s=r_s, mask=mask)
