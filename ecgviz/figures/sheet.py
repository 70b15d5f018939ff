"""Geometry of ECG paper: which lead stands on which row at which time, and where each row's zero line lies.

Plot coordinates are seconds across and microvolts up from the sheet's bottom edge, so that samples are small positive
integers. At 25 mm/s and 10 mm/mV one millimetre is 40 ms and 100 uV; `PaperFormat` has the other scales.
"""

from dataclasses import dataclass, replace

import numpy as np

from ecgviz.records.leads import CABRERA, CHEST, LIMB, STANDARD_LEADS
from ecgviz.types import Record
from ecgviz.types.arrays import FloatArray
from ecgviz.types.paper import COLUMNS, SHEET_S, STANDARD, PaperFormat

COLUMN_S = 2.5
RHYTHM_LEAD = "II"
PULSE_MV = 1.0
MARGIN_S = 0.4
"""Left of the traces at 25 mm/s: room for the calibration pulse, 10 mm."""

_ABOVE_MV = (1.5, 3.5)
_BELOW_MV = (1.0, 3.5)
_CLEARANCE_MV = 0.2
_SNAP_MM = 5.0


@dataclass(frozen=True)
class Strip:
    """One lead on one row between two times (seconds of the record), upside down when ``inverted``."""

    lead: str
    row: int
    start_s: float
    end_s: float
    inverted: bool = False

    @property
    def name(self) -> str:
        """The lead as it is written on the paper."""
        return f"−{self.lead}" if self.inverted else self.lead


@dataclass(frozen=True, eq=False)
class Sheet:
    """A page of ECG paper: its ``strips``; zero line and (low, high) bounds of each row, from the top, in uV."""

    strips: tuple[Strip, ...]
    zero_uv: tuple[float, ...]
    bounds_uv: tuple[tuple[float, float], ...]
    height_uv: float
    start_s: float
    end_s: float
    form: PaperFormat = STANDARD

    @property
    def left_s(self) -> float:
        """Left edge of the paper, calibration margin included, seconds of the record."""
        return self.start_s - self.form.margin_s

    @property
    def height_mm(self) -> float:
        """Height on paper."""
        return self.height_uv / 1000 * self.form.gain_mm_mv

    @property
    def width_mm(self) -> float:
        """Width on paper, calibration margin included."""
        return (self.end_s - self.left_s) * self.form.speed_mm_s

    def strip_at(self, time_s: float, height_uv: float) -> Strip:
        """Return the strip under a point of the paper; beyond an edge the nearest."""
        rows = [max(low - height_uv, height_uv - high, 0.0) for low, high in self.bounds_uv]
        row = int(np.argmin(rows))
        cells = [strip for strip in self.strips if strip.row == row]
        return min(cells, key=lambda strip: max(strip.start_s - time_s, time_s - strip.end_s, 0.0))


def strips(
    leads: tuple[str, ...], start_s: float, form: PaperFormat = STANDARD, sheet_s: float = SHEET_S
) -> tuple[Strip, ...]:
    """Return the strips of a layout, or one row a lead when the twelve are not complete."""
    if not set(STANDARD_LEADS) <= set(leads):
        return tuple(Strip(lead, row, start_s, start_s + sheet_s) for row, lead in enumerate(leads))
    n_columns = COLUMNS[form.layout]
    n_rows = len(STANDARD_LEADS) // n_columns
    column_s = sheet_s / n_columns
    cells = [
        Strip(
            lead.removeprefix("-"),
            place % n_rows,
            start_s + place // n_rows * column_s,
            start_s + (place // n_rows + 1) * column_s,
            lead.startswith("-"),
        )
        for place, lead in enumerate((*(CABRERA if form.cabrera else LIMB), *CHEST))
    ]
    rhythm = [Strip(RHYTHM_LEAD, n_rows, start_s, start_s + sheet_s)] if form.layout == "3x4" else []
    return (*sorted(cells, key=lambda cell: cell.row), *rhythm)


def path_time(at_s: float) -> str:
    """Return a time as it is written in a path: to a tenth of a millisecond, however late in the recording."""
    return f"{at_s:.4f}".rstrip("0").removesuffix(".")


def samples(record: Record, strip: Strip) -> tuple[float, FloatArray]:
    """Return the time of the first sample of a strip, and its samples as drawn, mV (empty past the record's end)."""
    first = int(np.ceil(strip.start_s * record.fs - 1e-6))
    last = int(np.ceil(strip.end_s * record.fs - 1e-6))
    row = record.lead(strip.lead)
    values = row[first : last + 1 if last < row.size else last]
    return first / record.fs, -values if strip.inverted else values


def sheet(record: Record, start_s: float, form: PaperFormat = STANDARD) -> Sheet:
    """Lay a record out on paper from ``start_s`` on.

    Each row gets the height that its deflections need (2.5 to 7 mV, in steps of 5 mm), so that rows stay apart.
    """
    end_s = start_s + form.sheet_s(record.duration_s)
    cells = strips(record.leads, start_s, form, end_s - start_s)
    n_rows = max(cell.row for cell in cells) + 1
    above, below = np.full(n_rows, _ABOVE_MV[0]), np.full(n_rows, _BELOW_MV[0])
    for cell in cells:
        _, values = samples(record, cell)
        known = values[~np.isnan(values)]
        if known.size:
            above[cell.row] = max(above[cell.row], float(known.max()) + _CLEARANCE_MV)
            below[cell.row] = max(below[cell.row], -float(known.min()) + _CLEARANCE_MV)
    snap_mv = _SNAP_MM / form.gain_mm_mv
    above = np.ceil(np.minimum(above, _ABOVE_MV[1]) / snap_mv) * snap_mv
    below = np.ceil(np.minimum(below, _BELOW_MV[1]) / snap_mv) * snap_mv
    height = float((above + below).sum()) * 1000
    tops = height - 1000 * np.concatenate([[0.0], np.cumsum(above + below)])
    zero = tuple(float(tops[r] - 1000 * above[r]) for r in range(n_rows))
    bounds = tuple((float(tops[r + 1]), float(tops[r])) for r in range(n_rows))
    return Sheet(cells, zero, bounds, height, start_s, end_s, form)


def fitted(page: Sheet, most_mm: float) -> Sheet:
    """Return a sheet no higher than so many millimetres, in whole squares of 5 mm.

    Its scale stays: rows move closer and may overlap, as on any electrocardiograph; nothing of the first and last row
    is cut.
    """
    room_mm = most_mm - most_mm % 5.0
    if page.height_mm <= room_mm:
        return page
    room_uv = 1000 * room_mm / page.form.gain_mm_mv
    first, last = page.zero_uv[0], page.zero_uv[-1]
    above_uv, below_uv = page.height_uv - first, last
    part = (room_uv - above_uv - below_uv) / (first - last) if first > last else 1.0
    zero = tuple(below_uv + part * (each - last) for each in page.zero_uv)
    edges = [room_uv, *(below_uv + part * (low - last) for low, _ in page.bounds_uv[:-1]), 0.0]
    return replace(page, zero_uv=zero, bounds_uv=tuple(zip(edges[1:], edges[:-1], strict=True)), height_uv=room_uv)


def sheet_starts(start_s: float, form: PaperFormat, duration_s: float, read_s: float = SHEET_S) -> list[float]:
    """Return where each sheet begins on which ``read_s`` seconds of a recording are laid out, and ten at least.

    Ten seconds are one sheet at 25 mm/s and two at 50 mm/s; nothing is laid out past the recording's ``duration_s``. A
    window of whole samples may be half a sample longer than it is said to be: hundredths of a second count.
    """
    end_s, sheet_s = min(start_s + max(SHEET_S, round(read_s, 2)), duration_s), form.sheet_s(duration_s)
    return [start_s + n * sheet_s for n in range(max(1, int(np.ceil((end_s - start_s) / sheet_s - 1e-6))))]
