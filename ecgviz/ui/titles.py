"""How each page opens: what this software is not, the page's name, and one sentence on how to read it.

A page about a recording is not run before one was chosen, so that nothing is imported for it either.
"""

from collections.abc import Mapping

import streamlit as st

from ecgviz import NOTICE, glossary
from ecgviz.types import Record
from ecgviz.ui import state, wording

OF_A_RECORDING: Mapping[str, str] = {
    "Record": "Read it as paper: a small square is 40 ms and 0.1 mV; times below are seconds of the recording.",
    "Beats": "Where each wave begins and ends, what kind each beat is, and what was measured from that.",
    "Attention": "Where the network pooled its input. It has no sign, and need not be what moved the output.",
    "Attributions": "What moved the model's output for the label on the left: orange supports, purple opposes.",
    "Criteria": "What published definitions make of this recording; then the model's evidence on the same cells.",
    "What if": "Change the recording and compare before with after: black is the altered tracing, blue the original "
    "below it.",
    "Compare": "Two sides that differ in one thing: both papers have the same millimetres, and both maps the "
    "same colours where they have a scale in common.",
    "Report": "One file with tracing, three levels, criteria, verdict, controls and provenance of this case.",
}
"""How to read the pages that are about the recording on the left, by title."""
OF_MORE: Mapping[str, str] = {
    "Teaching": "Read first, look at the answer after. What a model saw is asked of the one on the left.",
    "Recordings": "Pick a row and open it; prediction and verdict can be searched once they were asked for.",
    "Guideline library": "Every diagnosis of the catalogue: what is published of it, and where it looks.",
    "Models": "The card tells what a network was trained on; scores come with the interval that so few records allow.",
    "Glossary": "What each word means and who defined it; a question mark beside a word shows the short form.",
    "Cohort": "Where networks look in many records of one label: every record counts the same, and intervals are by "
    "patient.",
    "Validation": "Recordings with a planted finding: how much of a map lies on it, beyond the best map that knows "
    "nothing.",
    "Reader study": "Your own answer is locked before the model's is shown. A code opens your study.",
}
"""How to read the pages that need no recording on the left, by title."""


def title(name: str) -> None:
    """Open the page of this title; end it where it is about a recording and none was chosen."""
    st.markdown(f":small[{NOTICE}]")
    terms, how_to_read = glossary.define(*glossary.of_page(name)), {**OF_A_RECORDING, **OF_MORE}[name]
    st.markdown(f"**{name}.** {how_to_read}", help=terms or None)
    record = need_record() if name in OF_A_RECORDING else state.choice().record
    if record is not None:
        _say_what_was_changed(record)


def need_record() -> Record:
    """Return the chosen recording; without one, say what to do and end the page."""
    chosen = state.choice()
    if chosen.refusal:
        st.error(wording.plain(chosen.refusal))
        st.stop()
    if chosen.record is None:
        st.info("Choose a demo recording on the left, or upload your own: a .hea with its .dat, a CSV or an NPZ file.")
        st.stop()
    return chosen.record


def _say_what_was_changed(record: Record) -> None:
    from ecgviz.edit import notice  # which takes pandas, as the marks of a recording do

    changed = state.edits(record)
    if changed is not None:
        st.markdown(f":small[:material/edit: {wording.plain(notice(changed))} The Beats page lists and undoes them.]")
