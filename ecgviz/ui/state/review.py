"""What a reader's session remembers: who reads in which study, what is typed but not yet given, and what is shown.

Everything typed is kept in the study's database as a draft, so that a closed window loses nothing; the widgets are
filled from there.
"""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.evidence import evidence
from ecgviz.measure import measure
from ecgviz.review import material, store
from ecgviz.review.answers import Answer, JudgedSpan, checked, from_row
from ecgviz.review.design import ALONE, Item
from ecgviz.review.founding import signed_in
from ecgviz.review.marks import Span
from ecgviz.review.places import Place, places
from ecgviz.review.progress import studies_in
from ecgviz.review.results import Results, results
from ecgviz.review.store import Draft, Person, Turn
from ecgviz.review.study import Study
from ecgviz.signal import condition
from ecgviz.types import WAVES, Beats, EvidenceGrid, Explanation, Measurements, Prediction, Record

STUDIES = "ECGVIZ_STUDIES"
"""The variable in which the server finds the folder of all studies."""
_SEAT, _CHOSEN, _KEPT = "study seat", "study position", "study kept"


@dataclass(frozen=True)
class Seat:
    """Somebody who signed in to a study."""

    folder: Path
    person: Person
    study: Study


@dataclass(frozen=True, eq=False)
class Prepared:
    """A recording of a study ready to be drawn: cleaned, with its beats and measurements."""

    record: Record
    clean: Record
    beats: Beats
    measured: Measurements


@dataclass(frozen=True, eq=False)
class MapShown:
    """A map as its item shows it, under the name that the reader may know; ``places`` wait for a verdict."""

    name: str
    prediction: Prediction
    explanation: Explanation
    grid: EvidenceGrid
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Question:
    """What a reader is asked now: an item in a phase, its draft, and the answer that a correction supersedes."""

    item: Item
    phase: str
    draft: Draft
    supersedes: str | None = None

    def key(self, field: str) -> str:
        """Return the key of the widget of one field."""
        return f"{self.draft.review_id} {field}"


def folders() -> tuple[Path, ...]:
    """Return the folders of the studies that this server offers; none where none were named."""
    named = os.environ.get(STUDIES, "")
    try:
        return studies_in(Path(named)) if named else ()
    except EcgvizError:
        return ()


def sit_down(folder: Path, code: str) -> str:
    """Open a study with a code, or return the sentence with which it stays closed."""
    try:
        st.session_state[_SEAT] = Seat(folder, signed_in(folder, code), store.study(folder))
    except EcgvizError as refusal:
        return str(refusal)
    return ""


def seat() -> Seat | None:
    """Return who reads in this session; None before a code was typed."""
    held: Seat | None = st.session_state.get(_SEAT)
    return held


def stand_up() -> None:
    """Close the study; drafts stay where they are."""
    for key in (_SEAT, _CHOSEN, _KEPT):
        st.session_state.pop(key, None)


def choose_position(position: int | None) -> None:
    """Go to a position of one's own order; None for the first that waits."""
    st.session_state[_CHOSEN] = position


def chosen_position() -> int | None:
    """Return the position that the reader went to; None for the first that waits."""
    chosen: int | None = st.session_state.get(_CHOSEN)
    return chosen


def ask(held: Seat, turn: Turn, *, correct: bool = False) -> Question:
    """Open a question, or the correction of a second answer that was given."""
    phase = "after" if correct else turn.waits_for
    reader_id, item_id = held.person.reader_id, turn.item.item_id
    draft = store.open_question(held.folder, reader_id, item_id, phase)
    if not correct:
        return Question(turn.item, phase, draft)
    given = store.standing(held.folder, reader_id, item_id, phase)
    return Question(turn.item, phase, draft, None if given is None else str(given["review_id"]))


def own_answer(held: Seat, item: Item) -> Answer:
    """Return what a reader answered before the model was shown."""
    given = store.standing(held.folder, held.person.reader_id, item.item_id, "before")
    return Answer() if given is None else from_row(given)


@st.cache_resource(max_entries=32, show_spinner="Opening the recording")
def prepared(folder: Path, record_sha256: str) -> Prepared:
    """Return a recording of a study; raises EcgvizError when the folder does not hold it."""
    read = material.reading(folder, record_sha256)
    clean = condition(read.record)
    return Prepared(read.record, clean, read.beats, measure(clean, read.beats))


@st.cache_resource(max_entries=32, show_spinner="Opening the maps")
def maps(folder: Path, item: Item) -> tuple[MapShown, ...]:
    """Return the maps of an item, unnamed where its arm is blinded; raises EcgvizError as `prepared`."""
    beats = material.reading(folder, item.record_sha256).beats
    shown = []
    for letter, each in zip("ABCD", material.maps_of(folder, item), strict=False):
        grid = evidence(each.explanation, beats)
        name = each.explanation.method if item.arm == ALONE else f"map {letter}"
        shown.append(MapShown(name, each.prediction, each.explanation, grid, places(grid, beats)))
    return tuple(shown)


def set_default(key: str, value: Any) -> None:
    """Give a widget a value unless it has one: after a reload, what the draft holds."""
    if key not in st.session_state:
        st.session_state[key] = value


def fill(question: Question, leads: Sequence[str], judged: Sequence[Place], first: Answer) -> None:
    """Fill the widgets of a question from its draft; of a correction that was not begun, from ``first``."""
    kept = question.draft.answer if question.draft.answer != Answer() else first
    for field in ("label", "confidence", "comment", "agree_with_prediction", "explanation_plausible", "leads_correct"):
        set_default(question.key(field), getattr(kept, field))
    set_default(question.key("criteria"), list(kept.criteria))
    set_default(question.key("spans"), kept.spans)
    for lead in leads:
        set_default(question.key(f"cells {lead}"), [wave for each, wave in kept.cells if each == lead])
    verdicts = {(each.lead, each.start_s): each.verdict for each in kept.span_verdicts}
    for n, place in enumerate(judged):
        set_default(question.key(f"verdict {n}"), verdicts.get((place.span.lead, place.span.start_s)))


def typed(question: Question, field: str) -> Any:
    """Return what a widget holds now; None before it was drawn."""
    return st.session_state.get(question.key(field))


def limit_criteria(question: Question, offered: Collection[str]) -> None:
    """Let go of ticked criteria that the label does not offer."""
    ticked = typed(question, "criteria") or []
    st.session_state[question.key("criteria")] = [each for each in ticked if each in offered]


def written(question: Question, leads: Sequence[str], judged: Sequence[Place]) -> Answer:
    """Return the answer as the widgets hold it now."""
    value = partial(typed, question)
    marked = {lead: value(f"cells {lead}") or [] for lead in leads}
    verdicts = [
        JudgedSpan(place.span.lead, place.span.start_s, place.span.end_s, value(f"verdict {n}"))
        for n, place in enumerate(judged)
        if value(f"verdict {n}")
    ]
    return Answer(
        label=value("label"),
        confidence=value("confidence"),
        criteria=tuple(value("criteria") or ()),
        cells=tuple((lead, wave) for lead in leads for wave in WAVES if wave in marked[lead]),
        spans=tuple(value("spans") or ()),
        agree_with_prediction=value("agree_with_prediction"),
        explanation_plausible=value("explanation_plausible"),
        leads_correct=value("leads_correct"),
        span_verdicts=tuple(verdicts),
        comment=(value("comment") or "").strip(),
        active_seconds=float(value("active") or question.draft.answer.active_seconds),
    )


def keep(held: Seat, question: Question, answer: Answer) -> None:
    """Keep what is typed as a draft, when it differs from what was kept last."""
    if st.session_state.get(_KEPT) != (question.draft.review_id, answer):
        store.keep_draft(held.folder, held.person.reader_id, question.item.item_id, question.phase, answer)
        st.session_state[_KEPT] = (question.draft.review_id, answer)


def spans(question: Question) -> tuple[Span, ...]:
    """Return the stretches that are marked now."""
    return tuple(typed(question, "spans") or ())


def add_span(question: Question, span: Span) -> None:
    """Mark a stretch of the paper, once."""
    if span not in spans(question):
        st.session_state[question.key("spans")] = (*spans(question), span)


def remove_span(question: Question, span: Span) -> None:
    """Take a mark away."""
    st.session_state[question.key("spans")] = tuple(each for each in spans(question) if each != span)


def spent(held: Seat, question: Question, seconds: float) -> None:
    """Note the time spent at a question, and keep it with the draft."""
    st.session_state[question.key("active")] = seconds
    kept = st.session_state.get(_KEPT)
    if kept is not None and kept[0] == question.draft.review_id:
        keep(held, question, replace(kept[1], active_seconds=seconds))


def give(held: Seat, question: Question, answer: Answer, leads: Sequence[str], judged: Sequence[Place]) -> str:
    """Give an answer for good, or return the sentence with which it was refused."""
    try:
        whole = checked(answer, question.phase, held.study, leads, n_spans=len(judged))
        draft = Draft(question.draft.review_id, whole, question.draft.t_open_utc)
        reader_id, item_id = held.person.reader_id, question.item.item_id
        store.submit(held.folder, reader_id, item_id, question.phase, draft, supersedes=question.supersedes)
    except EcgvizError as refusal:
        return str(refusal)
    return ""


@st.cache_data(max_entries=4, show_spinner="Counting, with intervals by resampling patients")
def counted(folder: Path, n_answers: int, draws: int) -> Results:
    """Return the results of a study at a number of answers."""
    return results(folder, draws=draws)
