"""Where a session is on the guided tour."""

import streamlit as st

_STEP = "tour"


def tour_step() -> int | None:
    """Return the step of the tour, from 0; None when it is not taken."""
    step: int | None = st.session_state.get(_STEP)
    return step


def set_tour_step(step: int | None) -> None:
    """Go to a step of the tour; None ends it."""
    st.session_state[_STEP] = step
