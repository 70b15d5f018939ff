"""What lies under the traces of a figure drawn without a browser: grid lines, frames, labels and titles of the axes."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.figures.canvas import LINE_SPACING, UPWARDS, Axis, Canvas, rgba, written

_TITLE_SIZE_PX, _TITLE_PX, _GAP_PX = 12.0, 33.0, 6.0
"""Size of an axis's title, and how far its middle stands from the axis at least."""


def background(made: Canvas, figure: go.Figure) -> None:
    """Draw what lies under all traces: the plot's colour, grid lines, frames, labels and titles of the axes."""
    for name, axis in made.axes.items():
        letter = name[0]
        partner = _partner(made, figure, name)
        if partner is None:
            continue
        _axis_lines(made, figure, axis, partner, letter)
        title = axis.spec.title.text if axis.spec.title is not None else None
        middle = (axis.start + axis.end) / 2
        if title and letter == "x":
            made.write(middle, partner.start - 38, title, size_px=12, colour=style.INK, up="top")
        elif title:
            made.write(_left_of_labels(made, figure, axis, partner, title), middle, title, size_px=_TITLE_SIZE_PX,
                       colour=style.INK, angle=UPWARDS)  # fmt: skip


def _left_of_labels(made: Canvas, figure: go.Figure, axis: Axis, partner: Axis, title: str) -> float:
    """Return the middle of an upward axis's title: left of all labels of the axis, as far as the file has room."""
    half = LINE_SPACING * _TITLE_SIZE_PX * len(written(title)) / 2
    labels = max(
        (made.width_px_of(text, _label_px(axis.spec, figure.layout.font.size)) for _, text in axis.ticks()), default=0.0
    )
    return max(_left_end(partner) - max(_TITLE_PX, 2 * _GAP_PX + labels + half), half)


def _left_end(axis: Axis) -> float:
    """Return an axis's lowest pixel."""
    return min(axis.start, axis.end)


def _partner(made: Canvas, figure: go.Figure, name: str) -> Axis | None:
    """Return the axis that crosses this one: the one it is anchored to, or of those drawn with it the lowest."""
    other = "y" if name[0] == "x" else "x"
    pairs = {
        getattr(t, f"{other}axis") or other for t in figure.data if (getattr(t, f"{name[0]}axis") or name[0]) == name
    }
    crossing = [made.axes[each] for each in pairs]
    return min(crossing, key=_left_end) if crossing else None


def _axis_lines(made: Canvas, figure: go.Figure, axis: Axis, partner: Axis, letter: str) -> None:
    low, high = sorted((partner.start, partner.end))
    spec = axis.spec
    size = _label_px(spec, figure.layout.font.size)
    if spec.showline:
        ends = sorted((axis.start, axis.end))
        for at in (low, high) if spec.mirror else (low,):
            _line(made, ends, [at, at], letter, spec.linecolor or style.INK)
    foot = made.plot[1] if spec.anchor == "free" else low
    for value, text in axis.ticks():
        at = float(axis.px(value))
        if spec.showgrid is not False and not axis.categories:
            _line(made, [at, at], [low, high], letter, spec.gridcolor or "#eeeeee")
        if letter == "x" and at > made.width_px - size:
            continue  # there is no room for its label
        if letter == "x":
            angle = -float(spec.tickangle or 0)
            made.write(at, foot - 4, text, size_px=size, colour=style.INK, up="top", angle=angle,
                       across="right" if angle else "center")  # fmt: skip
        else:
            made.write(foot - 6, at, text, size_px=size, colour=style.INK, across="right")


def _label_px(spec: Any, usual: float | None) -> float:
    """Return the size of an axis's labels."""
    return float((spec.tickfont.size if spec.tickfont is not None else None) or usual or 12)


def _line(made: Canvas, first: Sequence[float], second: Sequence[float], letter: str, colour: str) -> None:
    x, y = (first, second) if letter == "x" else (second, first)
    made.on.plot(x, y, color=rgba(colour), linewidth=made.pt, zorder=0.6)
