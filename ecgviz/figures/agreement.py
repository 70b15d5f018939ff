"""How far several maps of one recording agree, pair by pair, and what checks found of each."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.types.arrays import FloatArray

if TYPE_CHECKING:
    from ecgviz.explain.checks import Check, Checks

ROW_PX, HEAD_PX, FOOT_PX, NAME_LETTERS = 44, 60, 64, 12


def agreement_figure(values: FloatArray, names: Sequence[str], *, title: str) -> go.Figure:
    """Draw the agreement of each pair of maps from -1 (purple) to +1 (orange), with its number where there is one.

    Parameters
    ----------
    values : array of shape (M, M)
        Symmetric, NaN where a pair has no axis in common.
    names : sequence of str
        Of the M maps.
    title : str
    """
    pairs = [(a, b) for a in range(len(names)) for b in range(a) if np.isfinite(values[a, b])]
    low = min(pairs, key=lambda pair: float(values[pair]), default=None)
    least = "" if low is None else f"; least alike: {names[low[0]]} and {names[low[1]]}, {values[low]:+.2f}"
    figure = style.blank(
        HEAD_PX + FOOT_PX + ROW_PX * len(names),
        f"{title}: {', '.join(names)}{least}",
        style.in_lines(style.plain(title)),
    )
    shown = [style.in_lines(style.plain(name), NAME_LETTERS) for name in names]
    figure.add_heatmap(
        z=values,
        x=shown,
        y=shown,
        zmin=-1.0,
        zmax=1.0,
        colorscale=style.diverging(),
        showscale=False,
        text=[["" if value != value else f"{value:+.2f}" for value in row] for row in values],
        texttemplate="%{text}",
        textfont={"color": style.INK, "size": 13},
        xgap=2,
        ygap=2,
        hovertemplate="%{y} with %{x}: %{text}<extra></extra>",
    )
    figure.update_yaxes(**style.LEAD_ROWS)
    figure.update_xaxes(type="category", showgrid=False, zeroline=False, ticks="", tickangle=0)
    figure.update_layout(
        margin={
            "l": 12 + 7 * max(len(line) for name in shown for line in name.split("<br>")),
            "r": 12,
            "t": HEAD_PX,
            "b": FOOT_PX,
        }
    )
    return figure


def agreement_table(values: FloatArray, names: Sequence[str]) -> pd.DataFrame:
    """Return the agreement of each pair of maps, a row and a column a map."""
    table = pd.DataFrame(np.round(values, 3), columns=list(names))
    table.insert(0, "map", list(names))
    return table


def check_table(checked: Mapping[str, "Checks"]) -> pd.DataFrame:
    """Return a row a check and a column a map: its value, and in brackets its excess over what it must beat."""
    names = dict.fromkeys(each.name for one in checked.values() for each in one.results)
    known = {each.name: each for one in reversed(list(checked.values())) for each in one.results}
    table = pd.DataFrame({"check": list(names), "asks for": [known[name].family for name in names]})
    for title, one in checked.items():
        results = {each.name: each for each in one.results}
        table[title] = [_said(results.get(name)) for name in names]
    table["better is"] = [{True: "higher", False: "lower", None: "-"}[known[name].higher_is_better] for name in names]
    table["source"] = [known[name].source for name in names]
    return table


def _said(check: "Check | None") -> str:
    if check is None:
        return "-"
    if check.value != check.value:
        return f"not available: {check.remark}"
    excess = "" if check.excess != check.excess else f" ({check.excess:+.2g} over {_beaten(check)})"
    return f"{check.value:.3g}{excess}"


def _beaten(check: "Check") -> str:
    return " and ".join(check.beside) or "controls"
