"""Beat level: leads down, waves across, so that a model's evidence and a guideline's words stand on the same cells."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.figures.focus import REACHES, clickable, frame
from ecgviz.figures.heat import COLOUR_END_TIMES_EVEN
from ecgviz.types import ATOMS, WAVES, EvidenceGrid, Region
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.focus import NOWHERE, Focus

ONE_ROW_PX = 206
"""Height of the matrix of a map that holds all leads together."""


def wave_matrix(
    shares: FloatArray,
    leads: Sequence[str],
    *,
    title: str,
    outlined: BoolArray | None = None,
    signed: bool = False,
    durations: FloatArray | None = None,
    below: str = "",
    limit: float | None = None,
    focus: Focus = NOWHERE,
    title_letters: int = style.TITLE_LETTERS,
) -> go.Figure:
    """Draw shares of relevance by lead and wave, each cell with its number.

    Parameters
    ----------
    shares : array of shape (L or 1, 6)
        In the order of `ecgviz.types.WAVES`; supporting mass, or with ``signed`` supporting minus opposing.
    leads : sequence of str
        Rows; empty for a map without lead axis, drawn as one row "all leads".
    outlined : bool array of the same shape, optional
        Cells of the guideline's region, framed.
    durations : array of shape (6,), optional
        Each wave's part of the time, written under it (`wave_durations`): a long wave holds much of an even map.
    below : str, optional
        A line under the waves.
    limit : float, optional
        The share at which colours end, for several matrices on one scale (`colour_end`); else this matrix's own.
    focus : Focus
        Its lead and wave are framed: a row, a column, or a cell.
    title_letters : int
        The title is broken before a line of it is longer.

    Returns
    -------
    go.Figure
    """
    rows = list(leads) or ["all leads"]
    largest = np.unravel_index(int(np.argmax(np.nan_to_num(np.abs(shares)))), shares.shape)
    peak = f"{rows[largest[0]]} {tuple(WAVES)[largest[1]]} with {style.percent(float(shares[largest]))}"
    alt = f"{title}, {len(rows)} leads by {len(WAVES)} waves; largest cell {peak}"
    limit = colour_end([shares]) if limit is None else limit
    cells = go.Heatmap(
        z=shares,
        x=list(WAVES),
        y=rows,
        zmin=-limit if signed else 0.0,
        zmax=limit,
        colorscale=style.diverging() if signed else style.sequential(),
        showscale=False,
        text=[[style.number(100 * float(value), 1) for value in row] for row in shares],
        texttemplate="%{text}",
        textfont={"color": style.INK, "size": 12},
        xgap=2,
        ygap=2,
        hoverinfo="skip",
    )
    framed = [] if outlined is None else [_frame(int(row), int(wave)) for row, wave in np.argwhere(outlined)]
    layout = _matrix_layout(below or ("" if durations is None else "under each wave: its part of the time"))
    layout["xaxis"]["range"] = [-0.5, len(WAVES) - 0.5]  # points to click would pad the axes
    layout["yaxis"] |= {"autorange": False, "range": [len(rows) - 0.5, -0.5]}
    if durations is not None:
        texts = [f"{wave}<br>{style.percent(float(part))}" for wave, part in zip(WAVES, durations, strict=True)]
        layout["xaxis"] |= {"tickvals": list(WAVES), "ticktext": texts}
    if not leads:
        layout["margin"] |= {"l": 72}  # "all leads" is longer than the name of a lead
    height = style.MATRIX_PX if leads else ONE_ROW_PX
    shapes = [*framed, *_in_focus(focus, rows)]
    figure = style.blank(
        height, alt, style.in_lines(style.plain(title), title_letters), shapes=shapes, **layout, **REACHES
    )
    figure.add_traces([cells, _picks(shares, rows, bool(leads))])
    return figure


def _picks(shares: FloatArray, rows: Sequence[str], has_leads: bool) -> go.Scatter:
    """Return a point to click for each cell."""
    cells = [(row, wave) for row in range(len(rows)) for wave in range(len(WAVES))]
    names = tuple(WAVES)
    data = [
        (0, rows[row] if has_leads else "", names[wave], style.exact_percent(float(shares[row, wave])))
        for row, wave in cells
    ]
    said = "%{y} %{customdata[2]}: %{customdata[3]}"
    return clickable([names[wave] for _, wave in cells], [rows[row] for row, _ in cells], data, said)


def _in_focus(focus: Focus, rows: Sequence[str]) -> list[dict[str, object]]:
    """Return the frame around a lead's row, a wave's column, or the cell of both."""
    row = next((index for index, lead in enumerate(rows) if lead == focus.lead), None)
    if row is None and focus.wave is None:
        return []
    wave = None if focus.wave is None else tuple(WAVES).index(focus.wave)
    y0, y1 = (-0.5, len(rows) - 0.5) if row is None else (row - 0.5, row + 0.5)
    x0, x1 = (-0.5, len(WAVES) - 0.5) if wave is None else (wave - 0.5, wave + 0.5)
    return [frame(x0=x0, x1=x1, y0=y0, y1=y1)]


def colour_end(matrices: Sequence[FloatArray]) -> float:
    """Return the share at which colours of several matrices end: the largest in any, or several times an even one."""
    return max(max(float(np.max(np.nan_to_num(np.abs(each)))), COLOUR_END_TIMES_EVEN / each.size) for each in matrices)


def signed_matrix(grid: EvidenceGrid) -> FloatArray | None:
    """Return supporting minus opposing mass by lead and wave, as part of all mass on the grid, shape (L or 1, 6)."""
    if not grid.has_time:
        return None
    net = (grid.pos - grid.neg).sum(axis=1)
    whole = float(grid.pos.sum() + grid.neg.sum())
    waves = np.stack([net[:, [ATOMS.index(a) for a in atoms]].sum(axis=1) for atoms in WAVES.values()], axis=1)
    return waves / whole if whole > 0 else np.full(waves.shape, np.nan)


def wave_durations(grid: EvidenceGrid) -> FloatArray | None:
    """Return each wave's part of the delineated time, shape (6,); None for a map without time axis."""
    if not grid.has_time:
        return None
    by_atom = grid.area.sum(axis=0)
    waves = np.array([by_atom[[ATOMS.index(a) for a in names]].sum() for names in WAVES.values()])
    total = waves.sum()
    return waves / total if total > 0 else np.full(waves.shape, np.nan)


def region_cells(region: Region) -> BoolArray:
    """Return which leads and waves a region touches in any beat, bool of shape (L, 6) in the order of `WAVES`."""
    atoms: BoolArray = np.asarray(region.inside.any(axis=1))
    return np.stack([atoms[:, [ATOMS.index(a) for a in names]].any(axis=1) for names in WAVES.values()], axis=1)


def framed_cells(regions: Mapping[str, Region], leads: Sequence[str]) -> BoolArray | None:
    """Return the cells of the primary and absence regions on a map's rows, bool (L, 6); None without any."""
    first = [region for region in regions.values() if region.role in ("primary", "absence")]
    if not first or not leads:
        return None
    framed = np.zeros((len(leads), len(WAVES)), dtype=bool)
    for region in first:
        cells = region_cells(region)
        for row, lead in enumerate(leads):
            if lead in region.leads:
                framed[row] |= cells[region.leads.index(lead)]
    return framed


def _matrix_layout(below: str = "") -> dict[str, Any]:
    line = {"showline": True, "mirror": True, "linecolor": "#b0b0b0"}
    across: dict[str, Any] = {
        **line,
        "type": "category",
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "tickangle": 0,
    }
    if below:
        across["title"] = {"text": style.plain(below), "font": {"size": 12}, "standoff": 6}
    return {
        "xaxis": across,
        "yaxis": {**style.LEAD_ROWS, **line},
        "margin": {"t": style.MATRIX_HEAD_PX} | ({"b": 52} if below else {}),
    }


def _frame(row: int, wave: int) -> dict[str, object]:
    box = {"x0": wave - 0.47, "x1": wave + 0.47, "y0": row - 0.45, "y1": row + 0.45}
    return {"type": "rect", **box, "line": {"color": style.REGION, "width": 2.5}, "fillcolor": "rgba(0,0,0,0)"}
