"""How much of a map lies in a region, beyond what trivial maps have there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecgviz.evidence import area_in, share_in
from ecgviz.records.leads import LIMB
from ecgviz.types import ControlScore, EvidenceGrid
from ecgviz.types.arrays import BoolArray, FloatArray

N_RESAMPLES = 1000
"""Resamples of beats behind each 95 % interval."""


def resampled_shares(grid: EvidenceGrid, weight: FloatArray | BoolArray, rng: np.random.Generator) -> FloatArray:
    """Draw beats of a map's window with replacement, and return what its cells hold in each draw, (`N_RESAMPLES`,).

    ``weight`` (L, B, S) says what a cell counts: 1 inside a region for its share. As many beats are drawn as there are,
    each as often as it holds mass. So the interval tells whether the beats that a map rests on bear it out alike; drawn
    evenly, a map that rests on one beat would be without it in a third of the draws, and what it hardly holds anything
    in would decide.
    """
    mass = grid.pos.sum(axis=(0, 2))
    held = np.divide((grid.pos * weight).sum(axis=(0, 2)), mass, out=np.zeros(mass.size), where=mass > 0)
    n_beats = int(grid.area.any(axis=1).sum())
    return np.asarray(rng.multinomial(n_beats, mass / mass.sum(), size=N_RESAMPLES) @ held / n_beats)


@dataclass(frozen=True, eq=False)
class Beside:
    """A map beside its controls, on the same grid; ``rng`` draws the beats that intervals are over."""

    grid: EvidenceGrid
    controls: Mapping[str, Sequence[EvidenceGrid]]
    rng: np.random.Generator

    def scores(self, inside: BoolArray) -> tuple[ControlScore, ...]:
        """Score every control in some cells (L, B, S)."""
        return tuple(self._score(name, maps, inside) for name, maps in self.controls.items())

    def stands(self, inside: BoolArray) -> bool:
        """Whether the map holds more here than an even spread, and than each control in the whole interval."""
        lows = [score.excess_low for score in self.scores(inside) if np.isfinite(score.excess)]
        return share_in(self.grid, inside) > area_in(self.grid, inside) and bool(lows) and min(lows) > 0

    def _score(self, name: str, maps: Sequence[EvidenceGrid], inside: BoolArray) -> ControlScore:
        """Return a control's mean share, and the excess of the map over it with an interval over beats and maps."""
        maps = [each for each in maps if each.total > 0]
        if not maps:
            return ControlScore(name, np.nan, np.nan, np.nan, np.nan)
        share = float(np.mean([share_in(each, inside) for each in maps]))
        resampled = np.stack([resampled_shares(each, inside, self.rng) for each in maps])
        drawn = self.rng.integers(len(maps), size=resampled.shape)
        control = np.take_along_axis(resampled, drawn, axis=0).mean(axis=0)
        low, high = np.percentile(resampled_shares(self.grid, inside, self.rng) - control, [2.5, 97.5])
        return ControlScore(name, share, share_in(self.grid, inside) - share, float(low), float(high))


def limb_widened(grid: EvidenceGrid, inside: BoolArray) -> BoolArray | None:
    """Return the cells with a claim on some limb leads widened to all six; None where there is no such claim."""
    limb = [row for row, lead in enumerate(grid.leads) if lead in LIMB]
    if not inside[limb].any() or (inside[limb] == inside[limb[:1]]).all():
        return None
    widened = inside.copy()
    widened[limb] = inside[limb].any(axis=0)
    return widened
