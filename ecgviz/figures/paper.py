"""The clinical page: a 12-lead ECG on millimetre paper, with or without relevance behind the trace.

Square millimetres whatever the window's size, in the layouts and scales of `PaperFormat`, a calibration pulse at the
head of each row. One axes holds everything (offset lines over one heatmap), which draws several times faster than one
axes a lead.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import heat as heating
from ecgviz.figures import millimetres, paper_marks, style
from ecgviz.figures.calipers import Caliper
from ecgviz.figures.header import broken, shorter_than
from ecgviz.figures.millimetres import PX_PER_MM
from ecgviz.figures.sheet import Sheet, Strip, path_time, samples, sheet
from ecgviz.figures.spans import Span
from ecgviz.types import Beats, Record
from ecgviz.types.focus import NOWHERE, Focus
from ecgviz.types.paper import STANDARD, PaperFormat

_HEAD_PX, _FOOT_PX, _LEGEND_PX = 70, 44, 68
_HEAD_SIZE_PX, _HEAD_LINE_PX = 14, 18.2
_LETTERS_PER_LINE = 88
"""Above the paper, bold: as many as the sheet has room for in a window 1024 pixels wide, beside the sidebar."""
_NAME_MM = 0.8
"""From a strip's upper left corner to its lead's name, across and down."""
_HOVER_PX = 60
"""How far from a wave's point the pointer may be to stand for it."""


def paper(
    record: Record,
    *,
    start_s: float = 0.0,
    form: PaperFormat = STANDARD,
    header: Sequence[str] = (),
    footer: str = "",
    heat: heating.Heat | None = None,
    in_strip: bool = False,
    hatched: bool = False,
    marks: dict[str, str] | None = None,
    beats: Beats | None = None,
    spans: Sequence[Span] = (),
    focus: Focus = NOWHERE,
    caliper: Caliper | None = None,
    marching: bool = False,
) -> go.Figure:
    """Draw a sheet of a record as a cardiologist expects to see it.

    Parameters
    ----------
    record : Record
        Conditioned for display; samples in mV. Fewer than the twelve leads are drawn one a row.
    start_s : float
        Left edge, seconds of the record.
    form : PaperFormat
        Layout and scales.
    header, footer : text above (two lines) and below the paper
        Of any origin: escaped here.
    heat : Heat or None
        Relevance drawn behind the trace, or with ``in_strip`` at the foot of each row; with ``hatched`` its strongest
        half is hatched besides.
    marks : dict of lead to text, optional
        What is written after a lead's name ("doubtful").
    beats : Beats, optional
        Of the same record: every wave can then be pointed at and clicked, and put in focus.
    spans : sequence of Span
        Bracketed and numbered (`ecgviz.figures.spans.top_spans`).
    focus : Focus
        Framed.
    caliper : Caliper, optional
        Drawn on its lead; with ``marching`` its interval is repeated over the sheet.

    Returns
    -------
    go.Figure
        Square millimetres at any window size; ``layout.meta["alt"]`` describes it.
    """
    page = sheet(record, start_s, form)
    bars, words = ([], []) if heat is None else heating.scale_bars(heat, page)
    shapes, notes = _laid_over(page, beats, spans, focus, caliper, marching)
    above = _head_lines(header)
    head_px = max(_HEAD_PX, round(_HEAD_LINE_PX * len(above)) + 10)
    foot_px = _FOOT_PX + (heating.BAR_PX if words else 0)
    behind = None if heat is None else heating.layer(heat, page, in_strip=in_strip)
    top_px = head_px + (0 if behind is None else _LEGEND_PX)
    named = [] if behind is None else [heating.legend_name(behind, top_px)]
    paper_px = round(page.height_mm * PX_PER_MM)
    figure = style.blank(
        paper_px + top_px + foot_px,
        _alt(record, page, heat, spans),
        meta={"px_per_mm": paper_px / page.height_mm, "whole_sheet": True},
        margin={"l": 2, "r": 2, "t": top_px, "b": foot_px},
        plot_bgcolor=style.PAPER,
        hovermode="closest",
        hoverdistance=_HOVER_PX,
        dragmode="zoom",
        shapes=[*millimetres.grids(page.left_s, page.end_s, page.height_uv, form), _column_marks(page), *bars, *shapes],
        annotations=[*notes, *_texts(above, footer, bool(words)), *words, *named],
        **millimetres.square_layout(page.left_s, page.end_s, page.height_uv, form),
    )
    traces: list[go.Scatter | go.Heatmap] = []
    if behind is not None:
        traces += [behind, *(heating.hatches(behind) if hatched else ())]
    pointed = beats is not None and len(beats) > 0
    traces += [_line(record, page, strip, silent=pointed) for strip in page.strips]
    traces += [millimetres.pulses(page.left_s, page.zero_uv, form), _names(page, marks or {})]
    if beats is not None and pointed:
        traces += paper_marks.targets(record, page, beats)
    figure.add_traces(traces)
    return figure


def _laid_over(
    page: Sheet, beats: Beats | None, spans: Sequence[Span], focus: Focus, caliper: Caliper | None, marching: bool
) -> tuple[list[paper_marks.Shape], list[paper_marks.Shape]]:
    """Return shapes and annotations of brackets, focus and caliper."""
    shapes, notes = paper_marks.brackets(spans, page)
    if beats is not None:
        shapes += paper_marks.focus_frame(focus, page, beats)
    if caliper is not None:
        lines, words = paper_marks.caliper_marks(caliper, page, marching=marching)
        shapes, notes = shapes + lines, notes + words
    return shapes, notes


def _column_marks(page: Sheet) -> dict[str, object]:
    """Return short bars where one lead ends and the next begins."""
    changes = [(strip.start_s, page.zero_uv[strip.row]) for strip in page.strips if strip.start_s > page.start_s]
    bars = [(x, zero + side) for x, zero in changes for side in (-350, 150)]
    path = "".join(f"M{path_time(x)},{low:.0f}V{low + 200:.0f}" for x, low in bars)
    line = {"color": style.INK, "width": 1}
    return {"type": "path", "path": path or "M0,0", "line": line, "layer": "above", "xref": "x", "yref": "y"}


def _line(record: Record, page: Sheet, strip: Strip, *, silent: bool) -> go.Scatter:
    """Return one strip's trace; ``silent`` where points for each wave speak for it."""
    first_s, values = samples(record, strip)
    heights = page.zero_uv[strip.row] + 1000.0 * values
    fits = bool(np.isfinite(heights).all() and (heights >= 0).all() and (heights < 2**16).all())
    return go.Scatter(
        x0=first_s,
        dx=1 / record.fs,
        y=np.round(heights).astype(np.uint16) if fits else heights.astype(np.float32),
        mode="lines",
        line={"color": style.INK, "width": 1.1},
        connectgaps=False,
        name=strip.name,
        hoverinfo="skip" if silent else "name+x",
    )


def _names(page: Sheet, marks: dict[str, str]) -> go.Scatter:
    """Return the leads' names at the head of each strip: one trace, which a zoom draws faster than as many notes."""
    across_s, down_uv = _NAME_MM / page.form.speed_mm_s, 1000 * _NAME_MM / page.form.gain_mm_mv
    return go.Scatter(
        x=[strip.start_s + across_s for strip in page.strips],
        y=[page.bounds_uv[strip.row][1] - down_uv for strip in page.strips],
        text=[
            f"<b>{style.plain(strip.name)}</b>"
            + (f" <i>{style.plain(marks[strip.lead])}</i>" if strip.lead in marks else "")
            for strip in page.strips
        ],
        mode="text",
        textposition="bottom right",
        textfont={"size": 13, "color": style.INK},
        name="leads",
        hoverinfo="skip",
    )


def _head_lines(header: Sequence[str]) -> list[str]:
    """Return what stands above the paper, the first line bold, broken so that a narrow window cuts nothing off."""
    first, *others = (
        [style.plain(each) for each in broken(line, shorter_than(_LETTERS_PER_LINE))] for line in header or ("",)
    )
    return [*(f"<b>{line}</b>" for line in first), *(line for lines in others for line in lines)]


def _texts(above: Sequence[str], footer: str, has_bars: bool) -> list[dict[str, object]]:
    place = {"x": 0, "xref": "x domain", "yref": "y domain"}  # where it is, however far a reader zooms in
    common = {**place, "xanchor": "left", "showarrow": False, "align": "left", "borderpad": 0}
    head = {"y": 1, "yanchor": "bottom", "yshift": 4, "font": {"size": _HEAD_SIZE_PX, "color": style.INK}}
    below = {"y": 0, "yanchor": "top", "font": {"size": 12, "color": style.MUTED}}
    below["yshift"] = -22 - (heating.BAR_PX if has_bars else 0)
    return [{**common, **head, "text": "<br>".join(above)}, {**common, **below, "text": style.plain(footer)}]


def _alt(record: Record, page: Sheet, heat: heating.Heat | None, spans: Sequence[Span]) -> str:
    leads = ", ".join(dict.fromkeys(strip.name for strip in page.strips))
    scale = f"{page.form.speed_mm_s:g} mm/s, {page.form.gain_mm_mv:g} mm/mV"
    text = f"ECG on millimetre paper, {page.start_s:g} to {page.end_s:g} s, {scale}, leads {leads}"
    if heat is None:
        return text
    largest = "; ".join(
        f"{each.mark} {each.lead or 'all leads'} {each.start_s:.2f} to {each.end_s:.2f} s" for each in spans
    )
    most = f", most relevant {largest}" if largest else ""
    return f"{text}; {heat.name} as colour behind the trace{most}, numbers in the table below"
