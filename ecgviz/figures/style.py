"""Colours, type and escapes shared by all figures: black on pink paper, two colour maps, one font.

Attention is drawn in YlOrBr and signed relevance in PuOr (orange supports, purple opposes), both from ColorBrewer.
Opacity grows with magnitude and never passes `HEAT_OPACITY`: under a black trace the darkest colour then keeps a
contrast above 4.5:1 (WCAG 2.2, 1.4.3), and where nothing is relevant the paper stays as it is. The ends of both maps
stay apart for readers with red-green blindness.
"""

import base64
import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ecgviz.types.arrays import FloatArray

INK = "#111111"
MUTED = "#4d4d4d"
PAPER = "#fff7f7"
GRID_MINOR = "#fbdede"
GRID_MAJOR = "#f0a9a9"
RULE = "#e6e6e6"
ACCENT = "#1f4e79"
REGION = "#0b6e4f"
UNSEEN = "rgba(0,0,0,0)"
"""For what must be in a figure and not be seen."""
MISSING = "–"
"""In place of a number that is not known."""
FONT = "Source Sans, Source Sans Pro, Arial, sans-serif"
HEAT_OPACITY = 0.5
MATRIX_PX, MATRIX_HEAD_PX = 416, 60
"""Height of a figure with a row for each lead, and the part of it above the rows: two lines of title."""
TITLE_DROP_PX = 14
TITLE_LETTERS = 44
"""As many letters of a title as half a page has room for on a small laptop."""

LEAD_ROWS: dict[str, object] = {
    "autorange": "reversed",
    "type": "category",
    "showgrid": False,
    "zeroline": False,
    "ticks": "outside",
    "ticklen": 4,
    "tickcolor": "rgba(0,0,0,0)",
}
"""Leads down the page, the first on top."""

_YLORBR = ("255,255,229", "254,227,145", "254,153,41", "204,76,2", "102,37,6")
_PURPLE = ("45,0,75", "84,39,136", "128,115,172", "178,171,210")
_ORANGE = ("253,184,99", "224,130,20", "179,88,6", "127,59,8")

Colorscale = list[tuple[float, str]]


def sequential() -> Colorscale:
    """Return the colour map of maps that are >= 0: clear paper at 0, dark brown at `HEAT_OPACITY` at 1."""
    steps = len(_YLORBR) - 1
    return [(i / steps, f"rgba({rgb},{HEAT_OPACITY * i / steps:.3f})") for i, rgb in enumerate(_YLORBR)]


def diverging() -> Colorscale:
    """Return the colour map of signed maps: purple (opposes) at 0, clear at exactly 0.5, orange (supports) at 1."""
    rgbs = (*_PURPLE, "247,247,247", *_ORANGE)
    last = len(rgbs) - 1
    return [(i / last, f"rgba({rgb},{HEAT_OPACITY * abs(2 * i / last - 1):.3f})") for i, rgb in enumerate(rgbs)]


def plain(text: str) -> str:
    """Escape text of unknown origin for Plotly, which reads a subset of HTML in every label."""
    return html.escape(" ".join(text.split()))


def in_lines(title: str, most: int = TITLE_LETTERS) -> str:
    """Return a title, escaped already, in lines: broken after a colon or comma where one is, else between words."""
    if len(title) <= most:
        return title
    for mark in (": ", ", ", " "):
        at = title.rfind(mark, 0, most)
        if at > 0:
            return f"{title[: at + len(mark)].rstrip()}<br>{in_lines(title[at + len(mark) :], most)}"
    return title


def percent(share: float) -> str:
    """Return a share (0 to 1) as a percentage with as many digits as matter: 41 %, 3.2 %, 0.4 %, or a dash for NaN."""
    if share != share:
        return MISSING
    return f"{100 * share:.0f} %" if share >= 0.0995 else f"{100 * share:.1f} %"


def number(value: float, decimals: int = 0) -> str:
    """Return a measured value, or a dash when it is NaN; never "-0"."""
    return MISSING if value != value else f"{round(value, decimals) + 0.0:.{decimals}f}"


def exact_percent(share: float) -> str:
    """Return a share (0 to 1) as hovering over it tells it: 12.34 %, or a dash for NaN."""
    return MISSING if share != share else f"{100 * share:.2f} %"


def bar_marker(hatched: Sequence[bool]) -> dict[str, object]:
    """Return bars of one colour, some of them hatched."""
    shapes = ["/" if flag else "" for flag in hatched]
    return {
        "color": ACCENT,
        "pattern": {"shape": shapes, "bgcolor": ACCENT, "fgcolor": "white", "size": 6, "solidity": 0.25},
    }


def even_line(value: float, axis: str) -> dict[str, object]:
    """Return the dashed line of an even spread at ``value`` of an axis ("x" or "y"), across the whole plot."""
    other = "y" if axis == "x" else "x"
    ends = {f"{axis}0": value, f"{axis}1": value, f"{other}0": 0, f"{other}1": 1, f"{other}ref": "paper"}
    return {"type": "line", **ends, "line": {"color": INK, "dash": "dash", "width": 1}}


def even_label(value: float, axis: str) -> dict[str, object]:
    """Return the words at the end of `even_line`: above the plot for "x", in the right margin (84 px) for "y"."""
    common = {"text": f"even: {value:.1f} %", "showarrow": False, "font": {"size": 12}, axis: value}
    if axis == "x":
        return {**common, "y": 1, "yref": "paper", "yanchor": "bottom"}
    return {**common, "x": 1, "xref": "paper", "xanchor": "left", "xshift": 6}


_CONTRASTING = {
    PAPER: "#ffffff",
    GRID_MINOR: "#e2e2e2",
    GRID_MAJOR: "#8c8c8c",
    RULE: "#8c8c8c",
    MUTED: "#000000",
    INK: "#000000",
    ACCENT: "#00008b",
    REGION: "#004d00",
}
"""Pure black, white and greys for everything but the map; frames and regions in the darkest blue and green."""


def with_shapes(figure: go.Figure, shapes: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Return a copy of a figure with more shapes over it."""
    copied = go.Figure(figure)
    copied.layout.shapes = (*copied.layout.shapes, *shapes)
    return copied


def contrasting(figure: go.Figure) -> go.Figure:
    """Return a copy of a figure for readers who need more contrast: black on white, grey grid, nothing pink."""

    def swapped(part: Any) -> Any:
        if isinstance(part, dict) and "bdata" in part:
            return _array(part)
        if isinstance(part, dict):
            return {name: swapped(value) for name, value in part.items()}
        if isinstance(part, list | tuple):
            return [swapped(value) for value in part]
        return _CONTRASTING.get(part, part) if isinstance(part, str) else part

    spec = figure.to_plotly_json()
    return go.Figure({"data": [swapped(trace) for trace in spec["data"]], "layout": swapped(spec["layout"])})


def _array(packed: Mapping[str, Any]) -> FloatArray:
    """Return an array from Plotly's packed form: base64 bytes, a dtype, and a shape when it has two dimensions."""
    values = np.frombuffer(base64.b64decode(packed["bdata"]), dtype=packed["dtype"])
    return values.reshape([int(n) for n in str(packed["shape"]).split(",")]) if "shape" in packed else values


def blank(height_px: int, alt: str, title: str = "", **layout: Any) -> go.Figure:
    """Return an empty figure of fixed height in house style; ``alt`` (in ``layout.meta``) says what it will show.

    ``layout`` is merged over the house's, and should hold all that is known beforehand: changing the layout of a
    finished figure takes Plotly ten times as long as making it.
    """
    house: dict[str, Any] = {
        "template": "none",
        "height": height_px,
        "margin": {"l": 44, "r": 12, "t": 44 if title else 10, "b": 36},
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "showlegend": False,
        "hoverlabel": {
            "bgcolor": "white",
            "bordercolor": MUTED,
            "font": {"family": FONT, "size": 12, "color": INK},
        },
        "meta": {"alt": alt},
        "dragmode": False,
        "xaxis": {"fixedrange": True},
        "yaxis": {"fixedrange": True},
    }
    if title:
        place = {"x": 0, "xref": "paper", "y": 1 - TITLE_DROP_PX / height_px, "yanchor": "top"}
        house["title"] = {**place, "text": title, "font": {"size": 14}}
    for name, value in layout.items():
        house[name] = house.get(name, {}) | value if isinstance(value, dict) else value
    return go.Figure(layout=house)
