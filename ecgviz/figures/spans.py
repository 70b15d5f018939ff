"""The spans of a map that matter most, by number: what colour shows, for those who cannot read colours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecgviz.figures.heat import Heat
from ecgviz.figures.sheet import Sheet
from ecgviz.types import ATOMS, WAVES, Beats
from ecgviz.types.arrays import FloatArray

N_SPANS = 5
NO_P = "where P would be"
"""What a span is called that lies before a beat without P wave."""
SMOOTHING_S = 0.08
"""A map that is finer than this is averaged over it first: gradients change sign from sample to sample."""
FRACTION_OF_TOP = 0.5
"""A span holds everything around its top that reaches this fraction of the largest value on the sheet."""

LEAST_SHARE = 0.001
"""What holds less of a map is no span: the edge of something that does not reach that fraction."""


@dataclass(frozen=True)
class Span:
    """One stretch of one lead ("" = all leads alike), numbered by its part of the map's |value| over time.

    ``sign`` is +1 where it supports the label, -1 where it opposes it, 0 for maps without sign.
    """

    rank: int
    lead: str
    start_s: float
    end_s: float
    share: float
    sign: int

    @property
    def mark(self) -> str:
        """The number that stands on the paper, with the sign that colour alone would otherwise carry."""
        return f"{self.rank}{ {1: '+', -1: '−'}.get(self.sign, '') }"


def top_spans(heat: Heat, sheet: Sheet, n: int = N_SPANS) -> tuple[Span, ...]:
    """Return the largest spans of a map among what a sheet shows, the largest first; none for a map without time.

    Parameters
    ----------
    heat : Heat
    sheet : Sheet
        Times that it does not show of a lead are left out; shares are of the whole map.
    n : int
        How many at most.
    """
    widths = np.diff(heat.edges_s)
    if widths.size < 2:
        return ()
    values = np.nan_to_num(np.asarray(heat.values, dtype=float))
    whole = float((np.abs(values) * widths).sum())
    smooth = np.stack([_smoothed(np.abs(row), widths) for row in values]) * _shown(heat, sheet)
    if whole <= 0 or smooth.max() <= 0:
        return ()
    found = []
    for row, lead in enumerate(heat.leads or ("",)):
        for first, last in _runs(smooth[row] >= FRACTION_OF_TOP * smooth.max()):
            inside = slice(first, last)
            mass = float((np.abs(values[row, inside]) * widths[inside]).sum())
            net = float((values[row, inside] * widths[inside]).sum())
            if mass >= LEAST_SHARE * whole:
                found.append((mass / whole, lead, float(heat.edges_s[first]), float(heat.edges_s[last]), net))
    found.sort(key=lambda each: -each[0])
    return tuple(
        Span(rank, lead, start, end, share, int(np.sign(net)) if heat.signed else 0)
        for rank, (share, lead, start, end, net) in enumerate(found[:n], start=1)
    )


def _smoothed(values: FloatArray, widths: FloatArray) -> FloatArray:
    n = round(SMOOTHING_S / float(np.median(widths)))
    return values if n < 2 else np.convolve(values, np.full(n, 1 / n), mode="same")


def _shown(heat: Heat, sheet: Sheet) -> FloatArray:
    """Return 1 where the sheet shows a lead at a time, shape as the map's values."""
    middles = (heat.edges_s[:-1] + heat.edges_s[1:]) / 2
    rows = heat.leads or ("",)
    shown = np.zeros((len(rows), middles.size))
    for strip in sheet.strips:
        here = (middles >= strip.start_s) & (middles < strip.end_s)
        if not heat.leads:
            shown[0, here] = 1.0
        elif strip.lead in heat.leads:
            shown[rows.index(strip.lead), here] = 1.0
    return shown


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Return first and last + 1 of each stretch of True."""
    steps = np.diff(np.concatenate([[0], flags.astype(int), [0]]))
    return list(zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True))


def whereabouts(span: Span, beats: Beats) -> str:
    """Return the beat and the wave that a span shares most time with ("beat 4, ST"); "" where there is none.

    Before a beat without P wave it is the place of one that is named, and no P wave. A span that holds the R peaks of
    several beats is named after all of these.
    """
    held = np.flatnonzero((beats.r_s > span.start_s) & (beats.r_s < span.end_s))
    if held.size > 1:
        return f"beats {held[0] + 1} to {held[-1] + 1}"
    segments = beats.segments()
    if not segments.size:
        return ""
    with np.errstate(invalid="ignore"):
        overlap = np.minimum(segments[..., 1], span.end_s) - np.maximum(segments[..., 0], span.start_s)
    overlap = np.clip(np.nan_to_num(overlap), 0.0, None)
    waves = np.stack(
        [overlap[:, [ATOMS.index(atom) for atom in atoms]].sum(axis=1) for atoms in WAVES.values()], axis=1
    )
    if waves.max() <= 0:
        return ""
    beat, wave = np.unravel_index(int(waves.argmax()), waves.shape)
    name = tuple(WAVES)[wave]
    return f"beat {beat + 1}, {NO_P if name == 'P' and beats.p_absent[beat] else name}"


def span_table(spans: Sequence[Span], beats: Beats) -> pd.DataFrame:
    """Return a row a span: its number, where it is, and its share of the map."""
    rows = [
        (each.mark, each.lead or "all", each.start_s, each.end_s, whereabouts(each, beats), 100 * each.share)
        for each in spans
    ]
    table = pd.DataFrame(rows, columns=["span", "lead", "from, s", "to, s", "mostly in", "share of the map, %"])
    return table.round({"from, s": 3, "to, s": 3, "share of the map, %": 1})
