"""Bring an explanation onto the evidence grid: relevance mass in lead x beat x wave segment, with nothing lost."""

import numpy as np

from ecgviz.errors import ExplanationError
from ecgviz.records.leads import CHEST, LIMB
from ecgviz.types import ATOMS, Beats, EvidenceGrid, Explanation, Region
from ecgviz.types.arrays import BoolArray, FloatArray

MIN_PRESENT = 0.5
"""A region with a smaller part of its cells present on the record is not assessable."""


def evidence(explanation: Explanation, beats: Beats) -> EvidenceGrid:
    """Pool an explanation over the wave segments of each beat.

    A sample stands for the interval +- 1 / (2 fs) around it and is shared between the segments that overlap it, so no
    segment vanishes at a low rate. Mass is split into supporting and opposing at the sample, before pooling. What lies
    in no segment (the edges, padding, undelineated stretches) goes to ``outside``. Without beats the grid is (L, 0, S)
    and everything is outside. A map without lead or time axis keeps length 1 on that axis.

    Parameters
    ----------
    explanation : Explanation
        Any map, signed or not.
    beats : Beats
        Beats of the same record, in seconds from its start.

    Returns
    -------
    EvidenceGrid
        ``pos`` and ``neg`` (L or 1, B or 1, S or 1), ``area`` (B or 1, S or 1) in seconds. An absent wave has mass 0
        and area 0. A map without time axis has the one area ``resolution_s``, the window that it speaks of.

    Raises
    ------
    ExplanationError
        When the map holds values that are not finite.
    """
    values = np.asarray(explanation.values, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ExplanationError(f"the {explanation.method} map holds values that are not finite")
    positive, negative = np.maximum(values, 0), np.maximum(-values, 0)
    if explanation.has_time:
        edges = segment_edges(explanation, beats)
        pos, neg = _pool(positive, edges), _pool(negative, edges)
        area = (edges[..., 1] - edges[..., 0]) / explanation.fs
    else:
        pos, neg = positive[:, :, None], negative[:, :, None]
        area = np.full((1, 1), explanation.resolution_s)
    return EvidenceGrid(
        pos=pos,
        neg=neg,
        outside=float(values.sum() - (pos.sum() - neg.sum())),
        outside_abs=float(max(positive.sum() - pos.sum(), 0.0) + max(negative.sum() - neg.sum(), 0.0)),
        area=area,
        leads=explanation.leads,
        kind=beats.kind if explanation.has_time else (),
        has_time=explanation.has_time,
        signed=explanation.signed,
        resolution_s=explanation.resolution_s,
    )


def segment_edges(explanation: Explanation, beats: Beats) -> FloatArray:
    """Start and end of every atom, shape (B, S, 2), in sample widths from the left edge of the map's first sample.

    Atoms are cut to the map's window; an absent atom, or one outside the window, starts and ends at 0. Where two
    atoms overlap (a P wave on the QRS before it), the earlier one keeps the stretch, so that no mass counts twice.
    """
    edges = (beats.segments() - explanation.start_s) * explanation.fs + 0.5
    flat = np.where(np.isnan(edges), 0.0, np.clip(edges, 0, explanation.values.shape[1])).reshape(-1, 2)
    if flat.size:
        taken = np.maximum.accumulate(np.concatenate([[0.0], flat[:-1, 1]]))
        flat[:, 0] = np.maximum(flat[:, 0], taken)
    flat[flat[:, 1] <= flat[:, 0]] = 0.0
    return flat.reshape(len(beats), len(ATOMS), 2)


def _pool(mass: FloatArray, edges: FloatArray) -> FloatArray:
    """Integrate mass (L, T), constant within a sample, between edges (B, S, 2): shape (L, B, S)."""
    below = np.concatenate([np.zeros((mass.shape[0], 1)), np.cumsum(mass, axis=1)], axis=1)
    sample = np.minimum(edges.astype(np.intp), mass.shape[1] - 1)
    at = below[:, sample] + (edges - sample) * mass[:, sample]
    return np.maximum(at[..., 1] - at[..., 0], 0.0)


def share(grid: EvidenceGrid, region: Region) -> tuple[float, str]:
    """Part of the supporting mass on the grid that lies in a region (its cells of weight > 0), and why not when NaN."""
    inside, why = cells(grid, region)
    if inside is None:
        return np.nan, why
    if grid.total == 0:
        return np.nan, "the map holds no supporting mass on any beat"
    return share_in(grid, inside), ""


def area_share(grid: EvidenceGrid, region: Region) -> float:
    """Part of the grid's lead-seconds that a region covers: what an even spread would get; NaN where `share` is."""
    inside, _ = cells(grid, region)
    return np.nan if inside is None else area_in(grid, inside)


def density(grid: EvidenceGrid, region: Region) -> tuple[float, str]:
    """Supporting mass per lead-second in a region relative to the whole grid (1 = even), and why not when NaN."""
    part, why = share(grid, region)
    return part / area_share(grid, region), why


def share_in(grid: EvidenceGrid, inside: BoolArray) -> float:
    """Part of the supporting mass in some cells, given as `cells` returns them; NaN for a map without such mass."""
    return float(grid.pos[inside].sum() / grid.total) if grid.total > 0 else np.nan


def area_in(grid: EvidenceGrid, inside: BoolArray) -> float:
    """Part of the grid's lead-seconds in some cells, given as `cells` returns them."""
    area = np.broadcast_to(grid.area, inside.shape)
    return float(area[inside].sum() / area.sum())


def cells(grid: EvidenceGrid, region: Region) -> tuple[BoolArray | None, str]:
    """Cells of a region on a grid, boolean like ``grid.pos``; None and a sentence where it cannot be assessed.

    Leads are matched by name; one that the map does not have counts as absent, as do cells of absent waves. Beats with
    no part inside the map's window are left out of the count. A map without lead axis can answer only for a region
    that is the same in every lead, a map without time axis for none.
    """
    if not grid.has_time:
        return None, "the map has no time axis, so it cannot say on which wave it looked"
    if grid.area.sum() == 0:
        return None, "no beat was delineated inside the map's window"
    wanted = region.inside
    if not grid.has_leads:
        if not (wanted == wanted[:1]).all():
            return None, f"the map has no lead axis, and the region ({region.text}) is about some leads only"
        inside = wanted[:1]
        asked = inside
    else:
        inside = np.zeros(grid.pos.shape, dtype=bool)
        for row, lead in enumerate(grid.leads):
            if lead in region.leads:
                inside[row] = wanted[region.leads.index(lead)]
        asked = wanted
    n_asked = int(asked[:, grid.area.any(axis=1)].sum())
    n_present = int((inside & (grid.area > 0)).sum())
    if n_asked == 0 and asked.any():
        return None, f"the region ({region.text}) lies in beats with no delineated part inside the map's window"
    if n_present == 0 or n_present < MIN_PRESENT * n_asked:
        unread = [lead for lead in region.leads if grid.has_leads and lead not in grid.leads and _holds(region, lead)]
        where = f"in the map, which has no {', '.join(unread)}" if unread else "present on this record"
        return None, f"only {n_present} of the {n_asked} cells of the region ({region.text}) are {where}"
    return inside, ""


def _holds(region: Region, lead: str) -> bool:
    return bool(region.inside[region.leads.index(lead)].any())


def group_shares(grid: EvidenceGrid) -> dict[str, float]:
    """Supporting share of the limb leads as one group and of each other lead; empty when the map has no lead axis.

    The six limb leads hold two independent signals, so how relevance splits among them is not identifiable.
    """
    by_lead = grid.channel()
    if by_lead is None:
        return {}
    limb = [row for row, lead in enumerate(grid.leads) if lead in LIMB]
    shares = {"limb": float(by_lead[limb].sum())} if limb else {}
    rest = [lead for lead in CHEST if lead in grid.leads] + [x for x in grid.leads if x not in (*LIMB, *CHEST)]
    return shares | {lead: float(by_lead[grid.leads.index(lead)]) for lead in rest}
