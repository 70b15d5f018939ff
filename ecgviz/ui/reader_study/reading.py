"""A reader's or an adjudicator's way through their recordings, as the protocol allows."""

from collections.abc import Mapping

import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.review import store
from ecgviz.review.answers import Answer, from_row
from ecgviz.review.store import Turn
from ecgviz.ui import wording
from ecgviz.ui.reader_study import own_answer, second_answer, sheet
from ecgviz.ui.state import review
from ecgviz.ui.state.review import Seat

_STATES: Mapping[str, str] = {
    "before": "not read",
    "reference": "not read",
    "after": "the model's answer waits",
    "done": "read",
}


def run(held: Seat) -> None:
    """Show the recording whose turn it is, with its question."""
    sheet.alone()
    turns = store.turns(held.folder, held.person.reader_id)
    waiting = [turn for turn in turns if turn.waits_for != "done"]
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    read = len(turns) - len(waiting)
    left.progress(read / max(len(turns), 1), f"{read} of {len(turns)} recordings read")
    with right:
        turn = _pick(held, turns, waiting)
    if turn is None:
        st.success("All recordings are read. Thank you.")
        return
    place = f"Recording {turn.position} of {len(turns)}"
    correcting = turn.waits_for == "done"
    try:
        question = review.ask(held, turn, correct=correcting)
        if question.phase == "after":
            first = _given(held, turn) if correcting else Answer()
            second_answer.ask(held, question, place, first)
        else:
            own_answer.ask(held, question, place)
    except EcgvizError as refusal:
        st.error(wording.plain(str(refusal)))


def _pick(held: Seat, turns: tuple[Turn, ...], waiting: list[Turn]) -> Turn | None:
    """Return the first recording that waits, or another one where the protocol lets the reader choose."""
    protocol = held.study.protocol
    open_to = [turn for turn in turns if turn in (waiting if protocol.skip else waiting[:1])]
    if protocol.revise and held.person.role == "reader":
        open_to = sorted([*open_to, *(turn for turn in turns if turn.waits_for == "done")], key=lambda t: t.position)
    if not open_to:
        return None
    positions = [turn.position for turn in open_to]
    first = waiting[0].position if waiting else None
    chosen = review.chosen_position()
    if len(positions) > 1 or (protocol.revise and not waiting):
        chosen = st.selectbox(
            "Recording",
            positions,
            index=positions.index(chosen) if chosen in positions else (positions.index(first) if first else None),
            format_func={turn.position: f"{turn.position}: {_STATES[turn.waits_for]}" for turn in turns}.__getitem__,
            key=f"go to {[turn.waits_for for turn in turns]}",  # its texts change with what was answered
            placeholder="Choose one to correct",
        )
        review.choose_position(chosen)
    wanted = chosen if chosen in positions else first
    return None if wanted is None else turns[wanted - 1]


def _given(held: Seat, turn: Turn) -> Answer:
    row = store.standing(held.folder, held.person.reader_id, turn.item.item_id, "after")
    return Answer() if row is None else from_row(row)
