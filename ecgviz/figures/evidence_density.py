"""Evidence of each lead and part of the beat beside an even spread, and where these parts lie in a median beat."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ecgviz.types import ATOMS, Beats, EvidenceGrid
from ecgviz.types.arrays import BoolArray, FloatArray


def density(grid: EvidenceGrid, chosen: BoolArray) -> FloatArray:
    """Return supporting mass per lead-second of the chosen beats (B,) beside an even spread of all of it: 1 = even.

    Shape (L or 1, S or 1), as the map has leads and time. NaN where a part of the beat is absent, and where the map
    supports nothing.
    """
    rows = len(grid.pos)
    if not grid.has_time:
        return grid.pos.sum(axis=1) * rows / (grid.total or np.nan)
    mass, seconds = grid.pos[:, chosen].sum(axis=1), grid.area[chosen].sum(axis=0)
    even = grid.total / (rows * grid.area.sum()) if grid.area.any() else 0.0
    there = np.broadcast_to((seconds > 0) & (even > 0), mass.shape)
    return np.divide(mass, seconds * even, out=np.full_like(mass, np.nan), where=there)


def parts_s(beats: Beats, chosen: BoolArray) -> FloatArray:
    """Return start and end of each part of the beat, (S, 2), in seconds from the R peak: medians over chosen beats."""
    away = (beats.segments() - beats.r_s[:, None, None])[chosen]
    found = np.full((len(ATOMS), 2), np.nan)
    for s in range(len(ATOMS)):
        known = away[np.isfinite(away[:, s]).all(axis=1), s]
        if 2 * len(known) >= max(len(away), 1):
            found[s] = np.median(known, axis=0)
    return found


def density_table(colours: FloatArray, colour_leads: Sequence[str]) -> pd.DataFrame:
    """Return a row a lead: evidence per second of each part of the beat, in multiples of an even spread."""
    heads = ["whole beat"] if colours.shape[1] == 1 else list(ATOMS)
    table = pd.DataFrame(np.round(colours, 3), columns=[f"{head}, times even" for head in heads])
    table.insert(0, "lead", list(colour_leads) or ["all leads"])
    return table
