"""The buttons that go through a sitting, with their keys: Right goes on, Left goes back."""

import streamlit as st

from ecgviz.ui.state import teaching
from ecgviz.ui.state.teaching import Sitting


def place(held: Sitting) -> str:
    """Return where a sitting is: which case of how many."""
    return f"Case {held.at + 1} of {len(held.cases)}"


def forwards(label: str, *, reveals: bool) -> None:
    """Offer the next part of this case, or the next case: the Right key."""
    st.button(
        label,
        type="primary",
        shortcut="Right",
        on_click=teaching.reveal if reveals else teaching.go,
        args=() if reveals else (1,),
        key="go on",
        width="stretch",
    )


def backwards(held: Sitting) -> None:
    """Offer the case before: the Left key."""
    st.button(
        "Case before",
        shortcut="Left",
        disabled=held.at == 0,
        on_click=teaching.go,
        args=(-1,),
        key="go back",
        width="stretch",
    )


def ending() -> None:
    """Offer to end the sitting; without a key, which a learner may press to close a list."""
    st.button("End", on_click=teaching.stop, key="end sitting", width="stretch")
