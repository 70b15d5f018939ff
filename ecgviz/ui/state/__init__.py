"""What the dashboard remembers: a session's choices, and caches of what was computed from them.

Results are keyed by digests (record, marks that a reader changed, model) and names (label, method), never by arrays.
What comes from a demo recording is shared by all sessions; what comes from an upload, or from changed marks, stays in
its own. Models are shared by all; a model serves one session at a time, so that sessions don't slow each other down.
"""

from ecgviz.ui.state.choices import Choice, choice, choose, upload
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
    marks,
    marks_digest,
    reading,
    reset_marks,
)

__all__ = [
    "Attended",
    "ChangedMarks",
    "Choice",
    "Explained",
    "Reading",
    "attended",
    "automatic",
    "case",
    "change_marks",
    "checked",
    "choice",
    "choose",
    "edited",
    "edits",
    "even",
    "explained",
    "marks",
    "marks_digest",
    "model",
    "prediction",
    "reading",
    "reset_marks",
    "upload",
]
