"""How often a score was right on records that the network had not learnt from, and the interval that so many allow."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959963984540054
"""Normal quantile of a two-sided 95 % interval."""


def wilson(positives: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a rate after Wilson (J Am Stat Assoc 22:209, 1927); 0 to 1 where n is 0.

    It stays within 0 and 1 and does not collapse where none or all are positive, as the normal approximation does.
    """
    if n <= 0:
        return 0.0, 1.0
    rate, spread = positives / n, Z_95 * Z_95 / n
    centre = (rate + spread / 2) / (1 + spread)
    half = Z_95 * sqrt(rate * (1 - rate) / n + spread / (4 * n)) / (1 + spread)
    # at 0 and n the formula gives exactly 0 and 1, but for rounding
    return (0.0 if positives <= 0 else centre - half), (1.0 if positives >= n else centre + half)


@dataclass(frozen=True)
class ObservedRate:
    """So many of ``n`` records were positive: their share, and its 95 % interval (Wilson)."""

    rate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class ScoreTable:
    """One label's scores out of fold in K bins: bin k is edges[k] <= probability < edges[k + 1], the last one closed.

    ``edges`` (K + 1,) rise from 0 to 1; ``n`` (K,) counts records, ``positives`` (K,) those that have the label.
    ``dataclasses.asdict`` gives what JSON can hold, ``ScoreTable(**stored)`` takes it back; a table whose parts do not
    fit each other raises ValueError.
    """

    edges: Sequence[float]
    n: Sequence[int]
    positives: Sequence[int]

    def __post_init__(self) -> None:
        for name in ("edges", "n", "positives"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        bins = len(self.n)
        if not bins or (len(self.edges), len(self.positives)) != (bins + 1, bins):
            raise ValueError(f"score table: {len(self.edges)} edges, {bins} counts, {len(self.positives)} positives")
        if (self.edges[0], self.edges[-1]) != (0, 1) or list(self.edges) != sorted(set(self.edges)):
            raise ValueError("score table: edges do not rise from 0 to 1")
        if not all(0 <= positive <= n > 0 for positive, n in zip(self.positives, self.n, strict=True)):
            raise ValueError("score table: a bin is empty, or has more positives than records")


def how_often(table: ScoreTable, probability: float) -> ObservedRate | None:
    """Return how many of the records with a similar score had the label; None for what is no probability."""
    if not 0.0 <= probability <= 1.0:
        return None
    k = bisect_right(table.edges, probability, 1, len(table.edges) - 1) - 1
    low, high = wilson(table.positives[k], table.n[k])
    return ObservedRate(table.positives[k] / table.n[k], low, high, table.n[k])
