"""The pixels of a Plotly figure, reckoned without a browser: where each axis puts a value, and text as it is written.

One Matplotlib axes covers the whole figure and counts pixels from its lower left corner; all is drawn on it.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from ecgviz.figures.lettering import width
from ecgviz.types.arrays import FloatArray

WIDTH_PX = 960.0
MM_PER_INCH = 25.4
MM_PER_PX = MM_PER_INCH / 96
"""Of figures that have no millimetres of their own: a pixel of CSS."""
LINE_SPACING = 1.3
UPWARDS = 90.0
_DEFAULT_TICKS = 6

Colour = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis: ``low`` and ``high`` value at the pixels ``start`` and ``end``, and its categories if it has any."""

    spec: Any
    low: float
    high: float
    start: float
    end: float
    categories: tuple[str, ...] = ()

    def values(self, given: Any) -> FloatArray:
        """Return data as numbers: categories counted from 0, None as NaN."""
        if self.categories:
            return np.array([self.categories.index(str(each)) for each in given], dtype=float)
        return np.array([np.nan if each is None else each for each in given], dtype=float)

    def px(self, given: Any) -> FloatArray:
        """Return the pixels of values."""
        numbers = np.asarray(given, dtype=float)
        pixels: FloatArray = self.start + (numbers - self.low) / (self.high - self.low) * (self.end - self.start)
        return pixels

    def ticks(self) -> list[tuple[float, str]]:
        """Return where the axis is labelled, and with what."""
        spec, low, high = self.spec, min(self.low, self.high), max(self.low, self.high)
        if spec.showticklabels is False:
            return []
        if spec.tickvals is not None:
            at = self.values(spec.tickvals)
            texts = [str(each) for each in (spec.tickvals if spec.ticktext is None else spec.ticktext)]
        elif self.categories:
            at, texts = np.arange(len(self.categories), dtype=float), list(self.categories)
        else:
            at = self._round_ticks(low, high)
            texts = [f"{value + 0.0:g}{spec.ticksuffix or ''}" for value in at]
        return [(float(a), t) for a, t in zip(at, texts, strict=True) if low - 1e-9 <= a <= high + 1e-9]

    def _round_ticks(self, low: float, high: float) -> FloatArray:
        if self.spec.dtick:
            step = float(self.spec.dtick)
            return np.asarray(np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step)
        return np.asarray(MaxNLocator(self.spec.nticks or _DEFAULT_TICKS).tick_values(low, high), dtype=float)


@dataclass(eq=False)
class Canvas:
    """A figure in pixels: its size, its axes by their Plotly names ("x", "y2"), and the Matplotlib axes to draw on."""

    width_px: float
    height_px: float
    mm_per_px: float
    plot: tuple[float, float, float, float]
    figure: Figure
    on: Axes
    axes: dict[str, Axis] = field(default_factory=dict)

    @property
    def pt(self) -> float:
        """Points in a pixel."""
        return self.mm_per_px / MM_PER_INCH * 72

    def paper(self, name: str, fraction: float) -> float:
        """Return the pixel of a fraction of the plot area, across ("x") or up ("y")."""
        left, bottom, width, height = self.plot
        return left + fraction * width if name == "x" else bottom + fraction * height

    def px(self, ref: str | None, given: Any, default: str) -> FloatArray:
        """Return the pixels of values that refer to an axis or to the plot area ("paper")."""
        name = ref or default
        if name == "paper":
            return np.array([self.paper(default, float(each)) for each in given])
        axis = self.axes[name.removesuffix(" domain")]
        if name.endswith(" domain"):
            return axis.start + np.array([float(each) for each in given]) * (axis.end - axis.start)
        return axis.px(axis.values(given))

    def box(self, x: str | None, y: str | None) -> Rectangle:
        """Return the rectangle of a pair of axes, to clip what is drawn in it."""
        across, up = self.axes[x or "x"], self.axes[y or "y"]
        corner = (min(across.start, across.end), min(up.start, up.end))
        size = abs(across.end - across.start), abs(up.end - up.start)
        return Rectangle(corner, *size, transform=self.on.transData, facecolor="none", edgecolor="none")

    def width_px_of(self, text: str, size_px: float) -> float:
        """Return how wide the widest line of a label is written."""
        return max(width(words, size_px * self.pt) for words, _ in written(text)) / self.mm_per_px

    def write(self, x: float, y: float, text: str, *, size_px: float, colour: str, across: str = "center",
              up: str = "middle", behind: str | None = None, angle: float = 0.0) -> None:  # fmt: skip
        """Write lines of text, each bold where it is marked so, at a pixel; at 90 degrees they read upwards."""
        rows = written(text)
        step = LINE_SPACING * size_px
        rise = {"top": 0.0, "middle": step * len(rows) / 2, "bottom": step * len(rows)}[up]
        for row, (words, bold) in enumerate(rows):
            drop = step * (row + 0.5) - rise
            at = (x + drop, y) if angle == UPWARDS else (x, y - drop)
            self.on.text(
                *at, words, fontsize=size_px * self.pt, color=rgba(colour), ha=across,
                va={0.0: "center_baseline", UPWARDS: "center"}.get(angle, "top"), parse_math=False,
                weight="bold" if bold else "normal", rotation=angle, zorder=6,
                rotation_mode="anchor" if angle else "default",
                bbox={"facecolor": rgba(behind), "edgecolor": "none", "pad": 1.0} if behind else None,
            )  # fmt: skip


def written(text: str) -> list[tuple[str, bool]]:
    """Return the lines of a Plotly label without its tags, each with whether it is bold."""
    lines = re.split(r"<br ?/?>", text)
    return [(html.unescape(re.sub(r"</?\w+[^>]*>", "", line)).strip(), "<b>" in line) for line in lines]


def rgba(colour: str) -> Colour:
    """Return a colour of Plotly ("#111111", "rgba(1,2,3,0.5)", "white") for Matplotlib, 0 to 1."""
    if colour.startswith("rgb"):
        red, green, blue, *alpha = (float(part) for part in re.findall(r"[\d.]+", colour))
        return red / 255, green / 255, blue / 255, alpha[0] if alpha else 1.0
    made: Colour = to_rgba(colour)
    return made


def colours_of(trace: go.Heatmap) -> mpl.colors.Colormap:
    """Return a heatmap's colour scale, opacity included."""
    points = [(at, rgba(colour)) for at, colour in trace.colorscale]
    return mpl.colors.LinearSegmentedColormap.from_list("map", points)


def points(trace: Any, name: str) -> Sequence[Any]:
    """Return a trace's values along "x" or "y", written out where it holds a start and a step."""
    given = getattr(trace, name)
    if given is not None:
        return list(given)
    start, step, other = getattr(trace, f"{name}0"), getattr(trace, f"d{name}"), "y" if name == "x" else "x"
    return [(start or 0.0) + (1.0 if step is None else step) * i for i in range(len(getattr(trace, other)))]


def error_bars(trace: Any, name: str, values: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return where the error bars of a trace's values along "x" or "y" begin and end; None where it has none."""
    error = getattr(trace, f"error_{name}", None)
    if error is None or error.array is None:
        return None
    below = error.array if error.arrayminus is None else error.arrayminus
    return values - np.array(below, dtype=float), values + np.array(error.array, dtype=float)


def canvas(figure: go.Figure) -> Canvas:
    """Return an empty canvas for a figure, with its axes in place."""
    layout = figure.layout
    height = float(layout.height)
    margin = layout.margin
    left, right, top, bottom = (float(getattr(margin, side) or 0) for side in ("l", "r", "t", "b"))
    names = {letter: _axis_names(figure, letter) for letter in "xy"}
    ranges = {name: _range(figure, name) for letter in "xy" for name in names[letter]}
    width = float(layout.width or _square_width(figure, height - top - bottom, ranges) + left + right)
    per_mm = (layout.meta or {}).get("px_per_mm")
    mm_per_px = 1 / float(per_mm) if per_mm else MM_PER_PX
    drawn = Figure(figsize=(width * mm_per_px / MM_PER_INCH, height * mm_per_px / MM_PER_INCH), facecolor="white")
    on = drawn.add_axes((0, 0, 1, 1))
    on.set(xlim=(0, width), ylim=(0, height))
    on.axis("off")
    plot = (left, bottom, width - left - right, height - top - bottom)
    made = Canvas(width, height, mm_per_px, plot, drawn, on)
    for letter in "xy":
        for name in names[letter]:
            spec, (low, high, categories) = _spec(figure, name), ranges[name]
            start, end = (made.paper(letter, at) for at in (spec.domain or (0.0, 1.0)))
            made.axes[name] = Axis(spec, low, high, start, end, categories)
    return made


def _axis_names(figure: go.Figure, letter: str) -> list[str]:
    used = {getattr(trace, f"{letter}axis") or letter for trace in figure.data}
    return sorted({letter} | used)


def _spec(figure: go.Figure, name: str) -> Any:
    return getattr(figure.layout, f"{name[0]}axis{name[1:]}")


def _square_width(figure: go.Figure, plot_height: float, ranges: dict[str, Any]) -> float:
    """Return the width of the plot area: where a unit up is tied to a unit across, what that makes it."""
    up, across = figure.layout.yaxis, figure.layout.xaxis
    if up.scaleanchor is None:
        return WIDTH_PX - 60.0
    share = (up.domain[1] - up.domain[0]) if up.domain else 1.0
    low, high, _ = ranges["y"]
    start, end, _ = ranges["x"]
    per_unit_px = plot_height * share / (high - low) / (up.scaleratio or 1.0)
    part = (across.domain[1] - across.domain[0]) if across.domain else 1.0
    return float((end - start) * per_unit_px / part)


def _range(figure: go.Figure, name: str) -> tuple[float, float, tuple[str, ...]]:
    """Return the ends of an axis and its categories: as stated, or around the data as Plotly would."""
    letter, spec = name[0], _spec(figure, name)
    here = [trace for trace in figure.data if (getattr(trace, f"{letter}axis") or letter) == name]
    given = [list(points(trace, letter)) for trace in here]
    is_names = spec.type == "category" or any(isinstance(each, str) for values in given for each in values)
    categories = tuple(dict.fromkeys(str(each) for values in given for each in values)) if is_names else ()
    if spec.range is not None and spec.autorange in (None, False):
        return float(spec.range[0]), float(spec.range[1]), categories
    if categories:
        low, high = -0.5, len(categories) - 0.5
    else:
        numbers = [np.array(values, dtype=float) for values in given]
        ends = [error_bars(trace, letter, values) for trace, values in zip(here, numbers, strict=True)]
        known = np.concatenate([[], *numbers, *(each for pair in ends if pair is not None for each in pair)])
        known = known[np.isfinite(known)] if np.isfinite(known).any() else np.array([0.0, 1.0])
        low, high = float(known.min()), float(known.max())
        if any(trace.type == "bar" for trace in here):
            low, high = min(low, 0.0), max(high, 0.0)
        pad = 0.05 * (high - low or 1.0)
        low, high = low - pad, high + pad
    return (high, low, categories) if spec.autorange == "reversed" else (low, high, categories)
