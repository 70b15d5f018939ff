"""A figure's numbers as a table, and the figure itself as a file with where it comes from."""

import html
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ecgviz import NOTICE, __version__
from ecgviz.edit import notice
from ecgviz.figures.style import MISSING
from ecgviz.types import Case, Explanation, Record
from ecgviz.ui import state

if TYPE_CHECKING:
    from ecgviz.checkpoint import Model

Table = pd.DataFrame | Callable[[], pd.DataFrame]
"""A table, or what makes it when it is asked for."""
Shows = Mapping[str, str]
"""What a figure shows, as its files tell it: recording, model, label, method, each only where it is of one."""
_MADE_BY: Shows = {"ecgviz": __version__, "notice": NOTICE}
_DIGITS = 12
"""Of a digest, as many as tell one recording or model from any other that a reader will meet."""


def facts(
    record: Record | None = None,
    network: "Model | None" = None,
    *,
    label: str | None = None,
    method: str | None = None,
) -> Shows:
    """Return what a figure of these shows; what is left out is not told."""
    told = {} if record is None else _recording(record)
    told |= {} if network is None else {"model": _identity(network.name, network.version, network.digest)}
    return told | {name: value for name, value in (("label", label), ("method", method)) if value is not None}


def of_map(record: Record, network: "Model", explanation: Explanation) -> Shows:
    """Return what a figure of one map shows; a map that is the same for every label is of none."""
    return facts(record, network, label=explanation.label, method=explanation.method)


def of_case(case: Case) -> Shows:
    """Return what a figure of a case shows."""
    by = case.provenance
    model = {"model": _identity(by["model"], by["model_version"], by["model_sha256"])}
    return {**facts(case.record), **model, **facts(label=case.label, method=case.explanation.method)}


def together(*shown: Shows) -> Shows:
    """Return what a figure of several shows: under each name all values, each once."""
    names = dict.fromkeys(name for each in shown for name in each)
    return {name: "; ".join(dict.fromkeys(each[name] for each in shown if name in each)) for name in names}


def _recording(record: Record) -> dict[str, str]:
    told = {"recording": f"{record.id} ({record.key[:_DIGITS]})"}
    changed = state.edits(record)
    told |= {} if changed is None else {"marks": notice(changed)}
    return told | ({"altered": "; ".join(record.altered)} if record.altered else {})


def _identity(name: str, version: str, digest: str) -> str:
    return f"{name} {version} ({digest[:_DIGITS]})"


def offer(drawn: go.Figure | Callable[[], go.Figure], table: Table, key: str, *, shows: Shows) -> None:
    """Offer the table twin of a figure, and both as files; nothing is made or sent before the reader asks."""
    with st.expander("The same as a table, and as files", key=f"{key} table", on_change="rerun") as box:
        if not box.open:
            return
        rows = table() if callable(table) else table
        figure = drawn() if callable(drawn) else drawn
        st.dataframe(rows, hide_index=True, placeholder=MISSING)
        name = re.sub(r"[^a-z0-9]+", "-", f"ecgviz {key}".lower()).strip("-")
        told = provenance(figure, shows)
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


def provenance(figure: go.Figure, shows: Shows) -> Mapping[str, str]:
    """Return what the files of a figure tell of it: its title, what it shows, and by what it was made."""
    title = figure.layout.title.text or figure.layout.meta["alt"].split(",")[0]
    return {"figure": html.unescape(re.sub(r"<[^>]+>", " ", title)), **shows, **_MADE_BY}


def name_of(record: Record, what: str) -> str:
    """Return the name of a file about a recording, without its ending."""
    return re.sub(r"[^\w.-]+", "-", f"{record.id}-{what}")


def told_above(text: str, title: str, shows: Shows) -> str:
    """Return the text of a CSV file under lines that say what it holds, of what, and by what it was made."""
    from ecgviz.figures.exported import comments

    return comments({"table": title, **shows, **_MADE_BY}) + text


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
