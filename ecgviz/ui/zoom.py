"""Zoom that survives: what a reader zoomed into stays while figures are drawn anew.

Streamlit puts a new chart in place of one whose figure has changed, so that a click or another map would throw the
reader back to the whole sheet; Plotly's ``uirevision`` reaches within one chart only. A script of a few lines
(``zoom_listener/``) tells the server what is shown after each zoom, and the next figure of the same paper begins there.
Being told reruns nothing but the fragment that listens.
"""

from functools import partial
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st
import streamlit.components.v1 as components

from ecgviz.ui.state import looking

_listener = components.declare_component("zoom_listener", path=Path(__file__).parent / "zoom_listener")


def kept(figure: go.Figure, paper: str) -> go.Figure:
    """Return a figure that begins where the reader zoomed to on the same paper; without any zoom the figure itself."""
    shown = looking.zoom(paper)
    across, up = figure.layout.xaxis.range, figure.layout.yaxis.range
    if shown is None or not (_within(shown.across, across) and _within(shown.up, up)):
        return figure
    zoomed = go.Figure(figure)
    zoomed.layout.xaxis.range, zoomed.layout.yaxis.range = list(shown.across), list(shown.up)
    return zoomed


def _within(ends: tuple[float, float], whole: tuple[float, float]) -> bool:
    return bool(whole[0] <= ends[0] < ends[1] <= whole[1])


@st.fragment
def listen(frame: str, paper: str, key: str, begun: looking.Shown | None) -> None:
    """Keep what is shown of a figure each time that the reader zooms.

    Parameters
    ----------
    frame : str
        The container of the figure, as CSS finds it.
    paper, key : str
        Which sheet it is, and the key of the figure.
    begun : Shown or None
        Where this run's figure began.
    """
    name = f"zoom {key}"
    _listener(frame=frame, paper=paper, key=name, default=None, on_change=partial(looking.keep_zoom, name))
    if looking.zoom_ended() and begun is not None:
        st.rerun()  # a double click is two clicks besides, and these may have drawn the figure anew, still zoomed
