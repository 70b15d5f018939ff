"""What is judged: one patient's measurements, and one value held against a limit."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ecgviz.criteria.vocabulary import INVERTED_AVR
from ecgviz.types import Measurements


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


@dataclass(frozen=True, eq=False)
class Patient:
    """Whose measurements these are; None = unknown.

    ``leads_judged`` keeps what was found in a lead for conditions that several entries share, by their identity.
    """

    measured: Measurements
    age_years: float | None
    sex: str | None
    leads_judged: dict[tuple[int, str], tuple[str, Check]] = field(default_factory=dict)

    @cached_property
    def rows(self) -> dict[str, dict[str, float]]:
        """Per-lead measurements as plain numbers, by measure and lead."""
        leads = self.measured.leads
        return {name: dict(zip(leads, row.tolist(), strict=True)) for name, row in self.measured.per_lead.items()}

    def value(self, name: str, lead: str | None) -> float:
        """Return one measurement, NaN when there is none; a QS complex counts as an S wave too."""
        if lead is None:
            return self.measured.value(name)
        row = self.rows.get(name, {})
        if lead == INVERTED_AVR:
            return -row.get("aVR", np.nan)
        if name == "s_mv" and self.rows["qs"].get(lead) == 1:
            row = self.rows["q_mv"]
        return row.get(lead, np.nan)
