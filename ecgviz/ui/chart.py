"""Figures in the browser, drawn anew in place.

`streamlit.plotly_chart` puts a new chart in place of one whose figure has changed, and draws each new one twice; it
forgets where the reader had zoomed to. ``chart.js`` keeps the chart, changes what changed, leaves a figure alone that
is the same, and keeps the zoom of a sheet of paper through clicks, other maps and other pages. Figures of a page that
was left are kept as they were drawn, a dozen of them. It draws with the Plotly that the Python package brings, from
this server, and nothing else is fetched.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
import plotly.io
import streamlit as st
import streamlit.components.v1 as components

from ecgviz.ui.state import looking

_SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
_PRINTED = "@media print { .js-plotly-plot, .js-plotly-plot .svg-container { max-width: 100% !important; } }"
_mounted = st.components.v2.component("ecgviz_chart", js=_SCRIPT, css=_PRINTED, isolate_styles=False)
_library = components.declare_component("library", path=Path(plotly.__file__).parent / "package_data")

Pick = Callable[[Sequence[Any]], None]
"""Is told the first three of a clicked point's ``customdata``."""
Box = Callable[[tuple[float, float], tuple[float, float]], None]
"""Is told the ends of a drawn box, across and up, in the units of the axes."""


def show(
    figure: go.Figure,
    key: str,
    *,
    paper: str = "",
    fills: bool = False,
    frames: Sequence[Mapping[str, Any]] = (),
    on_pick: Pick | None = None,
    on_box: Box | None = None,
) -> None:
    """Draw a figure as it is, no theme over it.

    Parameters
    ----------
    figure : go.Figure
        Of `ecgviz.figures`: ``layout.meta["alt"]`` describes it.
    key : str
        Of the figure, once on a page.
    paper : str, optional
        Which sheet of paper this is: a reader's zoom stays with it, whatever is drawn on it and on whichever page.
    fills : bool
        Whether it is as high as the room that it is given, and not as its layout says.
    frames : sequence of shapes, optional
        Drawn over the figure.
    on_pick, on_box : callable, optional
        Told what was clicked, or where a box was drawn, before the page is drawn anew; one of the two.
    """
    root = str(st.get_option("server.baseUrlPath") or "").strip("/")
    address = "/".join(["", *([root] if root else []), "component", _library.name, "plotly.min.js"])
    spec = figure.to_dict()
    spec["layout"]["shapes"] = [*spec["layout"].get("shapes", ()), *frames]
    data = {
        "figure": plotly.io.to_json(spec, validate=False),
        "alt": figure.layout.meta["alt"],
        "paper": paper,
        "fills": fills,
        "selects": "points" if on_pick else "box" if on_box else "",
        "plotly": address,
    }
    _mounted(
        key=key,
        data=data,
        height="stretch" if fills else "content",
        on_picked_change=None if on_pick is None else partial(_picked, key, on_pick),
        on_boxed_change=None if on_box is None else partial(_boxed, key, on_box),
    )


def _picked(key: str, tell: Pick) -> None:
    stands = looking.widget_value(key).get("picked")
    if stands:
        tell(stands)


def _boxed(key: str, tell: Box) -> None:
    box = looking.widget_value(key).get("boxed")
    if box:
        (x0, x1), (y0, y1) = ((float(end) for end in box[axis]) for axis in "xy")
        tell((x0, x1), (y0, y1))
