"""Rhythm level: one value a beat, above the tachogram of RR intervals on the same time axis."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.figures.focus import REACHES, clickable, frame
from ecgviz.figures.header import between_words, shorter_than
from ecgviz.types import Beats
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.focus import NOWHERE, Focus

_TOO_SHORT_S = 0.05
_PLOT_PX = 520.0
"""The plot is at least as wide, in a window 1024 pixels wide beside the sidebar."""
_TITLE_LETTERS, _TITLE_LINE_PX = 88, 18
_DIP = 0.95
"""An interval below this part of both its neighbours stands at the foot of two steep lines."""
_INTERVAL_PX, _NUMBER_PX = 30.0, 28.0
"""Room for an RR interval of four digits, and for a share with the letter of a kind, so that no two touch."""
LETTERS = {
    "normal": "N",
    "premature_ventricular": "V",
    "premature_atrial": "A",
    "paced": "P",
    "unsure": "?",
    "edge": "|",
}
"""One letter for each kind of beat, and for beats that an edge of the recording cuts."""


def rhythm_strip(shares: FloatArray, beats: Beats, *, title: str, focus: Focus = NOWHERE) -> go.Figure:
    """Draw one bar a beat at the time of its QRS, and below it the RR interval that ends in that beat.

    Parameters
    ----------
    shares : array of shape (B,)
        Part of the whole, 0 to 1; NaN for a beat that the map does not cover.
    title : str
        What the shares are shares of.
    focus : Focus
        Its beat is framed.

    Returns
    -------
    go.Figure
        Dominant beats are filled; others are hatched and lettered (`LETTERS`). Dashed line: one over the beats covered.
    """
    n = len(beats)
    largest = int(np.argmax(np.nan_to_num(shares)))
    most = f"most in beat {largest + 1} with {style.percent(float(shares[largest]))}"
    alt = f"{title}: {n} beats above their RR intervals; {most}"
    bars = go.Bar(
        x=beats.r_s,
        y=100 * shares,
        width=max(0.5 * usual_step_s(beats), _TOO_SHORT_S) if n > 1 else 0.5,
        marker=style.bar_marker([not same for same in beats.dominant]),
        hoverinfo="skip",
    )
    intervals = go.Scatter(
        x=beats.r_s[1:],
        y=1000 * beats.rr_s,
        yaxis="y2",
        mode="lines+markers+text",
        text=interval_labels(beats.r_s[1:], 1000 * beats.rr_s, beats.dominant[1:], beats.duration_s),
        textposition=_beside_the_line(1000 * beats.rr_s),
        textfont={"size": 11},
        cliponaxis=False,
        line={"color": style.INK, "width": 1.2},
        marker={"size": 6},
        hoverinfo="skip",
    )
    layout = _layout(shares, beats)
    layout["shapes"] += beat_frame(beats, focus)
    lines = _title(title, _key(beats))
    more_px = _TITLE_LINE_PX * (len(lines) - 1)
    layout["margin"]["t"] += more_px
    figure = style.blank(330 + more_px, alt, "<br>".join(lines), **layout, **REACHES)
    figure.add_traces([bars, intervals, _picks(shares, beats, layout["yaxis"]["range"][1] / 2)])
    return figure


def _title(title: str, key: str) -> list[str]:
    """Return the lines of a title, the key of the letters in one of its own where there is no room behind it."""
    fits = shorter_than(_TITLE_LETTERS)
    lines = [f"{title}{key}"] if fits(f"{title}{key}") else [*between_words(title, fits), *between_words(key, fits)]
    return [style.plain(line) for line in lines]


def _picks(shares: FloatArray, beats: Beats, height: float) -> go.Scatter:
    """Return a point to click for each beat."""
    rr = ["", *(f", RR {1000 * rr:.0f} ms" if np.isfinite(rr) else ", RR not known" for rr in beats.rr_s)]
    share = [f"{100 * each:.2f} %" if np.isfinite(each) else "not in the map's window" for each in shares]
    told = [
        f"{kind.replace('_', ' ')}{after}: {part}" for kind, after, part in zip(beats.kind, rr, share, strict=False)
    ]
    data = [(b + 1, "", "", said, float(100 * shares[b])) for b, said in enumerate(told)]
    said = "beat %{customdata[0]}, %{customdata[3]}"
    return clickable(beats.r_s.tolist(), [height] * len(beats), data, said)


def interval_labels(at_s: FloatArray, rr_ms: FloatArray, usual: BoolArray, shown_s: float) -> list[str]:
    """Return RR intervals as they are written above their points, in ms; "" for those that others leave no room for.

    Those that end in a beat of another kind than the dominant one (``usual`` is False) have their place first: they are
    the coupling intervals.
    """
    known = np.isfinite(rr_ms)
    rank = np.where(known, np.where(usual, 1.0, 0.0), 2.0)
    room = known & _apart(at_s, rank, shown_s * _INTERVAL_PX / _PLOT_PX)
    return [f"{rr:.0f}" if here else "" for rr, here in zip(rr_ms, room, strict=True)]


def _beside_the_line(rr_ms: FloatArray) -> list[str]:
    """Return where each interval is written: below its point where both neighbours are much longer, else above."""
    ends = np.concatenate([[-np.inf], rr_ms, [-np.inf]])
    dips = (ends[1:-1] < _DIP * ends[:-2]) & (ends[1:-1] < _DIP * ends[2:])
    return ["bottom center" if dip else "top center" for dip in dips]


def _apart(at_s: FloatArray, rank: FloatArray, least_s: float) -> BoolArray:
    """Return which of these times keep a distance from one another; those of a lower rank have their place first."""
    kept = np.zeros(at_s.shape, dtype=bool)
    for n in np.argsort(rank, kind="stable"):
        kept[n] = not (np.abs(at_s[kept] - at_s[n]) < least_s).any()
    return kept


def usual_step_s(beats: Beats) -> float:
    """Return the median time from one R peak to the next, whatever was recorded between them: how wide to draw."""
    return float(np.median(np.diff(beats.r_s)))


def beat_frame(beats: Beats, focus: Focus) -> list[dict[str, Any]]:
    """Return the frame around the beat in focus, as a shape of `rhythm_strip`; none where no such beat is."""
    if focus.beat is None or focus.beat >= len(beats):
        return []
    at = float(beats.r_s[focus.beat])
    half = max(0.3 * usual_step_s(beats), _TOO_SHORT_S) if len(beats) > 1 else 0.3
    return [frame(x0=at - half, x1=at + half, y0=0, y1=1, yref="paper")]


def even_percent(shares: FloatArray) -> float:
    """Return what each beat that the map covers would have if all had the same; of all beats where it covers none."""
    return 100 / (int(np.isfinite(shares).sum()) or shares.size)


def _layout(shares: FloatArray, beats: Beats) -> dict[str, Any]:
    even = even_percent(shares)
    top = max(even, float(np.max(np.nan_to_num(100 * shares))))
    rr = 1000 * beats.rr_s[np.isfinite(beats.rr_s)]
    low, high = (float(rr.min()), float(rr.max())) if rr.size else (0.0, 1000.0)
    room = max(150.0, 0.5 * (high - low))
    common = {"gridcolor": style.RULE, "zeroline": False, "nticks": 4}
    below = {"domain": [0.05, 0.38], "range": [max(0.0, low - room), high + room], "ticksuffix": " ms"}
    across = {"anchor": "free", "position": 0, "showgrid": False, "zeroline": False}
    return {
        "yaxis": {**common, "domain": [0.5, 0.92], "range": [0, 1.08 * top], "ticksuffix": " %"},
        "yaxis2": {**common, **below, "fixedrange": True},
        "xaxis": {"range": [0, beats.duration_s], "ticksuffix": " s", **across},
        "margin": {"l": 64, "r": 84, "t": 44, "b": 30},
        "shapes": [style.even_line(even, "y")],
        "annotations": [style.even_label(even, "y"), *_beat_numbers(shares, beats), _side_label("RR interval", 0.19)],
    }


def _odd_kinds(beats: Beats) -> dict[str, str]:
    """Return the letters of the beats that are not dominant: of their kinds, and of those that an edge cuts."""
    odd = zip(beats.kind, beats.edge, beats.dominant, strict=True)
    names = {"edge" if edge else kind for kind, edge, same in odd if not same}
    return {name: letter for name, letter in LETTERS.items() if name in names}


def _key(beats: Beats) -> str:
    words = ", ".join(f"{letter} {name.replace('_', ' ')}" for name, letter in _odd_kinds(beats).items())
    return f" ({words})" if words else ""


def _beat_numbers(shares: FloatArray, beats: Beats) -> list[dict[str, object]]:
    """Return the shares as a row of numbers above the bars, where no line crosses them; odd beats have room first."""
    odd = _odd_kinds(beats)
    rank = np.where(beats.dominant, np.where(np.isfinite(shares), 1.0, 2.0), 0.0)
    room = _apart(beats.r_s, rank, beats.duration_s * _NUMBER_PX / _PLOT_PX)
    return [
        {"x": at, "y": 0.93, "yref": "paper", "yanchor": "bottom", "showarrow": False, "font": {"size": 12}}
        | {
            "text": (style.percent(float(share)).removesuffix(" %") if np.isfinite(share) else "")
            + ("" if same else f" {odd['edge' if edge else kind]}")
        }
        for at, share, same, kind, edge, here in zip(
            beats.r_s, shares, beats.dominant, beats.kind, beats.edge, room, strict=True
        )
        if here
    ]


def _side_label(text: str, height: float) -> dict[str, object]:
    place = {"x": 1, "xref": "paper", "xanchor": "left", "y": height, "yref": "paper", "xshift": 6}
    return {**place, "text": text, "showarrow": False, "font": {"size": 12}}
