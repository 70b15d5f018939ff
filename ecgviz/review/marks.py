"""What a reader marked, on the grid of lead x beat x wave: scored against a region, and as a region that scores a map.

A mark of a cell ("V1", "QRS") speaks of that wave in every beat that the question is about, as a criterion does: those
of the dominant kind, or premature ones where the region, or what criteria say of the label, is about these alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ecgviz.criteria import for_label
from ecgviz.errors import ReviewError
from ecgviz.evidence import share
from ecgviz.types import ATOMS, WAVES, Beats, EvidenceGrid, Region
from ecgviz.types.arrays import BoolArray

Cell = tuple[str, str]
"""A lead and one of `WAVES`."""

MIN_COVERED = 0.5
"""A span marks a cell when it covers at least this part of it."""


@dataclass(frozen=True)
class Span:
    """A stretch of one lead, in seconds from the recording's start."""

    lead: str
    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not (0 <= self.start_s < self.end_s):
            raise ReviewError(
                f"a span of lead {self.lead} from {self.start_s:g} s to {self.end_s:g} s has no length: it starts at "
                "0 s or later and ends after it starts"
            )


@dataclass(frozen=True)
class MarkScore:
    """Marked cells held against the cells of a region, both as lead x wave in any beat.

    ``right`` are marked and in the region, ``wrong`` marked and outside, ``missed`` in the region and not marked.
    ``dice`` is 2 right / (marked + asked), ``iou`` right / (right + wrong + missed). ``share`` is the part of the
    marked time that lies in the region, ``area`` what an even spread would get: the numbers a model's map gets (NaN
    with ``why`` where the region cannot be assessed).
    """

    right: tuple[Cell, ...]
    wrong: tuple[Cell, ...]
    missed: tuple[Cell, ...]
    dice: float
    iou: float
    share: float
    area: float
    why: str = ""


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans without overlaps, by lead and time."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.lead, each.start_s)):
        if joined and joined[-1].lead == span.lead and span.start_s <= joined[-1].end_s:
            joined[-1] = Span(span.lead, joined[-1].start_s, max(joined[-1].end_s, span.end_s))
        else:
            joined.append(span)
    return joined


def check_cells(cells: Iterable[Cell], leads: Sequence[str]) -> tuple[Cell, ...]:
    """Return each marked cell once, in the order of leads and waves.

    Raises
    ------
    ReviewError
        For a lead that the recording does not have, or a wave that is none of `WAVES`.
    """
    marked = set(cells)
    for lead, wave in sorted(marked):
        if lead not in leads:
            raise ReviewError(f"a mark names lead {lead!r}; this recording has {', '.join(leads)}")
        if wave not in WAVES:
            raise ReviewError(f"a mark names wave {wave!r}; waves are {', '.join(WAVES)}")
    return tuple((lead, wave) for lead in leads for wave in WAVES if (lead, wave) in marked)


def asked_beats(label: str, beats: Beats) -> BoolArray:
    """Return which beats (B,) a mark under a label speaks of: those that its criteria look at, if they are of one kind.

    Elsewhere, and where the record has none of these, beats of the dominant kind.
    """
    kinds = {part.beats for entry in for_label(label) for part in entry.roi.primary}
    asked = np.array([kind in kinds for kind in beats.kind], dtype=bool) & ~beats.edge
    return asked if len(kinds) == 1 and asked.any() else beats.dominant


def region_of_cells(
    cells: Iterable[Cell],
    beats: Beats,
    leads: Sequence[str],
    *,
    who: str = "the reader",
    among: BoolArray | None = None,
) -> Region:
    """Return marked cells as a region on the grid of one record, to be scored as a guideline's region is.

    Parameters
    ----------
    cells : iterable of (lead, wave)
    beats : Beats
        Of the record.
    leads : sequence of str
        The record's leads, the rows of the region.
    who : str
        Who marked it, for the region's text.
    among : BoolArray of shape (B,), optional
        The beats that a mark speaks of; those of the dominant kind if not given.

    Raises
    ------
    ReviewError
        Without cells, or for a cell that the record does not have.
    """
    marked = check_cells(cells, leads)
    if not marked:
        raise ReviewError("no cell is marked, so there is no region to score")
    spoken_of = beats.dominant if among is None else among
    weight = np.zeros((len(leads), len(beats), len(ATOMS)))
    for lead, wave in marked:
        for atom in WAVES[wave]:
            weight[leads.index(lead), spoken_of, ATOMS.index(atom)] = 1.0
    by_lead = {lead: [wave for each, wave in marked if each == lead] for lead in dict.fromkeys(x for x, _ in marked)}
    text = "; ".join(f"{lead}: {', '.join(waves)}" for lead, waves in by_lead.items())
    return Region("primary", tuple(leads), weight, f"what {who} marked ({text})")


def region_of_spans(spans: Iterable[Span], beats: Beats, leads: Sequence[str], *, who: str = "the reader") -> Region:
    """Return marked spans as a region: the atoms of which they cover at least half, in these beats only.

    Raises
    ------
    ReviewError
        For a lead that the record does not have, or when no atom is covered by half.
    """
    atoms = beats.segments()
    length = atoms[..., 1] - atoms[..., 0]
    covered = np.zeros((len(leads), len(beats), len(ATOMS)))
    for span in merged(spans):  # what two spans cover counts once
        if span.lead not in leads:
            raise ReviewError(f"a span names lead {span.lead!r}; this recording has {', '.join(leads)}")
        overlap = np.minimum(atoms[..., 1], span.end_s) - np.maximum(atoms[..., 0], span.start_s)
        covered[leads.index(span.lead)] += np.maximum(np.nan_to_num(overlap), 0)
    with np.errstate(invalid="ignore"):
        weight = (covered >= MIN_COVERED * length).astype(float)
    if not weight.any():
        raise ReviewError("the marked spans cover half of no wave, so there is no region to score")
    return Region("primary", tuple(leads), weight, f"spans that {who} marked")


def grid_of_cells(cells: Iterable[Cell], beats: Beats, leads: Sequence[str], among: BoolArray) -> EvidenceGrid:
    """Return marked cells as the map of a model that looked there and nowhere else: each cell's mass is its time.

    ``among`` (B,) are the beats that the marks speak of; others are outside of the map. Its shares in a region are then
    comparable with those of a network's map. Raises ReviewError as `region_of_cells`.
    """
    region = region_of_cells(cells, beats, leads, among=among)
    atoms = beats.segments()
    area = np.nan_to_num(atoms[..., 1] - atoms[..., 0]) * among[:, None]
    mass = region.weight * area
    return EvidenceGrid(
        pos=mass,
        neg=np.zeros_like(mass),
        outside=0.0,
        outside_abs=0.0,
        area=area,
        leads=tuple(leads),
        kind=beats.kind,
        has_time=True,
        signed=False,
        resolution_s=0.0,
    )


def cells_of_region(region: Region) -> tuple[Cell, ...]:
    """Return the cells lead x wave that a region touches in any beat."""
    atoms: BoolArray = np.asarray(region.inside.any(axis=1))
    return tuple(
        (lead, wave)
        for row, lead in enumerate(region.leads)
        for wave, names in WAVES.items()
        if atoms[row, [ATOMS.index(atom) for atom in names]].any()
    )


def score_cells(cells: Iterable[Cell], region: Region, beats: Beats) -> MarkScore:
    """Score a reader's cells against a region (a guideline's, or another reader's), as a model's map would be.

    Parameters
    ----------
    cells : iterable of (lead, wave)
        Empty when the reader marked nothing: then all of the region is missed, and there is no share.
    region : Region
        On the record's leads and beats.
    beats : Beats
        The beats that the region was drawn on.

    Raises
    ------
    ReviewError
        For a cell that the record does not have.
    """
    marked, asked = check_cells(cells, region.leads), cells_of_region(region)
    right = tuple(cell for cell in marked if cell in asked)
    wrong = tuple(cell for cell in marked if cell not in asked)
    missed = tuple(cell for cell in asked if cell not in marked)
    either = len(right) + len(wrong) + len(missed)
    part, area, why = np.nan, np.nan, "nothing was marked"
    if marked:
        touched: BoolArray = np.asarray(region.inside.any(axis=(0, 2)))
        grid = grid_of_cells(marked, beats, region.leads, touched if touched.any() else beats.dominant)
        part, why = share(grid, region)
        area = _area(region, grid) if np.isfinite(part) else np.nan
    return MarkScore(
        right,
        wrong,
        missed,
        dice=2 * len(right) / (len(marked) + len(asked)) if either else np.nan,
        iou=len(right) / either if either else np.nan,
        share=part,
        area=area,
        why=why,
    )


def _area(region: Region, grid: EvidenceGrid) -> float:
    """Return the part of all lead-seconds that a region covers."""
    area = np.broadcast_to(grid.area, region.weight.shape)
    return float(area[region.inside].sum() / area.sum())
