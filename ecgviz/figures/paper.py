"""The clinical page: a 12-lead ECG on millimetre paper, with or without relevance behind the trace.

25 mm/s, 10 mm/mV, square millimetres whatever the window's size, three rows of four leads above rhythm strip II, a
calibration pulse at the head of each row. One axes holds everything (offset lines over one heatmap), which draws
several times faster than one axes a lead.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import heat as heating
from ecgviz.figures import style
from ecgviz.figures.header import SEPARATOR
from ecgviz.figures.sheet import (
    MARGIN_S,
    MM_PER_MV,
    MM_PER_S,
    PULSE_MV,
    PULSE_S,
    Sheet,
    Strip,
    samples,
    sheet,
)
from ecgviz.types import Record

PX_PER_MM = 3.8
_HEAD_PX, _FOOT_PX, _LEGEND_PX = 70, 44, 68
_ITEMS_PER_LINE = 4


def paper(
    record: Record,
    *,
    start_s: float = 0.0,
    header: Sequence[str] = (),
    footer: str = "",
    heat: heating.Heat | None = None,
    marks: dict[str, str] | None = None,
) -> go.Figure:
    """Draw ten seconds of a record as a cardiologist expects to see it.

    Parameters
    ----------
    record : Record
        Conditioned for display; samples in mV. Fewer than the twelve leads are drawn one a row.
    start_s : float
        Left edge, seconds of the record.
    header, footer : text above (two lines) and below the paper
        Of any origin: escaped here.
    heat : Heat or None
        Relevance drawn behind the trace.
    marks : dict of lead to text, optional
        What is written after a lead's name ("doubtful").

    Returns
    -------
    go.Figure
        Square millimetres at any window size; ``layout.meta["alt"]`` describes it.
    """
    page = sheet(record, start_s)
    legend_px = _LEGEND_PX if heat is not None else 0
    height_px = round(page.height_mm * PX_PER_MM) + _HEAD_PX + _FOOT_PX + legend_px
    figure = style.blank(height_px, _alt(record, page, heat))
    figure.update_layout(
        margin={"l": 2, "r": 2, "t": _HEAD_PX + legend_px, "b": _FOOT_PX},
        plot_bgcolor=style.PAPER,
        hovermode="closest",
        shapes=[_grid(page, 0.04, style.GRID_MINOR, 0.6), _grid(page, 0.2, style.GRID_MAJOR, 0.9), _column_marks(page)],
        annotations=[*_names(page, marks or {}), *_texts(page, header, footer)],
    )
    _axes(figure, page)
    if heat is not None:
        figure.add_trace(heating.layer(heat, page))
    for strip in page.strips:
        figure.add_trace(_line(record, page, strip))
    figure.add_trace(_pulses(page))
    return figure


def _axes(figure: go.Figure, page: Sheet) -> None:
    figure.update_xaxes(
        range=[page.start_s - MARGIN_S, page.end_s],
        constrain="domain",
        constraintoward="left",
        dtick=1,
        ticksuffix=" s",
        tickfont={"size": 11, "color": style.MUTED},
        ticks="",
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(
        range=[0, page.height_uv],
        scaleanchor="x",
        scaleratio=MM_PER_MV / 1000 / MM_PER_S,
        constrain="domain",
        constraintoward="top",
        showticklabels=False,
        ticks="",
        showgrid=False,
        zeroline=False,
    )


def _grid(page: Sheet, step_s: float, colour: str, width_px: float) -> dict[str, object]:
    """Return all grid lines of one spacing as a single path: hundreds of lines, one element in the browser."""
    left, right = page.start_s - MARGIN_S, page.end_s
    step_uv = step_s * MM_PER_S / MM_PER_MV * 1000
    across = left + step_s * np.arange(round((right - left) / step_s) + 1)
    up = step_uv * np.arange(round(page.height_uv / step_uv) + 1)
    path = [f"M{x:.5g},0V{page.height_uv:.0f}" for x in across] + [f"M{left:.5g},{y:.0f}H{right:.5g}" for y in up]
    line = {"color": colour, "width": width_px}
    return {"type": "path", "path": "".join(path), "line": line, "layer": "below", "xref": "x", "yref": "y"}


def _column_marks(page: Sheet) -> dict[str, object]:
    """Return short bars where one lead ends and the next begins."""
    changes = [(strip.start_s, page.zero_uv[strip.row]) for strip in page.strips if strip.start_s > page.start_s]
    bars = [(x, zero + side) for x, zero in changes for side in (-350, 150)]
    path = "".join(f"M{x:.5g},{low:.0f}V{low + 200:.0f}" for x, low in bars)
    line = {"color": style.INK, "width": 1}
    return {"type": "path", "path": path or "M0,0", "line": line, "layer": "above", "xref": "x", "yref": "y"}


def _line(record: Record, page: Sheet, strip: Strip) -> go.Scatter:
    first_s, values = samples(record, strip)
    heights = page.zero_uv[strip.row] + 1000.0 * values
    fits = bool(np.isfinite(heights).all() and (heights >= 0).all() and (heights < 2**16).all())
    return go.Scatter(
        x0=first_s,
        dx=1 / record.fs,
        y=np.round(heights).astype(np.uint16) if fits else heights.astype(np.float32),
        customdata=values.astype(np.float32),
        mode="lines",
        line={"color": style.INK, "width": 1.1},
        connectgaps=False,
        name=strip.lead,
        hovertemplate=f"{strip.lead}  %{{x:.3f}} s  %{{customdata:.2f}} mV<extra></extra>",
    )


def _pulses(page: Sheet) -> go.Scatter:
    """Return the calibration pulse (1 mV for 0.2 s) at the head of every row."""
    left = page.start_s - MARGIN_S
    x = [left + 0.04, left + 0.1, left + 0.1, left + 0.1 + PULSE_S, left + 0.1 + PULSE_S, left + 0.36, None]
    steps = (0.0, 0.0, PULSE_MV, PULSE_MV, 0.0, 0.0)
    y = [[*(zero + 1000 * step for step in steps), None] for zero in page.zero_uv]
    return go.Scatter(
        x=x * len(page.zero_uv),
        y=[value for row in y for value in row],
        mode="lines",
        line={"color": style.INK, "width": 1.1},
        name="1 mV, 0.2 s",
        hoverinfo="name",
    )


def _names(page: Sheet, marks: dict[str, str]) -> list[dict[str, object]]:
    return [
        {
            "x": strip.start_s + 0.04,
            "y": page.bounds_uv[strip.row][1],
            "text": f"<b>{style.plain(strip.lead)}</b>"
            + (f" <i>{style.plain(marks[strip.lead])}</i>" if strip.lead in marks else ""),
            "xanchor": "left",
            "yanchor": "top",
            "yshift": -3,
            "showarrow": False,
            "borderpad": 1,
            "font": {"size": 13, "color": style.INK},
        }
        for strip in page.strips
    ]


def _texts(page: Sheet, header: Sequence[str], footer: str) -> list[dict[str, object]]:
    left = page.start_s - MARGIN_S
    common = {"x": left, "xanchor": "left", "showarrow": False, "align": "left", "borderpad": 0}
    lines = [_wrapped(line) for line in header]
    text = "<br>".join(f"<b>{line}</b>" if i == 0 else line for i, line in enumerate(lines))
    above = {"y": page.height_uv, "yanchor": "bottom", "yshift": 4, "font": {"size": 14, "color": style.INK}}
    below = {"y": 0, "yanchor": "top", "yshift": -22, "font": {"size": 12, "color": style.MUTED}}
    return [{**common, **above, "text": text}, {**common, **below, "text": style.plain(footer)}]


def _wrapped(line: str) -> str:
    """Return a header line, escaped, with a break after every fourth item: a narrow window cuts nothing off."""
    items = [style.plain(item) for item in line.split(SEPARATOR)]
    parts = [SEPARATOR.join(items[i : i + _ITEMS_PER_LINE]) for i in range(0, len(items), _ITEMS_PER_LINE)]
    return "<br>".join(parts)


def _alt(record: Record, page: Sheet, heat: heating.Heat | None) -> str:
    leads = ", ".join(dict.fromkeys(strip.lead for strip in page.strips))
    text = f"ECG on millimetre paper, {page.start_s:g} to {page.end_s:g} s, 25 mm/s, 10 mm/mV, leads {leads}"
    return text if heat is None else f"{text}; {heat.name} as colour behind the trace, numbers in the table below"
