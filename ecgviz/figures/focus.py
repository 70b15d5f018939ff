"""What can be clicked in a figure, and what the three levels show of what a reader points at.

A figure that can be clicked carries, in the first three of each point's ``customdata``, the beat (from 1; 0 = none),
the lead and the wave ("" = none) that the point stands for.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.types import ATOMS, WAVES, EvidenceGrid
from ecgviz.types.arrays import BoolArray
from ecgviz.types.focus import Focus


def clickable(
    x: Sequence[Any] | np.ndarray[Any, Any],
    y: Sequence[Any] | np.ndarray[Any, Any],
    data: Sequence[Sequence[Any]],
    hovertemplate: str,
) -> go.Scatter:
    """Return unseen points that say what they stand for; with `REACHES` a click anywhere near them picks one.

    A line of no opacity has points as markers have, and costs a browser one element for all of them.
    """
    stands = np.array(data, dtype=object)  # Plotly looks at each part of a list for several times as long
    said = f"{hovertemplate}<extra></extra>"
    return go.Scatter(x=x, y=y, customdata=stands, mode="lines", name="pick", opacity=0, hovertemplate=said)


REACHES: dict[str, Any] = {"hovermode": "closest", "hoverdistance": 400}
"""The layout of a figure in which a click picks the nearest point, however far it is."""


def frame(**place: Any) -> dict[str, Any]:
    """Return the frame around what is in focus; ``place`` holds x0, x1, y0, y1 and what they refer to."""
    return {"type": "rect", **place, "line": {"color": style.ACCENT, "width": 2}, "fillcolor": "rgba(0,0,0,0)"}


def reduced(grid: EvidenceGrid, focus: Focus) -> Focus:
    """Return what of a focus a grid has: a beat, lead or wave that it does not have is None, and selects nothing."""
    beat = focus.beat if grid.has_time and focus.beat is not None and focus.beat < grid.pos.shape[1] else None
    return Focus(beat, focus.lead if focus.lead in grid.leads else None, focus.wave if grid.has_time else None)


def within(grid: EvidenceGrid, focus: Focus, *, but: str = "") -> EvidenceGrid:
    """Return a grid that holds only what is in focus, so that its shares are shares of that.

    Parameters
    ----------
    grid : EvidenceGrid
    focus : Focus
        A beat, lead or wave that the grid does not have selects nothing on that axis (`reduced`).
    but : str
        Axes that stay whole ("lead", "beat", "wave", several joined by "+"): those that a figure draws.
    """
    free, focus = but.split("+"), reduced(grid, focus)
    keep: BoolArray = np.ones(grid.pos.shape, dtype=bool)
    if focus.lead is not None and "lead" not in free:
        keep[[lead != focus.lead for lead in grid.leads]] = False
    if focus.beat is not None and "beat" not in free:
        keep[:, np.arange(keep.shape[1]) != focus.beat] = False
    if focus.wave is not None and "wave" not in free:
        keep[..., [atom not in WAVES[focus.wave] for atom in ATOMS]] = False
    return replace(grid, pos=np.where(keep, grid.pos, 0.0), neg=np.where(keep, grid.neg, 0.0))
