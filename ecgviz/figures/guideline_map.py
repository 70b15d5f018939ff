"""Where a guideline looks, drawn: leads down, parts of the beat across, each role with a sign of its own.

Signs carry the meaning, fills only help the eye, so that a print in grey and a reader who sees no green lose nothing.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.figures.header import between_words, shorter_than
from ecgviz.figures.role_map import ABSENT, COLUMNS, SIGNS, RoleMap, in_words, told
from ecgviz.types import ATOMS
from ecgviz.types.arrays import BoolArray

MAP_PX = 420
_SIGNS_A_LINE, _LETTERS_A_LINE, _LINE_PX = 3, 100, 16
QUIET = "#767676"
"""The lightest grey that keeps a contrast of 4.5:1 on white (WCAG 2.2, 1.4.3)."""
HEADS = tuple(COLUMNS.values())


def guideline_map(maps: Sequence[RoleMap], *, title: str) -> go.Figure:
    """Draw where a guideline looks, a panel for each kind of beat, on the same leads and columns.

    Returns
    -------
    go.Figure
        Marks: ● looked at first, ○ supports it, · read beside it, × would hint at a shortcut, ∅ the wave is missing.
    """
    figure = style.blank(MAP_PX, f"{title}: {'; '.join(map(in_words, maps))}", style.plain(title))
    for n, one in enumerate(maps):
        add_panel(figure, n, len(maps), one.beats if len(maps) > 1 else "")
        add_roles(figure, n, one)
    add_key(figure, maps)
    return figure


def add_panel(figure: go.Figure, n: int, of: int, title: str, columns: Sequence[str] = HEADS) -> None:
    """Add axes for panel ``n`` of ``of`` beside one another; only the first has the names of the leads."""
    gap = 0.03
    width = (1 - gap * (of - 1)) / of
    left = n * (width + gap)
    frame = {"showline": True, "mirror": True, "linecolor": "#b0b0b0", "showgrid": False, "zeroline": False}
    number = "" if n == 0 else str(n + 1)
    across = {
        **frame, "type": "linear", "domain": [left, left + width], "anchor": f"y{number}", "ticks": "",
        "tickangle": 0,
        "tickvals": list(range(len(columns))), "ticktext": list(columns), "tickfont": {"size": 11},
        "range": [-0.5, len(columns) - 0.5],
    }  # fmt: skip
    down = {**style.LEAD_ROWS, **frame, "anchor": f"x{number}", "showticklabels": n == 0}
    figure.update_layout({f"xaxis{number}": across, f"yaxis{number}": down})
    figure.update_layout(margin={"l": 44, "r": 8, "t": 62 if of > 1 else 44, "b": 92})
    if title:
        place = {"x": left, "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom"}
        figure.add_annotation(
            **place, text=f"<b>{style.plain(title)}</b>", showarrow=False, font={"size": 13}, yshift=3, borderpad=0
        )


def add_roles(figure: go.Figure, n: int, shown: RoleMap) -> None:
    """Draw a map into panel ``n``."""
    number = "" if n == 0 else str(n + 1)
    shade = [[SIGNS[role].shade if role else 0.0 for role in row] for row in shown.roles]
    said = [
        [told(role, bool(gone)) for role, gone in zip(*row, strict=True)]
        for row in zip(shown.roles, shown.absent, strict=True)
    ]
    figure.add_heatmap(
        z=shade,
        x=list(range(len(ATOMS))),
        y=list(shown.leads),
        xaxis=f"x{number}",
        yaxis=f"y{number}",
        zmin=0,
        zmax=1,
        colorscale=[(0, "rgba(11,110,79,0)"), (1, "rgba(11,110,79,0.45)")],
        showscale=False,
        xgap=2,
        ygap=2,
        text=[[_quiet(mark) for mark in row] for row in shown.marks()],
        texttemplate="%{text}",
        textfont={"color": style.INK, "size": 14},
        customdata=said,
        hovertemplate="%{y}: %{customdata}<extra></extra>",
        name="guideline",
    )
    add_frames(figure, n, shown)


def add_frames(figure: go.Figure, n: int, shown: RoleMap) -> None:
    """Frame the cells that the guideline looks at first (solid) or wants to be empty (dotted) in panel ``n``."""
    number = "" if n == 0 else str(n + 1)
    for cells, dash in ((shown.framed & ~shown.absent, "solid"), (shown.absent, "dot")):
        line = {"color": style.REGION, "width": 2.5, "dash": dash}
        if cells.any():
            figure.add_shape(type="path", path=_border(cells), xref=f"x{number}", yref=f"y{number}", line=line)


def _border(cells: BoolArray) -> str:
    """Return the border of a set of cells as a path, around neighbouring ones together."""
    padded = np.pad(cells, 1)
    parts = []
    for row, column in np.argwhere(cells):
        left, right, top, bottom = column - 0.5, column + 0.5, row - 0.5, row + 0.5
        sides = {
            f"M{left},{top}H{right}": padded[row, column + 1],
            f"M{left},{bottom}H{right}": padded[row + 2, column + 1],
            f"M{left},{top}V{bottom}": padded[row + 1, column],
            f"M{right},{top}V{bottom}": padded[row + 1, column + 2],
        }
        parts += [side for side, neighbour in sides.items() if not neighbour]
    return "".join(parts)


def add_key(figure: go.Figure, maps: Sequence[RoleMap], more: str = "") -> None:
    """Say below the panels what the marks mean that are there, and ``more``."""
    roles = {role for one in maps for role in one.roles.ravel() if role}
    signs = [sign for role, sign in SIGNS.items() if role in roles]
    signs += [ABSENT] * any(one.absent.any() for one in maps)
    words = [f"{sign.mark} {sign.meaning}" for sign in signs] or ["The guideline names no place."]
    lines = [" &nbsp; ".join(words[i : i + _SIGNS_A_LINE]) for i in range(0, len(words), _SIGNS_A_LINE)]
    told = [style.plain(line) for line in between_words(more, shorter_than(_LETTERS_A_LINE))]
    lines += told
    more_px = _LINE_PX * max(len(told) - 1, 0)
    figure.layout.height += more_px
    figure.layout.margin.b += more_px
    place = {"x": 0, "xref": "paper", "xanchor": "left", "y": 0, "yref": "paper", "yanchor": "top", "yshift": -40}
    font = {"size": 12, "color": style.MUTED}
    figure.add_annotation(**place, text="<br>".join(lines), align="left", showarrow=False, font=font)


def _quiet(mark: str) -> str:
    """Return a mark in grey where it says what is not looked at: these fill most of a map."""
    return (
        f'<span style="color:{QUIET}">{mark}</span>' if mark in (SIGNS["contra"].mark, SIGNS["context"].mark) else mark
    )
