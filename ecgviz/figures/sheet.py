"""Geometry of ECG paper: which lead stands on which row at which time, and where each row's zero line lies.

Plot coordinates are seconds across and microvolts up from the sheet's bottom edge, so that samples are small positive
integers. At 25 mm/s and 10 mm/mV one millimetre is 40 ms and 100 uV.
"""

from dataclasses import dataclass

import numpy as np

from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import Record
from ecgviz.types.arrays import FloatArray

MM_PER_S = 25.0
MM_PER_MV = 10.0
SHEET_S = 10.0
COLUMN_S = 2.5
RHYTHM_LEAD = "II"
PULSE_MV = 1.0
PULSE_S = 0.2
MARGIN_S = 0.4
"""Left of the traces: room for the calibration pulse, 10 mm at 25 mm/s."""

_ABOVE_MV = (1.5, 3.5)
_BELOW_MV = (1.0, 3.5)
_CLEARANCE_MV = 0.2
_SNAP_MV = 0.5
_COLUMNS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))


@dataclass(frozen=True)
class Strip:
    """One lead on one row between two times (seconds of the record)."""

    lead: str
    row: int
    start_s: float
    end_s: float


@dataclass(frozen=True, eq=False)
class Sheet:
    """A page of ECG paper: its ``strips``; zero line and (low, high) bounds of each row, from the top, in uV."""

    strips: tuple[Strip, ...]
    zero_uv: tuple[float, ...]
    bounds_uv: tuple[tuple[float, float], ...]
    height_uv: float
    start_s: float

    @property
    def end_s(self) -> float:
        """Right edge, seconds of the record."""
        return self.start_s + SHEET_S

    @property
    def height_mm(self) -> float:
        """Height on paper."""
        return self.height_uv / 1000 * MM_PER_MV

    @property
    def width_mm(self) -> float:
        """Width on paper, calibration margin included."""
        return (SHEET_S + MARGIN_S) * MM_PER_S


def strips(leads: tuple[str, ...], start_s: float) -> tuple[Strip, ...]:
    """Return the clinical 3 x 4 above rhythm strip II, or one row a lead when the twelve are not complete."""
    if not set(STANDARD_LEADS) <= set(leads):
        return tuple(Strip(lead, row, start_s, start_s + SHEET_S) for row, lead in enumerate(leads))
    cells = [
        Strip(lead, row, start_s + c * COLUMN_S, start_s + (c + 1) * COLUMN_S)
        for row, names in enumerate(_COLUMNS)
        for c, lead in enumerate(names)
    ]
    return (*cells, Strip(RHYTHM_LEAD, len(_COLUMNS), start_s, start_s + SHEET_S))


def samples(record: Record, strip: Strip) -> tuple[float, FloatArray]:
    """Return the time of the first sample of a strip, and its samples in millivolts (empty past the record's end)."""
    first = int(np.ceil(strip.start_s * record.fs - 1e-6))
    last = int(np.ceil(strip.end_s * record.fs - 1e-6))
    row = record.lead(strip.lead)
    return first / record.fs, row[first : last + 1 if last < row.size else last]


def sheet(record: Record, start_s: float) -> Sheet:
    """Lay a record out on paper from ``start_s`` on.

    Each row gets the height that its deflections need (25 to 70 mm, in steps of 5 mm), so that rows stay apart.
    """
    cells = strips(record.leads, start_s)
    n_rows = max(cell.row for cell in cells) + 1
    above, below = np.full(n_rows, _ABOVE_MV[0]), np.full(n_rows, _BELOW_MV[0])
    for cell in cells:
        _, values = samples(record, cell)
        known = values[~np.isnan(values)]
        if known.size:
            above[cell.row] = max(above[cell.row], float(known.max()) + _CLEARANCE_MV)
            below[cell.row] = max(below[cell.row], -float(known.min()) + _CLEARANCE_MV)
    above = np.ceil(np.minimum(above, _ABOVE_MV[1]) / _SNAP_MV) * _SNAP_MV
    below = np.ceil(np.minimum(below, _BELOW_MV[1]) / _SNAP_MV) * _SNAP_MV
    height = float((above + below).sum()) * 1000
    tops = height - 1000 * np.concatenate([[0.0], np.cumsum(above + below)])
    zero = tuple(float(tops[r] - 1000 * above[r]) for r in range(n_rows))
    bounds = tuple((float(tops[r + 1]), float(tops[r])) for r in range(n_rows))
    return Sheet(cells, zero, bounds, height, start_s)
