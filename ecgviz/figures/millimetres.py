"""ECG paper under any drawing: square millimetres, grid lines, calibration pulses.

Coordinates are seconds across and microvolts up, as in `ecgviz.figures.sheet`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.figures.sheet import PULSE_MV, path_time
from ecgviz.types.paper import PULSE_S, STANDARD, PaperFormat

PX_PER_MM = 3.8
_LEAD_IN_MM = 2.5
"""Flat line left of the calibration pulse's rise, and half of what is right of its fall."""


def square_axes(
    figure: go.Figure, left_s: float, right_s: float, height_uv: float, form: PaperFormat = STANDARD
) -> None:
    """Tie both axes of a figure, as `square_layout` says."""
    figure.update_layout(square_layout(left_s, right_s, height_uv, form))


def square_layout(left_s: float, right_s: float, height_uv: float, form: PaperFormat = STANDARD) -> dict[str, Any]:
    """Return the axes on which a millimetre is as high as it is wide, whatever the size of the window."""
    common = {"ticks": "", "showgrid": False, "zeroline": False, "fixedrange": False, "constrain": "domain"}
    across = {
        "range": [left_s, right_s],
        "constraintoward": "left",
        "dtick": 0.5 if form.speed_mm_s > STANDARD.speed_mm_s else 1,
        "ticksuffix": " s",
        "tickfont": {"size": 11, "color": style.MUTED},
    }
    up = {
        "range": [0, height_uv],
        "scaleanchor": "x",
        "scaleratio": form.gain_mm_mv / 1000 / form.speed_mm_s,
        "constraintoward": "top",
        "showticklabels": False,
    }
    return {"xaxis": common | across, "yaxis": common | up}


def grids(left_s: float, right_s: float, height_uv: float, form: PaperFormat = STANDARD) -> list[dict[str, object]]:
    """Return the lines of every millimetre and of every fifth, each spacing as one path."""
    return [
        _grid(left_s, right_s, height_uv, 1.0, form, style.GRID_MINOR, 0.6),
        _grid(left_s, right_s, height_uv, 5.0, form, style.GRID_MAJOR, 0.9),
    ]


def _grid(
    left_s: float, right_s: float, height_uv: float, step_mm: float, form: PaperFormat, colour: str, width_px: float
) -> dict[str, object]:
    """Return all grid lines of one spacing as a single path: hundreds of lines, one element in the browser."""
    step_s, step_uv = step_mm / form.speed_mm_s, 1000 * step_mm / form.gain_mm_mv
    across = left_s + step_s * np.arange(round((right_s - left_s) / step_s) + 1)
    up = step_uv * np.arange(round(height_uv / step_uv) + 1)
    path = [f"M{path_time(x)},0V{height_uv:.0f}" for x in across]
    path += [f"M{path_time(left_s)},{y:.0f}H{path_time(right_s)}" for y in up]
    line = {"color": colour, "width": width_px}
    return {"type": "path", "path": "".join(path), "line": line, "layer": "below", "xref": "x", "yref": "y"}


def pulse_path(left_s: float, zero_uv: float, form: PaperFormat = STANDARD) -> tuple[list[float], list[float]]:
    """Return the corners of the calibration pulse (1 mV for 0.2 s) at the head of a row: seconds, microvolts."""
    margin_mm = form.margin_s * form.speed_mm_s
    rise_mm = min(_LEAD_IN_MM, (margin_mm - PULSE_S * form.speed_mm_s) / 2)
    rise_s, start_s, end_s = (mm / form.speed_mm_s for mm in (rise_mm, rise_mm * 0.4, margin_mm - rise_mm * 0.4))
    x = [left_s + at for at in (start_s, rise_s, rise_s, rise_s + PULSE_S, rise_s + PULSE_S, end_s)]
    return x, [zero_uv + 1000 * step for step in (0.0, 0.0, PULSE_MV, PULSE_MV, 0.0, 0.0)]


def pulses(left_s: float, zeros_uv: Sequence[float], form: PaperFormat = STANDARD) -> go.Scatter:
    """Return the calibration pulse (1 mV for 0.2 s) at the head of every row."""
    x: list[float | None] = []
    y: list[float | None] = []
    for zero in zeros_uv:
        across, up = pulse_path(left_s, zero, form)
        x += [*across, None]
        y += [*up, None]
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": style.INK, "width": 1.1}, name="1 mV, 0.2 s", hoverinfo="name"
    )
