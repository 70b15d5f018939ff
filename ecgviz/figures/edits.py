"""What edits do to a logit beside sham edits: a row an edit, a ring each sham, a filled mark the edit itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ecgviz.figures import style

if TYPE_CHECKING:
    from ecgviz.explain.edits import EditEvidence

_ROW_PX, _HEAD_PX, _FOOT_PX = 44, 44, 60


def edits_figure(found: Sequence["EditEvidence"], *, title: str) -> go.Figure | None:
    """Draw the change of the logit by each edit that can be made on this recording; None where none can."""
    shown = [each for each in found if not each.why]
    if not shown:
        return None
    told = ", ".join(f"{each.title} {each.change:+.2f} ({_beaten(each)})" for each in shown)
    figure = style.blank(_HEAD_PX + _FOOT_PX + _ROW_PX * len(shown), f"{title}: {told}", style.plain(title))
    figure.add_scatter(
        x=[change for each in shown for change in each.sham_changes],
        y=[each.title for each in shown for _ in each.sham_changes],
        customdata=[each.sham for each in shown for _ in each.sham_changes],
        mode="markers",
        marker={"symbol": "circle-open", "size": 9, "color": style.MUTED, "line": {"width": 1.2}},
        name="sham edits",
        hovertemplate="sham (%{customdata}): %{x:+.2f}<extra></extra>",
    )
    figure.add_scatter(
        x=[each.change for each in shown],
        y=[each.title for each in shown],
        customdata=[each.done for each in shown],
        mode="markers+text",
        marker={"symbol": "diamond", "size": 13, "color": style.ACCENT},
        text=[f"{each.change:+.2f}" for each in shown],
        textposition="top center",
        cliponaxis=False,
        name="edit",
        hovertemplate="%{customdata}: %{x:+.2f}<extra></extra>",
    )
    reach = 1.15 * max(0.1, *(abs(x) for each in shown for x in (each.change, *each.sham_changes)))
    figure.update_xaxes(
        range=[-reach, reach],
        title={"text": "change of the logit; diamond: the edit, rings: sham edits", "font": {"size": 12}},
        gridcolor=style.RULE,
        zeroline=True,
        zerolinecolor=style.INK,
    )
    figure.update_yaxes(**style.LEAD_ROWS)
    figure.update_layout(margin={"l": 12 + 7 * max(len(each.title) for each in shown), "b": _FOOT_PX})
    return figure


def edits_table(found: Sequence["EditEvidence"]) -> pd.DataFrame:
    """Return a row an edit: the change of the logit, that of the sham edits, and how many of them moved it as far."""
    rows = [
        (
            each.title,
            np.nan if each.why else round(each.change, 2),
            "" if each.why else f"{each.sham_mean:+.2f} ± {each.sham_sd:.2f}",
            "" if each.why else _beaten(each),
            each.why or each.done,
        )
        for each in found
    ]
    columns = ["edit", "logit moves by", "by sham edits", "shams that move it as far", "what was done"]
    return pd.DataFrame(rows, columns=columns)


def _beaten(each: "EditEvidence") -> str:
    return f"{each.n_as_large} of {len(each.sham_changes)}"
