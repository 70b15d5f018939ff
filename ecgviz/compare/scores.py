"""How much of a map lies in a region, beyond what trivial maps have there."""

from collections.abc import Mapping, Sequence

import numpy as np

from ecgviz.evidence import area_in, share_in
from ecgviz.records.leads import LIMB
from ecgviz.types import ControlScore, EvidenceGrid
from ecgviz.types.arrays import BoolArray, FloatArray

N_RESAMPLES = 1000
"""Resamples of beats behind each 95 % interval."""


def resamples(grid: EvidenceGrid, rng: np.random.Generator) -> FloatArray:
    """Draw how often each beat (B,) of a map's window is in each resample, (`N_RESAMPLES`, B)."""
    seen = grid.area.any(axis=1)
    counts = np.zeros((N_RESAMPLES, seen.size))
    counts[:, seen] = rng.multinomial(seen.sum(), np.full(seen.sum(), 1 / seen.sum()), size=N_RESAMPLES)
    return counts


def control_score(
    name: str,
    grid: EvidenceGrid,
    maps: Sequence[EvidenceGrid],
    inside: BoolArray,
    counts: FloatArray,
    rng: np.random.Generator,
) -> ControlScore:
    """Score one control: its mean share, and the excess of the map over it with an interval over beats (and maps)."""
    maps = [each for each in maps if each.total > 0]
    if not maps:
        return ControlScore(name, np.nan, np.nan, np.nan, np.nan)
    share = float(np.mean([share_in(each, inside) for each in maps]))
    resampled = np.stack([_resampled_shares(each, inside, counts) for each in maps])
    drawn = rng.integers(len(maps), size=resampled.shape)
    control = np.take_along_axis(resampled, drawn, axis=0).mean(axis=0)
    excess = _resampled_shares(grid, inside, counts) - control
    low, high = np.nanpercentile(excess, [2.5, 97.5])
    return ControlScore(name, share, share_in(grid, inside) - share, float(low), float(high))


def _resampled_shares(grid: EvidenceGrid, inside: BoolArray, counts: FloatArray) -> FloatArray:
    mass_inside = (grid.pos * inside).sum(axis=(0, 2))
    total = counts @ grid.pos.sum(axis=(0, 2))
    return np.divide(counts @ mass_inside, total, out=np.full(total.shape, np.nan), where=total > 0)


def limb_widened(grid: EvidenceGrid, inside: BoolArray) -> BoolArray | None:
    """Return the cells with a claim on some limb leads widened to all six; None where there is no such claim."""
    limb = [row for row, lead in enumerate(grid.leads) if lead in LIMB]
    if not inside[limb].any() or (inside[limb] == inside[limb[:1]]).all():
        return None
    widened = inside.copy()
    widened[limb] = inside[limb].any(axis=0)
    return widened


def limb_group_holds(
    grid: EvidenceGrid,
    widened: BoolArray,
    controls: Mapping[str, Sequence[EvidenceGrid]],
    counts: FloatArray,
    rng: np.random.Generator,
) -> bool:
    """Whether the map stands in the region once a claim on some limb leads counts for all six."""
    scores = [control_score(name, grid, maps, widened, counts, rng) for name, maps in controls.items()]
    lows = [score.excess_low for score in scores if np.isfinite(score.excess)]
    return share_in(grid, widened) > area_in(grid, widened) and min(lows) > 0
