"""Training curve: how the loss fell in every fit that a network comes from, and how well held-out records were told."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ecgviz import NOTICE
from ecgviz.figures import style
from ecgviz.figures.reliability import COLOURS

PANEL_PX, HEAD_PX, FOOT_PX = 210, 136, 88
"""Height of a panel, of title and legend (a row a fit in a narrow column) above, of axis and notice below."""
MEASURED = {"loss": "loss", "validation_auc": "AUC, held out"}
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
TITLE = {"standoff": 4, "font": {"size": 13}}


def training_curve(curve: Mapping[str, Sequence[Mapping[str, float | None]]], *, title: str) -> go.Figure:
    """Draw one line a fit: the training loss by epoch and, where it was measured, the AUC of held-out records below.

    Parameters
    ----------
    curve : mapping of fit to lines
        Each line has ``epoch`` (from 0), ``loss`` and ``validation_auc`` (None where nothing was held out).
    title : str
        Whose training it was.

    Returns
    -------
    go.Figure
        Colour and dashes tell the fits apart; the notice stands below.
    """
    shown = [name for name in MEASURED if any(line[name] is not None for lines in curve.values() for line in lines)]
    height = HEAD_PX + FOOT_PX + PANEL_PX * max(len(shown), 1)
    figure = make_subplots(max(len(shown), 1), 1, shared_xaxes=True, vertical_spacing=0.08)
    ends = ", ".join(f"{fit} {_last(lines)}" for fit, lines in curve.items())
    figure.update_layout(
        style.blank(height, f"{title}, a line a fit; loss at the end: {ends}", style.plain(title)).layout
    )
    for row, name in enumerate(shown, start=1):
        for number, (fit, lines) in enumerate(curve.items()):
            figure.add_trace(_line(fit, number, lines, name, named=row == 1), row=row, col=1)
        figure.update_yaxes(title={"text": MEASURED[name], **TITLE}, row=row, col=1)
    figure.update_layout(
        margin={"l": 56, "r": 12, "t": HEAD_PX, "b": FOOT_PX},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "tracegroupgap": 0},
    )
    figure.add_annotation(
        {"text": _in_lines(NOTICE), "showarrow": False, "font": {"size": 12, "color": style.MUTED}}
        | {
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": 0,
            "yref": "paper",
            "yanchor": "top",
            "yshift": -48,
            "xshift": -48,
            "align": "left",
        }
    )
    figure.update_xaxes(gridcolor=style.RULE, zeroline=False, rangemode="tozero")
    figure.update_xaxes(title={"text": "epoch", **TITLE}, row=max(len(shown), 1), col=1)
    figure.update_yaxes(gridcolor=style.RULE, zeroline=False)
    return figure


def _in_lines(text: str) -> str:
    """Break a text after its sentences: the figure stands in a narrow column, and Plotly would cut it."""
    return "<br>".join(style.plain(sentence) for sentence in text.replace(". ", ".\n").split("\n"))


def _last(lines: Sequence[Mapping[str, float | None]]) -> str:
    loss = lines[-1]["loss"] if lines else None
    return "none" if loss is None else f"{loss:.2f}"


def _line(fit: str, number: int, lines: Sequence[Mapping[str, float | None]], name: str, *, named: bool) -> go.Scatter:
    colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
    return go.Scatter(
        x=[None if line["epoch"] is None else line["epoch"] + 1 for line in lines],
        y=[line[name] for line in lines],
        mode="lines",
        line={"color": colour, "dash": dash, "width": 1.5},
        name=style.plain(fit),
        legendgroup=fit,
        showlegend=named,
        hovertemplate="epoch %{x}: %{y:.3f}",
    )
