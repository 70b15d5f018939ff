"""A learner's history: a code instead of a name, scores so far, and when cases come back."""

from collections import Counter
from datetime import UTC, datetime

import streamlit as st

from ecgviz.errors import EcgvizError
from ecgviz.teach import Library, order
from ecgviz.teach.history import Attempt, case_of, default_path, forget, learner_code, new_code, readings
from ecgviz.teach.schema import LEVELS
from ecgviz.teach.spacing import due
from ecgviz.ui import wording
from ecgviz.ui.state import teaching


def show(library: Library) -> None:
    """Offer to keep a history on this machine, and show what it holds; nothing of it in a classroom."""
    if teaching.classroom():
        return
    with st.expander("History and repeats", key="teaching history", on_change="rerun") as box:
        if not box.open:
            return
        _code()
        if teaching.learner():
            try:
                _kept(teaching.history(), library)
            except EcgvizError as refusal:
                st.error(wording.plain(str(refusal)))


def _code() -> None:
    st.markdown(
        "Answers are kept in one file of this computer, under a code and without a name, only once you take a code. "
        "A case comes back two and ten weeks after it was first read."
    )
    if teaching.learner():
        st.markdown(f"Your code is **{teaching.learner()}**. Write it down: it opens this history again.")
        left, right, _ = st.columns([1, 1, 3])
        left.button("Keep no history", on_click=teaching.be_learner, args=("",), key="no history", width="stretch")
        if right.button("Delete this history", key="forget", width="stretch"):
            _forget()
        return
    left, middle, right, _ = st.columns([1, 1, 1, 2], vertical_alignment="bottom")
    left.button("Take a new code", on_click=_new, key="new code", width="stretch")
    typed = middle.text_input("or your code", max_chars=6, key="typed code")
    if right.button("Open it", key="open code", width="stretch"):
        try:
            teaching.be_learner(learner_code(typed))
        except EcgvizError as refusal:
            st.error(wording.plain(str(refusal)))
        else:
            st.rerun()


def _new() -> None:
    teaching.be_learner(new_code())


def _forget() -> None:
    try:
        forget(default_path(), teaching.learner())
    except EcgvizError as refusal:
        st.error(wording.plain(str(refusal)))
    else:
        teaching.be_learner("")
        st.rerun()


def _kept(kept: tuple[Attempt, ...], library: Library) -> None:
    if not kept:
        st.markdown("No answer is kept yet.")
        return
    outcomes = Counter(each.outcome for each in kept)
    again = order.those_due(library, due(readings(kept), datetime.now(UTC)), LEVELS)
    st.markdown(
        f"{len(kept)} answers: {', '.join(f'{n} {outcome}' for outcome, n in outcomes.most_common())}. "
        f"{len(again)} cases of this library are due for a repeat (entry *Due for repeat*)."
    )
    last = kept[-20:][::-1]
    names = [case_of(library, each.case) for each in last]
    st.table(
        {
            "when (UTC)": [f"{each.at:%Y-%m-%d %H:%M}" for each in last],
            "case": [wording.plain(each.case) for each in last],
            "answer": ["another library" if name is None else _answers(library, name) for name in names],
            "mode": [each.mode for each in last],
            "outcome": [each.outcome for each in last],
            "seconds": [round(each.seconds) for each in last],
        },
        hide_index=True,
    )


def _answers(library: Library, name: str) -> str:
    return wording.plain(", ".join(library.lessons[each].name for each in library.cases[name].answers))
