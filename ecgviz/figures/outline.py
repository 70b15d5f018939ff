"""A guideline's region drawn on the paper: an outline around each stretch that it looks at, in each lead it names."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from ecgviz.figures import style
from ecgviz.figures.sheet import path_time, sheet
from ecgviz.types import ATOMS, Beats, Record, Region
from ecgviz.types.arrays import BoolArray
from ecgviz.types.paper import STANDARD, PaperFormat

DASHES: Mapping[str, str] = {"primary": "solid", "absence": "dot", "support": "dash", "opposing": "dashdot"}
"""Roles that are outlined, and how; what is only context, or would hint at a shortcut, would frame nearly all."""
WIDTHS_PX: Mapping[str, float] = {"primary": 2.2, "absence": 2.2, "support": 1.2, "opposing": 1.2}
TOUCHING_S = 1e-6
ROOM_UV = 120.0
"""Kept free above and below, so that outlines of neighbouring rows stay apart."""
KEY = (
    "Outlined: solid, where the guideline looks first; dashed, what supports it; dotted, a wave that should be "
    "missing; dots and dashes, what speaks against it where it is seen."
)


def spans(region: Region, beats: Beats, lead: str) -> list[tuple[float, float]]:
    """Return the stretches (start, end in seconds) that a region covers in one lead; those that touch are one."""
    if lead not in region.leads:
        return []
    inside = region.inside[region.leads.index(lead)]
    found = sorted(
        (float(start), float(end)) for start, end in beats.segments()[inside] if np.isfinite(start) and end > start
    )
    joined: list[tuple[float, float]] = []
    for start, end in found:
        if joined and start <= joined[-1][1] + TOUCHING_S:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def with_missing_p(regions: Mapping[str, Region], beats: Beats) -> Mapping[str, Region]:
    """Return regions with the places of P waves that beats lack under "absence", not under "primary".

    A guideline looks there first, too; but a solid outline would say that there is a wave to be seen.
    """
    first = regions.get("primary")
    if first is None:
        return regions
    p, lacking = ATOMS.index("P"), beats.p_absent
    missing = np.zeros_like(first.weight)
    missing[:, lacking, p] = first.weight[:, lacking, p]
    if not missing.any():
        return regions
    seen = replace(first, weight=first.weight - missing)
    if "absence" in regions:
        missing = np.maximum(missing, regions["absence"].weight)
    return {**regions, "primary": seen, "absence": replace(first, role="absence", weight=missing)}


def cells_in(region: Region, chosen: BoolArray) -> BoolArray:
    """Return which leads and parts of the chosen beats (B,) a region covers in any of them, (L, S)."""
    return np.asarray(region.inside[:, chosen].any(axis=1))


def outline(
    figure: go.Figure,
    record: Record,
    start_s: float,
    beats: Beats,
    regions: Mapping[str, Region],
    form: PaperFormat = STANDARD,
) -> go.Figure:
    """Outline regions on a sheet of paper, and say so in its description.

    Parameters
    ----------
    figure : go.Figure
        What `ecgviz.figures.paper` drew; changed in place and returned.
    record, start_s, form
        What it was drawn from.
    beats : Beats
        Of the record; a region's cells are stretches of these.
    regions : mapping of role to Region
        Of one definition. `DASHES` says which are outlined.
    """
    page = sheet(record, start_s, form)
    regions, told = with_missing_p(regions, beats), []
    for role, dash in DASHES.items():
        if role not in regions:
            continue
        boxes = (
            (max(start, strip.start_s), min(end, strip.end_s), *page.bounds_uv[strip.row])
            for strip in page.strips
            for start, end in spans(regions[role], beats, strip.lead)
            if end > strip.start_s and start < strip.end_s
        )
        path = _path(boxes)
        if path:
            line = {"color": style.REGION, "width": WIDTHS_PX[role], "dash": dash}
            figure.add_shape(type="path", path=path, line=line, layer="above", xref="x", yref="y", name=role)
            told.append(f"{role} region outlined: {regions[role].text}")
    if told:
        figure.update_layout(meta={**figure.layout.meta, "alt": "; ".join([figure.layout.meta["alt"], *told])})
    return figure


def _path(boxes: Iterable[tuple[float, float, float, float]]) -> str:
    """Return rectangles (left, right, bottom, top of their row) as one path."""
    return "".join(
        f"M{path_time(left)},{low + ROOM_UV:.0f}H{path_time(right)}V{high - ROOM_UV:.0f}H{path_time(left)}Z"
        for left, right, low, high in boxes
    )
