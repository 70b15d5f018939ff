"""A rhythm strip: one lead with every beat's number and kind, its waves below it, and the RR intervals under both."""

import numpy as np
import plotly.graph_objects as go

from ecgviz.edit import ENDS_OF
from ecgviz.figures import millimetres, style
from ecgviz.figures.rhythm import LETTERS, interval_labels
from ecgviz.figures.sheet import MARGIN_S, Strip, path_time, samples
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.paper import MM_PER_MV, SHEET_S

_TINTS = {"P": "rgba(31,78,121,0.16)", "QRS": "rgba(17,17,17,0.10)", "T": "rgba(11,110,79,0.16)"}
_ROW_UV = 500.0
"""One row for each wave under the trace: room for its name in the margin."""
_ABOVE_UV = 600.0
_SNAP_UV = 500.0
_MOST_UV = 3500.0
_GAP_PX, _RR_PX = 34, 130
_MARGIN_PX = {"l": 58, "r": 12, "t": 40, "b": 28}


def beat_strip(record: Record, beats: Beats, lead: str, *, start_s: float = 0.0) -> go.Figure:
    """Draw ten seconds of one lead on millimetre paper, what was found in it, and the RR intervals.

    Parameters
    ----------
    record : Record
        Conditioned for display.
    beats : Beats
        Of the same record.
    lead : str
        One of its leads.
    start_s : float
        Left edge, seconds of the record.

    Returns
    -------
    go.Figure
        Above the trace each beat's number and the letter of its kind; a beat that an end of the recording cuts has
        "|". Below it a row a wave: bars from onset to offset, "no P" where one was expected, "extra" where a P wave
        has no QRS complex after it. At the bottom, on the same time axis, the RR interval that ends in each beat; an
        open circle stands for one that begins or ends in a beat of another kind than the dominant one.
    """
    first_s, values = samples(record, Strip(lead, 0, start_s, start_s + SHEET_S))
    known = 1000 * values[np.isfinite(values)]
    top, bottom = (float(known.max()), float(known.min())) if known.size else (0.0, 0.0)
    zero = 3 * _ROW_UV + _SNAP_UV * np.ceil((min(max(-bottom, 300.0), _MOST_UV) + 100.0) / _SNAP_UV) + 100.0
    height = zero + _SNAP_UV * np.ceil((min(max(top, 300.0), _MOST_UV) + _ABOVE_UV) / _SNAP_UV)
    left, right = start_s - MARGIN_S, start_s + SHEET_S
    seen = (beats.r_s >= start_s) & (beats.r_s <= right)
    figure = _frame(left, right, height, _alt(beats, lead, start_s, seen), style.plain(_title(beats, lead)))
    figure.add_trace(
        go.Scatter(
            x0=first_s,
            dx=1 / record.fs,
            y=(zero + 1000 * values).astype(np.float32),
            customdata=values.astype(np.float32),
            mode="lines",
            line={"color": style.INK, "width": 1.2},
            name=lead,
            hovertemplate=f"{style.plain(lead)}  %{{x:.3f}} s  %{{customdata:.2f}} mV<extra></extra>",
        )
    )
    figure.add_trace(millimetres.pulses(left, [zero]))
    figure.add_traces(_ladder(beats, left, right))
    figure.add_trace(_absent(beats, left, right))
    figure.add_trace(_kinds(beats, seen, height))
    figure.add_trace(_tachogram(beats, start_s, right))
    tints = [_tint(beats, wave, left, right, height) for wave in ENDS_OF]
    figure.update_layout(
        shapes=[
            _backdrop(left, right, height),
            *(tint for tint in tints if tint is not None),
            *millimetres.grids(left, right, height),
        ],
        annotations=[*_row_names(left), _rr_name()],
        yaxis2={"range": _rr_range(beats)},
    )
    return figure


def _frame(left: float, right: float, height: float, alt: str, title: str) -> go.Figure:
    height_mm = height / 1000 * MM_PER_MV
    paper_px = round(height_mm * millimetres.PX_PER_MM)
    plot_px = paper_px + _GAP_PX + _RR_PX
    scale = {"px_per_mm": paper_px / height_mm}
    figure = style.blank(plot_px + _MARGIN_PX["t"] + _MARGIN_PX["b"], alt, title, meta=scale)
    figure.update_layout(margin=_MARGIN_PX, plot_bgcolor="white", hovermode="closest")
    millimetres.square_axes(figure, left, right, height)
    figure.update_layout(
        yaxis={"domain": [1 - paper_px / plot_px, 1]},
        yaxis2={
            "domain": [0, _RR_PX / plot_px],
            "gridcolor": style.RULE,
            "zeroline": False,
            "nticks": 4,
            "ticksuffix": " ms",
            "tickfont": {"size": 11, "color": style.MUTED},
        },
        xaxis={"anchor": "y2"},
    )
    return figure


def _backdrop(left: float, right: float, height: float) -> dict[str, object]:
    ends = {"x0": left, "x1": right, "y0": 0, "y1": height, "xref": "x", "yref": "y"}
    return {"type": "rect", **ends, "fillcolor": style.PAPER, "line": {"width": 0}, "layer": "below"}


def _levels() -> dict[str, float]:
    """Return the height of each wave's row in uV, P on top."""
    return {wave: _ROW_UV * (2.5 - row) for row, wave in enumerate(ENDS_OF)}


def _spans(beats: Beats, wave: str, left: float, right: float) -> list[tuple[int, float, float]]:
    on, off = (getattr(beats, name) for name in ENDS_OF[wave])
    inside = np.isfinite(on) & np.isfinite(off) & (off > left) & (on < right)
    return [(int(b), max(float(on[b]), left), min(float(off[b]), right)) for b in np.flatnonzero(inside)]


def _ladder(beats: Beats, left: float, right: float) -> list[go.Scatter]:
    """Return a row of bars for each wave, one trace a wave."""
    rows = []
    for wave, level in _levels().items():
        spans = _spans(beats, wave, left, right)
        told = [f"beat {b + 1}: {wave} {start:.3f} to {end:.3f} s" for b, start, end in spans]
        rows.append(
            go.Scatter(
                x=[x for _, start, end in spans for x in (start, end, None)],
                y=[level, level, None] * len(spans),
                customdata=[text for text in told for _ in range(3)],
                mode="lines",
                line={
                    "color": style.ACCENT if wave == "P" else style.INK if wave == "QRS" else style.REGION,
                    "width": 6,
                },
                name=wave,
                hovertemplate="%{customdata}<extra></extra>",
            )
        )
    return rows


def _absent(beats: Beats, left: float, right: float) -> go.Scatter:
    """Return the words in the row of P: where one was expected and is not there, and where one has no QRS after it."""
    where = beats.segments()[:, 0]
    reasons = beats.why_no_p or ("",) * len(beats)
    words = [
        (float(where[b].mean()), "no P", f"beat {b + 1}: no P wave" + (f", {reasons[b]}" if reasons[b] else ""))
        for b in np.flatnonzero(beats.p_absent & np.isfinite(where).all(axis=1))
    ]
    words += [(float(at), "extra", f"P wave at {at:.3f} s without QRS complex") for at in beats.extra_p_s]
    words = [each for each in words if left < each[0] < right]
    return go.Scatter(
        x=[x for x, _, _ in words],
        y=[_levels()["P"]] * len(words),
        text=[text for _, text, _ in words],
        customdata=[style.plain(told) for *_, told in words],
        mode="text",
        textfont={"size": 10, "color": style.INK},
        name="P absent or extra",
        hovertemplate="%{customdata}<extra></extra>",
    )


def _tint(beats: Beats, wave: str, left: float, right: float, height: float) -> dict[str, object] | None:
    """Return the stretch of each wave lightly coloured behind the trace, one path for all beats."""
    spans = _spans(beats, wave, left, right)
    if not spans:
        return None
    low, high = 3 * _ROW_UV + 50, height - _ABOVE_UV + 150
    ends = ((path_time(start), path_time(end)) for _, start, end in spans)
    path = "".join(f"M{start},{low:.0f}H{end}V{high:.0f}H{start}Z" for start, end in ends)
    return {"type": "path", "path": path, "fillcolor": _TINTS[wave], "line": {"width": 0}, "layer": "below"}


def _kinds(beats: Beats, seen: BoolArray, height: float) -> go.Scatter:
    """Return number and kind above every beat; what is not of the dominant kind is bold."""
    texts, told = [], []
    for b in np.flatnonzero(seen):
        text = f"{b + 1} {LETTERS[beats.kind[b]]}{LETTERS['edge'] if beats.edge[b] else ''}"
        texts.append(text if beats.dominant[b] else f"<b>{text}</b>")
        told.append(f"beat {b + 1}, {beats.kind[b].replace('_', ' ')}{', cut by the edge' if beats.edge[b] else ''}")
    return go.Scatter(
        x=beats.r_s[seen],
        y=[height - 200.0] * len(texts),
        text=texts,
        customdata=[f"{words}, R at {at:.3f} s" for words, at in zip(told, beats.r_s[seen], strict=True)],
        mode="text",
        textfont={"size": 12, "color": style.INK},
        name="kind of beat",
        hovertemplate="%{customdata}<extra></extra>",
    )


def _tachogram(beats: Beats, start_s: float, right: float) -> go.Scatter:
    rr_ms, at = 1000 * beats.rr_s, beats.r_s[1:]
    plain = beats.dominant[1:] & beats.dominant[:-1]
    inside = (at >= start_s) & (at <= right)  # NaN is no point, and leaves its line open
    return go.Scatter(
        x=at[inside],
        y=rr_ms[inside],
        yaxis="y2",
        mode="lines+markers+text",
        text=interval_labels(at[inside], rr_ms[inside], beats.dominant[1:][inside], right - start_s),
        textposition="top center",
        textfont={"size": 11},
        cliponaxis=False,
        line={"color": style.INK, "width": 1.2},
        marker={
            "size": 8,
            "symbol": ["circle" if same else "circle-open" for same in plain[inside]],
            "color": style.INK,
            "line": {"width": 1.6, "color": style.INK},
        },
        name="RR",
        hovertemplate="RR %{y:.0f} ms, ends at %{x:.3f} s<extra></extra>",
    )


def _rr_range(beats: Beats) -> list[float]:
    """Return the ends of the RR axis in ms, of the whole recording, so that paging does not move it."""
    rr = 1000 * beats.rr_s[np.isfinite(beats.rr_s)]
    low, high = (float(rr.min()), float(rr.max())) if rr.size else (0.0, 1000.0)
    room = max(100.0, 0.35 * (high - low))
    return [max(0.0, low - room), high + room]


def _row_names(left: float) -> list[dict[str, object]]:
    font = {"size": 10, "color": style.INK}
    place = {"x": left, "xanchor": "right", "xshift": -4, "yanchor": "middle", "showarrow": False, "font": font}
    return [{**place, "y": level, "text": wave} for wave, level in _levels().items()]


def _rr_name() -> dict[str, object]:
    place = {"x": 0, "xref": "paper", "y": 1, "yref": "y2 domain", "xanchor": "left", "yanchor": "bottom", "yshift": 6}
    text = "RR interval that ends in each beat (open circle: next to a beat that is not of the dominant kind)"
    return {**place, "text": text, "showarrow": False, "font": {"size": 12, "color": style.MUTED}}


def _title(beats: Beats, lead: str) -> str:
    kinds = [f"{letter} {kind.replace('_', ' ')}" for kind, letter in LETTERS.items() if kind in beats.kind]
    kinds += [f"{LETTERS['edge']} cut by the edge"] * bool(beats.edge.any())
    return f"Lead {lead}, beats by number and kind ({', '.join(kinds)})" if kinds else f"Lead {lead}"


def _alt(beats: Beats, lead: str, start_s: float, seen: BoolArray) -> str:
    kinds: FloatArray = np.array(beats.kind, dtype=object)[seen]
    counts = ", ".join(f"{int((kinds == kind).sum())} {kind.replace('_', ' ')}" for kind in LETTERS if kind in kinds)
    return (
        f"Rhythm strip, lead {lead}, {start_s:g} to {start_s + SHEET_S:g} s, 25 mm/s, 10 mm/mV; beats: "
        f"{counts or 'none'}; {int((beats.p_absent & seen).sum())} without P wave; RR intervals below"
    )
