"""The median beat of every lead on millimetre paper, with the marks of each wave."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from ecgviz.edit import ENDS_OF, NAMES
from ecgviz.figures import millimetres, style
from ecgviz.figures.sheet import COLUMN_S, MARGIN_S, strips
from ecgviz.measure import MedianBeat
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import MARKS, Beats
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.paper import MM_PER_MV, MM_PER_S

_DASH = {"P": "dot", "QRS": "solid", "T": "dash"}
_WIDTH_PX, _MOST_PX_PER_MM = 715.0, 6.0
"""What the figure is laid out for: the wide column of the page on a laptop."""
_BEFORE_S, _AFTER_S = 0.26, 0.20
"""So much of the line before P (or QRS without it) and after T is drawn, with room for the lead's name before P;
without a T wave all there is."""
_FOOT_PX, _HEAD_PX = 58, 36
_SQUARE_S = 0.2
_SQUARE_UV = 500.0
_LABEL_UV = 600.0
"""Above the traces of each row: room for the lead's name and the brackets of its waves."""
_HIGHEST_UV, _LOWEST_UV = 3500.0, 3500.0
_TICK_UV = 90.0


def lead_ticks(beats: Beats, chosen: BoolArray) -> dict[str, FloatArray]:
    """Return each lead's own marks in seconds from the R peak, (L,): medians over beats, NaN where most lack one."""
    found = {}
    for name, marks in beats.lead_marks.items():
        away = (marks - beats.r_s)[:, chosen]
        known = np.isfinite(away)
        enough = (known.sum(axis=1) > 0) & (2 * known.sum(axis=1) >= away.shape[1])
        middle = np.full(len(marks), np.nan)
        if enough.any():
            middle[enough] = np.nanmedian(away[enough], axis=1)
        found[name] = middle
    return found


def median_sheet(
    median: MedianBeat, leads: tuple[str, ...], *, title: str, ticks: dict[str, FloatArray] | None = None
) -> go.Figure:
    """Draw the median beat of every lead, four leads a row, R peaks on a heavy line of the paper.

    Parameters
    ----------
    median : MedianBeat
        ``mv`` (L, W), its axis in seconds from the R peak, and its six global marks.
    leads : tuple of str
        Names of its rows.
    title : str
        Of which beats it is the median.
    ticks : dict of mark to array (L,), optional
        Each lead's own marks, seconds from the R peak (`lead_ticks`): short strokes on the trace.

    Returns
    -------
    go.Figure
        25 mm/s, 10 mm/mV, square millimetres. Global marks are lines through each lead, under a bracket with the
        name of the wave.
    """
    median = _trimmed(median)
    cells = _cells(leads)
    room = max(-float(median.time_s[0]) + 0.02, _BEFORE_S - float(np.nan_to_num(_first(median))))
    before = _SQUARE_S * np.ceil(room / _SQUARE_S)
    pitch = before + _SQUARE_S * np.ceil((median.time_s[-1] + 0.02) / _SQUARE_S)
    n_columns = max(column for _, _, column in cells) + 1
    bounds, zeros = _rows(median, leads, cells)
    height = bounds[0][1]
    right = n_columns * pitch
    px_per_mm = min(_WIDTH_PX / ((right + MARGIN_S) * MM_PER_S), _MOST_PX_PER_MM)
    height_mm = height / 1000 * MM_PER_MV
    paper_px = round(height_mm * px_per_mm)
    figure = style.blank(
        paper_px + _FOOT_PX + _HEAD_PX,
        _alt(median, leads, title),
        style.plain(title),
        meta={"px_per_mm": paper_px / height_mm},
        margin={"l": 2, "r": 2, "t": _HEAD_PX, "b": _FOOT_PX},
        plot_bgcolor=style.PAPER,
        hovermode="closest",
        shapes=millimetres.grids(-MARGIN_S, right, height),
        **millimetres.square_layout(-MARGIN_S, right, height),
    )
    figure.update_xaxes(showticklabels=False)
    r_at = {lead: column * pitch + before for lead, _, column in cells}
    row_of = {lead: row for lead, row, _ in cells}
    for name in MARKS:
        figure.add_trace(_mark_lines(median, name, r_at, {lead: bounds[row] for lead, row in row_of.items()}))
    figure.add_traces(_brackets(median, r_at, {lead: bounds[row][1] for lead, row in row_of.items()}))
    for lead in r_at:
        figure.add_trace(_line(median, leads, lead, r_at[lead], zeros[row_of[lead]]))
    if ticks:
        figure.add_trace(_lead_strokes(median, leads, ticks, r_at, {lead: zeros[row] for lead, row in row_of.items()}))
    figure.add_trace(millimetres.pulses(-MARGIN_S, zeros))
    left_of = {lead: column * pitch + 0.04 for lead, _, column in cells}
    figure.update_layout(annotations=[*_names(left_of, row_of, bounds), _key(bool(ticks))])
    return figure


def _trimmed(median: MedianBeat) -> MedianBeat:
    """Return the part of a median beat around its waves, so that they are drawn as large as the page allows."""
    start = _first(median) - _BEFORE_S
    end = float(median.marks_s.get("t_off", np.nan)) + _AFTER_S
    keep = ~((median.time_s < start) | (median.time_s > end))
    return replace(median, time_s=median.time_s[keep], mv=median.mv[:, keep])


def _first(median: MedianBeat) -> float:
    return float(np.fmin(median.marks_s.get("p_on", np.nan), median.marks_s.get("qrs_on", np.nan)))


def _cells(leads: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Return lead, row and column: the clinical three rows of four, or four a row in the record's order."""
    if set(STANDARD_LEADS) <= set(leads):
        return [(each.lead, each.row, round(each.start_s / COLUMN_S)) for each in strips(leads, 0.0)[:-1]]
    return [(lead, i // 4, i % 4) for i, lead in enumerate(leads)]


def _rows(
    median: MedianBeat, leads: tuple[str, ...], cells: list[tuple[str, int, int]]
) -> tuple[list[tuple[float, float]], list[float]]:
    """Return (low, high) of each row from the top, and its zero line, in uV: as high as its deflections need."""
    above, below = [], []
    for row in range(max(row for _, row, _ in cells) + 1):
        mine = 1000 * median.mv[[leads.index(lead) for lead, r, _ in cells if r == row]]
        known = mine[np.isfinite(mine)]
        top, bottom = (float(known.max()), float(-known.min())) if known.size else (0.0, 0.0)
        above.append(_SQUARE_UV * np.ceil((np.clip(top, 300.0, _HIGHEST_UV) + _LABEL_UV) / _SQUARE_UV))
        below.append(_SQUARE_UV * np.ceil((np.clip(bottom, 300.0, _LOWEST_UV) + 100.0) / _SQUARE_UV))
    edges = np.concatenate([np.cumsum((np.array(above) + below)[::-1])[::-1], [0.0]])
    bounds = [(float(edges[row + 1]), float(edges[row])) for row in range(len(above))]
    return bounds, [high - up for (_, high), up in zip(bounds, above, strict=True)]


def _line(median: MedianBeat, leads: tuple[str, ...], lead: str, r_at: float, zero: float) -> go.Scatter:
    values = median.mv[leads.index(lead)]
    told = f"{style.plain(lead)}  %{{customdata[0]:.0f}} ms from R  %{{customdata[1]:.2f}} mV<extra></extra>"
    return go.Scatter(
        x0=r_at + float(median.time_s[0]),
        dx=1 / median.fs,
        y=(zero + 1000 * values).astype(np.float32),
        customdata=np.stack([1000 * median.time_s, values], axis=1).astype(np.float32),
        mode="lines",
        line={"color": style.INK, "width": 1.3},
        connectgaps=False,
        name=lead,
        hovertemplate=told,
    )


def _mark_lines(
    median: MedianBeat, name: str, r_at: dict[str, float], bounds: dict[str, tuple[float, float]]
) -> go.Scatter:
    """Return one global mark as a line through every lead; no points where it is not there."""
    at = float(median.marks_s.get(name, np.nan))
    x: list[float | None] = []
    y: list[float | None] = []
    if np.isfinite(at):
        for lead, r in r_at.items():
            low, high = bounds[lead]
            x += [r + at, r + at, None]
            y += [low + 60, high - 260, None]
    wave = next(wave for wave, ends in ENDS_OF.items() if name in ends)
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": style.ACCENT, "width": 1, "dash": _DASH[wave]},
        name=NAMES[name],
        hovertemplate=f"{NAMES[name]}, {1000 * at:.0f} ms from R<extra></extra>",
    )


def _brackets(median: MedianBeat, r_at: dict[str, float], tops: dict[str, float]) -> list[go.Scatter]:
    """Return, above every lead, a bar from onset to offset of each wave, and its name.

    The names of P and QRS start at the onset: they stay apart for every PR interval, which centred ones do not.
    """
    bars, words = [], []
    for wave, (on, off) in ENDS_OF.items():
        start, end = (float(median.marks_s.get(name, np.nan)) for name in (on, off))
        if not (np.isfinite(start) and np.isfinite(end)):
            continue
        for lead, r in r_at.items():
            bars += [(r + start, tops[lead] - 260), (r + end, tops[lead] - 260), (None, None)]
            middle = (start + end) / 2
            words.append((r + (middle if wave == "T" else start), tops[lead] - 140, wave))
    common = {"hoverinfo": "skip", "cliponaxis": False}
    bar = go.Scatter(
        x=[x for x, _ in bars], y=[y for _, y in bars], mode="lines", name="waves",
        line={"color": style.ACCENT, "width": 2.5}, **common,
    )  # fmt: skip
    text = go.Scatter(
        x=[x for x, _, _ in words], y=[y for _, y, _ in words], text=[wave for *_, wave in words], mode="text",
        name="wave names", textposition="middle right", textfont={"size": 11, "color": style.ACCENT}, **common,
    )  # fmt: skip
    return [bar, text]


def _lead_strokes(
    median: MedianBeat,
    leads: tuple[str, ...],
    ticks: dict[str, FloatArray],
    r_at: dict[str, float],
    zeros: dict[str, float],
) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    told: list[str] = []
    for lead, r in r_at.items():
        values = median.mv[leads.index(lead)]
        for name in MARKS:
            at = float(ticks[name][leads.index(lead)]) if name in ticks else np.nan
            height = zeros[lead] + 1000 * float(np.interp(at, median.time_s, values)) if np.isfinite(at) else np.nan
            if np.isfinite(height):
                x += [r + at, r + at, None]
                y += [height - _TICK_UV, height + _TICK_UV, None]
                told += 3 * [f"{style.plain(lead)}: {NAMES[name]}, {1000 * at:.0f} ms from R"]
    return go.Scatter(
        x=x, y=y, customdata=told, mode="lines", line={"color": style.REGION, "width": 2.2},
        name="marks of single leads", hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip


def _names(
    left_of: dict[str, float], row_of: dict[str, int], bounds: list[tuple[float, float]]
) -> list[dict[str, object]]:
    common = {"xanchor": "left", "yanchor": "top", "yshift": -2, "showarrow": False, "borderpad": 1}
    font = {"size": 13, "color": style.INK}
    return [
        {**common, "x": x, "y": bounds[row_of[lead]][1], "text": f"<b>{style.plain(lead)}</b>", "font": font}
        for lead, x in left_of.items()
    ]


def _key(with_ticks: bool) -> dict[str, object]:
    text = "25 mm/s, 10 mm/mV. Lines: P dotted, QRS solid, T dashed<br>(marks of the beat over all leads)."
    if with_ticks:
        text += "<br>Short green strokes: the lead's own marks."
    place = {"x": -MARGIN_S, "xanchor": "left", "y": 0, "yanchor": "top", "yshift": -4, "align": "left"}
    return {**place, "text": text, "showarrow": False, "font": {"size": 12, "color": style.MUTED}}


def _alt(median: MedianBeat, leads: tuple[str, ...], title: str) -> str:
    there = [
        f"{NAMES[name]} {1000 * at:.0f} ms" for name, at in median.marks_s.items() if name in MARKS and np.isfinite(at)
    ]
    marks = ", ".join(there) or "no marks"
    return f"{title}, leads {', '.join(leads)}, on millimetre paper; from the R peak: {marks}"
