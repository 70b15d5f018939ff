"""The end of a sitting: every case with what was said and what was true."""

import pandas as pd
import streamlit as st

from ecgviz.figures.style import percent
from ecgviz.teach import Library
from ecgviz.ui import wording
from ecgviz.ui.state import teaching
from ecgviz.ui.state.teaching import Sitting


def show(held: Sitting, library: Library) -> None:
    """Show the result, and offer to study what was not right."""
    given = [held.given[name] for name in held.cases if name in held.given]
    right = [each for each in given if each.score.passed]
    if not given:
        st.info("No case was answered.")
    else:
        st.markdown(f"**Result: {len(right)} of {len(given)} right** ({percent(len(right) / len(given))})")
        st.table(_rows(held, library), hide_index=True)
    again = tuple(name for name in held.cases if name not in {each.case for each in right})
    left, end, _ = st.columns([2, 1, 3])
    left.button(
        f"Study the {len(again)} that were not right",
        type="primary",
        shortcut="Right",
        disabled=not again,
        on_click=teaching.start,
        args=(Sitting("Study", held.library, again),),
        key="study again",
        width="stretch",
    )
    end.button("New sitting", on_click=teaching.stop, key="end sitting", width="stretch")


def _rows(held: Sitting, library: Library) -> pd.DataFrame:
    def named(lessons: tuple[str, ...]) -> str:
        return wording.plain(", ".join(library.lessons[each].name for each in lessons)) or "–"

    answered = [held.given[name] for name in held.cases if name in held.given]
    return pd.DataFrame(
        {
            "case": [each.case for each in answered],
            "your reading": [named(each.lessons) for each in answered],
            "answer": [named(library.cases[each.case].answers) for each in answered],
            "outcome": [each.score.outcome for each in answered],
            "seconds": [round(each.seconds) for each in answered],
        }
    )
