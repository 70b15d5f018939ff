"""The clinical page: a 12-lead ECG on millimetre paper, with or without relevance behind the trace.

25 mm/s, 10 mm/mV, square millimetres whatever the window's size, three rows of four leads above rhythm strip II, a
calibration pulse at the head of each row. One axes holds everything (offset lines over one heatmap), which draws
several times faster than one axes a lead.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import heat as heating
from ecgviz.figures import millimetres, style
from ecgviz.figures.header import SEPARATOR
from ecgviz.figures.millimetres import PX_PER_MM
from ecgviz.figures.sheet import MARGIN_S, Sheet, Strip, samples, sheet
from ecgviz.types import Record

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
    left = page.start_s - MARGIN_S
    bars, words = ([], []) if heat is None else heating.scale_bars(heat, page)
    legend_px, foot_px = (_LEGEND_PX if heat is not None else 0), _FOOT_PX + (heating.BAR_PX if words else 0)
    height_px = round(page.height_mm * PX_PER_MM) + _HEAD_PX + foot_px + legend_px
    figure = style.blank(height_px, _alt(record, page, heat))
    figure.update_layout(
        margin={"l": 2, "r": 2, "t": _HEAD_PX + legend_px, "b": foot_px},
        plot_bgcolor=style.PAPER,
        hovermode="closest",
        shapes=[*millimetres.grids(left, page.end_s, page.height_uv), _column_marks(page), *bars],
        annotations=[*_names(page, marks or {}), *_texts(page, header, footer, bool(words)), *words],
    )
    millimetres.square_axes(figure, left, page.end_s, page.height_uv)
    if heat is not None:
        figure.add_trace(heating.layer(heat, page))
    for strip in page.strips:
        figure.add_trace(_line(record, page, strip))
    figure.add_trace(millimetres.pulses(left, page.zero_uv))
    return figure


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


def _texts(page: Sheet, header: Sequence[str], footer: str, has_bars: bool) -> list[dict[str, object]]:
    left = page.start_s - MARGIN_S
    common = {"x": left, "xanchor": "left", "showarrow": False, "align": "left", "borderpad": 0}
    lines = [_wrapped(line) for line in header]
    text = "<br>".join(f"<b>{line}</b>" if i == 0 else line for i, line in enumerate(lines))
    above = {"y": page.height_uv, "yanchor": "bottom", "yshift": 4, "font": {"size": 14, "color": style.INK}}
    below = {"y": 0, "yanchor": "top", "font": {"size": 12, "color": style.MUTED}}
    below["yshift"] = -22 - (heating.BAR_PX if has_bars else 0)
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
