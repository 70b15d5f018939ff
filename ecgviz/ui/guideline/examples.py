"""A simulated patient with the finding of an entry, and the same patient without it."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from ecgviz import figures
from ecgviz.criteria import Entry
from ecgviz.figures.outline import KEY, outline
from ecgviz.figures.rule_tables import state_words
from ecgviz.figures.tables import sample_table
from ecgviz.simulate import FINDINGS
from ecgviz.ui import citations, widgets, wording
from ecgviz.ui.state import criteria, looking
from ecgviz.ui.state.examples import Example, example

ALSO: Mapping[str, tuple[str, ...]] = {
    "BBB": ("lbbb", "rbbb"),
    "BRADY": ("sinus_bradycardia",),
    "INJAL": ("st_depression",),
    "INJLA": ("st_depression",),
    "ISCAL": ("t_inversion",),
    "ISCLA": ("t_inversion",),
    "LAD": ("lafb",),
    "LPR": ("first_degree_av_block",),
    "PRC(S)": ("pvc",),
    "PRWP": ("old_anterior_mi",),
    "QWAVE": ("old_anterior_mi", "old_inferior_mi"),
    "RAD": ("rvh",),
    "SR": ("normal",),
    "STD_": ("st_depression",),
    "STE_": ("anterior_stemi", "inferior_stemi"),
    "TAB_": ("t_inversion",),
}
"""Examples of entries that no finding of the simulator is named after, but which its planted change makes true."""
NORMAL = "normal"


def findings_for(name: str) -> tuple[str, ...]:
    """Return the findings of the simulator that show an entry; none for what it cannot plant."""
    named = (finding for finding, spec in FINDINGS.items() if name in spec.criteria)
    return tuple(dict.fromkeys((*named, *ALSO.get(name, ()))))


def show(one: Entry, definition: str) -> None:
    """Draw an example of an entry with and without its finding, and what each definition makes of both."""
    st.markdown("**An example**, simulated: one patient with the finding, and the same patient without it")
    names = findings_for(one.id)
    if not names:
        own = criteria.is_own(one.id)
        why = "This is an entry of your own folder" if own else "The simulator cannot plant this finding"
        st.markdown(f"{why}, so there is no example of it here.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = names[0]
        if len(names) > 1:
            picked = st.segmented_control(
                "Finding", names, default=names[0], required=True, format_func=wording.readable, key=f"example {one.id}"
            )
            name = picked if picked in names else names[0]
        made = example(name)
        twin = False
        if name != NORMAL:
            twin = "without" in str(
                st.segmented_control(
                    "Shown", ["with the finding", "without it"], default="with the finding", required=True, key="twin"
                )
            )
    st.table(citations.escaped(both(one, made)), hide_index=True)
    _paper(one, definition, made, twin=twin)


def _paper(one: Entry, definition: str, made: Example, *, twin: bool) -> None:
    read, form = made.twin if twin else made.shown, looking.view().form
    drawn = figures.paper(
        read.clean,
        form=form,
        header=figures.header(read.clean, read.measured),
        footer=figures.footer(read.clean, form),
    )
    found = read.of(one.id).get(definition)
    if found is not None and not twin:
        drawn = outline(drawn, read.clean, 0.0, read.beats, found.regions, form)
    which = f"demo:{made.finding}"
    shows = {"recording": f"{which}, the same patient without the finding" if twin else which}
    shows |= {"entry": one.id, "definition": wording.readable(definition)}
    widgets.draw(drawn, sample_table(read.clean, 0.0, read.clean.duration_s), key="example paper", shows=shows)
    others = [f"{name}" for name in made.shown.met() if name != one.id]
    also = f" Also met on it: {', '.join(others)}." if others else ""
    widgets.note(f"{FINDINGS[made.finding].description}, demo:{made.finding}. {KEY}{also}")


def both(one: Entry, made: Example) -> pd.DataFrame:
    """Return a row a definition: what it makes of the patient with the finding, and without it."""
    shown, twin = made.shown.of(one.id), made.twin.of(one.id)
    rows = []
    for each in one.definitions:
        with_it, without = shown[each.key], twin[each.key]
        rows.append((wording.readable(each.key), state_words(with_it.state), with_it.why, state_words(without.state)))
    columns = ["published definition", "with the finding", "measured beside limit", "without it"]
    return pd.DataFrame(rows, columns=columns)
