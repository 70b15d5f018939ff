"""The room of a figure in square millimetres: as high as its width makes it, so that no white is left below.

Plotly gives a figure one height, whatever the width of the window; millimetres that stay square then leave the rest
empty. A container's own width is known to the browser alone, so that the height is said in CSS.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import plotly.graph_objects as go
import streamlit as st

LARGEST = 1.35
"""How much larger than it was laid out for the paper of a whole recording may become on a wide window."""


_PAGE = """<style>
.stMainBlockContainer { padding-left: 1.5rem; padding-right: 1.5rem; }
.stMainBlockContainer .stMarkdown table { width: 100%; font-size: 0.875rem; line-height: 1.5; }
.stMainBlockContainer .stMarkdown :is(th, td) { padding: 0.25rem 0.45rem; }
.stMainBlockContainer .stMarkdown th { font-weight: 400; }
.stMainBlockContainer .stTable th { min-width: 3.6rem; }
.stMainBlockContainer .stTable :is(th, th *) { white-space: normal; overflow-wrap: anywhere; }
</style>"""


def page() -> None:
    """Leave less white than Streamlit does, beside the page and in tables of words: on a small window paper is wide.

    The heads of tables wrap, letter by letter where they must: the id of a recording has no place to break, and would
    push the last column out of sight.
    """
    st.html(_PAGE)


@contextmanager
def frame(figure: go.Figure, key: str) -> Iterator[bool]:
    """Open a container for a figure with the given key, and yield whether it has a height for the figure to fill.

    It has one for a figure in square millimetres: the height at which that is as wide as the container.
    """
    name = f"frame {key}"
    selector, height = _css(name), _height(figure)
    with st.container(key=name, gap=None):
        if height:
            st.html(
                f"<style>{selector} {{ container-type: inline-size; }} "
                f"{selector} > {_css(key)} {{ height: {height}; flex: none; }}</style>"
            )
        yield bool(height)


def _css(key: str) -> str:
    """Return the class that Streamlit gives to what has a key, as a selector of CSS."""
    return f".st-key-{re.sub(r'[^a-zA-Z0-9_-]', '-', key.strip())}"


def _height(figure: go.Figure) -> str:
    """Return the height in CSS at which a figure in square millimetres fills its width, "" for one with more on it."""
    across, up, margin = figure.layout.xaxis, figure.layout.yaxis, figure.layout.margin
    if up.scaleanchor is None or up.domain is not None:  # paper that shares its figure would press what is below it
        return ""
    wide, high = (axis.range[1] - axis.range[0] for axis in (across, up))
    ratio = high * up.scaleratio / wide
    beside, above = margin.l + margin.r, margin.t + margin.b
    grows = LARGEST if "whole_sheet" in figure.layout.meta else 1.0
    most = grows * (figure.layout.height - above) + above
    return f"min(round(down, (100cqw - {beside:g}px) * {ratio:.5f} + {above:g}px, 1px), {most:.0f}px)"
