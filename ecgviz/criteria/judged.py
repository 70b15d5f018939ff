"""What is judged: one patient's measurements, and one value held against a limit."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import nan
from typing import NamedTuple

from ecgviz.criteria.beatwise import beat_numbers, rhythm_numbers
from ecgviz.criteria.vocabulary import FINE_FS, INVERTED_AVR, OF_RHYTHM
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


class Shown(NamedTuple):
    """What is shown of a rule: its deciding check first, the leads that decided, and a sentence."""

    checks: tuple[Check, ...]
    leads: tuple[str, ...]
    why: str


class Outcome:
    """State of a rule; what there is to show for it is worked out when it is first asked for."""

    __slots__ = ("_show", "_shown", "state")

    def __init__(self, state: str, show: Callable[[], Shown]) -> None:
        self.state = state
        self._show = show
        self._shown: Shown | None = None

    @property
    def shown(self) -> Shown:
        """Return what is shown of the rule."""
        if self._shown is None:
            self._shown = self._show()
        return self._shown


@dataclass(frozen=True, eq=False)
class Patient:
    """Whose measurements these are; None = unknown.

    ``beats`` are asked by rules on single beats and on their sequence, which are not evaluable without.
    ``leads_judged`` keeps what was found in a lead for conditions that several entries share, by their identity.
    """

    measured: Measurements
    age_years: float | None
    sex: str | None
    beats: Beats | None = None
    leads_judged: dict[tuple[int, str], Check] = field(default_factory=dict)

    @cached_property
    def coarse(self) -> bool:
        """Return whether the recording is too coarse for measures that are `ecgviz.criteria.vocabulary.FINE`."""
        return self.measured.fs < FINE_FS

    @cached_property
    def sample_ms(self) -> float:
        """Return how long a sample is in ms: no duration is known better."""
        return 1000 / self.measured.fs

    @cached_property
    def rows(self) -> dict[str, dict[str, float]]:
        """Per-lead measurements as plain numbers, by measure and lead; a QS complex counts as an S wave too."""
        leads = self.measured.leads
        rows = {name: dict(zip(leads, row.tolist(), strict=True)) for name, row in self.measured.per_lead.items()}
        if {"qs", "q_mv", "s_mv"} <= rows.keys():
            rows["s_mv"] |= {lead: rows["q_mv"][lead] for lead, whole in rows["qs"].items() if whole == 1}
        for row in rows.values():
            row[INVERTED_AVR] = -row.get("aVR", nan)
        return rows

    def value(self, name: str) -> float:
        """Return one measurement of the whole record, NaN when there is none."""
        return self.rhythm[0].get(name, nan) if name in OF_RHYTHM else self.measured.value(name)

    def in_lead(self, name: str, lead: str) -> float:
        """Return one measurement of a lead, NaN when there is none."""
        row = self.rows.get(name)
        return nan if row is None else row.get(lead, nan)

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
