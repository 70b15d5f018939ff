"""The guideline's map and the model's evidence on one layout: the same leads, the same parts of the beat."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.figures.guideline_map import HEADS, MAP_PX, add_frames, add_key, add_panel, add_roles
from ecgviz.figures.matrix import colour_end
from ecgviz.figures.role_map import RoleMap, in_words
from ecgviz.types import ATOMS, EvidenceGrid
from ecgviz.types.arrays import BoolArray, FloatArray


def cell_shares(grid: EvidenceGrid, chosen: BoolArray) -> FloatArray:
    """Return the share of all supporting mass in each lead and part of the chosen beats (B,).

    Shape (L or 1, S or 1): a map without leads has one row, one without time one column, which holds all beats. NaN
    where the map supports nothing.
    """
    mass = grid.pos[:, chosen].sum(axis=1) if grid.has_time else grid.pos.sum(axis=1)
    return mass / grid.total if grid.total > 0 else np.full(mass.shape, np.nan)


def guideline_beside_model(
    shown: RoleMap, shares: FloatArray, leads: Sequence[str], *, title: str, model_title: str, below: str = ""
) -> go.Figure:
    """Draw where the guideline looks (left) and where the model's supporting evidence lies (right).

    Parameters
    ----------
    shown : RoleMap
        Of the guideline, on this record.
    shares : array of shape (L or 1, S or 1)
        Parts of the whole (`cell_shares`).
    leads : sequence of str
        Rows of ``shares``; empty for a map that tells no leads apart.
    title, model_title : str
        Of both panels.
    below : str
        A line under both.

    Returns
    -------
    go.Figure
        Cells that the guideline looks at first are framed on both sides. A map without leads is one row, one without
        time one column.
    """
    rows = list(leads) or ["all leads"]
    whole = shares.shape[1] == 1
    largest = np.unravel_index(int(np.argmax(np.nan_to_num(shares))), shares.shape)
    where = f"{rows[largest[0]]} {'' if whole else ATOMS[largest[1]]}".strip()
    alt = f"{title}: {in_words(shown)}. {model_title}: most in {where} with {style.percent(float(shares[largest]))}"
    figure = style.blank(MAP_PX + 20, alt)
    add_panel(figure, 0, 2, title)
    add_roles(figure, 0, shown)
    add_panel(figure, 1, 2, model_title, ("all of the beat",) if whole else HEADS)
    _add_shares(figure, shares, rows)
    if leads and not whole:
        add_frames(figure, 1, _on_rows(shown, leads))
    if not leads:
        # one row of the same height as those beside it, named by itself
        figure.update_layout(yaxis2={"domain": [1 - 1 / len(shown.leads), 1], "showticklabels": False})
        below = f"{below} The map tells no leads apart: one row for all of them.".strip()
    add_key(figure, [shown], below)
    return figure


def _add_shares(figure: go.Figure, shares: FloatArray, rows: Sequence[str]) -> None:
    figure.add_heatmap(
        z=shares,
        x=list(range(shares.shape[1])),
        y=list(rows),
        xaxis="x2",
        yaxis="y2",
        zmin=0.0,
        zmax=colour_end([shares]),
        colorscale=style.sequential(),
        showscale=False,
        xgap=2,
        ygap=2,
        text=[[style.number(100 * float(value), 1) for value in row] for row in shares],
        texttemplate="%{text}",
        textfont={"color": style.INK, "size": 11},
        hovertemplate="%{y}: %{text} %<extra></extra>",
        name="model",
    )


def _on_rows(shown: RoleMap, leads: Sequence[str]) -> RoleMap:
    """Return a map on the rows of another figure; leads that the guideline's map lacks have no role."""
    at = [shown.leads.index(lead) if lead in shown.leads else -1 for lead in leads]
    there = np.array(at) >= 0
    roles = np.where(there[:, None], shown.roles[at], "")
    return RoleMap(tuple(leads), roles, shown.absent[at] & there[:, None], shown.beats)


def beside_table(shown: RoleMap, shares: FloatArray, leads: Sequence[str]) -> pd.DataFrame:
    """Return a row a lead and part of the beat: the guideline's role for it, and the model's share in percent."""
    columns = ["all"] if shares.shape[1] == 1 else list(ATOMS)
    rows = []
    for lead, row in zip(list(leads) or ["all leads"], shares, strict=True):
        for s, (name, value) in enumerate(zip(columns, row, strict=True)):
            known = lead in shown.leads and name != "all"
            role = str(shown.roles[shown.leads.index(lead), s]) if known else ""
            gone = bool(shown.absent[shown.leads.index(lead), s]) if known else False
            rows.append((lead, name, role, "yes" if gone else "", 100 * float(value)))
    return pd.DataFrame(rows, columns=["lead", "part of the beat", "guideline", "missing wave asked for", "share, %"])
