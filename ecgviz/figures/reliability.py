"""Reliability: how often a label was there, beside how probable a network said it was."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ecgviz import NOTICE
from ecgviz.figures import style

COLUMNS = 3
PANEL_PX, HEAD_PX, FOOT_PX = 300, 90, 90
COLOURS = (style.ACCENT, "#b35806", style.REGION, "#542788", "#8a1c1c", style.MUTED)
MARKERS = ("circle", "square", "diamond", "cross", "triangle-up", "x", "star")
"""One more than colours: 42 lines differ."""

Point = tuple[float, float, float, float, int]
"""Mean probability, share of positives, lower and upper end of its 95 % interval, number of records."""


def reliability_panels(curves: Mapping[str, Mapping[str, Sequence[Point]]], *, title: str) -> go.Figure:
    """Draw one panel a label and one line a model: on the dashed diagonal, probabilities are what they say.

    Parameters
    ----------
    curves : mapping of label to (mapping of model to points)
        Points in rising order of mean probability.
    title : str
        Which records were scored.

    Returns
    -------
    go.Figure
        Bars are 95 % intervals; the notice stands below the panels.
    """
    rows = ceil(len(curves) / COLUMNS)
    height = HEAD_PX + FOOT_PX + rows * PANEL_PX
    figure = make_subplots(
        rows, COLUMNS, subplot_titles=[style.plain(label) for label in curves], vertical_spacing=0.28 / rows
    )
    alt = f"{title}: share of positives against mean probability, for {', '.join(curves)}"
    figure.update_layout(style.blank(height, alt, style.plain(title)).layout)
    models = list(dict.fromkeys(model for lines in curves.values() for model in lines))
    named: set[str] = set()
    for number, lines in enumerate(curves.values()):
        place = {"row": number // COLUMNS + 1, "col": number % COLUMNS + 1}
        diagonal = {"color": style.INK, "dash": "dash", "width": 1}
        figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=diagonal, hoverinfo="skip", showlegend=False, **place)
        for model, points in lines.items():
            figure.add_trace(_line(model, models.index(model), points, shown=model not in named), **place)
            named.add(model)
    figure.update_layout(
        margin={"l": 56, "r": 12, "t": HEAD_PX, "b": FOOT_PX},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1 + 30 / (height - HEAD_PX - FOOT_PX), "yanchor": "bottom"},
    )
    figure.add_annotation(
        {"text": style.plain(NOTICE), "showarrow": False, "font": {"size": 12, "color": style.MUTED}}
        | {"x": 0, "xref": "paper", "xanchor": "left", "y": 0, "yref": "paper", "yanchor": "top", "yshift": -56}
    )
    axis = {"range": [-0.03, 1.03], "dtick": 0.25, "gridcolor": style.RULE, "zeroline": False}
    figure.update_xaxes(title={"text": "mean probability", "standoff": 4}, **axis)
    figure.update_yaxes(axis)
    figure.update_yaxes(title={"text": "share of positives", "standoff": 4}, col=1)
    return figure


def reliability_page(figure: go.Figure, sentences: Iterable[str]) -> str:
    """Return the figure as one HTML page that needs nothing else, with sentences below it."""
    drawn = figure.to_html(full_html=False, include_plotlyjs=True, config={"displaylogo": False})
    told = "".join(f"<p>{style.plain(sentence)}</p>" for sentence in sentences)
    alt = style.plain(str(figure.layout.meta["alt"]))
    head = f'<meta charset="utf-8"><title>{alt}</title><style>body {{ font: 14px {style.FONT} }}</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{drawn}{told}</body></html>\n'


def _line(model: str, number: int, points: Sequence[Point], *, shown: bool) -> go.Scatter:
    promised, found, low, high, n = zip(*points, strict=True) if points else ((), (), (), (), ())
    ends = {
        "array": [top - middle for top, middle in zip(high, found, strict=True)],
        "arrayminus": [middle - bottom for middle, bottom in zip(found, low, strict=True)],
    }
    colour = COLOURS[number % len(COLOURS)]
    return go.Scatter(
        x=promised,
        y=found,
        error_y={"type": "data", "thickness": 1, "width": 3, **ends},
        mode="lines+markers",
        line={"color": colour, "width": 1},
        marker={"color": colour, "size": 7, "symbol": MARKERS[number % len(MARKERS)]},
        name=style.plain(model),
        legendgroup=model,
        showlegend=shown,
        customdata=n,
        hovertemplate="%{y:.2f} of %{customdata} records at %{x:.2f}",
    )
