"""A figure of the screen as a file: SVG, PNG and CSV, each with where it comes from.

Plotly's own export drives a browser, which a hospital's server has not. What our figures are made of (lines, points,
bars, heatmaps, paths, labels) is drawn again with Matplotlib, pixel by pixel where Plotly would put it: the file shows
what the screen shows, frames and calipers included, and paper keeps its millimetres.
"""

import csv
import io
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ecgviz.figures import redrawn, style
from ecgviz.figures.axis_lines import background
from ecgviz.figures.canvas import LINE_SPACING, MM_PER_INCH, Canvas, canvas, rgba
from ecgviz.figures.lettering import wrapped
from ecgviz.figures.settings import settings

PNG_DPI = 200
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ecgviz",
    "path.simplify": False,
    "hatch.linewidth": 0.6,
    "font.family": ["sans-serif"],
}
_FOOT_MARGIN_PX, _FOOT_SIZE_PT = 4.0, 8.25
"""The foot is written in points: a figure whose millimetres are large on the screen becomes small on paper."""
_DRAW = {"scatter": redrawn.scatter, "bar": redrawn.bars, "heatmap": redrawn.heatmap}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = r"[+-]?[\d.,]+(e[+-]?\d+)?( ?[a-zA-Z%°µ²]+)?"
"""A number, with its unit where it has one: no formula, whatever its sign."""


def svg(figure: go.Figure, provenance: Mapping[str, str]) -> str:
    """Return a figure as the text of an SVG file; its lines are vectors, its provenance below it and in its metadata.

    Parameters
    ----------
    figure : go.Figure
        Of `ecgviz.figures`.
    provenance : mapping of str to str
        What it shows, of which recording and model, made by what.
    """
    out = io.StringIO()
    with settings(_SETTINGS):
        _drawn(figure, provenance).savefig(out, format="svg", metadata=_metadata(provenance, "Date"))
    return out.getvalue()


def png(figure: go.Figure, provenance: Mapping[str, str]) -> bytes:
    """Return a figure as a PNG file of `PNG_DPI` dots an inch; parameters as for `svg`."""
    out = io.BytesIO()
    with settings(_SETTINGS):
        _drawn(figure, provenance).savefig(out, format="png", dpi=PNG_DPI, metadata=_metadata(provenance))
    return out.getvalue()


def csv_text(table: pd.DataFrame, provenance: Mapping[str, str]) -> str:
    """Return a table as CSV; its provenance stands above it in lines that begin with "#".

    Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    out = io.StringIO()
    out.write(comments(provenance))
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_harmless(column) for column in table.columns])
    writer.writerows([_harmless(cell) for cell in row] for row in table.itertuples(index=False))
    return out.getvalue()


def comments(provenance: Mapping[str, str]) -> str:
    """Return the lines above a table in CSV that say where it comes from."""
    return "".join(f"# {name}: {' '.join(value.split())}\n" for name, value in provenance.items())


def _harmless(cell: Any) -> Any:
    if isinstance(cell, str) and cell.startswith(_FORMULA) and not re.fullmatch(_NUMBER, cell):
        return f"'{cell}"
    return "" if isinstance(cell, float) and cell != cell else cell


def _metadata(provenance: Mapping[str, str], *left_out: str) -> dict[str, Any]:
    text = "\n".join(f"{name}: {value}" for name, value in provenance.items())
    known = {"Title": provenance.get("figure", "ecgviz"), "Description": text}
    return {**known, "Creator" if left_out else "Software": "ecgviz", **dict.fromkeys(left_out)}


def _drawn(figure: go.Figure, provenance: Mapping[str, str]) -> Figure:
    made = canvas(figure)
    if figure.layout.plot_bgcolor:
        left, bottom, width, height = made.plot
        made.on.add_patch(Rectangle((left, bottom), width, height, color=rgba(figure.layout.plot_bgcolor), zorder=0.1))
    background(made, figure)
    for trace in figure.data:
        _DRAW[trace.type](made, trace)
    for shape in figure.layout.shapes:
        redrawn.shape(made, shape)
    for note in figure.layout.annotations:
        redrawn.annotation(made, note)
    if figure.layout.showlegend:
        redrawn.names(made, figure)
    title = figure.layout.title
    if title is not None and title.text:
        made.write(made.plot[0], made.height_px * (title.y or 0.98), title.text, size_px=14, colour=style.INK,
                   across="left", up="top")  # fmt: skip
    _foot(made, provenance)
    return made.figure


def _foot(made: Canvas, provenance: Mapping[str, str]) -> None:
    """Write below a figure what it shows, and the notice in lines of its own; it grows by what these need."""
    facts = " · ".join(f"{name} {value}" for name, value in provenance.items() if name != "notice")
    room_mm = (made.width_px - 2 * _FOOT_MARGIN_PX) * made.mm_per_px
    size_px = _FOOT_SIZE_PT / made.pt
    told = [facts, provenance.get("notice", "")]
    lines = [line for text in told if text for line in wrapped(text, room_mm, _FOOT_SIZE_PT)]
    foot_px = LINE_SPACING * size_px * len(lines) + 2 * _FOOT_MARGIN_PX
    width_in, height_in = made.figure.get_size_inches()
    made.figure.set_size_inches(width_in, height_in + foot_px * made.mm_per_px / MM_PER_INCH)
    made.on.set_ylim(-foot_px, made.height_px)
    text = "<br>".join(style.plain(line) for line in lines)
    made.write(_FOOT_MARGIN_PX, -_FOOT_MARGIN_PX, text, size_px=size_px, colour=style.MUTED, across="left", up="top")
