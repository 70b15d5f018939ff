"""An altered recording over the one it was made from, on one sheet of paper."""

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures.calipers import MINUS
from ecgviz.types import Record

BEFORE = "#2f6fb0"
"""Blue: 5.2:1 on the paper, and lighter than the altered trace, which stays the darkest thing."""
SUFFIX = ", before"


def over_original(figure: go.Figure, altered: Record, original: Record) -> go.Figure:
    """Draw the recording as it was in blue under the black traces of a sheet, at the same millimetres and zero lines.

    Parameters
    ----------
    figure : go.Figure
        A sheet of `ecgviz.figures.paper` of ``altered``; it is changed, and returned.
    altered, original : Record
        Both conditioned for display, at one rate and with the same leads.

    Returns
    -------
    go.Figure
        A line named "LEAD, before" under the line of each lead, upside down where that is; the description says so.
    """
    drawn = list(figure.data)
    for trace in drawn:
        lead = (trace.name or "").removeprefix(MINUS)
        if trace.type == "scatter" and lead in altered.leads and trace.x0 is not None:
            upwards = 1000.0 if lead == trace.name else -1000.0
            first = round(trace.x0 * altered.fs)
            span = slice(first, first + len(trace.y))
            away = np.asarray(trace.y, dtype=float) - upwards * altered.lead(lead)[span]
            if np.isnan(away).all():  # a column past the end of a short recording, or in a gap
                continue
            zero = float(np.nanmedian(away))
            figure.add_trace(
                go.Scatter(
                    x0=trace.x0,
                    dx=trace.dx,
                    y=(zero + upwards * original.lead(lead)[span]).astype(np.float32),
                    mode="lines",
                    line={"color": BEFORE, "width": 1.4},
                    hoverinfo="skip",
                    connectgaps=False,
                    name=trace.name + SUFFIX,
                )
            )
    before = figure.data[len(drawn) :]
    heats = tuple(trace for trace in figure.data[: len(drawn)] if trace.type == "heatmap")
    lines = tuple(trace for trace in figure.data[: len(drawn)] if trace.type != "heatmap")
    figure.data = (*heats, *before, *lines)
    figure.layout.meta = {**figure.layout.meta, "alt": f"{figure.layout.meta['alt']}; in blue the recording before"}
    return figure
