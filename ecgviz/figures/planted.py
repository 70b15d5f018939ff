"""The planted-truth bench at a glance: what each method finds of each finding beyond the best control map."""

import io

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ecgviz import NOTICE
from ecgviz.figures import style
from ecgviz.figures.printed import colour_map
from ecgviz.figures.settings import settings
from ecgviz.types.arrays import FloatArray

LEAST_RECORDS = 100
"""A cell of fewer records that count is left blank, hatched on paper, with their number."""
ROW_PX, HEAD_PX, LEFT_PX = 30, 64, 250
FOOT_PX, LETTER_PX = 40, 5.5
"""Room below the rows: this, and the height of each letter of the longest finding where findings stand aslant."""
MOST_LEVEL = 8
"""So many findings have room side by side; where there are more, their names stand aslant."""
COLUMN_IN, ROW_IN, LEFT_IN, FOOT_IN, HEAD_IN = 0.62, 0.28, 2.6, 1.7, 0.5


def planted_table_figure(table: pd.DataFrame, score: str = "mass") -> go.Figure:
    """Draw the excess of one score over the best control map: methods down, findings across.

    Parameters
    ----------
    table : DataFrame
        As `ecgviz.validate.explanations.load_planted` returns it; of several models, each method of each is a row.
    score : str
        A name in the table's column ``score``.

    Returns
    -------
    go.Figure
        Orange: above the best control; purple: below it. A cell of fewer than 100 records that count is blank, with
        their number; a dash is a map that cannot answer.
    """
    rows, findings, over, n = _cells(table, score)
    ranked = np.where(n >= LEAST_RECORDS, over, np.nan)
    words = score.replace("_", " ")
    alt = f"{words}: excess over the best control, {len(rows)} methods by {len(findings)} findings"
    slanted = len(findings) > MOST_LEVEL
    foot = FOOT_PX + (round(LETTER_PX * max(len(name) for name in findings)) if slanted else 0)
    height = HEAD_PX + foot + ROW_PX * len(rows)
    figure = style.blank(height, alt, style.plain(f"{words}: above the best control map"))
    limit = _limit(ranked)
    figure.add_heatmap(
        z=ranked,
        x=[style.plain(name) for name in findings],
        y=[style.plain(name) for name in rows],
        zmin=-limit,
        zmax=limit,
        colorscale=style.diverging(),
        showscale=False,
        text=[[_text(float(over[r, f]), float(n[r, f])) for f in range(len(findings))] for r in range(len(rows))],
        texttemplate="%{text}",
        textfont={"color": style.INK, "size": 12},
        xgap=2,
        ygap=2,
        hoverongaps=False,
        hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
    )
    frame = {"showline": True, "mirror": True, "linecolor": "#b0b0b0"}
    figure.update_yaxes(**style.LEAD_ROWS, **frame)
    figure.update_xaxes(tickangle=-45 if slanted else 0, showgrid=False, zeroline=False, type="category", **frame)
    figure.update_layout(margin={"l": LEFT_PX, "r": 12, "t": HEAD_PX, "b": foot})
    figure.add_annotation(
        {"text": style.plain(NOTICE), "showarrow": False, "font": {"size": 12, "color": style.MUTED}}
        | {"x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 6}
    )
    return figure


def planted_svg(table: pd.DataFrame, score: str = "mass") -> str:
    """Return `planted_table_figure` as an SVG file for paper; cells of fewer than 100 records are hatched."""
    rows, findings, over, n = _cells(table, score)
    width = LEFT_IN + COLUMN_IN * max(len(findings), 4)
    height = HEAD_IN + FOOT_IN + ROW_IN * len(rows)
    limit, shade = _limit(np.where(n >= LEAST_RECORDS, over, np.nan)), colour_map(style.diverging())
    with settings({"svg.fonttype": "none", "svg.hashsalt": "ecgviz", "font.size": 8, "hatch.linewidth": 0.4}):
        figure = Figure(figsize=(width, height), facecolor="white")
        across, up = (width - LEFT_IN - 0.1) / width, ROW_IN * len(rows) / height
        axes = figure.add_axes((LEFT_IN / width, FOOT_IN / height, across, up))
        for row, column in np.ndindex(over.shape):
            ranked = n[row, column] >= LEAST_RECORDS and np.isfinite(over[row, column])
            face = shade(0.5 + over[row, column] / (2 * limit)) if ranked else "white"
            hatch = "///" if 0 < n[row, column] < LEAST_RECORDS else ""
            box = Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=face, edgecolor="#b0b0b0", lw=0.4, hatch=hatch)
            axes.add_patch(box)
            axes.text(
                column, row, _text(float(over[row, column]), float(n[row, column])), ha="center", va="center", size=7
            )
        axes.set(xlim=(-0.5, len(findings) - 0.5), ylim=(len(rows) - 0.5, -0.5))
        axes.set_xticks(range(len(findings)), findings, rotation=45, ha="right", parse_math=False)
        axes.set_yticks(range(len(rows)), rows, parse_math=False)
        axes.tick_params(length=0)
        axes.set_title(f"{score}: above the best control map", loc="left", parse_math=False)
        figure.text(0.01, 0.02, NOTICE, color=style.MUTED, parse_math=False)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": "ecgviz"})
    return out.getvalue()


def _cells(table: pd.DataFrame, score: str) -> tuple[list[str], list[str], FloatArray, FloatArray]:
    """Return rows, findings, and of each cell the excess and how many records it is of, (rows, findings)."""
    some = table[(table.group == "counted") & (table.score == score)]
    several = some.model.nunique() > 1
    named = some.assign(row=some.model + ": " + some.method if several else some.method)
    rows, findings = list(dict.fromkeys(named.row)), list(dict.fromkeys(named.finding))
    over = named.pivot(index="row", columns="finding", values="excess").reindex(index=rows, columns=findings)
    n = named.pivot(index="row", columns="finding", values="n").reindex(index=rows, columns=findings)
    return rows, findings, over.to_numpy(dtype=float), n.fillna(0).to_numpy(dtype=float)


def _text(over: float, n: float) -> str:
    if 0 < n < LEAST_RECORDS:
        return f"n {n:.0f}"
    return f"{over:+.2f}" if np.isfinite(over) else style.MISSING


def _limit(over: FloatArray) -> float:
    known = np.abs(over[np.isfinite(over)])
    return max(float(known.max()), 0.05) if known.size else 1.0
