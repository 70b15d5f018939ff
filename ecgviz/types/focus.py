"""What a reader points at: a lead, a beat, a wave, or several of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Focus:
    """What is pointed at: a beat (index from 0), a lead, a wave of `WAVES`; None = all."""

    beat: int | None = None
    lead: str | None = None
    wave: str | None = None

    def __bool__(self) -> bool:
        return (self.beat, self.lead, self.wave) != (None, None, None)

    def words(self, *, but: str = "") -> str:
        """Return what is pointed at, leaving out one axis ("lead", "beat", "wave", several joined by "+")."""
        parts = {
            "lead": "" if self.lead is None else f"lead {self.lead}",
            "beat": "" if self.beat is None else f"beat {self.beat + 1}",
            "wave": "" if self.wave is None else self.wave,
        }
        return ", ".join(text for axis, text in parts.items() if text and axis not in but.split("+"))


NOWHERE = Focus()


def pointed(before: Focus, data: Sequence[Any]) -> Focus:
    """Return the focus after a click on a point: what the point names replaces, what it does not name stays.

    A click on what is in focus already takes it out again.
    """
    beat, lead, wave = int(data[0] or 0), str(data[1] or ""), str(data[2] or "")
    named: dict[str, Any] = {}
    if beat:
        named["beat"] = beat - 1
    if lead:
        named["lead"] = lead
    if wave:
        named["wave"] = wave
    if named and all(getattr(before, axis) == value for axis, value in named.items()):
        named = dict.fromkeys(named)
    return replace(before, **named)
