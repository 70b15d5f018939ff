"""When a case comes back: two and ten weeks after it was first read.

What a course teaches about ECGs is in part forgotten within weeks, so a case is asked again while that happens. The two
intervals are a choice, not a measured optimum. A repeat that was not right starts the case anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

REPEATS = (timedelta(weeks=2), timedelta(weeks=10))


@dataclass(frozen=True)
class Reading:
    """One reading of one case: when, and whether the answer was right."""

    case: str
    at: datetime
    passed: bool


def due_at(readings: Iterable[Reading]) -> datetime | None:
    """Return when one case is due again; None when it never was read, or was right at its last repeat.

    Readings before a repeat is due are practice, which changes nothing. A right one later than both repeats counts for
    both.
    """
    first: datetime | None = None
    done = 0
    for reading in sorted(readings, key=lambda each: each.at):
        if first is None:
            first = reading.at
        elif done < len(REPEATS) and reading.at >= first + REPEATS[done]:
            if reading.passed:
                done = sum(reading.at >= first + each for each in REPEATS)
            else:
                first, done = reading.at, 0
    return None if first is None or done == len(REPEATS) else first + REPEATS[done]


def due(readings: Iterable[Reading], now: datetime) -> tuple[str, ...]:
    """Return the cases that are due at ``now``, the longest due first."""
    by_case: dict[str, list[Reading]] = {}
    for reading in readings:
        by_case.setdefault(reading.case, []).append(reading)
    waiting = [(due_at(each), name) for name, each in by_case.items()]
    return tuple(name for at, name in sorted((at, name) for at, name in waiting if at is not None and at <= now))
