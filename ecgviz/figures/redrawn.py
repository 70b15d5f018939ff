"""What our figures are made of, drawn with Matplotlib where Plotly would put it: traces, shapes, labels."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.collections import PolyCollection
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline

from ecgviz.figures import style
from ecgviz.figures.canvas import Canvas, colours_of, error_bars, points, rgba
from ecgviz.figures.heat import LEGEND_TOP_PX
from ecgviz.types.arrays import FloatArray

COLOUR_STEPS = 64
"""Colours of a map are drawn in this many steps, so that neighbours of one colour become one rectangle."""

_ROW_PX, _NAMES_APART_PX = 18.0, 18.0
_DASHES = {
    "dash": (6, 4),
    "dot": (1.5, 2.5),
    "dashdot": (6, 3, 1.5, 3),
    "longdash": (10, 4),
    "longdashdot": (10, 4, 2, 4),
}
_MARKERS = {
    "circle": "o",
    "circle-open": "o",
    "square": "s",
    "diamond": "D",
    "cross": "P",
    "x": "X",
    "triangle-up": "^",
    "triangle-down": "v",
    "star": "*",
}


def scatter(made: Canvas, trace: go.Scatter) -> None:
    """Draw lines, points, words and error bars; nothing of what only a pointer finds."""
    if trace.opacity == 0:
        return
    x = made.px(trace.xaxis, points(trace, "x"), "x")
    y = made.px(trace.yaxis, points(trace, "y"), "y")
    mode = trace.mode or "lines"
    clip = None if trace.cliponaxis is False else made.box(trace.xaxis, trace.yaxis)
    if clip is not None:
        made.on.add_patch(clip)
    if trace.fill == "toself":
        _filled(made, trace, x, y)
    if "lines" in mode:
        width = (trace.line.width if trace.line.width is not None else 2) * made.pt
        (line,) = made.on.plot(x, y, color=rgba(trace.line.color or style.INK), linewidth=width, zorder=3,
                               solid_joinstyle="round", gid=f"trace-{trace.name}" if trace.name else None)  # fmt: skip
        if trace.line.dash in _DASHES:
            line.set_dashes(list(_DASHES[trace.line.dash]))
        line.set_clip_path(clip) if clip is not None else line.set_clip_on(False)
    if "markers" in mode:
        _markers(made, trace, x, y)
    if "text" in mode and trace.text is not None:
        _texts(made, trace, x, y)
    for name, draw, beside in (("x", made.on.hlines, y), ("y", made.on.vlines, x)):
        axis = made.axes[getattr(trace, f"{name}axis") or name]
        ends = error_bars(trace, name, axis.values(points(trace, name)))
        if ends is not None:
            draw(beside, axis.px(ends[0]), axis.px(ends[1]), color=rgba(_edge(trace)), linewidth=made.pt)


def _filled(made: Canvas, trace: go.Scatter, x: FloatArray, y: FloatArray) -> None:
    """Fill the areas between gaps, with a pattern where one is asked for."""
    for part in np.split(np.stack([x, y], axis=1), np.flatnonzero(np.isnan(x))):
        corners = part[np.isfinite(part).all(axis=1)]
        if corners.size:
            hatch = trace.fillpattern.shape or ""
            made.on.fill(*corners.T, facecolor=rgba(trace.fillcolor or "rgba(0,0,0,0)"), linewidth=0, zorder=1.5,
                         edgecolor=rgba(trace.fillpattern.fgcolor or style.INK), hatch=4 * hatch)  # fmt: skip


def _markers(made: Canvas, trace: go.Scatter, x: FloatArray, y: FloatArray) -> None:
    """Draw the points, each with its own symbol and colour where they differ."""
    symbols, colours = (
        np.array(given if isinstance(given, list | tuple | np.ndarray) else [given or default] * x.size)
        for given, default in ((trace.marker.symbol, "circle"), (trace.marker.color, _edge(trace)))
    )
    size = trace.marker.size if isinstance(trace.marker.size, int | float) else 6
    for symbol, colour in dict.fromkeys(zip(symbols.tolist(), colours.tolist(), strict=True)):
        here = (symbols == symbol) & (colours == colour)
        face = "white" if str(symbol).endswith("-open") else rgba(colour)
        edge = trace.marker.line.color or colour
        made.on.plot(
            x[here], y[here], linestyle="none", marker=_MARKERS.get(str(symbol), "o"), markersize=size * made.pt,
            markerfacecolor=face, markeredgecolor=rgba(edge), markeredgewidth=made.pt, zorder=4,
        )  # fmt: skip


def _edge(trace: go.Scatter | go.Bar) -> str:
    """Return the one colour of a trace: of the edges of its points, else of the points, else of its line."""
    known = (trace.marker.line.color, trace.marker.color, trace.line.color if trace.type == "scatter" else None)
    return next((each for each in known if isinstance(each, str)), style.INK)


def _texts(made: Canvas, trace: go.Scatter, x: FloatArray, y: FloatArray) -> None:
    texts = [trace.text] * x.size if isinstance(trace.text, str) else list(trace.text)
    given = trace.textposition or "middle center"
    places = [given] * x.size if isinstance(given, str) else list(given)
    size = float(trace.textfont.size or 12)
    for px, py, text, place in zip(x, y, texts, places, strict=False):
        if text and np.isfinite([px, py]).all():
            _text_beside(made, float(px), float(py), str(text), place, size, _one(trace.textfont.color))


def _text_beside(made: Canvas, x: float, y: float, text: str, place: str, size: float, colour: str) -> None:
    """Write a text above, below or beside a point ("top center", "middle right")."""
    up, _, across = place.partition(" ")
    gap = size * 0.6
    x, y = x + {"left": -gap, "right": gap}.get(across, 0.0), y + {"top": gap, "bottom": -gap}.get(up, 0.0)
    anchor = {"left": "right", "right": "left"}.get(across, "center")
    above = {"top": "bottom", "bottom": "top"}.get(up, "middle")
    made.write(x, y, text, size_px=size, colour=colour, across=anchor, up=above)


def _one(colour: Any) -> str:
    return colour if isinstance(colour, str) else style.INK


def bars(made: Canvas, trace: go.Bar) -> None:
    """Draw bars, standing or lying; patterned ones are hatched, and those that others show through have no edges."""
    lying = trace.orientation == "h"
    along, value = ("y", "x") if lying else ("x", "y")
    axis = made.axes[getattr(trace, f"{along}axis") or along]
    at = axis.values(points(trace, along))
    ends = made.px(getattr(trace, f"{value}axis"), np.nan_to_num(np.array(points(trace, value), dtype=float)), value)
    zero = float(made.px(getattr(trace, f"{value}axis"), [0.0], value)[0])
    half = np.broadcast_to(np.array(0.8 if trace.width is None else trace.width, dtype=float) / 2, at.shape)
    shapes = trace.marker.pattern.shape
    hatched = list(shapes) if isinstance(shapes, list | tuple | np.ndarray) else [shapes or ""] * at.size
    opacity = 1.0 if trace.opacity is None else float(trace.opacity)
    for centre, end, wide, hatch in zip(at, ends, half, hatched, strict=True):
        low, high = sorted((float(axis.px(centre - wide)), float(axis.px(centre + wide))))
        box = (zero, low, end - zero, high - low) if lying else (low, zero, high - low, end - zero)
        colour = rgba(_one(trace.marker.color))
        made.on.add_patch(
            Rectangle(box[:2], *box[2:], facecolor="white" if hatch else colour, edgecolor=colour, alpha=opacity,
                      linewidth=made.pt if opacity == 1 else 0, hatch="////" if hatch else "", zorder=2)
        )  # fmt: skip


def heatmap(made: Canvas, trace: go.Heatmap) -> None:
    """Draw the cells of a map with their numbers, and the legend of its colours."""
    z = np.asarray(trace.z, dtype=float)
    edges = [_edges(made, trace, name, n) for name, n in (("x", z.shape[1]), ("y", z.shape[0]))]
    low, high = float(trace.zmin), float(trace.zmax)
    colours = colours_of(trace)
    level = np.round(np.clip((z - low) / (high - low), 0, 1) * COLOUR_STEPS)
    gap = (trace.xgap or 0) / 2, (trace.ygap or 0) / 2
    boxes, faces = [], []
    for row, values in enumerate(np.where(np.isnan(level), -1.0, level)):
        steps = range(values.size + 1) if trace.xgap else [0, *(np.flatnonzero(np.diff(values)) + 1), values.size]
        for first, last in zip(list(steps)[:-1], list(steps)[1:], strict=True):
            face = colours(values[first] / COLOUR_STEPS)
            if values[first] >= 0 and face[3] > 0:
                left, right = edges[0][first] + gap[0], edges[0][last] - gap[0]
                foot, top = sorted(edges[1][row : row + 2])
                corners = (foot + gap[1], top - gap[1])
                boxes.append([(left, corners[0]), (right, corners[0]), (right, corners[1]), (left, corners[1])])
                faces.append(face)
    made.on.add_collection(PolyCollection(boxes, facecolors=faces, linewidths=0, zorder=1.0, gid="heat"), autolim=False)
    if trace.texttemplate and trace.text is not None:
        middles = [(each[:-1] + each[1:]) / 2 for each in edges]
        for row, column in np.ndindex(z.shape):
            at, text = (float(middles[0][column]), float(middles[1][row])), str(trace.text[row][column] or "")
            made.write(*at, text, colour=style.INK, size_px=float(trace.textfont.size or 12))
    if trace.showscale is not False and trace.colorbar.tickvals is not None:
        _legend(made, trace)


def _edges(made: Canvas, trace: go.Heatmap, name: str, n: int) -> FloatArray:
    """Return the pixels of the edges of a heatmap's cells: as given, or half way between their middles."""
    axis = made.axes[getattr(trace, f"{name}axis") or name]
    given = getattr(trace, name)
    at = np.arange(n, dtype=float) if given is None else axis.values(list(given))
    if at.size == n:
        step = float(np.diff(at).mean()) if n > 1 else 1.0
        at = np.append(at - step / 2, at[-1] + step / 2)
    return axis.px(at)


def _legend(made: Canvas, trace: go.Heatmap) -> None:
    """Draw the numbers of the colours above the plot, as a bar with its ticks and its name."""
    bar, low, high = trace.colorbar, float(trace.zmin), float(trace.zmax)
    width, thick = float(bar.len or 0.6) * made.plot[2], float(bar.thickness or 10)
    left, top = made.plot[0] + (made.plot[2] - width) / 2, made.height_px - LEGEND_TOP_PX
    colours = colours_of(trace)
    for step in range(COLOUR_STEPS):
        at = left + width * step / COLOUR_STEPS
        face = colours((step + 0.5) / COLOUR_STEPS)
        made.on.add_patch(Rectangle((at, top - thick), width / COLOUR_STEPS, thick, facecolor=face, linewidth=0))
    frame = Rectangle(
        (left, top - thick), width, thick, facecolor="none", edgecolor=rgba(style.MUTED), linewidth=made.pt
    )
    made.on.add_patch(frame)
    for value, text in zip(bar.tickvals, bar.ticktext or bar.tickvals, strict=True):
        at = left + width * (float(value) - low) / (high - low)
        made.write(at, top - thick - 3, str(text), size_px=12, colour=style.INK, up="top")
    if bar.title.text and bar.title.font.color != style.UNSEEN:
        words = bar.title.text.partition("<br>")[0]
        made.write(left + width / 2, top + 2, words, size_px=12, colour=style.INK, up="bottom")


def names(made: Canvas, figure: go.Figure) -> None:
    """Name the traces, beside their colours where the screen does: in rows above the plot, or in a column beside it."""
    left, bottom, width, height = made.plot
    legend, size = figure.layout.legend, 12.0
    shown = [trace for trace in figure.data if trace.type in ("scatter", "bar") and trace.showlegend is not False]
    named = [trace for trace in shown if trace.name]
    if legend.orientation == "h":
        rows = _in_rows([made.width_px_of(trace.name, size) for trace in named], left, width)
        foot = bottom + height * float(1.0 if legend.y is None else legend.y)
        most = max((row for _, row in rows), default=0)
        places = [(x, foot + _ROW_PX * (most - row + 0.5)) for x, row in rows]
    else:
        places = [(left + width + 8, bottom + height - 10 - _ROW_PX * row) for row in range(len(named))]
    for (x, up), trace in zip(places, named, strict=True):
        made.write(x + 6, up, "■", size_px=size, colour=_edge(trace))
        made.write(x + 16, up, trace.name, size_px=size, colour=style.INK, across="left")


def _in_rows(widths: Sequence[float], left: float, width: float) -> list[tuple[float, int]]:
    """Return where each name begins, and in which row from the top, so that no row is wider than the plot."""
    places: list[tuple[float, int]] = []
    x, row = left, 0
    for wide in widths:
        needed = 16 + wide + _NAMES_APART_PX
        if x > left and x + needed > left + width:
            x, row = left, row + 1
        places.append((x, row))
        x += needed
    return places


def shape(made: Canvas, drawn: Any) -> None:
    """Draw a line, a rectangle or a path."""
    if drawn.type == "path":
        outline = _outline(made, drawn)
    else:
        (x0, x1), (y0, y1) = (_ends(made, drawn, name) for name in "xy")
        corners = [(x0, y0), (x1, y1)] if drawn.type == "line" else [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        outline = Outline(corners)
    if outline is None:
        return
    width = drawn.line.width if drawn.line.width is not None else 2
    dashes = _DASHES.get(drawn.line.dash or "solid")
    face = rgba(drawn.fillcolor) if drawn.fillcolor and drawn.type != "line" else "none"
    patch = PathPatch(
        outline, facecolor=face, edgecolor=rgba(drawn.line.color or style.INK) if width else "none",
        linewidth=width * made.pt, linestyle=(0, dashes) if dashes else "-",
        zorder=0.5 if drawn.layer == "below" else 5,
    )  # fmt: skip
    made.on.add_patch(patch)


def _ends(made: Canvas, shape: Any, name: str) -> tuple[float, float]:
    """Return both ends of a shape along one axis, in pixels."""
    given = getattr(shape, f"{name}0"), getattr(shape, f"{name}1")
    if getattr(shape, f"{name}sizemode") == "pixel":
        anchor = float(made.px(getattr(shape, f"{name}ref"), [getattr(shape, f"{name}anchor")], name)[0])
        return anchor + float(given[0]), anchor + float(given[1])
    ref = getattr(shape, f"{name}ref") or name
    numbers = [float(each) for each in given]
    pixels = made.px("paper", numbers, name) if ref == "paper" else made.axes[ref].px(numbers)
    return float(pixels[0]), float(pixels[1])


def _outline(made: Canvas, shape: Any) -> Outline | None:
    """Return a path of moves, lines and closings (M, L, H, V, Z) in pixels; None for an empty one."""
    across, up = made.axes[shape.xref or "x"], made.axes[shape.yref or "y"]
    corners: list[tuple[float, float]] = []
    codes: list[int] = []
    start = at = (0.0, 0.0)
    for letter, text in re.findall(r"([MLHVZ])([^MLHVZ]*)", shape.path):
        numbers = [float(part) for part in re.findall(r"-?[\d.]+(?:e-?\d+)?", text)]
        if letter == "Z":
            corners.append(start)
            codes.append(int(Outline.CLOSEPOLY))
            continue
        at = {"H": (numbers[0], at[1]), "V": (at[0], numbers[0])}.get(letter) or (numbers[0], numbers[1])
        start = at if letter == "M" else start
        corners.append(at)
        codes.append(int(Outline.MOVETO if letter == "M" else Outline.LINETO))
    if len(corners) < 2:
        return None
    xy = np.array(corners)
    return Outline(np.stack([across.px(xy[:, 0]), up.px(xy[:, 1])], axis=1), codes)


def annotation(made: Canvas, note: Any) -> None:
    """Write a label."""
    if not note.text:
        return
    x = float(made.px(note.xref, [note.x], "x")[0]) + float(note.xshift or 0)
    y = float(made.px(note.yref, [note.y], "y")[0]) + float(note.yshift or 0)
    across = {"left": "left", "right": "right"}.get(note.xanchor or "center", "center")
    up = note.yanchor if note.yanchor in ("top", "bottom") else "middle"
    made.write(x, y, note.text, size_px=float(note.font.size or 13), colour=_one(note.font.color), across=across, up=up,
               behind=note.bgcolor)  # fmt: skip
