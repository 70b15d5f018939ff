"""What a network says (prediction) and shows (attention, explanation)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecgviz.errors import ModelError
from ecgviz.types.arrays import FloatArray, frozen

LEVELS = ("beat", "rhythm", "channel")


@dataclass(frozen=True, eq=False)
class Prediction:
    """Output of one network for one record; arrays of shape (C,) in the order of ``labels``."""

    labels: tuple[str, ...]
    logits: FloatArray
    probabilities: FloatArray
    thresholds: FloatArray

    def __post_init__(self) -> None:
        for name in ("logits", "probabilities", "thresholds"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def probability(self, label: str) -> float:
        """Return the probability of one label; one that was not predicted raises ModelError."""
        return float(self.probabilities[self._row(label)])

    def positive(self, label: str) -> bool:
        """Return whether the probability of ``label`` reaches its threshold."""
        return bool(self.probability(label) >= self.thresholds[self._row(label)])

    def _row(self, label: str) -> int:
        if label not in self.labels:
            raise ModelError(f"{label!r} was not predicted; the labels are {', '.join(self.labels)}")
        return self.labels.index(label)


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """One attention signal read from inside a network: where it pooled.

    ``level`` is "beat", "rhythm", "channel" or "joint". ``values`` has shape (L or 1, K): K tokens, each covering
    ``span_s`` (K, 2) seconds from the record's start; a channel map has one token, the whole window. ``leads`` is
    empty when the map has no lead axis. ``label`` is None for a map that is the same for every label. ``sums_to``
    says over what the weights sum to 1, ``receptive_field_s`` how much signal one token sees.
    """

    level: str
    values: FloatArray
    span_s: FloatArray
    leads: tuple[str, ...]
    label: str | None
    sums_to: str
    receptive_field_s: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))
        object.__setattr__(self, "span_s", frozen(self.span_s))
        if self.values.ndim != 2 or self.span_s.shape != (self.values.shape[1], 2):
            raise ValueError(f"{self.level} map: values {self.values.shape} and spans {self.span_s.shape} do not fit")


@dataclass(frozen=True, eq=False)
class Explanation:
    """A relevance map on the record's time base, at the model's rate.

    ``values`` has shape (L or 1, T or 1): one row when the map has no lead axis (``leads`` is then empty), one column
    when it has no time axis. Column t covers ``start_s + (t +- 1/2) / fs``. The sign is the direction in which the
    logit moved; ``signed`` is False for a map that is >= 0 by nature. ``label`` is None when the map is the same for
    every label.
    ``completeness_error`` is |delta| / max(|f(x) - f(x')|, 0.5) where the method promises completeness, else NaN.
    ``resolution_s`` is the width below which the map tells nothing about time.
    """

    values: FloatArray
    fs: float
    start_s: float
    leads: tuple[str, ...]
    label: str | None
    method: str
    signed: bool
    resolution_s: float
    params: Mapping[str, Any] = field(default_factory=dict)
    completeness_error: float = np.nan

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))
        if self.values.ndim != 2 or self.values.shape[0] != max(len(self.leads), 1):
            raise ValueError(f"map of shape {self.values.shape} does not fit {len(self.leads)} leads")

    @property
    def has_leads(self) -> bool:
        """Whether the map tells leads apart."""
        return bool(self.leads)

    @property
    def duration_s(self) -> float:
        """Length of what the network read, in seconds."""
        return self.values.shape[1] / self.fs if self.has_time else self.resolution_s

    @property
    def has_time(self) -> bool:
        """Whether the map tells times apart."""
        return self.values.shape[1] > 1
