"""Channel level: how much of the relevance each lead holds, beside what an even spread would give it."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.figures.focus import REACHES, clickable, frame
from ecgviz.types.arrays import FloatArray
from ecgviz.types.focus import NOWHERE, Focus


def channel_bars(shares: FloatArray, leads: Sequence[str], *, title: str, focus: Focus = NOWHERE) -> go.Figure:
    """Draw one bar a lead, leads down the page as in `ecgviz.figures.wave_matrix`, so that both can stand side by side.

    Parameters
    ----------
    shares : array of shape (L,)
        Part of the whole, 0 to 1, in the order of ``leads``; NaN where the map is empty.
    title : str
        What the shares are shares of.
    focus : Focus
        Its lead is framed.

    Returns
    -------
    go.Figure
        Bars with their numbers, and a dashed line at 1 / L.
    """
    even = 100 / len(leads)
    values = 100 * np.nan_to_num(np.asarray(shares, dtype=float))
    ranking = np.argsort(-values)[:3]
    largest = ", ".join(f"{leads[i]} {style.percent(float(shares[i]))}" for i in ranking)
    top = 1.05 * max(even, float(values.max()))
    data = [(0, lead, "", style.exact_percent(float(share))) for lead, share in zip(leads, shares, strict=True)]
    bars = go.Bar(
        x=values, y=list(leads), orientation="h", marker=style.bar_marker([False] * len(leads)), hoverinfo="skip"
    )
    numbers = go.Scatter(  # one trace: a browser draws it in half the time of as many notes
        x=[top] * len(leads),
        y=list(leads),
        text=[style.percent(float(share)) for share in shares],
        mode="text",
        textposition="middle right",
        textfont={"size": 12, "color": style.INK},
        cliponaxis=False,
        name="numbers",
        hoverinfo="skip",
    )
    framed = [
        frame(x0=0, x1=1, xref="paper", y0=row - 0.48, y1=row + 0.48)
        for row, lead in enumerate(leads)
        if lead == focus.lead
    ]
    figure = style.blank(
        style.MATRIX_PX,
        f"{title}, one bar a lead; largest {largest}",
        style.in_lines(style.plain(title)),
        shapes=[style.even_line(even, "x"), *framed],
        annotations=[style.even_label(even, "x")],
        margin={"r": 56, "t": style.MATRIX_HEAD_PX},
        xaxis={"range": [0, top], "ticksuffix": " %", "nticks": 6, "gridcolor": style.RULE, "zeroline": False},
        yaxis=style.LEAD_ROWS | {"autorange": False, "range": [len(leads) - 0.5, -0.5]},
        **REACHES,
    )
    picks = clickable([top / 2] * len(leads), list(leads), data, "%{y}: %{customdata[3]}")
    figure.add_traces([bars, numbers, picks])
    return figure
