"""The median beat of every lead in the colours of the evidence, with the guideline's region outlined.

What is coloured is the evidence grid itself: each part of the beat has one colour in each lead, summed over the beats
that the median is taken over. What lies inside a wave is for the tracing to show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import millimetres, style
from ecgviz.figures.outline import DASHES, WIDTHS_PX
from ecgviz.figures.sheet import MARGIN_S, path_time
from ecgviz.measure import MedianBeat
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import ATOMS
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.paper import MM_PER_MV, MM_PER_S

COLUMNS = 4
_ORDER = ("I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6")
_SNAP_UV, _LEAST_UV, _MOST_UV, _NAME_UV = 500.0, 500.0, 3500.0, 300.0
_GAP_S = 0.08
_SQUARE_S = 0.04
_AFTER_T_S = 0.16
_WIDE_PX, _MOST_PX_PER_MM = 1000.0, 7.5
_HEAD_PX, _FOOT_PX, _LEGEND_PX = 36, 16, 68
_ROOM_FOR_ONE = 15.0
"""Up to this end of the colours, 1 has a tick of its own."""
END_TIMES_EVEN = 4.0
"""Colours end no sooner than at this many times an even spread."""


def evidence_beats(
    median: MedianBeat,
    leads: Sequence[str],
    parts: FloatArray,
    colours: FloatArray,
    colour_leads: Sequence[str],
    regions: Mapping[str, BoolArray],
    *,
    title: str,
    what: str = "supporting mass",
) -> go.Figure:
    """Draw a median beat a lead, four a row on millimetre paper, in the colours of the evidence.

    Parameters
    ----------
    median : MedianBeat
        ``mv`` (L, W) and its axis from the R peak.
    leads : sequence of str
        Its rows. Where the standard twelve are among them, these are drawn, and others left out.
    parts : array of shape (S, 2)
        Where each part of the beat lies (`parts_s`).
    colours : array of shape (K or 1, S or 1)
        Evidence (`density`), rows as ``colour_leads``, which is empty for a map without leads: then all leads have the
        same colours. A map without time colours the whole beat.
    regions : mapping of role to bool array of shape (L, S)
        Cells to outline, for the roles of `DASHES`.
    what : str
        Of what the colours are the density; "share of the map" where it has no signs.

    Returns
    -------
    go.Figure
        25 mm/s, 10 mm/mV, square millimetres.
    """
    sheet = _laid_out(median, leads, parts)
    limit = max(END_TIMES_EVEN, float(np.max(np.nan_to_num(colours), initial=0.0)))
    paper_px = round(sheet.height_mm * sheet.px_per_mm)
    figure = style.blank(
        paper_px + _HEAD_PX + _FOOT_PX + _LEGEND_PX,
        _alt(sheet, colours, colour_leads, regions, title),
        style.plain(title),
        meta={"px_per_mm": paper_px / sheet.height_mm},
        margin={"l": 2, "r": 2, "t": _HEAD_PX + _LEGEND_PX, "b": _FOOT_PX},
        plot_bgcolor=style.PAPER,
        hovermode="closest",
        shapes=[*millimetres.grids(-MARGIN_S, sheet.right, sheet.height), *_outlines(sheet, regions)],
        annotations=_names(sheet),
        **millimetres.square_layout(-MARGIN_S, sheet.right, sheet.height),
    )
    figure.update_xaxes(showticklabels=False)
    figure.add_trace(_heat(sheet, colours, colour_leads, limit, _legend(limit, what)))
    for row, lead in enumerate(leads):
        if lead in sheet.cells:
            figure.add_trace(_line(sheet, lead, median.mv[row]))
    figure.add_trace(millimetres.pulses(-MARGIN_S, sheet.zeros))
    return figure


@dataclass(frozen=True, eq=False)
class _Sheet:
    """Where each lead's beat lies on the paper: its row and column, its R peak in seconds, its row's zero line in uV.

    ``keep`` (W,) and ``time_s`` are the part of the median beat that is drawn, ``parts`` (S, 2) is cut to it.
    """

    leads: tuple[str, ...]
    cells: Mapping[str, tuple[int, int]]
    keep: BoolArray
    time_s: FloatArray
    parts: FloatArray
    r_at: Mapping[str, float]
    bounds: Sequence[tuple[float, float]]
    zeros: Sequence[float]
    right: float

    @property
    def height(self) -> float:
        """Height in microvolts."""
        return self.bounds[0][1]

    @property
    def height_mm(self) -> float:
        """Height on paper."""
        return self.height / 1000 * MM_PER_MV

    @property
    def px_per_mm(self) -> float:
        """How large a millimetre is drawn where the page is wide enough."""
        return float(min(_WIDE_PX / ((self.right + MARGIN_S) * MM_PER_S), _MOST_PX_PER_MM))


def _laid_out(median: MedianBeat, leads: Sequence[str], parts: FloatArray) -> _Sheet:
    waves = parts[: ATOMS.index("TP")]
    first = np.nanmin(waves, initial=0.0) - 2 * _SQUARE_S
    last = np.nanmax(waves, initial=0.0) + _AFTER_T_S
    keep = (median.time_s >= first) & (median.time_s <= last)
    time_s = median.time_s[keep]
    pitch = float(np.ceil((time_s[-1] - time_s[0] + _GAP_S) / _SQUARE_S) * _SQUARE_S)
    order = _ORDER if set(STANDARD_LEADS) <= set(leads) else tuple(leads)
    cells = {lead: (i // COLUMNS, i % COLUMNS) for i, lead in enumerate(order)}
    rows = [
        [leads.index(lead) for lead, (r, _) in cells.items() if r == row] for row in range(-(-len(order) // COLUMNS))
    ]
    heights = [_heights(median.mv[mine][:, keep]) for mine in rows]
    down = np.cumsum([0.0, *(above + below for above, below in heights)])
    bounds = [(float(down[-1] - low), float(down[-1] - high)) for high, low in pairwise(down)]
    return _Sheet(
        leads=tuple(leads),
        cells=cells,
        keep=keep,
        time_s=time_s,
        parts=np.clip(parts, time_s[0], time_s[-1]),
        r_at={lead: float(column * pitch - time_s[0] + _GAP_S / 2) for lead, (_, column) in cells.items()},
        bounds=bounds,
        zeros=[high - above for (_, high), (above, _) in zip(bounds, heights, strict=True)],
        right=COLUMNS * pitch,
    )


def _heights(mv: FloatArray) -> tuple[float, float]:
    """Return how far a row reaches above and below its zero line, in uV: as far as its deflections need."""
    known = 1000 * mv[np.isfinite(mv)]
    top, bottom = (float(known.max()), float(-known.min())) if known.size else (0.0, 0.0)
    above = np.ceil((np.clip(top, _LEAST_UV, _MOST_UV) + _NAME_UV) / _SNAP_UV) * _SNAP_UV
    below = np.ceil((np.clip(bottom, _LEAST_UV, _MOST_UV) + 100.0) / _SNAP_UV) * _SNAP_UV
    return float(above), float(below)


def _line(sheet: _Sheet, lead: str, mv: FloatArray) -> go.Scatter:
    values = mv[sheet.keep]
    zero = sheet.zeros[sheet.cells[lead][0]]
    told = f"{style.plain(lead)}  %{{customdata[0]:.0f}} ms from R  %{{customdata[1]:.2f}} mV<extra></extra>"
    return go.Scatter(
        x=sheet.r_at[lead] + sheet.time_s,
        y=(zero + 1000 * values).astype(np.float32),
        customdata=np.stack([1000 * sheet.time_s, values], axis=1).astype(np.float32),
        mode="lines",
        line={"color": style.INK, "width": 1.3},
        connectgaps=False,
        name=lead,
        hovertemplate=told,
    )


def _heat(
    sheet: _Sheet, colours: FloatArray, colour_leads: Sequence[str], limit: float, legend: dict[str, object]
) -> go.Heatmap:
    """Return one heatmap for all leads: a row of it is a row of the sheet."""
    edges, z = [], []
    for lead, (row, _) in sheet.cells.items():
        values = _colours_of(lead, colours, colour_leads)
        whole = values.size == 1
        parts = np.array([[sheet.time_s[0], sheet.time_s[-1]]]) if whole else sheet.parts
        for (start, end), value in zip(parts, values, strict=True):
            if np.isfinite(value) and end > start:
                edges += [sheet.r_at[lead] + start, sheet.r_at[lead] + end]
                z.append((row, edges[-2], edges[-1], value))
    x = np.unique(np.round([-MARGIN_S, *edges, sheet.right], 5))
    middles = (x[:-1] + x[1:]) / 2
    field = np.full((len(sheet.bounds), middles.size), np.nan)
    for row, start, end, value in z:
        field[row, (middles > start) & (middles < end)] = value
    return go.Heatmap(
        z=field[::-1],
        x=x,
        y=[low for low, _ in reversed(sheet.bounds)] + [sheet.bounds[0][1]],
        zmin=0.0,
        zmax=limit,
        colorscale=style.sequential(),
        hoverinfo="skip",
        hoverongaps=False,
        colorbar=legend,
        name="evidence",
    )


def _colours_of(lead: str, colours: FloatArray, colour_leads: Sequence[str]) -> FloatArray:
    if not colour_leads:
        values: FloatArray = colours[0]
        return values
    if lead not in colour_leads:
        return np.full(colours.shape[1], np.nan)
    return colours[list(colour_leads).index(lead)]


def _legend(limit: float, what: str) -> dict[str, object]:
    words = f"{what} per second, times an even spread"
    ticks = [0.0, 1.0, limit] if limit < _ROOM_FOR_ONE else [0.0, limit]
    return {
        "orientation": "h", "x": 0.02, "xanchor": "left", "y": 1.0, "yref": "container", "yanchor": "top", "ypad": 40,
        "len": 0.6, "thickness": 10, "tickvals": ticks, "ticktext": [_tick(tick) for tick in ticks], "tickangle": 0,
        "tickfont": {"size": 12}, "ticks": "outside", "outlinecolor": style.MUTED, "outlinewidth": 1,
        "title": {"text": f"{words}<br> ", "side": "top", "font": {"size": 12}},
    }  # fmt: skip


def _tick(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.1f}"


def _outlines(sheet: _Sheet, regions: Mapping[str, BoolArray]) -> list[dict[str, object]]:
    """Return a path a role around the parts of the beat that it covers; parts that touch are one."""
    drawn: list[dict[str, object]] = []
    for role, dash in DASHES.items():
        path = ""
        for lead in sheet.cells:
            low, high = sheet.bounds[sheet.cells[lead][0]]
            hit = regions[role][sheet.leads.index(lead)] if role in regions else np.zeros(len(ATOMS), dtype=bool)
            for start, end in _runs(sheet.parts, hit):
                left, right = (path_time(sheet.r_at[lead] + at) for at in (start, end))
                path += f"M{left},{low + 80:.0f}H{right}V{high - 80:.0f}H{left}Z"
        if path:
            line = {"color": style.REGION, "width": WIDTHS_PX[role], "dash": dash}
            drawn.append({"type": "path", "path": path, "line": line, "xref": "x", "yref": "y", "name": role})
    return drawn


def _runs(parts: FloatArray, hit: BoolArray) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start, end in parts[hit & np.isfinite(parts).all(axis=1)]:
        if joined and start <= joined[-1][1] + 1e-6:
            joined[-1] = joined[-1][0], max(float(end), joined[-1][1])
        elif end > start:
            joined.append((float(start), float(end)))
    return joined


def _names(sheet: _Sheet) -> list[dict[str, object]]:
    common = {"xanchor": "left", "yanchor": "top", "yshift": -2, "showarrow": False, "borderpad": 1}
    font = {"size": 13, "color": style.INK}
    return [
        {**common, "x": sheet.r_at[lead] + sheet.time_s[0], "y": sheet.bounds[row][1], "font": font}
        | {"text": f"<b>{style.plain(lead)}</b>"}
        for lead, (row, _) in sheet.cells.items()
    ]


def _alt(
    sheet: _Sheet, colours: FloatArray, colour_leads: Sequence[str], regions: Mapping[str, BoolArray], title: str
) -> str:
    rows = list(colour_leads) or ["all leads"]
    at = np.unravel_index(int(np.argmax(np.nan_to_num(colours))), colours.shape)
    where = f"{rows[at[0]]} {ATOMS[at[1]] if colours.shape[1] > 1 else ''}".strip()
    strongest = f"strongest in {where}, {style.number(float(colours[at]), 1)} times an even spread"
    outlined = ", ".join(role for role in DASHES if role in regions and regions[role].any())
    leads = [lead for lead in sheet.leads if lead in sheet.cells]
    return f"{title}, leads {', '.join(leads)}, on millimetre paper; {strongest}; outlined: {outlined or 'nothing'}"
