"""Figures that a session draws once: what was drawn of the same data is shown again, on whichever page."""

from collections.abc import Callable
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from joblib import hash as content_digest


def figure(draw: Callable[..., go.Figure], *given: Any, **named: Any) -> go.Figure:
    """Return what a function of `ecgviz.figures` draws of its arguments, drawn once for equal ones.

    The figure is handed out again: it must not be changed. Arguments are told apart by all that they hold. It is kept
    for this session alone and goes with it, as what it was drawn of does where that was uploaded.
    """
    held = (draw.__module__, draw.__qualname__, given, named)
    return _drawn(content_digest(held, hash_name="sha1"), partial(draw, *given, **named))


@st.cache_resource(scope="session", max_entries=32, show_spinner=False)
def _drawn(digest: str, _draw: Callable[[], go.Figure]) -> go.Figure:
    return _draw()
