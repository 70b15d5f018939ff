"""What is judged: one patient's measurements, and one value held against a limit."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ecgviz.criteria.beatwise import beat_numbers, rhythm_numbers
from ecgviz.criteria.vocabulary import INVERTED_AVR, OF_RHYTHM
from ecgviz.types import Beats, Measurements
from ecgviz.types.arrays import FloatArray


class Check(NamedTuple):
    """A value held against a limit: ``margin`` > 0 on the side that holds, ``unknown`` says why there is no state."""

    state: str
    label: str
    value: float
    op: str
    limit: float
    unit: str
    margin: float
    lead: str | None = None
    unknown: str = ""


class Outcome(NamedTuple):
    """State of a rule with the checks to show for it, and the leads that decided."""

    state: str
    shown: tuple[Check, ...]
    leads: tuple[str, ...]
    why: str


@dataclass(frozen=True, eq=False)
class Patient:
    """Whose measurements these are; None = unknown.

    ``beats`` are asked by rules on single beats and on their sequence, which are not evaluable without.
    ``leads_judged`` keeps what was found in a lead for conditions that several entries share, by their identity,
    ``rules_judged`` what was found for conditions and leads that they share.
    """

    measured: Measurements
    age_years: float | None
    sex: str | None
    beats: Beats | None = None
    leads_judged: dict[tuple[int, str], tuple[str, Check]] = field(default_factory=dict)
    rules_judged: dict[Hashable, Outcome] = field(default_factory=dict)

    @cached_property
    def rows(self) -> dict[str, dict[str, float]]:
        """Per-lead measurements as plain numbers, by measure and lead; a QS complex counts as an S wave too."""
        leads = self.measured.leads
        rows = {name: dict(zip(leads, row.tolist(), strict=True)) for name, row in self.measured.per_lead.items()}
        if {"qs", "q_mv", "s_mv"} <= rows.keys():
            rows["s_mv"] |= {lead: rows["q_mv"][lead] for lead, whole in rows["qs"].items() if whole == 1}
        for row in rows.values():
            row[INVERTED_AVR] = -row.get("aVR", np.nan)
        return rows

    def value(self, name: str, lead: str | None) -> float:
        """Return one measurement, NaN when there is none."""
        if lead is not None:
            return self.rows.get(name, {}).get(lead, np.nan)
        return self.rhythm[0].get(name, np.nan) if name in OF_RHYTHM else self.measured.value(name)

    def why(self, name: str, lead: str | None) -> str:
        """Return why a measurement is NaN."""
        if name in OF_RHYTHM:
            return self.rhythm[1].get(name, "there are no beats to count")
        return self.measured.why(name, "aVR" if lead == INVERTED_AVR else lead)

    @cached_property
    def rhythm(self) -> tuple[dict[str, float], dict[str, str]]:
        """Numbers of the sequence of beats by name, and reasons for those that are NaN."""
        return ({}, {}) if self.beats is None else rhythm_numbers(self.beats)

    @cached_property
    def beat_rows(self) -> dict[str, FloatArray]:
        """Numbers of each beat by name, (B,)."""
        return {} if self.beats is None else beat_numbers(self.beats)
