"""ECG paper under any drawing: square millimetres, grid lines, calibration pulses.

Coordinates are seconds across and microvolts up, as in `ecgviz.figures.sheet`.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.figures.sheet import MM_PER_MV, MM_PER_S, PULSE_MV, PULSE_S

PX_PER_MM = 3.8


def square_axes(figure: go.Figure, left_s: float, right_s: float, height_uv: float) -> None:
    """Tie both axes so that a millimetre is as high as it is wide, whatever the size of the window."""
    figure.update_xaxes(
        range=[left_s, right_s],
        constrain="domain",
        constraintoward="left",
        dtick=1,
        ticksuffix=" s",
        tickfont={"size": 11, "color": style.MUTED},
        ticks="",
        showgrid=False,
        zeroline=False,
    )
    figure.update_layout(
        yaxis={
            "range": [0, height_uv],
            "scaleanchor": "x",
            "scaleratio": MM_PER_MV / 1000 / MM_PER_S,
            "constrain": "domain",
            "constraintoward": "top",
            "showticklabels": False,
            "ticks": "",
            "showgrid": False,
            "zeroline": False,
        }
    )


def grids(left_s: float, right_s: float, height_uv: float) -> list[dict[str, object]]:
    """Return the lines of every millimetre and of every fifth, each spacing as one path."""
    return [
        _grid(left_s, right_s, height_uv, 0.04, style.GRID_MINOR, 0.6),
        _grid(left_s, right_s, height_uv, 0.2, style.GRID_MAJOR, 0.9),
    ]


def _grid(
    left_s: float, right_s: float, height_uv: float, step_s: float, colour: str, width_px: float
) -> dict[str, object]:
    """Return all grid lines of one spacing as a single path: hundreds of lines, one element in the browser."""
    step_uv = step_s * MM_PER_S / MM_PER_MV * 1000
    across = left_s + step_s * np.arange(round((right_s - left_s) / step_s) + 1)
    up = step_uv * np.arange(round(height_uv / step_uv) + 1)
    path = [f"M{x:.5g},0V{height_uv:.0f}" for x in across] + [f"M{left_s:.5g},{y:.0f}H{right_s:.5g}" for y in up]
    line = {"color": colour, "width": width_px}
    return {"type": "path", "path": "".join(path), "line": line, "layer": "below", "xref": "x", "yref": "y"}


def pulses(left_s: float, zeros_uv: Sequence[float]) -> go.Scatter:
    """Return the calibration pulse (1 mV for 0.2 s) at the head of every row."""
    x = [left_s + at for at in (0.04, 0.1, 0.1, 0.1 + PULSE_S, 0.1 + PULSE_S, 0.36)] + [None]
    steps = (0.0, 0.0, PULSE_MV, PULSE_MV, 0.0, 0.0)
    y = [[*(zero + 1000 * step for step in steps), None] for zero in zeros_uv]
    return go.Scatter(
        x=x * len(zeros_uv),
        y=[value for row in y for value in row],
        mode="lines",
        line={"color": style.INK, "width": 1.1},
        name="1 mV, 0.2 s",
        hoverinfo="name",
    )
