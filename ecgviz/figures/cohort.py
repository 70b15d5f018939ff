"""What a cohort shows: the guideline's mean place, excess with its interval, shares of records, clusters of maps."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.figures.matrix import wave_matrix
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import ATOMS, WAVES
from ecgviz.types.arrays import BoolArray, FloatArray

ROW_PX, HEAD_PX, FOOT_PX = 30, 60, 56
COLOURS = ("#1f4e79", "#b35806", "#0b6e4f", "#7f3b08", "#542788", "#8c6d1f", "#4d4d4d", "#a6611a", "#01665e", "#762a83")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "cross", "star", "triangle-down")
MOST_POINTS = 2000
"""More points than this are drawn as so many of them, evenly chosen."""
_NAMES_PX = 24
"""Room for a line of names above a plot."""
_LETTER_PX = 7
"""Room for a letter of a row's name, which widens where it is not enough."""
TITLE_LETTERS = 24
"""A title of several matrices side by side is broken before it is longer."""
PLACE_LETTERS = 30
"""That of the guideline's has room for a line that names the network on whose records it is."""
AXIS_FONT = {"size": 13}
FEW_RECORDS = 5
"""Up to so many records in a bar each is a line of the grid: there is no part of a record."""
BIN_PERCENT = 2.5
"""Width of a bar of `share_figure`, in percent of the map."""


def guideline_by_wave(guideline: FloatArray) -> FloatArray:
    """Return the mean part of each wave that a guideline covers, (12, 9) to (12, 6), by its most covered atom."""
    return np.stack([guideline[:, [ATOMS.index(a) for a in some]].max(axis=1) for some in WAVES.values()], axis=1)


def guideline_figure(guideline: FloatArray, n: int, *, title: str) -> go.Figure:
    """Draw in which part of ``n`` records the guideline points at each lead and wave; ``guideline`` is (12, 9)."""
    cells = guideline_by_wave(guideline)
    known = np.nan_to_num(cells)
    peak = np.unravel_index(int(known.argmax()), known.shape)
    most = f"most often {STANDARD_LEADS[peak[0]]} {tuple(WAVES)[peak[1]]}" if n else "no record"
    figure = style.blank(
        style.MATRIX_PX,
        f"{title}: {n} records, {most}",
        style.in_lines(style.plain(title), PLACE_LETTERS),
        margin={"t": style.MATRIX_HEAD_PX},  # as of the maps that stand beside it, so that a lead is one row of all
    )
    figure.add_heatmap(
        z=cells,
        x=list(WAVES),
        y=list(STANDARD_LEADS),
        zmin=0,
        zmax=1,
        colorscale=[(0, "rgba(11,110,79,0)"), (1, "rgba(11,110,79,0.45)")],
        showscale=False,
        xgap=2,
        ygap=2,
        text=[[_part_pointed_at(value) for value in row] for row in cells],
        texttemplate="%{text}",
        textfont={"color": style.INK, "size": 13},
        hovertemplate="%{y} %{x}: %{text} %<extra></extra>",
    )
    frame = {"showline": True, "mirror": True, "linecolor": "#b0b0b0"}
    figure.update_yaxes(**style.LEAD_ROWS, **frame)
    figure.update_xaxes(**frame, type="category", showgrid=False, zeroline=False, ticks="", tickangle=0)
    return figure


def _part_pointed_at(value: float) -> str:
    """Return a cell's number; a dash where no record has the lead."""
    return style.MISSING if value != value else f"{100 * value:.0f}" if value > 0.005 else ""


def map_figure(
    shares: FloatArray,
    *,
    title: str,
    outlined: BoolArray | None = None,
    limit: float | None = None,
    title_letters: int = style.TITLE_LETTERS,
) -> go.Figure:
    """Draw a mean map by lead and wave, (12, 6), as `wave_matrix` does; a lead that no map has is told to be absent."""
    figure = wave_matrix(
        shares, STANDARD_LEADS, title=title, outlined=outlined, limit=limit, title_letters=title_letters
    )
    there = np.asarray(np.isfinite(shares).any(axis=1))
    if there.all():
        return figure
    absent = [lead for lead, known in zip(STANDARD_LEADS, there, strict=True) if not known]
    figure.layout.meta = {**figure.layout.meta, "alt": f"{figure.layout.meta['alt']}; no map has {', '.join(absent)}"}
    (picks,) = figure.select_traces({"name": "pick"})
    said = picks.hovertemplate
    picks.hovertemplate = [f"no map has {lead}<extra></extra>" if lead in absent else said for lead in picks.y]
    return figure


def pointed_at(guideline: FloatArray) -> BoolArray:
    """Return the cells at which a guideline points in half of the records or more, bool (12, 6)."""
    return np.asarray(guideline_by_wave(guideline) >= 0.5)


def excess_figure(table: pd.DataFrame, names: Sequence[str], *, title: str) -> go.Figure:
    """Draw how far the share in the guideline's place is above the best control, with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        Rows of `ecgviz.cohort.summary.agreement`.
    names : sequence of str
        What each row is called.
    title : str
    """
    shown = [f"{style.plain(name)} (n {row.n})" for name, row in zip(names, table.itertuples(), strict=True)]
    value, low, high = (100 * table[f"excess{end}"].to_numpy(dtype=float) for end in ("", "_low", "_high"))
    told = "; ".join(
        f"{name} {mid:+.1f} [{a:+.1f}, {b:+.1f}]" for name, mid, a, b in zip(shown, value, low, high, strict=True)
    )
    figure = style.blank(HEAD_PX + FOOT_PX + ROW_PX * len(shown), f"{title}: {told}", style.plain(title))
    figure.add_scatter(
        x=value,
        y=shown,
        mode="markers",
        marker={"color": style.ACCENT, "size": 9},
        error_x={"type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low, "width": 5},
        hovertemplate="%{y}: %{x:+.1f} points<extra></extra>",
    )
    figure.add_shape(type="line", x0=0, x1=0, y0=0, y1=1, yref="paper", line={"color": style.INK, "dash": "dash"})
    ends = np.concatenate([[0.0], low, high, value])
    ends = ends[np.isfinite(ends)]
    pad = 0.08 * max(float(np.ptp(ends)), 5.0)
    figure.update_xaxes(
        title={"text": "points above the best control map (0 = as a map that knows nothing)", "font": AXIS_FONT},
        range=[float(ends.min()) - pad, float(ends.max()) + pad],
        gridcolor=style.RULE,
        zeroline=False,
    )
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False, automargin=True)
    left_px = 16 + _LETTER_PX * max(map(len, shown), default=0)
    figure.update_layout(margin={"l": left_px, "r": 16, "t": HEAD_PX - 16, "b": FOOT_PX})
    return figure


def share_figure(share: FloatArray, control: FloatArray, *, title: str) -> go.Figure:
    """Draw in how many records so much of the map lies in the guideline's place, beside the best control of each.

    Bars are `BIN_PERCENT` wide; they are counted here, for what draws a file of the figure draws bars alone.
    """
    known = np.isfinite(share) & np.isfinite(control)
    median = tuple(float(np.median(each[known])) if known.any() else np.nan for each in (share, control))
    alt = f"{title}: {int(known.sum())} records, median {style.percent(median[0])}, control {style.percent(median[1])}"
    words = style.in_lines(style.plain(title))
    head_px = 44 + 18 * words.count("<br>") + _NAMES_PX
    figure = style.blank(276 + head_px, alt, words)
    edges = np.arange(0, 100 + BIN_PERCENT, BIN_PERCENT)
    counts = [np.histogram(np.clip(100 * each[known], 0, 100), edges)[0] for each in (control, share)]
    for n, name, colour in zip(counts, ("best control", "the map"), ("#b0b0b0", style.ACCENT), strict=True):
        figure.add_bar(
            x=edges[:-1] + BIN_PERCENT / 2,
            y=n,
            width=BIN_PERCENT,
            name=name,
            marker={"color": colour},
            opacity=0.65,
            customdata=[f"{low:g} to {low + BIN_PERCENT:g} %" for low in edges[:-1]],
            hovertemplate="%{customdata}: %{y} records",
        )
    most, last = np.max(counts), edges[1:][np.any(counts, axis=0)]
    figure.update_xaxes(
        title={"text": "percent of the map in the guideline's place", "font": AXIS_FONT},
        gridcolor=style.RULE,
        range=[0, float(last[-1]) if last.size else 100],
    )
    figure.update_yaxes(title={"text": "records", "font": AXIS_FONT}, gridcolor=style.RULE)
    figure.update_yaxes(range=[0, 1.05 * float(most or 1)], dtick=1 if most <= FEW_RECORDS else None)
    names = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}  # above the bars, which may be high anywhere
    margin = {"b": 48, "l": 56, "t": head_px}
    figure.update_layout(barmode="overlay", showlegend=True, legend=names, margin=margin)
    return figure


def parted_figure(table: pd.DataFrame, first: str, second: str, *, title: str) -> go.Figure:
    """Draw by how much the share of each lead and wave differs between two methods, with 95 % intervals.

    ``table`` is `ecgviz.cohort.summary.parted`; places whose interval excludes 0 are filled.
    """
    rows = table[table.place != "together"]
    value, low, high = (100 * rows[f"difference{end}"].to_numpy(dtype=float) for end in ("", "_low", "_high"))
    clear = rows.clear.to_numpy(dtype=bool)
    largest = rows.iloc[int(np.nanargmax(np.abs(value)))] if np.isfinite(value).any() else None
    most = "" if largest is None else f"; largest at {largest.place}, {100 * largest.difference:+.1f} points"
    figure = style.blank(340, f"{title}: {first} less {second}{most}", style.plain(title))
    figure.add_scatter(
        x=rows.place.tolist(),
        y=value,
        mode="markers",
        marker={
            "color": [style.ACCENT if each else "white" for each in clear],
            "size": 10,
            "line": {"color": style.ACCENT, "width": 1.5},
        },
        error_y={"type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low, "width": 4},
        hovertemplate="%{x}: %{y:+.1f} points<extra></extra>",
    )
    figure.add_shape(type="line", x0=0, x1=1, xref="paper", y0=0, y1=0, line={"color": style.INK, "dash": "dash"})
    figure.update_xaxes(type="category", showgrid=False, tickangle=0)
    words = f"points: {style.plain(first)}<br>less {style.plain(second)}"
    figure.update_yaxes(title={"text": words}, gridcolor=style.RULE, zeroline=False)
    figure.update_layout(margin={"l": 76, "b": 40})
    return figure


def cluster_figure(
    places: FloatArray, members: Sequence[int], records: Sequence[str], explained: float, *, title: str
) -> go.Figure:
    """Draw maps as points: near each other where the network looks at the same places, a colour a cluster."""
    every = max(1, -(-len(records) // MOST_POINTS))
    k = max(members) + 1
    sizes = ", ".join(f"cluster {each + 1}: {list(members).count(each)}" for each in range(k))
    figure = style.blank(420, f"{title}: {len(records)} maps; {sizes}", style.plain(title))
    member, names = np.asarray(members), np.asarray(records, dtype=object)
    for each in range(k):
        chosen = np.flatnonzero(member == each)[::every]
        figure.add_scatter(
            x=places[chosen, 0],
            y=places[chosen, 1],
            mode="markers",
            name=f"cluster {each + 1}",
            text=names[chosen],
            marker={
                "color": COLOURS[each % len(COLOURS)],
                "symbol": SYMBOLS[each % len(SYMBOLS)],
                "size": 8,
                "opacity": 0.75,
            },
            hovertemplate="%{text}<extra></extra>",
        )
    axis = {"showticklabels": False, "showgrid": False, "zeroline": False, "ticks": ""}
    figure.update_xaxes(
        title={"text": f"first two principal components, {style.percent(explained)} of the variance"}, **axis
    )
    figure.update_yaxes(**axis)
    figure.update_layout(showlegend=True, legend={"orientation": "v", "x": 1.01, "y": 1}, margin={"r": 110})
    return figure
