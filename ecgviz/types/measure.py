"""What was measured on a record: numbers by name, the unit in the name, NaN with a reason when not measurable."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ecgviz.types.arrays import FloatArray, frozen

REMARKS = ("electrodes", "resolution", "beat_kind", "gaps")
"""Entries of ``reasons`` that are no measurement: they concern all values."""


@dataclass(frozen=True, eq=False)
class Measurements:
    """Measurements of the dominant beats of one record.

    ``values`` holds the global ones (``rate_bpm``, ``pr_ms``, ``qrs_ms``, ``qt_ms``, ``qtc_bazett_ms``, ...),
    ``per_lead`` arrays of shape (L,) in the order of ``leads`` (``r_mv``, ``j_mv``, ``t_mv``, ...). ``reasons`` says
    why a name is NaN, and holds the `REMARKS`. ``median_mv`` (L, W) is the median beat, ``median_s`` (W,) its time axis
    with the R peak at 0, and ``median_marks_s`` the six global marks on that axis. ``patterns`` is the QRS pattern a
    lead, such as "rsR'". ``fs`` is the rate measured at: it bounds how fine a duration can be.
    """

    values: Mapping[str, float]
    per_lead: Mapping[str, FloatArray]
    leads: tuple[str, ...]
    fs: float
    median_mv: FloatArray
    median_s: FloatArray
    median_marks_s: Mapping[str, float]
    patterns: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "per_lead", {k: frozen(v) for k, v in self.per_lead.items()})
        object.__setattr__(self, "median_mv", frozen(self.median_mv))
        object.__setattr__(self, "median_s", frozen(self.median_s))
        for name, row in self.per_lead.items():
            if row.shape != (len(self.leads),):
                raise ValueError(f"{name} has shape {row.shape} for {len(self.leads)} leads")

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know of all values: electrodes, how fine durations are, the kind of beat, gaps."""
        return tuple(self.reasons[name] for name in REMARKS if name in self.reasons)

    def value(self, name: str, lead: str | None = None) -> float:
        """Return one measurement; NaN where it could not be measured or the record lacks the lead."""
        if lead is None:
            return float(self.values.get(name, np.nan))
        if lead not in self.leads or name not in self.per_lead:
            return float("nan")
        return float(self.per_lead[name][self.leads.index(lead)])

    def why(self, name: str, lead: str | None = None) -> str:
        """Return the reason for which a measurement is NaN."""
        if lead is not None and lead not in self.leads:
            return f"lead {lead} is not in this record"
        if lead is not None and lead in self.reasons:
            return self.reasons[lead]
        return self.reasons.get(name, "not measured")
