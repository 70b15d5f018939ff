"""The evidence grid: relevance mass in lead x beat x wave segment, and regions on the same grid."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecgviz.types.arrays import BoolArray, FloatArray, frozen
from ecgviz.types.beats import ATOMS, WAVES


@dataclass(frozen=True, eq=False)
class Region:
    """Where to look: ``weight`` (L, B, S) between 0 and 1 on the grid of one record's ``leads`` and beats.

    ``role`` is "primary", "support", "context", "absence", "opposing" or "contra"; ``text`` names it for a reader
    ("II, III, aVF: ST").
    Cells of absent waves keep their weight: a region with less than half of its cells present is not assessable.
    """

    role: str
    leads: tuple[str, ...]
    weight: FloatArray
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", frozen(self.weight))

    @property
    def inside(self) -> BoolArray:
        """Cells that belong to the region, shape (L, B, S)."""
        return np.asarray(self.weight > 0)


@dataclass(frozen=True, eq=False)
class EvidenceGrid:
    """Relevance mass of one explanation over leads, beats and atoms.

    ``pos`` and ``neg`` (L or 1, B or 1, S or 1) are both >= 0, split at the sample before pooling; an axis that the
    map does not have has length 1 (``has_leads``, ``has_time``). ``outside`` is the signed rest (edge, padding,
    undelineated), so that ``pos.sum() - neg.sum() + outside`` is the sum of the explanation; ``outside_abs`` is its
    unsigned mass.
    ``area`` (B, S) are the seconds of each cell that lie inside the map's window; 0 where the wave is absent.
    """

    pos: FloatArray
    neg: FloatArray
    outside: float
    outside_abs: float
    area: FloatArray
    leads: tuple[str, ...]
    kind: tuple[str, ...]
    has_time: bool
    signed: bool
    resolution_s: float

    def __post_init__(self) -> None:
        for name in ("pos", "neg", "area"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def has_leads(self) -> bool:
        """Whether the map told leads apart."""
        return bool(self.leads)

    @cached_property
    def total(self) -> float:
        """Supporting mass on the grid; the denominator of every share."""
        return float(self.pos.sum())

    def channel(self) -> FloatArray | None:
        """Supporting share of each lead, shape (L,), or None when the map has no lead axis."""
        if not self.has_leads:
            return None
        return self._share(self.pos.sum(axis=(1, 2)))

    def rhythm(self) -> FloatArray | None:
        """Supporting share of each beat, shape (B,), or None when the map has no time axis.

        NaN for a beat outside of the map's window: the network was not shown it.
        """
        if not self.has_time:
            return None
        return np.where(self.area.any(axis=1), self._share(self.pos.sum(axis=(0, 2))), np.nan)

    def beat(self) -> FloatArray | None:
        """Supporting share lead x wave, shape (L or 1, 6) in the order of `WAVES`, or None without a time axis."""
        if not self.has_time:
            return None
        by_atom = self.pos.sum(axis=1)
        waves = [by_atom[:, [ATOMS.index(a) for a in atoms]].sum(axis=1) for atoms in WAVES.values()]
        return self._share(np.stack(waves, axis=1))

    def _share(self, mass: FloatArray) -> FloatArray:
        return mass / self.total if self.total > 0 else np.full(mass.shape, np.nan)
