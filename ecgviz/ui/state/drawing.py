"""Figures that are drawn once: what was drawn of the same data is shown again, on whichever page."""

from collections.abc import Callable
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from joblib import hash as content_digest


def figure(draw: Callable[..., go.Figure], *given: Any, **named: Any) -> go.Figure:
    """Return what a function of `ecgviz.figures` draws of its arguments, drawn once for equal ones.

    The figure is shared by all who ask for it: it must not be changed. Arguments are told apart by all that they hold,
    so that nobody sees a figure of a recording that is not theirs.
    """
    held = (draw.__module__, draw.__qualname__, given, named)
    return _drawn(content_digest(held, hash_name="sha1"), partial(draw, *given, **named))


@st.cache_resource(max_entries=64, show_spinner=False)
def _drawn(digest: str, _draw: Callable[[], go.Figure]) -> go.Figure:
    return _draw()
