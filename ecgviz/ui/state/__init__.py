"""What the dashboard remembers: a session's choices, and caches of what was computed from them.

Results are keyed by digests (record, marks that a reader changed, model) and names (label, method), never by arrays.
What comes from a demo or the local library is shared by all sessions; what comes from an upload, from changed marks or
from an edit stays in its own.
Models are shared by all; a model serves one session at a time, so that sessions don't slow each other down.

What reads a recording, or asks a network about it, is fetched when a page first uses it: the one takes pandas, the
other PyTorch, and a page without a recording needs neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ecgviz.ui.state.choices import Choice, choice, choose, upload
from ecgviz.ui.state.library import VARIABLE, entries, library, open_recording, predicted, verdicts
from ecgviz.ui.state.links import arrive, leave, not_applicable, open_next, take_label
from ecgviz.ui.state.tour import set_tour_step, tour_step

if TYPE_CHECKING:
    from ecgviz.ui.state.networks import (
        Attended,
        Explained,
        attended,
        case,
        checked,
        edited,
        even,
        explained,
        model,
        prediction,
    )
    from ecgviz.ui.state.recordings import (
        ChangedMarks,
        Reading,
        automatic,
        change_marks,
        edits,
        is_shared,
        marks,
        marks_digest,
        reading,
        reset_marks,
    )
    from ecgviz.ui.state.what_if import add_step, altered, clear_steps, steps, undo_step

__all__ = [
    "VARIABLE",
    "Attended",
    "ChangedMarks",
    "Choice",
    "Explained",
    "Reading",
    "add_step",
    "altered",
    "arrive",
    "attended",
    "automatic",
    "case",
    "change_marks",
    "checked",
    "choice",
    "choose",
    "clear_steps",
    "edited",
    "edits",
    "entries",
    "even",
    "explained",
    "is_shared",
    "leave",
    "library",
    "marks",
    "marks_digest",
    "model",
    "not_applicable",
    "open_next",
    "open_recording",
    "predicted",
    "prediction",
    "reading",
    "reset_marks",
    "set_tour_step",
    "steps",
    "take_label",
    "tour_step",
    "undo_step",
    "upload",
    "verdicts",
]

if not TYPE_CHECKING:

    def __getattr__(name):
        """Return a name of those modules that are imported above for the type checker alone."""
        if name in __all__:
            for module in ("recordings", "what_if", "networks"):  # lightest first
                held = getattr(import_module(f"{__name__}.{module}"), name, None)
                if getattr(held, "__module__", None) == f"{__name__}.{module}":  # its own, not what it imports
                    return held
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
