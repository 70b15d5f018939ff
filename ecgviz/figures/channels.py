"""Channel level: how much of the relevance each lead holds, beside what an even spread would give it."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.types.arrays import FloatArray


def channel_bars(shares: FloatArray, leads: Sequence[str], *, title: str, highlighted: Sequence[str] = ()) -> go.Figure:
    """Draw one bar a lead.

    Parameters
    ----------
    shares : array of shape (L,)
        Part of the whole, 0 to 1, in the order of ``leads``; NaN where the map is empty.
    title : str
        What the shares are shares of.
    highlighted : sequence of str
        Leads where a guideline looks: hatched, and named in the title.

    Returns
    -------
    go.Figure
        Bars with their numbers, and a dashed line at 1 / L.
    """
    even = 100 / len(leads)
    values = [100 * float(share) for share in shares]
    words = f"{title}. Guideline leads, hatched: {', '.join(highlighted)}" if highlighted else title
    ranking = np.argsort(-np.nan_to_num(np.asarray(shares, dtype=float)))[:3]
    largest = ", ".join(f"{leads[i]} {style.percent(float(shares[i]))}" for i in ranking)
    figure = style.blank(250, f"{title}, one bar a lead; largest {largest}", style.plain(words))
    figure.add_bar(
        x=list(range(len(leads))),
        y=values,
        marker=style.bar_marker([lead in highlighted for lead in leads]),
        customdata=list(leads),
        hovertemplate="%{customdata}: %{y:.2f} %<extra></extra>",
    )
    figure.update_layout(shapes=[style.even_line(even, "y")], annotations=[style.even_label(even, "y")])
    figure.update_layout(margin={"r": 84, "b": 44})
    top = max([even, *(value for value in values if value == value)])
    figure.update_yaxes(range=[0, 1.08 * top], ticksuffix=" %", nticks=5, gridcolor=style.RULE, zeroline=False)
    texts = [
        f"<b>{style.plain(lead)}</b><br>{style.percent(float(share))}"
        for lead, share in zip(leads, shares, strict=True)
    ]
    figure.update_xaxes(tickvals=list(range(len(leads))), ticktext=texts, ticks="", showgrid=False, zeroline=False)
    return figure
