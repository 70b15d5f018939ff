"""Where the guideline of the met criteria points, and whether a map can be judged there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecgviz.criteria import union_region
from ecgviz.evidence import MIN_PRESENT, cells
from ecgviz.types import ATOMS, Beats, EvidenceGrid, Finding, Region
from ecgviz.types.arrays import BoolArray

MIN_BEATS = 3
"""With fewer beats an interval over beats means nothing."""
MAX_OUTSIDE = 0.5
"""A map with more of its mass outside all delineated beats is not judged by what little lies inside."""
RESOLUTION_PER_WIDTH = 0.5
"""A map whose resolution is coarser than this part of the region's width cannot say on which wave it looked."""


def region_of(findings: Sequence[Finding], met: Sequence[Finding], label: str) -> tuple[Region | None, str]:
    """Return the union of the primary regions of the findings that are met, or None and why there is none."""
    if not findings:
        return None, f"the catalogue has no criteria for {label}"
    if all(finding.state == "not_evaluable" for finding in findings):
        return None, f"no criterion of {label} can be evaluated on this record"
    if not met:
        return None, f"no criterion of {label} is met on this record, so the guideline points nowhere{_open(findings)}"
    region = union_region(met)
    if region is None:
        names = ", ".join(dict.fromkeys(finding.name for finding in met))
        return None, f"{names}: this criterion names no leads and waves (an interval, a rate or an axis has no mass)"
    return region, ""


def _open(findings: Sequence[Finding]) -> str:
    """Return how many definitions said neither yes nor no, in a clause; "" where all said no."""
    said = {"borderline": "too near to a limit to tell", "not_evaluable": "could not be evaluated"}
    counts = {words: sum(finding.state == state for finding in findings) for state, words in said.items()}
    told = " and ".join(f"{n} {words}" for words, n in counts.items() if n)
    return f" (of {len(findings)} definitions {told})" if told else ""


@dataclass(frozen=True, eq=False)
class Place:
    """Cells of a region in which a map can be judged (L, B, S), and those (B, S) that are left out of all counts."""

    inside: BoolArray
    left_out: BoolArray

    def of(self, grid: EvidenceGrid) -> EvidenceGrid:
        """Return a grid on which the cells that are left out hold nothing and have no area."""
        if not self.left_out.any():
            return grid
        kept = ~self.left_out
        return replace(grid, pos=grid.pos * kept, neg=grid.neg * kept, area=grid.area * kept)


def assessable(grid: EvidenceGrid, region: Region, beats: Beats) -> tuple[Place | None, str]:
    """Return where this map can be judged, or None and why not."""
    inside, why = cells(grid, region)
    if inside is None:
        return None, why
    n_present = int((inside & (grid.area > 0)).sum())
    left_out = _fused_cells(beats, inside) | _unsure_beats(beats, inside)[:, None]
    place = Place(inside & ~left_out, left_out)
    inside, counted = place.inside, place.of(grid)
    if int((inside & (grid.area > 0)).sum()) < MIN_PRESENT * n_present:
        return None, f"P and T waves run into each other in most beats, so {region.text} cannot be told apart"
    width_s = _width_s(grid, inside)
    if grid.resolution_s > RESOLUTION_PER_WIDTH * width_s:
        return None, (
            f"the map tells nothing finer than {1000 * grid.resolution_s:.0f} ms, and {region.text} is "
            f"{1000 * width_s:.0f} ms wide: only leads and beats can be compared"
        )
    if why := _too_little(grid, counted):
        return None, why
    n_beats = int(counted.area.any(axis=1).sum())
    if n_beats < MIN_BEATS:
        return None, f"only {n_beats} beats lie in the map's window (at least {MIN_BEATS} are needed)"
    return place, ""


def _too_little(grid: EvidenceGrid, counted: EvidenceGrid) -> str:
    """Return why what counts of a map on beats is too little to judge it by, or ""; ``counted`` is `Place.of` it."""
    if grid.total == 0:
        return f"the map holds no {mass_name(grid)} on any beat"
    if counted.total == 0:
        return (
            f"all {mass_name(grid)} of the map on beats lies on those of unsure kind, or where P and T waves run into "
            "each other, and neither counts"
        )
    everything = counted.pos.sum() + counted.neg.sum() + grid.outside_abs
    if grid.outside_abs <= MAX_OUTSIDE * everything:
        return ""
    whole = "the map" if counted is grid else "what counts of the map"
    return f"{100 * grid.outside_abs / everything:.0f} % of {whole} lies outside all delineated beats"


def _fused_cells(beats: Beats, inside: BoolArray) -> BoolArray:
    """Return T of a beat and P of the next one, where the two run into each other and a region asks for either, (B, S).

    What lies there may be of the one or of the other: it counts neither for the region nor against it.
    """
    fused = np.zeros((len(beats), len(ATOMS)), dtype=bool)
    b = np.flatnonzero(beats.fused)
    fused[b, ATOMS.index("T1")] = fused[b, ATOMS.index("T2")] = True
    fused[b + 1, ATOMS.index("P")] = True
    return fused if (inside & fused).any() else np.zeros_like(fused)


def _unsure_beats(beats: Beats, inside: BoolArray) -> BoolArray:
    """Return the beats (B,) whose kind could not be told, where a region asks for none of them.

    One may be of the dominant kind, which a region is of, or not: what lies on it counts neither for the region nor
    against it.
    """
    unsure = np.array([kind == "unsure" for kind in beats.kind], dtype=bool)
    return unsure if not inside[:, unsure].any() else np.zeros_like(unsure)


def _width_s(grid: EvidenceGrid, inside: BoolArray) -> float:
    """Width of a region: its longest unbroken stretch in a beat of a lead, in seconds, median over these."""
    run = np.zeros(inside.shape[:2])
    longest = run.copy()
    for s in range(inside.shape[2]):
        run = np.where(inside[:, :, s], run + grid.area[:, s], 0.0)
        longest = np.maximum(longest, run)
    return float(np.median(longest[longest > 0]))


def mass_name(grid: EvidenceGrid) -> str:
    """Return what a reader calls the mass of this map; an unsigned one supports nothing."""
    return "supporting mass" if grid.signed else "mass"
