"""Relevance as a layer of colour on the paper's time base: attention of any level, or a signed attribution.

One heatmap carries the whole sheet: a row of it is a row of the paper, so twelve leads cost no more than one. The
colour scale is one for all leads and starts at exactly zero (signed maps: symmetric about it); only `per_lead`, which
a reader asks for, gives each lead its own.
"""

from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.figures.sheet import Sheet
from ecgviz.types import AttentionMap, Explanation
from ecgviz.types.arrays import BoolArray, FloatArray, frozen

COLOUR_END_QUANTILE = 0.99
"""Colours end at this quantile of |values|, so that one sample does not bleach all others; the legend says so."""

COLOUR_END_TIMES_EVEN = 3.0
"""Colours of attention end no sooner than at this multiple of an even spread: even attention looks pale, not strong."""

STRIP_MM = 3.0
"""Height of the map in each row when it is drawn in a strip."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, eq=False)
class Heat:
    """Relevance over time: ``values`` (L or 1, K) in the K intervals between ``edges_s`` (K + 1,); NaN = not covered.

    ``leads`` is empty for a map without lead axis, which is then the same behind every lead. ``limit`` is the magnitude
    at which colours end, ``even`` the weight that each token would have in an even spread (attention only; else NaN).
    ``name`` heads the legend. ``resolution_s`` is the width below which the map tells nothing about time, ``field_s``
    how much signal one value saw (NaN where not known); both are drawn to scale under the paper.
    """

    values: FloatArray
    edges_s: FloatArray
    leads: tuple[str, ...]
    signed: bool
    limit: float
    name: str
    even: float = float("nan")
    resolution_s: float = float("nan")
    field_s: float = float("nan")

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))
        object.__setattr__(self, "edges_s", frozen(self.edges_s))

    def row(self, lead: str) -> FloatArray | None:
        """Return the values of one lead, shape (K,); None when the map does not cover that lead."""
        if not self.leads:
            values: FloatArray = self.values[0]
            return values
        return self.values[self.leads.index(lead)] if lead in self.leads else None


def from_explanation(explanation: Explanation, duration_s: float) -> Heat:
    """Return the layer of an explanation; one without time axis covers what the network read of the record.

    ``duration_s`` is the record's: a window that is padded ends with it.
    """
    steps = explanation.values.shape[1]
    if explanation.has_time:
        edges = explanation.start_s + (np.arange(steps + 1) - 0.5) / explanation.fs
    else:
        end_s = min(explanation.start_s + explanation.resolution_s, duration_s)
        edges = np.array([explanation.start_s, end_s]) - 0.5 / explanation.fs
    label = "" if explanation.label is None else f" of {explanation.label}"
    unit = "value per sample" if explanation.has_time else "value of a lead"
    name = f"{explanation.method.replace('_', ' ')}{label}, {unit}"
    return Heat(
        explanation.values,
        edges,
        explanation.leads,
        explanation.signed,
        _limit(explanation.values),
        name,
        resolution_s=explanation.resolution_s if explanation.has_time else float("nan"),
        field_s=float(explanation.params.get("receptive_field_s", float("nan"))),
    )


def from_attention(attention: AttentionMap) -> Heat:
    """Return the layer of an attention map: each token's weight over its span, the mean where spans overlap."""
    edges = np.unique(attention.span_s.round(6))
    middles = (edges[:-1] + edges[1:]) / 2
    covers = (attention.span_s[:, :1] <= middles) & (middles < attention.span_s[:, 1:])
    counts = covers.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(counts > 0, attention.values @ covers / counts, np.nan)
    even = float(attention.values.mean())
    limit = max(_limit(values), COLOUR_END_TIMES_EVEN * even)
    name = f"{attention.level} attention, weight of a token"
    width_s = float((attention.span_s[:, 1] - attention.span_s[:, 0]).max())
    return Heat(values, edges, attention.leads, False, limit, name, even, width_s, attention.receptive_field_s)


def _limit(values: FloatArray) -> float:
    magnitudes = np.abs(values[np.isfinite(values)])
    return float(np.quantile(magnitudes, COLOUR_END_QUANTILE)) if magnitudes.size else 0.0


def per_lead(heat: Heat) -> Heat:
    """Return a map with each lead divided by its own colour end: what a lead holds can be seen, leads not compared."""
    ends = np.array([_limit(row[None, :]) for row in heat.values])
    values = heat.values / np.where(ends > 0, ends, 1.0)[:, None]
    name = f"{heat.name}, each lead on its own scale: 1 is its {100 * COLOUR_END_QUANTILE:.0f}th percentile"
    return replace(heat, values=values, limit=1.0, name=name, even=float("nan"))


def layer(heat: Heat, sheet: Sheet, *, in_strip: bool = False) -> go.Heatmap:
    """Return the one heatmap that lies behind the traces of ``sheet``, with its numeric legend above the paper.

    With ``in_strip`` it covers only the lowest `STRIP_MM` of each row, and the paper behind the trace stays clean.
    """
    starts = {round(strip.start_s, 6) for strip in sheet.strips} | {round(strip.end_s, 6) for strip in sheet.strips}
    inside = heat.edges_s[(heat.edges_s > sheet.start_s) & (heat.edges_s < sheet.end_s)]
    edges = np.unique(np.concatenate([inside.round(6), sorted(starts)]))
    middles = (edges[:-1] + edges[1:]) / 2
    tokens = np.searchsorted(heat.edges_s, middles, side="right") - 1
    covered = (tokens >= 0) & (tokens < heat.values.shape[1])
    z = np.full((len(sheet.zero_uv), middles.size), np.nan, dtype=np.float32)
    for strip in sheet.strips:
        values = heat.row(strip.lead)
        here = covered & (middles >= strip.start_s) & (middles < strip.end_s)
        if values is not None:
            z[strip.row, here] = values[tokens[here]]
    # Eleven bits of each value are more than eyes tell; zeros in the rest make the figure a tenth smaller on its way.
    (z.view(np.uint32))[:] &= np.uint32(0xFFFFF000)
    limit = heat.limit if heat.limit > 0 else 1.0
    rows, heights = z[::-1], [low for low, _ in reversed(sheet.bounds_uv)] + [sheet.bounds_uv[0][1]]
    if in_strip:
        rows = np.stack([rows, np.full_like(rows, np.nan)], axis=1).reshape(-1, middles.size)
        band_uv = 1000 * STRIP_MM / sheet.form.gain_mm_mv
        heights = [at for low in heights[:-1] for at in (low, low + band_uv)] + heights[-1:]
    return go.Heatmap(
        z=rows,
        x=edges.astype(np.float32),
        y=np.array(heights, dtype=np.float32),
        zmin=-limit if heat.signed else 0.0,
        zmax=limit,
        colorscale=style.diverging() if heat.signed else style.sequential(),
        hoverinfo="skip",
        hoverongaps=False,
        colorbar=_legend(heat, limit),
    )


def hatches(drawn: go.Heatmap) -> list[go.Scatter]:
    """Return hatching over cells of `layer` beyond half of the colour end; what opposes is hatched the other way."""
    z = np.nan_to_num(np.asarray(drawn.z, dtype=float))
    made = []
    for slope, beyond in (("/", z >= drawn.zmax / 2), ("\\", (z <= drawn.zmin / 2) & (z < 0))):
        corners = _outlines(beyond, np.asarray(drawn.x, dtype=float), np.asarray(drawn.y, dtype=float))
        if corners:
            pattern = {"shape": slope, "fgcolor": style.INK, "bgcolor": "rgba(0,0,0,0)", "size": 7, "solidity": 0.12}
            area = {"fill": "toself", "fillcolor": "rgba(0,0,0,0)", "fillpattern": pattern}
            x, y = ([each[axis] for each in corners] for axis in (0, 1))
            made.append(go.Scatter(x=x, y=y, mode="none", name="hatching", hoverinfo="skip", **area))
    return made


def _outlines(beyond: BoolArray, x: FloatArray, y: FloatArray) -> list[tuple[float | None, float | None]]:
    """Return the corners of every stretch of cells that hold, a gap (None) after each."""
    corners: list[tuple[float | None, float | None]] = []
    for row, flags in enumerate(beyond):
        steps = np.diff(np.concatenate([[0], flags.astype(int), [0]]))
        for first, last in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True):
            left, right, low, high = (float(at) for at in (x[first], x[last], y[row], y[row + 1]))
            corners += [(left, low), (right, low), (right, high), (left, high), (left, low), (None, None)]
    return corners


LEGEND_TOP_PX = 40
"""From the top of a figure to the bar of its legend; its name stands above that."""
_TITLE_PX, _NAME_UP_PX = 22, 9
"""What Plotly leaves above a bar for its title, and how far above the bar that line of text begins."""


def legend_name(drawn: go.Heatmap, margin_px: float) -> dict[str, object]:
    """Return the name of the colours of a `layer` above their bar, on paper with such a margin above it."""
    place = {"x": 0.5, "xref": "paper", "xanchor": "center", "y": 1, "yref": "paper", "yanchor": "bottom"}
    font = {"size": 12, "color": style.INK}
    shift = {"yshift": margin_px - LEGEND_TOP_PX + _NAME_UP_PX, "borderpad": 0, "showarrow": False}
    return {**place, **shift, "text": drawn.colorbar.title.text, "font": font}


BAR_PX = 16
"""Height that `scale_bars` take below the paper."""


def scale_bars(heat: Heat, sheet: Sheet) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Return what is drawn under the paper's right end to show how fine a map is: bars (shapes), and their words.

    The thick bar is as wide as the finest time that the map tells, the thin one as the signal that one value saw; a
    bar that is wider than the sheet is left out, and its words stay.
    """
    drawn, words = [], []
    for width_s, said, thick in ((heat.resolution_s, "finest time", 4), (heat.field_s, "signal seen", 1.5)):
        if not np.isfinite(width_s) or width_s <= 0:
            continue
        words.append(f"{said} {1000 * width_s:.0f} ms" if width_s < 1 else f"{said} {width_s:.3g} s")
        if width_s < sheet.end_s - sheet.start_s:
            line = {"color": style.INK, "width": thick}
            place = {"yanchor": 0, "ysizemode": "pixel", "y0": -10, "y1": -10, "xref": "x", "yref": "y"}
            drawn.append({"type": "line", "x0": sheet.end_s - width_s, "x1": sheet.end_s, "line": line, **place})
    if not words:
        return [], []
    font = {"size": 12, "color": style.MUTED}
    text = {"x": sheet.end_s, "xanchor": "right", "y": 0, "yanchor": "top", "yshift": -14, "showarrow": False}
    return drawn, [{**text, "text": "; ".join(words), "font": font, "borderpad": 0}]


def _legend(heat: Heat, limit: float) -> dict[str, object]:
    ticks, texts, unit = _ticks(heat, limit)
    return {
        "orientation": "h",
        "x": 0.5,
        "xanchor": "center",
        "y": 1.0,
        "yref": "container",
        "yanchor": "top",
        "ypad": LEGEND_TOP_PX - _TITLE_PX,
        "len": 0.6,
        "thickness": 10,
        "tickvals": ticks,
        "ticktext": texts,
        "tickfont": {"size": 12},
        "ticklen": 3,
        "ticks": "outside",
        "ticklabeloverflow": "allow",
        # Plotly moves this title onto the bar where there is much above the paper: `legend_name` is what is seen.
        "title": {"text": style.plain(heat.name + unit), "side": "top", "font": {"size": 12, "color": style.UNSEEN}},
        "outlinecolor": style.MUTED,
        "outlinewidth": 1,
    }


def _ticks(heat: Heat, limit: float) -> tuple[list[float], list[str], str]:
    """Return tick values, their texts, and what stands behind the name: the power of ten taken out, an even weight."""
    power = int(np.floor(np.log10(limit)))
    scale, unit = (10.0**power, f", ×10{str(power).translate(_SUPERSCRIPTS)}") if not -2 <= power <= 2 else (1.0, "")
    if heat.signed:
        ticks = [-limit, -limit / 2, 0.0, limit / 2, limit]
        texts = [f"{tick / scale:+.2g}" if tick else "0" for tick in ticks]
        texts[0], texts[-1] = f"opposes, {texts[0]} or below", f"supports, {texts[-1]} or above"
        return ticks, texts, unit
    texts = [f"{tick / scale:.2g}" for tick in (0.0, limit / 2, limit)]
    texts[-1] += " or above"
    unit += "" if np.isnan(heat.even) else f"; {heat.even / scale:.2g} is an even spread"
    return [0.0, limit / 2, limit], texts, unit
