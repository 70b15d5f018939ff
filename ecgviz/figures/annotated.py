"""An annotated example: where a finding lies on the paper, from what was planted or from where the guideline looks."""

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures.heat import Heat
from ecgviz.simulate import Truth
from ecgviz.types import ATOMS, Beats, Region
from ecgviz.types.arrays import FloatArray

STEP_S = 0.010
"""Width of a column of the annotation: a quarter of a small square."""
HALF_OF_WIDE = 0.72
"""Height of a median sheet in one of two columns, as a part of that in the wide column."""
PROJECTED_LINE, PROJECTED_TYPE, PROJECTED_HEIGHT = 2.2, 1.45, 1.2
"""Width of traces for a projector, and how much larger its letters and figures are."""
HEADER_PX = 70
"""Room above the paper, which larger letters need more of."""


def from_truth(truth: Truth) -> Heat | None:
    """Return what was planted as a layer behind the trace; None for a rate, which lies at no place.

    A finding of morphology is the distance in mV to the same heart without it. A finding of timing is the waves that
    its named cells hold: 1 there, 0 elsewhere.
    """
    beats = truth.beats
    edges = _edges(beats)
    if truth.cells:
        values = np.zeros((len(truth.leads), edges.size - 1))
        for cell in truth.cells:
            weight = np.zeros((len(beats), len(ATOMS)))
            weight[np.ix_(list(cell.beats), [ATOMS.index(atom) for atom in cell.atoms])] = 1.0
            rows = [truth.leads.index(lead) for lead in cell.leads]
            values[rows] = np.maximum(values[rows], _in_time(weight, beats, edges))
        roles = ", ".join(dict.fromkeys(cell.role.replace("_", " ") for cell in truth.cells))
        return Heat(values, edges, truth.leads, False, 1.0, f"planted: {roles}")
    if not truth.evidence.any():
        return None
    samples = truth.evidence.shape[1]
    at = np.minimum((edges[:-1] * samples / beats.duration_s).astype(int), samples - 1)
    values = np.maximum.reduceat(truth.evidence, at, axis=1)
    limit = float(np.quantile(values[values > 0], 0.95))
    return Heat(values, edges, truth.leads, False, limit, "planted: distance to the same heart without it, mV")


def from_region(region: Region, beats: Beats) -> Heat:
    """Return where a guideline looks as a layer behind the trace: the region's weight on each wave."""
    edges = _edges(beats)
    values = np.stack([_in_time(weight, beats, edges) for weight in region.weight])
    return Heat(values, edges, region.leads, False, 1.0, f"where the criterion looks: {region.text}")


def for_projector(figure: go.Figure) -> go.Figure:
    """Return a figure as the last row of a lecture hall needs it: wide black traces, large letters."""
    shown = go.Figure(figure)
    room = round((PROJECTED_TYPE - 1) * HEADER_PX)
    of_map = set()
    for trace in shown.data:
        if trace.type == "scatter" and trace.mode == "lines":
            trace.line.width = PROJECTED_LINE
            trace.line.color = "#000000"
        elif trace.type == "heatmap" and trace.colorbar.title.text:
            of_map.add(trace.colorbar.title.text)
    shown.update_layout(
        font={"size": round(PROJECTED_TYPE * 13), "color": "#000000"},
        height=round(PROJECTED_HEIGHT * shown.layout.height) + room,
        margin={"t": shown.layout.margin.t + room},
    )
    shown.for_each_annotation(
        lambda words: words.update(font={"size": round(PROJECTED_TYPE * (words.font.size or 13)), "color": "#000000"})
    )
    for words in shown.layout.annotations:
        if words.text in of_map:  # the bar that it names stays at the top of the figure
            words.yshift += room
    return _to_scale(shown, figure)


def half_as_wide(figure: go.Figure) -> go.Figure:
    """Return a median sheet, which is laid out for the wide column of a page, for one of two equal columns.

    The names of the waves would run into one another there; the key below the sheet tells the lines apart.
    """
    shown = go.Figure(figure)
    shown.data = [each for each in shown.data if each.name != "wave names"]
    shown.update_layout(height=round(HALF_OF_WIDE * figure.layout.height))
    return _to_scale(shown, figure)


def _to_scale(shown: go.Figure, laid_out: go.Figure) -> go.Figure:
    """Say of a figure whose paper was made larger or smaller how large its millimetres are now; others stay."""
    px_per_mm = laid_out.layout.meta.get("px_per_mm")
    if px_per_mm is not None:
        now, before = (each.height - each.margin.t - each.margin.b for each in (shown.layout, laid_out.layout))
        shown.layout.meta = {**shown.layout.meta, "px_per_mm": px_per_mm * now / before}
    return shown


def _edges(beats: Beats) -> FloatArray:
    return np.linspace(0.0, beats.duration_s, round(beats.duration_s / STEP_S) + 1)


def _in_time(weight: FloatArray, beats: Beats, edges: FloatArray) -> FloatArray:
    """Return the largest weight (B, S) of the waves that each stretch between ``edges`` touches in its middle."""
    middles = (edges[:-1] + edges[1:]) / 2
    values = np.zeros(middles.size)
    for (b, s), (start, end) in zip(np.ndindex(weight.shape), beats.segments().reshape(-1, 2), strict=True):
        if weight[b, s] > 0 and end > start:
            inside = (middles >= start) & (middles < end)
            values[inside] = np.maximum(values[inside], weight[b, s])
    return values
