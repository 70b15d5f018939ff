"""How a recording is laid out on paper: the layouts, speeds and gains that there are, and one choice of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ecgviz.errors import RecordError

MM_PER_S = 25.0
MM_PER_MV = 10.0
SPEEDS_MM_S = (12.5, 25.0, 50.0)
GAINS_MM_MV = (5.0, 10.0, 20.0)
SHEET_MM = 250.0
"""Width of the traces on a sheet: ten seconds at 25 mm/s, which fits A4 and US Letter."""
SHEET_S = SHEET_MM / MM_PER_S
PULSE_S = 0.2

COLUMNS: Mapping[str, int] = {"3x4": 4, "6x2": 2, "12x1": 1}
"""The layouts by their usual names (rows x columns); 3x4 has a rhythm strip of lead II below."""


@dataclass(frozen=True)
class PaperFormat:
    """How a recording is laid out on paper.

    ``layout`` is one of `COLUMNS`. With ``cabrera`` the limb leads stand in their anatomical order (`CABRERA`), aVR
    upside down as -aVR. ``speed_mm_s`` is one of `SPEEDS_MM_S`, ``gain_mm_mv`` one of `GAINS_MM_MV`.

    Raises
    ------
    RecordError
        When a layout or a scale is none of these.
    """

    layout: str = "3x4"
    cabrera: bool = False
    speed_mm_s: float = MM_PER_S
    gain_mm_mv: float = MM_PER_MV

    def __post_init__(self) -> None:
        if self.layout not in COLUMNS:
            raise RecordError(f"no layout {self.layout!r}: paper has {', '.join(COLUMNS)}")
        if self.speed_mm_s not in SPEEDS_MM_S:
            raise RecordError(f"no paper speed of {self.speed_mm_s:g} mm/s: {SPEEDS_MM_S}")
        if self.gain_mm_mv not in GAINS_MM_MV:
            raise RecordError(f"no gain of {self.gain_mm_mv:g} mm/mV: {GAINS_MM_MV}")

    @property
    def margin_s(self) -> float:
        """Room left of the traces: the calibration pulse and 5 mm, in whole squares of 5 mm."""
        return float(np.ceil((PULSE_S * self.speed_mm_s + 5.0) / 5.0 - 1e-9)) * 5.0 / self.speed_mm_s

    def sheet_s(self, duration_s: float) -> float:
        """Return how much of a recording one sheet holds: 250 mm of it, and no more than there is beyond ten seconds.

        At 12.5 mm/s a sheet of a ten-second recording is half as wide; at 50 mm/s it holds five seconds.
        """
        room_s = SHEET_MM / self.speed_mm_s
        return min(room_s, max(SHEET_S, float(np.ceil(duration_s))))


STANDARD = PaperFormat()
