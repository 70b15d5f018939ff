"""Which entry of the guideline library is open: its id is in the address, so that it can be sent and come back to."""

from collections.abc import Sequence

import streamlit as st

PARAMETER = "entry"
"""The name under which the address carries the id."""
PICKER = "guideline entry"
FILTERS = ("guideline words", "guideline groups", "guideline code", "guideline levels")
"""Keys of the widgets."""
_WRITTEN = "guideline address"


def arrive(known: Sequence[str]) -> str:
    """Put the entry that the address names into the picker, without filters that might hide it.

    To be called before these widgets are drawn. Returns a name that is not ``known``, else "".
    """
    asked = st.query_params.get(PARAMETER, "")
    here = PICKER in st.session_state and asked == st.session_state.get(_WRITTEN)
    if not asked or here:
        return ""
    if asked not in known:
        return asked
    st.session_state[PICKER] = asked
    for name in FILTERS:
        st.session_state.pop(name, None)
    return ""


def offer(found: Sequence[str]) -> None:
    """Let go of a picked entry that the filters took away."""
    if st.session_state.get(PICKER) not in found:
        st.session_state.pop(PICKER, None)


def leave(picked: str) -> None:
    """Write the open entry into the address."""
    st.session_state[_WRITTEN] = picked
    if st.query_params.get(PARAMETER) != picked:
        st.query_params[PARAMETER] = picked
