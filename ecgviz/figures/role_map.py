"""Where a guideline looks, as a role for each lead and part of the beat: from the catalogue, or on one record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecgviz.criteria.schema import Roi, RoiPart
from ecgviz.criteria.vocabulary import SEGMENTS
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import ATOMS, Beats, Region
from ecgviz.types.arrays import BoolArray

COLUMNS: Mapping[str, str] = {
    "P": "P",
    "PR": "PR",
    "QRSi": "QRS<br>start",
    "QRSm": "QRS<br>mid",
    "QRSt": "QRS<br>end",
    "ST": "ST",
    "T1": "T, 1st<br>half",
    "T2": "T, 2nd<br>half",
    "TP": "TP",
}
"""Head of each column: the parts of a beat that evidence is counted in (`ATOMS`)."""


def part_of_beat(atom: str) -> str:
    """Return what readers call an atom, in one line."""
    return COLUMNS[atom].replace("<br>", " ")


@dataclass(frozen=True)
class Sign:
    """How a role is drawn: its mark, how dark its cell is (0 to 1), and what it means."""

    mark: str
    shade: float
    meaning: str


SIGNS: Mapping[str, Sign] = {
    "primary": Sign("●", 1.0, "looked at first"),
    "support": Sign("○", 0.5, "supports it"),
    "context": Sign("·", 0.15, "read beside it"),
    "opposing": Sign("−", 0.0, "speaks against it where it is seen"),
    "contra": Sign("×", 0.0, "would hint at a shortcut"),
}
STRONGEST_FIRST = ("primary", "absence", "support", "context", "opposing", "contra")
"""A cell that several roles name shows the first of them."""
ABSENT = Sign("∅", 0.0, "the wave is missing there")


@dataclass(frozen=True, eq=False)
class RoleMap:
    """The role of each cell in one kind of ``beats``.

    ``roles`` (L, S) holds keys of `SIGNS`, "" where the guideline says nothing; ``absent`` (L, S) is True where the
    guideline asks for a wave that is not there.
    """

    leads: tuple[str, ...]
    roles: "np.ndarray[tuple[int, ...], np.dtype[np.object_]]"
    absent: BoolArray
    beats: str

    @property
    def framed(self) -> BoolArray:
        """Cells that the guideline looks at first, or where it wants nothing to be, (L, S)."""
        return np.asarray(self.roles == "primary") | self.absent

    def marks(self) -> list[list[str]]:
        """Return what is written in each cell."""
        return [
            [
                (SIGNS[role].mark if role else "") + (ABSENT.mark if absent else "")
                for role, absent in zip(*row, strict=True)
            ]
            for row in zip(self.roles, self.absent, strict=True)
        ]


def _empty(leads: Sequence[str], beats: str) -> RoleMap:
    shape = len(leads), len(ATOMS)
    return RoleMap(tuple(leads), np.full(shape, "", dtype=object), np.zeros(shape, dtype=bool), beats)


def roi_maps(roi: Roi, asked: Sequence[str]) -> tuple[RoleMap, ...]:
    """Return the maps of a region as the catalogue has it, one for each kind of beat that it names, on twelve leads.

    Parameters
    ----------
    roi : Roi
    asked : sequence of str
        Leads that a part in "the leads that are met" may be in: all that the rules ask.

    Returns
    -------
    tuple of RoleMap
        Kinds with a place to look at first come first; none for a criterion without a place.
    """
    kinds: dict[str, RoleMap] = {}
    for role in STRONGEST_FIRST:
        parts: tuple[RoiPart, ...] = getattr(roi, role)
        for part in parts:
            _put(
                kinds.setdefault(part.beats, _empty(STANDARD_LEADS, f"{part.beats} beats".replace("_", " "))),
                part,
                role,
                asked,
            )
    return tuple(kinds.values())


def _put(into: RoleMap, part: RoiPart, role: str, asked: Sequence[str]) -> None:
    """Write one part of a region into a map; a cell keeps the stronger role that it has."""
    wanted = {name.removeprefix("-") for name in (asked if part.leads == "met" else part.leads)}
    rows = np.array([lead in wanted for lead in into.leads], dtype=bool)
    present = [ATOMS.index(atom) for name in part.segments if name != "absent P" for atom in SEGMENTS[name]]
    missing = [ATOMS.index("P")] if "absent P" in part.segments else []
    for column in {*present, *missing}:
        into.absent[rows, column] |= role == "absence" or column not in present
        if role != "absence":
            free = rows & (into.roles[:, column] == "")
            into.roles[free, column] = role


def region_map(regions: Mapping[str, Region], beats: Beats, leads: Sequence[str]) -> tuple[RoleMap, BoolArray]:
    """Return the map of the regions of one record, and the beats (B,) that it is about.

    Those are the beats in which the guideline looks first; where it names no first place, the dominant ones.
    """
    first = [regions[role].inside.any(axis=(0, 2)) for role in ("primary", "absence") if role in regions]
    chosen: BoolArray = np.logical_or.reduce(first) if first else beats.dominant
    kinds = dict.fromkeys(kind for kind, one in zip(beats.kind, chosen, strict=True) if one)
    named = f"{next(iter(kinds))} " if len(kinds) == 1 else ""
    n = int(chosen.sum())
    found = _empty(leads, f"{n} {named}beat{'s' * (n != 1)}".replace("_", " "))
    for role in STRONGEST_FIRST:
        if role in regions:
            _put_cells(found, regions[role], chosen, beats.p_absent)
    return found, chosen


def _put_cells(into: RoleMap, region: Region, chosen: BoolArray, p_absent: BoolArray) -> None:
    inside = region.inside[:, chosen]
    for row, lead in enumerate(into.leads):
        if lead not in region.leads:
            continue
        cells = inside[region.leads.index(lead)]
        hit = cells.any(axis=0)
        if region.role == "absence":
            into.absent[row] |= hit
            continue
        no_p = hit[0] and bool(p_absent[chosen][cells[:, 0]].all())
        into.absent[row, 0] |= no_p
        into.roles[row, hit & (into.roles[row] == "")] = region.role


def told(role: str, absent: bool) -> str:
    """Return what the guideline makes of a cell, in words."""
    said = [SIGNS[role].meaning] if role else []
    return ", ".join([*said, *([ABSENT.meaning] if absent else [])]) or "nothing is said of it"


def in_words(shown: RoleMap) -> str:
    """Return a map in words: beats, and the cells of each role, leads with the same columns together."""
    parts = []
    for role, sign in SIGNS.items():
        listed = _cells(shown, shown.roles == role)
        parts += [f"{sign.meaning}: {listed}"] if listed else []
    listed = _cells(shown, shown.absent)
    parts += [f"{ABSENT.meaning}: {listed}"] if listed else []
    return f"{shown.beats}: {'; '.join(parts) or 'no place'}"


def _cells(shown: RoleMap, hit: BoolArray) -> str:
    by_columns: dict[tuple[str, ...], list[str]] = {}
    for lead, row in zip(shown.leads, hit, strict=True):
        names = tuple(atom for atom, one in zip(ATOMS, row, strict=True) if one)
        if names:
            by_columns.setdefault(names, []).append(lead)
    return ", ".join(
        f"{' '.join(columns)} in {'all leads' if len(leads) == 12 else ' '.join(leads)}"
        for columns, leads in by_columns.items()
    )


def role_table(maps: Sequence[RoleMap]) -> pd.DataFrame:
    """Return a row a lead and kind of beat, a column a part of the beat: what the guideline makes of it."""
    heads = [head.replace("<br>", " ") for head in COLUMNS.values()]
    rows = [
        (one.beats, lead, *(told(role, bool(gone)) if role or gone else "" for role, gone in zip(*row, strict=True)))
        for one in maps
        for lead, *row in zip(one.leads, one.roles, one.absent, strict=True)
    ]
    return pd.DataFrame(rows, columns=["beats", "lead", *heads])
