"""Calipers: the time and the voltage between two samples of a lead, and the interval marched along the recording.

Both legs stand on samples, so that what is read is what is in the recording: a time is a whole number of samples, a
voltage is a difference of two of them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecgviz.errors import RecordError
from ecgviz.figures.sheet import Sheet
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import FloatArray

MINUS = "−"


@dataclass(frozen=True)
class Caliper:
    """Two legs on samples ``first`` < ``last`` of a lead of ``fs`` Hz, and what is between them, mV.

    ``lead`` begins with a minus sign where the lead is read upside down.
    """

    lead: str
    first: int
    last: int
    fs: float
    first_mv: float
    last_mv: float
    highest_mv: float
    lowest_mv: float

    @property
    def start_s(self) -> float:
        """Time of the left leg."""
        return self.first / self.fs

    @property
    def end_s(self) -> float:
        """Time of the right leg."""
        return self.last / self.fs

    @property
    def interval_ms(self) -> float:
        """Time between the legs."""
        return 1000 * (self.last - self.first) / self.fs

    @property
    def rate_bpm(self) -> float:
        """How often the interval fits into a minute."""
        return 60_000 / self.interval_ms

    @property
    def change_mv(self) -> float:
        """Voltage at the right leg minus that at the left."""
        return self.last_mv - self.first_mv

    @property
    def peak_to_peak_mv(self) -> float:
        """Highest minus lowest sample from leg to leg."""
        return self.highest_mv - self.lowest_mv

    def march(self, start_s: float, end_s: float) -> FloatArray:
        """Return the times from ``start_s`` to ``end_s`` where the interval, repeated from the left leg, comes down."""
        step = self.last - self.first
        lowest = int(np.ceil((start_s * self.fs - self.first) / step - 1e-9))
        highest = int(np.floor((end_s * self.fs - self.first) / step + 1e-9))
        return np.asarray((self.first + step * np.arange(lowest, highest + 1)) / self.fs)


def place(record: Record, lead: str, from_s: float, to_s: float) -> Caliper:
    """Put a caliper on a lead; each leg goes to the nearest sample.

    Parameters
    ----------
    record : Record
        As it is drawn.
    lead : str
        One of its leads; with a minus sign before it, read upside down.
    from_s, to_s : float
        Legs in either order, seconds; beyond an end of the recording they stand on its last sample.

    Raises
    ------
    RecordError
        When the recording has no such lead, or both legs would stand on one sample.
    """
    name = lead.lstrip(f"{MINUS}-")
    if name not in record.leads:
        raise RecordError(f"no lead {lead}: the recording has {', '.join(record.leads)}")
    row = record.lead(name) * (-1.0 if name != lead else 1.0)
    first, last = sorted(min(max(round(at * record.fs), 0), row.size - 1) for at in (from_s, to_s))
    if first == last:
        raise RecordError(
            f"both legs of the caliper stand on the sample at {first / record.fs:.3f} s: move one of them"
        )
    inside = row[first : last + 1]
    known = inside[np.isfinite(inside)]
    high, low = (float(known.max()), float(known.min())) if known.size else (float("nan"), float("nan"))
    return Caliper(
        f"{MINUS}{name}" if name != lead else name,
        first,
        last,
        record.fs,
        float(row[first]),
        float(row[last]),
        high,
        low,
    )


def from_box(record: Record, sheet: Sheet, x_s: tuple[float, float], y_uv: tuple[float, float]) -> Caliper:
    """Put a caliper where a box was drawn on the paper: on the lead under its left edge; raises as `place`."""
    strip = sheet.strip_at(min(x_s), (min(y_uv) + max(y_uv)) / 2)
    return place(record, f"{MINUS}{strip.lead}" if strip.inverted else strip.lead, *x_s)


def millivolts(value: float, sign: str = "+") -> str:
    """Return a voltage in words, with a sign or without; a leg may stand where nothing was recorded."""
    return "not recorded" if np.isnan(value) else f"{value:{sign}.2f} mV"


def reading_table(caliper: Caliper) -> pd.DataFrame:
    """Return what a caliper reads, in a row."""
    return pd.DataFrame(
        {
            "lead": [caliper.lead],
            "from, s": [f"{caliper.start_s:.3f}"],
            "to, s": [f"{caliper.end_s:.3f}"],
            "interval": [f"{caliper.interval_ms:.0f} ms"],
            "fits a minute": [f"{caliper.rate_bpm:.0f} times"],
            "left leg": [millivolts(caliper.first_mv)],
            "right leg": [millivolts(caliper.last_mv)],
            "right minus left": [millivolts(caliper.change_mv)],
            "highest to lowest between": [millivolts(caliper.peak_to_peak_mv, sign="")],
        }
    )


def march_table(caliper: Caliper, beats: Beats) -> pd.DataFrame:
    """Return for every beat how far its R peak is from where the marching caliper comes down, ms (late: positive)."""
    steps = caliper.march(0.0, beats.duration_s)
    step_s = (caliper.last - caliper.first) / caliper.fs
    place = np.rint((beats.r_s - steps[0]) / step_s).astype(int)
    nearest = steps[place.clip(0, len(steps) - 1)]
    return pd.DataFrame(
        {
            "beat": np.arange(1, len(beats) + 1),
            "R peak, s": beats.r_s.round(3),
            "caliper comes down, s": nearest.round(3),
            "R peak late by, ms": (1000 * (beats.r_s - nearest)).round(0),
        }
    )
