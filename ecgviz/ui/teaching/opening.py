"""The case that a sitting asks about: opened, or what is shown instead of it."""

from collections.abc import Sequence

import streamlit as st

from ecgviz.errors import TeachingError
from ecgviz.teach import Library, Opened
from ecgviz.ui import wording
from ecgviz.ui.state import teaching
from ecgviz.ui.state.teaching import Sitting
from ecgviz.ui.teaching import controls, start, summary


def asked(library: Library, mode: str, *, seconds: Sequence[int] = ()) -> tuple[Sitting, Opened] | None:
    """Return the sitting under way in a mode and its case.

    None where something else was shown: the set-up before the first case (with ``seconds`` as in `start.sitting`), the
    result after the last one, or why a case cannot be opened and a way past it. An answer that the history could not
    keep is told here: the page is run again as soon as it is given.
    """
    held = start.sitting(library, mode, seconds=seconds)
    if held is None:
        return None
    if held.refusal:
        st.warning(wording.plain(held.refusal))
    if held.case is None:
        summary.show(held, library)
        return None
    try:
        return held, teaching.opened(library, held.case)
    except TeachingError as refusal:
        st.error(wording.plain(str(refusal)))
    on, end, _ = st.columns([2, 1, 3])
    with on:
        controls.forwards("Next case", reveals=False)
    with end:
        controls.ending()
    return None
