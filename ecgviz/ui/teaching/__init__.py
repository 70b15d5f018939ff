"""The Teaching page: five ways to learn from the same cases, and what they share."""

from collections.abc import Callable, Mapping

from ecgviz.teach import Library
from ecgviz.ui.teaching import flaw, look_alikes, quiz, study, timed

MODES: Mapping[str, Callable[[Library], None]] = {
    "Study": study.run,
    "Quiz": quiz.run,
    "Spot the flaw": flaw.run,
    "Look-alikes": look_alikes.run,
    "Timed set": timed.run,
}
"""Every mode by its name on the page."""
