"""The recording of a question on paper: under a number, with no name that could give the answer away."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ecgviz import figures
from ecgviz.errors import EcgvizError
from ecgviz.figures import calipers, tables
from ecgviz.figures.heat import Heat
from ecgviz.figures.sheet import sheet
from ecgviz.figures.spans import Span as Bracket
from ecgviz.review.marks import Span
from ecgviz.types.paper import SHEET_S
from ecgviz.ui import chart, widgets
from ecgviz.ui.state import review
from ecgviz.ui.state.review import Prepared, Question

_ALONE = """<style>
[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"] { display: none; }
</style>"""


def alone() -> None:
    """Take the sidebar away: its pickers name recordings and say what a model makes of them."""
    st.html(_ALONE)


def paper(shown: Prepared, name: str, key: str, *, measured: bool, heat: Heat | None = None, **more: Any) -> None:
    """Draw the paper with its table; ``more`` goes to the figure or, as ``question``, lets spans be drawn on it."""
    question: Question | None = more.pop("question", None)
    start_s = widgets.window_start(shown.record, SHEET_S)
    anonymous = replace(shown.record, id=name, simulated=False)
    lines = figures.header(anonymous, shown.measured)
    figure = figures.paper(
        shown.clean,
        start_s=start_s,
        header=lines if measured else (lines[0],),
        footer=figures.footer(shown.record),
        heat=heat,
        spans=[] if question is None else _brackets(review.spans(question)),
    )
    table = tables.sample_table(shown.clean, start_s, start_s + SHEET_S) if heat is None else tables.heat_table(heat)
    if question is None:
        draw(figure, table, key)
    else:
        draw(figure, table, key, on_box=partial(_boxed, shown, question, start_s))


def draw(figure: go.Figure, table: pd.DataFrame, key: str, **select: Any) -> None:
    """Show a figure and its table; no files, which would say where it comes from."""
    chart.show(figure, key, **select)
    widgets.show_table("The same as a table", table, f"{key} table")


def _brackets(spans: Sequence[Span]) -> list[Bracket]:
    return [Bracket(n, each.lead, each.start_s, each.end_s, float("nan"), 0) for n, each in enumerate(spans, start=1)]


def _boxed(
    shown: Prepared, question: Question, start_s: float, across: tuple[float, float], up: tuple[float, float]
) -> None:
    """Mark the stretch of a lead over which a box was drawn; a click marks nothing."""
    try:
        put = calipers.from_box(shown.clean, sheet(shown.clean, start_s), across, up)
    except EcgvizError:
        return
    review.add_span(question, Span(put.lead.removeprefix(calipers.MINUS), round(put.start_s, 3), round(put.end_s, 3)))
