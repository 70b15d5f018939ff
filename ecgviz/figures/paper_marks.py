"""What is laid over the paper: numbered brackets of the largest spans, what is in focus, calipers, points to click.

Each kind is one element of the figure, however many spans or beats it shows.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.figures.calipers import Caliper, millivolts
from ecgviz.figures.focus import clickable
from ecgviz.figures.sheet import Sheet, Strip, path_time, samples
from ecgviz.figures.spans import Span
from ecgviz.types import ATOMS, WAVES, Beats, Record
from ecgviz.types.arrays import FloatArray
from ecgviz.types.focus import Focus

_BRACKET_MM, _TICK_MM = 1.6, 1.2

Shape = dict[str, object]


def brackets(spans: Sequence[Span], sheet: Sheet) -> tuple[list[Shape], list[Shape]]:
    """Return the brackets at the foot of each span (shapes), and their numbers (annotations)."""
    mm = 1000 / sheet.form.gain_mm_mv
    path, numbers = "", []
    for span in spans:
        for strip in _strips_of(span, sheet):
            start, end = max(span.start_s, strip.start_s), min(span.end_s, strip.end_s)
            if end <= start:
                continue
            foot = sheet.bounds_uv[strip.row][0] + _BRACKET_MM * mm
            up = foot + _TICK_MM * mm
            path += f"M{path_time(start)},{up:.0f}V{foot:.0f}H{path_time(end)}V{up:.0f}"
            numbers.append((start, up, span.mark))
    line = {"color": style.INK, "width": 1.6}
    font = {"size": 12, "color": style.INK}
    common = {"showarrow": False, "xanchor": "left", "yanchor": "bottom", "borderpad": 0, "font": font}
    drawn: list[Shape] = [{"type": "path", "path": path, "line": line, "xref": "x", "yref": "y"}] if path else []
    return drawn, [{**common, "x": x, "y": y, "xshift": 1, "text": f"<b>{text}</b>"} for x, y, text in numbers]


def _strips_of(span: Span, sheet: Sheet) -> Iterator[Strip]:
    """Yield the strips on which a span is drawn: those of its lead; of a map without leads the lowest row's."""
    last = max(strip.row for strip in sheet.strips)
    for strip in sheet.strips:
        if strip.lead == span.lead or (not span.lead and strip.row == last):
            yield strip


def wave_spans(beats: Beats) -> FloatArray:
    """Return start and end of every wave in seconds, shape (B, 6, 2) in the order of `WAVES`; NaN where absent."""
    atoms = beats.segments()
    spans = np.full((len(beats), len(WAVES), 2), np.nan)
    for wave, names in enumerate(WAVES.values()):
        inside = atoms[:, [ATOMS.index(name) for name in names]]
        there = np.isfinite(inside[..., 0]).any(axis=1)
        spans[there, wave, 0] = np.nanmin(inside[there, :, 0], axis=1)
        spans[there, wave, 1] = np.nanmax(inside[there, :, 1], axis=1)
    return spans


def focus_frame(focus: Focus, sheet: Sheet, beats: Beats) -> list[Shape]:
    """Return frames around what is in focus: a lead's strips, a beat in every lead, a wave of it, or all of these."""
    if not focus:
        return []
    boxes, spans = "", wave_spans(beats)
    for strip in sheet.strips:
        if focus.lead not in (None, strip.lead):
            continue
        low, high = sheet.bounds_uv[strip.row]
        for start, end in _times(focus, strip, spans):
            boxes += f"M{path_time(start)},{low:.0f}V{high:.0f}H{path_time(end)}V{low:.0f}Z"
    line = {"color": style.ACCENT, "width": 2}
    return [{"type": "path", "path": boxes, "line": line, "xref": "x", "yref": "y"}] if boxes else []


def _times(focus: Focus, strip: Strip, spans: FloatArray) -> Iterator[tuple[float, float]]:
    if focus.beat is None and focus.wave is None:
        yield strip.start_s, strip.end_s
        return
    waves = (
        slice(None) if focus.wave is None else slice(tuple(WAVES).index(focus.wave), tuple(WAVES).index(focus.wave) + 1)
    )
    for beat in range(len(spans)) if focus.beat is None else (focus.beat,):
        if beat < len(spans) and np.isfinite(spans[beat, waves]).any():
            start = max(float(np.nanmin(spans[beat, waves, 0])), strip.start_s)
            end = min(float(np.nanmax(spans[beat, waves, 1])), strip.end_s)
            if end > start:
                yield start, end


def targets(record: Record, sheet: Sheet, beats: Beats) -> list[go.Scatter]:
    """Return an unseen point for every wave of every beat in every strip, to be clicked and hovered (see `focus`)."""
    spans, names = wave_spans(beats), tuple(WAVES)
    found: list[tuple[bool, float, float, tuple[Any, ...]]] = []
    for strip in sheet.strips:
        first_s, values = samples(record, strip)
        starts, ends = np.maximum(spans[..., 0], strip.start_s), np.minimum(spans[..., 1], strip.end_s)
        for beat, wave in np.argwhere(ends > starts):
            start, end = float(starts[beat, wave]), float(ends[beat, wave])
            part = values[max(round((start - first_s) * record.fs), 0) : max(round((end - first_s) * record.fs) + 1, 0)]
            known = part[np.isfinite(part)]
            if not known.size:
                continue
            extreme = round(float(known[np.abs(known).argmax()]), 2)
            absent = names[wave] == "P" and bool(beats.p_absent[beat])
            data = (int(beat) + 1, strip.lead, names[wave], extreme)
            found.append((absent, (start + end) / 2, sheet.zero_uv[strip.row], data))
    made = []
    for absent, wave_is in ((False, "%{customdata[2]}"), (True, "where P would be")):
        here = [each for each in found if each[0] == absent]
        if here:
            x, y = (np.array([each[axis] for each in here], dtype=np.float32) for axis in (1, 2))
            said = f"<b>%{{customdata[1]}}</b>, beat %{{customdata[0]}}, {wave_is}: %{{customdata[3]:+.2f}} mV at most"
            made.append(clickable(x, y, [each[3] for each in here], said))
    return made


def caliper_marks(caliper: Caliper, sheet: Sheet, *, marching: bool) -> tuple[list[Shape], list[Shape]]:
    """Return the legs of a caliper on its lead with what it reads, and with ``marching`` its steps over all rows."""
    shown = [
        strip for strip in sheet.strips
        if strip.name == caliper.lead and strip.start_s < caliper.end_s and strip.end_s > caliper.start_s
    ]  # fmt: skip
    legs, words = "", []
    first, last = path_time(caliper.start_s), path_time(caliper.end_s)
    for strip in shown[:1] if marching else shown:
        low, high = sheet.bounds_uv[strip.row]
        at = high - 0.12 * (high - low)
        legs += f"M{first},{low:.0f}V{high:.0f}M{last},{low:.0f}V{high:.0f}M{first},{at:.0f}H{last}"
        text = f"{caliper.interval_ms:.0f} ms, {caliper.rate_bpm:.0f}/min, {millivolts(caliper.change_mv)}"
        words.append({"x": caliper.end_s, "y": at, "text": text, "xanchor": "left", "xshift": 4, "showarrow": False,
                      "bgcolor": "rgba(255,255,255,0.85)", "font": {"size": 12, "color": style.ACCENT}})  # fmt: skip
    lines: list[Shape] = []
    if marching:
        steps = "".join(f"M{path_time(at)},0V{sheet.height_uv:.0f}" for at in caliper.march(sheet.start_s, sheet.end_s))
        lines.append(_path(steps, {"color": style.ACCENT, "width": 1, "dash": "dot"}))
    if legs:
        lines.append(_path(legs, {"color": style.ACCENT, "width": 1.6}))
    return lines, words


def _path(path: str, line: dict[str, object]) -> Shape:
    return {"type": "path", "path": path or "M0,0", "line": line, "xref": "x", "yref": "y"}
