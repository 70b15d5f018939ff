"""Where the guideline looks, on the evidence grid of one record."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ecgviz.criteria.schema import Roi, RoiPart
from ecgviz.criteria.vocabulary import SEGMENTS
from ecgviz.types import ATOMS, Beats, Finding, Region
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.beats import KINDS

WEIGHTS: Mapping[str, float] = {
    "primary": 1.0,
    "support": 0.5,
    "context": 0.25,
    "absence": 1.0,
    "opposing": 1.0,
    "contra": 1.0,
}
"""Weight of a cell by the role of its region."""
STRONGEST = tuple(role for role in WEIGHTS if role != "absence")
"""A cell belongs to the first of these; absence has nothing to do with the others."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """The grid of one record: its leads, which beats (B,) have which name (see `RoiPart`), and which have no P wave.

    ``drawn`` keeps the regions that several definitions share.
    """

    leads: tuple[str, ...]
    beats: Mapping[str, BoolArray]
    p_absent: BoolArray
    drawn: dict[Hashable, dict[str, Region]] = field(default_factory=dict)


def canvas(leads: tuple[str, ...], beats: Beats) -> Canvas:
    """Return the grid that regions of this record are drawn on."""
    kinds = np.array(beats.kind, dtype=object)
    chosen = {kind: np.asarray(kinds == kind, dtype=bool) for kind in KINDS}
    chosen |= {"dominant": beats.dominant, "ectopic": beats.ectopic, "all": np.ones(len(beats), dtype=bool)}
    return Canvas(leads, chosen, beats.p_absent)


class Regions(Mapping[str, Region]):
    """The regions of a definition by role, each (L, B, S), drawn when the first is asked for.

    A role without a cell on this record is left out. Beats of the dominant kind count, unless a part asks for ectopic
    or all ones. A cell belongs to its strongest role: what is primary is not support, context or contra as well;
    absence regions may overlap.
    """

    def __init__(self, roi: Roi, on: Canvas, met_leads: tuple[str, ...]) -> None:
        self._roi, self._on, self._met_leads = roi, on, met_leads

    def __getitem__(self, role: str) -> Region:
        """Return the region of one role; raises KeyError."""
        return self._drawn[role]

    def __iter__(self) -> Iterator[str]:
        """Return the roles that have a region."""
        return iter(self._drawn)

    def __len__(self) -> int:
        """Return how many roles have a region."""
        return len(self._drawn)

    @property
    def _drawn(self) -> Mapping[str, Region]:
        parts: dict[str, tuple[RoiPart, ...]] = {role: getattr(self._roi, role) for role in WEIGHTS}
        key = tuple(
            (role, self._met_leads if part.leads == "met" else part.leads, part.segments, part.beats)
            for role, some in parts.items()
            for part in some
        )
        if key not in self._on.drawn:
            self._on.drawn[key] = _draw(parts, self._on, self._met_leads)
        return self._on.drawn[key]


def _draw(parts: Mapping[str, tuple[RoiPart, ...]], on: Canvas, met_leads: tuple[str, ...]) -> dict[str, Region]:
    taken = np.zeros((len(on.leads), on.p_absent.size, len(ATOMS)), dtype=bool)
    drawn = {}
    for role, some in parts.items():
        inside = np.zeros_like(taken)
        for part in some:
            inside |= _cells(part, on, met_leads)
        if role in STRONGEST:
            inside &= ~taken
            taken |= inside
        if inside.any():
            text = "; ".join(filter(None, (_text(part, on.leads, met_leads) for part in some)))
            drawn[role] = Region(role, on.leads, WEIGHTS[role] * inside, text)
    return drawn


def _cells(part: RoiPart, on: Canvas, met_leads: Sequence[str]) -> BoolArray:
    """Return the cells of one part, shape (L, B, S)."""
    beats = on.beats[part.beats]
    columns = np.zeros((beats.size, len(ATOMS)), dtype=bool)
    for segment in part.segments:
        chosen = beats
        if segment == "P":
            chosen = beats & ~on.p_absent
        elif segment == "absent P":
            chosen = beats & on.p_absent
        for atom in SEGMENTS[segment]:
            columns[:, ATOMS.index(atom)] |= chosen
    return _rows(part, on.leads, met_leads)[:, None, None] & columns


def _rows(part: RoiPart, leads: Sequence[str], met_leads: Sequence[str]) -> BoolArray:
    """Return which of the record's leads a part names, shape (L,)."""
    wanted = [name.removeprefix("-") for name in met_leads] if part.leads == "met" else part.leads
    return np.array([lead in wanted for lead in leads], dtype=bool)


def _text(part: RoiPart, leads: Sequence[str], met_leads: Sequence[str]) -> str:
    named = [lead for lead, chosen in zip(leads, _rows(part, leads, met_leads), strict=True) if chosen]
    if not named:
        return ""
    beats = "" if part.beats == "dominant" else f" of {part.beats.replace('_', ' ')} beats"
    return f"{'all leads' if len(named) == 12 else ', '.join(named)}: {', '.join(part.segments)}{beats}"


def union_region(findings: Sequence[Finding], role: str = "primary") -> Region | None:
    """Return the union of the regions of one role over all findings that are met, or None when there is none.

    A finding that another one explains (`Finding.explained_by`) counts only where no other is met: the mirror image of
    an infarct does not widen the place of the infarct. A cell has the largest weight that any of them gives it. What
    is primary to one of them is not support or contra for another: as within one definition (`Regions`), a cell belongs
    to its strongest role. ``text`` names each statement with its place, so that their number can be shown beside every
    score in the region.
    """
    chosen = _with_role(findings, role)
    if not chosen:
        return None
    own = weight = _largest(chosen, role)
    for other in STRONGEST[: STRONGEST.index(role)] if role in STRONGEST else ():
        if taken := _with_role(findings, other):
            weight = np.where(_largest(taken, other) > 0, 0.0, weight)
    if own.any() and not weight.any():
        return None
    texts = dict.fromkeys(f"{finding.criterion} ({finding.regions[role].text})" for finding in chosen)
    return Region(role, chosen[0].regions[role].leads, weight, " + ".join(texts))


def _with_role(findings: Sequence[Finding], role: str) -> list[Finding]:
    chosen = [finding for finding in findings if finding.state == "met" and role in finding.regions]
    return [finding for finding in chosen if not finding.explained_by] or chosen


def _largest(chosen: Sequence[Finding], role: str) -> FloatArray:
    weights: list[FloatArray] = [finding.regions[role].weight for finding in chosen]
    return np.asarray(np.max(weights, axis=0))
