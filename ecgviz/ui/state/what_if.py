"""What a reader changes on purpose in a recording: steps kept for the session, and the altered recording they make."""

import hashlib
from collections.abc import Callable

import streamlit as st

from ecgviz.edit import Edited, Step, apply_steps
from ecgviz.errors import EcgvizError
from ecgviz.types import Beats, Record
from ecgviz.ui.state.recordings import Key, came_with, key_of, reading

_STEPS = "what-if steps"


def steps(record: Record) -> tuple[Step, ...]:
    """Return the edits that this session makes in a recording, in their order."""
    made: tuple[Step, ...] = st.session_state.get(_STEPS, {}).get(record.key, ())
    return made


def add_step(record: Record, new: Step) -> str:
    """Add an edit, or return the sentence with which it was refused, "" when it stands."""
    wanted = (*steps(record), new)
    try:
        _altered(key_of(record), wanted, record, reading(record).beats)
    except EcgvizError as refusal:
        return str(refusal)
    _keep(record, wanted)
    return ""


def undo_step(record: Record) -> None:
    """Take the last edit of a recording back."""
    _keep(record, steps(record)[:-1])


def clear_steps(record: Record) -> None:
    """Take all edits of a recording back."""
    _keep(record, ())


def altered(record: Record) -> Edited | None:
    """Return the recording with this session's edits made and its beats moved along; None without any.

    Everything that is asked of the altered recording stands on the beats that moved along, and is kept in this session.

    Raises
    ------
    EcgvizError
        When the edits cannot be made any more, as the marks that they stand on were changed.
    """
    wanted = steps(record)
    if not wanted:
        return None
    edited: Edited = _altered(key_of(record), wanted, record, reading(record).beats)
    digest = hashlib.sha256(repr((key_of(record), wanted)).encode()).hexdigest()
    came_with(edited.record, edited.beats, digest)
    return edited


def _apply(key: Key, wanted: tuple[Step, ...], _record: Record, _beats: Beats) -> Edited:
    return apply_steps(_record, _beats, wanted)


_altered: Callable[..., Edited] = st.cache_data(scope="session", max_entries=16, show_spinner="Altering")(_apply)


def _keep(record: Record, wanted: tuple[Step, ...]) -> None:
    kept = {key: made for key, made in st.session_state.get(_STEPS, {}).items() if key != record.key}
    if wanted:
        kept[record.key] = wanted
    st.session_state[_STEPS] = kept
