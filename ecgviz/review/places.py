"""Where a map points most, in few enough places that a reader can judge each."""

from dataclasses import dataclass

import numpy as np

from ecgviz.review.marks import Span
from ecgviz.types import ATOMS, WAVES, Beats, EvidenceGrid

N_PLACES = 5


@dataclass(frozen=True)
class Place:
    """A wave of a lead, by its ``share`` of the map's supporting mass, and where in the recording it is strongest."""

    lead: str
    wave: str
    share: float
    span: Span


def places(grid: EvidenceGrid, beats: Beats, n: int = N_PLACES) -> tuple[Place, ...]:
    """Return the ``n`` cells lead x wave with the most supporting mass, the largest first.

    Each has the span of that wave in the beat that holds most of its mass. A map without leads or without times points
    at no such place.

    Parameters
    ----------
    grid : EvidenceGrid
    beats : Beats
        Those that the grid was made on.
    n : int
        The most places; cells without mass are none.
    """
    shares = grid.beat()
    if shares is None or not grid.has_leads or grid.total == 0:
        return ()
    found = []
    for flat in np.argsort(-shares, axis=None, kind="stable")[:n]:
        row, column = np.unravel_index(int(flat), shares.shape)
        wave = tuple(WAVES)[int(column)]
        if shares[row, column] > 0:
            span = _strongest(grid, beats, int(row), wave)
            found.append(Place(grid.leads[int(row)], wave, float(shares[row, column]), span))
    return tuple(found)


def _strongest(grid: EvidenceGrid, beats: Beats, row: int, wave: str) -> Span:
    columns = [ATOMS.index(atom) for atom in WAVES[wave]]
    beat = int(grid.pos[row][:, columns].sum(axis=1).argmax())
    ends = beats.segments()[beat, columns]
    return Span(grid.leads[row], round(float(np.nanmin(ends)), 3), round(float(np.nanmax(ends)), 3))
