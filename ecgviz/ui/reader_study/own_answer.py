"""The reader's own answer, given and locked before anything of a model is shown."""

import streamlit as st

from ecgviz.review.answers import Answer, missing
from ecgviz.review.ticked import criteria_of
from ecgviz.ui import failures, widgets, wording, words
from ecgviz.ui.reader_study import marking, meter, sheet
from ecgviz.ui.state import review
from ecgviz.ui.state.review import Question, Seat


def ask(held: Seat, question: Question, place: str) -> None:
    """Show the recording alone and ask for label, confidence, criteria and marks."""
    shown = review.prepared(held.folder, question.item.record_sha256)
    review.fill(question, shown.record.leads, (), Answer())
    sheet.paper(shown, place, question.key("paper"), measured=held.study.protocol.measurements, question=question)
    _form(held, question)
    meter.run(held, question)


@failures.fragment
def _form(held: Seat, question: Question) -> None:
    record = review.prepared(held.folder, question.item.record_sha256).record
    left, right = st.columns([5, 4], gap="large")
    with left:
        marking.cells(question, record)
        marking.spans(question, record)
    with right:
        label_and_confidence(held, question, "What do you find?")
        _criteria(question)
        comment(question)
        answer = review.written(question, record.leads, ())
        review.keep(held, question, answer)
        _lock(held, question, answer, record.leads)


def label_and_confidence(held: Seat, question: Question, asked: str) -> None:
    """Ask for one of the study's answers, and how sure the reader is."""
    names = {label: words.label_name(label) for label in held.study.answers}
    texts = {label: f"{label}: {name}" if name else label for label, name in names.items()}
    st.radio(asked, held.study.answers, format_func=texts.__getitem__, key=question.key("label"))
    st.number_input(
        "How sure are you, from 0 (a guess) to 100 (certain)?", 0, 100, step=5, key=question.key("confidence")
    )


def comment(question: Question) -> None:
    """Ask for a comment, which is kept while it is typed."""
    st.text_input(
        "Comment (optional; nothing that could tell who a patient is)", max_chars=2000, key=question.key("comment"),
        live="500ms",
    )  # fmt: skip


def _criteria(question: Question) -> None:
    label = review.typed(question, "label")
    offered = {} if label is None else criteria_of(label)
    review.limit_criteria(question, offered)
    if not offered:
        return
    st.multiselect(
        f"Criteria of {label} that you see (optional)",
        list(offered),
        format_func=offered.__getitem__,
        key=question.key("criteria"),
        placeholder="Type a few letters",
    )


def _lock(held: Seat, question: Question, answer: Answer, leads: tuple[str, ...]) -> None:
    lacks = missing(answer, question.phase, held.study)
    adjudicates = question.phase == "reference"
    text = "Give this answer" if adjudicates else "Lock this answer, and show the model's"
    given = st.button(text, type="primary", disabled=bool(lacks), key=question.key("give"))
    if lacks:
        widgets.note(f"Still missing: {', '.join(lacks)}.")
    elif not adjudicates:
        widgets.note("It cannot be changed after that.")
    if given:
        refusal = review.give(held, question, answer, leads, ())
        if refusal:
            st.error(wording.plain(f"Not taken: {refusal}."))
        else:
            st.rerun()
