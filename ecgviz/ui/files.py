"""A figure's numbers as a table, and the figure itself as a file with where it comes from."""

import re
from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ecgviz import NOTICE, __version__
from ecgviz.edit import notice
from ecgviz.errors import EcgvizError
from ecgviz.figures.style import MISSING
from ecgviz.ui import state

Table = pd.DataFrame | Callable[[], pd.DataFrame]
"""A table, or what makes it when it is asked for."""
_DIGITS = 12
"""Of a digest, as many as tell one recording or model from any other that a reader will meet."""


def offer(drawn: go.Figure | Callable[[], go.Figure], table: Table, key: str) -> None:
    """Offer the table twin of a figure, and both as files; nothing is made or sent before the reader asks."""
    with st.expander("The same as a table, and as files", key=f"{key} table", on_change="rerun") as box:
        if not box.open:
            return
        rows = table() if callable(table) else table
        figure = drawn() if callable(drawn) else drawn
        st.dataframe(rows, hide_index=True, placeholder=MISSING)
        name = re.sub(r"[^a-z0-9]+", "-", f"ecgviz {key}".lower()).strip("-")
        told = provenance(figure)
        makers: tuple[tuple[str, Callable[[], str | bytes], str], ...] = (
            ("SVG", partial(_svg, figure, told), "image/svg+xml"),
            ("PNG", partial(_png, figure, told), "image/png"),
            ("CSV", partial(_csv, rows, told), "text/csv"),
        )
        with st.container(horizontal=True, gap="small"):
            for kind, make, mime in makers:
                st.download_button(
                    f"Download {kind}", make, f"{name}.{kind.lower()}", mime, key=f"{key} {kind}", on_click="ignore"
                )


def provenance(figure: go.Figure) -> Mapping[str, str]:
    """Return what a figure shows, and what was chosen in the sidebar when it was drawn."""
    chosen = state.choice()
    title = figure.layout.title.text or figure.layout.meta["alt"].split(",")[0]
    told = {"figure": re.sub(r"<[^>]+>", " ", title)}
    if chosen.record is not None:
        told["recording"] = f"{chosen.record.id} ({chosen.record.key[:_DIGITS]})"
        changed = state.edits(chosen.record)
        told |= {} if changed is None else {"marks": notice(changed)}
        told |= {"altered": "; ".join(chosen.record.altered)} if chosen.record.altered else {}
    if chosen.model is not None:
        told |= _model(chosen.model)
    if chosen.label is not None:
        told |= {"label": chosen.label, "method": chosen.method}
    return told | {"ecgviz": __version__, "notice": NOTICE}


def _model(name: str) -> Mapping[str, str]:
    try:
        network = state.model(name)
    except EcgvizError:
        return {}
    return {"model": f"{network.name} {network.version} ({network.digest[:_DIGITS]})"}


# Matplotlib takes a third of a second to import and serves these files alone: it is left until one is asked for.
def _svg(figure: go.Figure, told: Mapping[str, str]) -> str:
    from ecgviz.figures.exported import svg

    return svg(figure, told)


def _png(figure: go.Figure, told: Mapping[str, str]) -> bytes:
    from ecgviz.figures.exported import png

    return png(figure, told)


def _csv(table: pd.DataFrame, told: Mapping[str, str]) -> str:
    from ecgviz.figures.exported import csv_text

    return csv_text(table, told)
