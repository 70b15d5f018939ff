"""The classroom switch: large type, strong contrast, no codes of learners, and the sidebar out of the way."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ecgviz.figures.annotated import for_projector
from ecgviz.ui import files, widgets
from ecgviz.ui.state import teaching

_STYLE = """<style>
html { font-size: 140%; }
[data-testid="stSidebar"], [data-testid="stHeader"] { display: none; }
[data-testid="stMainBlockContainer"] { padding-top: 1rem; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: 0.5rem; }
[data-testid="stMain"] { color: #000000; }
</style>"""


def switch() -> None:
    """Let a teacher switch the page to what the last row of a lecture hall can read.

    It is a button: a toggle would keep the focus, and with it the arrow keys.
    """
    on = teaching.classroom()
    st.button(
        "Leave classroom" if on else "Classroom",
        icon=":material/co_present:",
        key="classroom switch",
        on_click=teaching.switch_classroom,
        help="Large type, contrast for a projector, no codes. Arrow keys: Right shows the next part or case, Left goes "
        "back.",
        width="stretch",
    )
    if on:
        st.html(_STYLE)


def draw(figure: go.Figure, table: pd.DataFrame, key: str, *, shows: files.Shows) -> None:
    """Show a figure with its table, in large type where the classroom switch is on.

    Its files tell of no marks that a reader changed: those are of the same recording in the library, not of the case.
    """
    shows = {name: told for name, told in shows.items() if name != "marks"}
    widgets.draw(for_projector(figure) if teaching.classroom() else figure, table, key, shows=shows)
