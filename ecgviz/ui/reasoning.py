"""The Criteria page's first half: which definitions hold on this recording, and rule by rule why."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from ecgviz.criteria import Entry, Source
from ecgviz.criteria.session import BARRED
from ecgviz.figures import tables
from ecgviz.figures.rule_tables import MARKS, how_known, reasoning_table, state_words
from ecgviz.types import Finding, Record
from ecgviz.ui import citations, state, titles, widgets, wording
from ecgviz.ui.state import criteria

MOST_RULES, RULES_PX = 8, 420
"""A longer list of rules is scrolled in a box of that height."""


def without_network(refusal: str) -> None:
    """Say why the network has no part in it, and hold the recording alone against the criteria of a label."""
    record, chosen = titles.need_record(), state.choice()
    label, read = chosen.label or widgets.need_model(chosen.model).labels[0], state.reading(record)
    st.warning(wording.plain(refusal))
    widgets.note(
        f"So no map is held against the guideline. What published criteria of {label} "
        "make of the recording itself follows."
    )
    finding = pick(record, label, criteria.of_recording(record, label, read.measured, read.beats))
    if finding is not None:
        rules(finding)
        caveats(finding)


def pick(record: Record, label: str, every: Sequence[Finding]) -> Finding | None:
    """Let the reader pick a diagnosis and one of its published definitions; where there is none, say so.

    Findings come in the order in which a reader would name them (`ecgviz.criteria.ranked`).
    Draws the definitions of the diagnosis side by side, each with its own verdict.
    """
    citations.own_folder()
    by_entry: dict[str, list[Finding]] = {}
    for finding in every:
        by_entry.setdefault(finding.criterion, []).append(finding)
    if not by_entry:
        st.info("The catalogue holds no criterion for this label yet, so there is nothing to hold the model against.")
        return None
    name = next(iter(by_entry))
    if len(by_entry) > 1:
        told = {key: _told(found) for key, found in by_entry.items()}
        name = st.selectbox(
            f"{wording.plain(label)} stands for {len(by_entry)} diagnoses; met ones come first",
            list(by_entry),
            format_func=told.__getitem__,
            key=f"entry {record.key} {label}",
        )
    found, one = by_entry[name], criteria.known().entries[name]
    _heading(one)
    st.table(_side_by_side(found, one), hide_index=True)
    if criteria.is_own(name):
        widgets.note("An entry of your own folder: the verdict above is about the shipped criteria alone.")
    if record.infarct_stages and any(finding.stages for finding in found):
        stages = ", ".join(record.infarct_stages)
        widgets.note(f"Its readers named stage {stages}: evidence is held against the definitions of that stage.")
    return _definition(found, f"definition {record.key} {label} {name}")


def _told(found: Sequence[Finding]) -> str:
    states = [finding.state for finding in found]
    counts = ", ".join(f"{states.count(state)} {wording.readable(state)}" for state in dict.fromkeys(states))
    return f"{MARKS[states[0]]} {found[0].criterion}, {found[0].name}: {counts}"


def _heading(one: Entry) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{wording.plain(wording.capital(one.name))}** ({wording.plain(one.id)})", width="content")
        citations.sign_off(one)
        citations.to_library(one.id, "What the guideline library says of it")


def _side_by_side(found: Sequence[Finding], one: Entry) -> pd.DataFrame:
    rows = [
        (
            state_words(finding.state),
            wording.plain(wording.readable(finding.definition)),
            wording.plain(_trace(finding, _source(one, finding.definition))),
            citations.source(_source(one, finding.definition)),
        )
        for finding in found
    ]
    return pd.DataFrame(rows, columns=["verdict", "published definition", "measured beside limit", "source"])


def _trace(finding: Finding, source: Source) -> str:
    """Return the sentence of a definition without its verdict and source, which stand beside it."""
    said = finding.why.removesuffix(f" ({source.short})").removesuffix(f": {wording.readable(finding.state)}")
    explained = f" Explained by {finding.explained_by}." if finding.explained_by else ""
    return wording.sentence(said) + explained


def _source(one: Entry, definition: str) -> Source:
    return criteria.known().sources[one.definition(definition).source]


def _definition(found: Sequence[Finding], picker: str) -> Finding:
    if len(found) == 1:
        return found[0]
    keys = [finding.definition for finding in found]
    names = {
        each.definition: f"{MARKS[each.state]} {wording.plain(wording.readable(each.definition))}" for each in found
    }
    key = st.segmented_control(
        "Definition shown below, rule by rule",
        keys,
        default=keys[0],
        required=True,
        format_func=names.__getitem__,
        key=picker,
    )
    return found[keys.index(key)] if key in keys else found[0]


def rules(finding: Finding) -> None:
    """List the rules of a definition: measured beside limit, margin, role, source and how it is known."""
    if finding.state == "not_evaluable" and finding.why.lower().startswith(BARRED):
        widgets.note(wording.sentence(finding.why))
    table = citations.escaped(reasoning_table(finding))
    if len(table) <= MOST_RULES:
        st.table(table, hide_index=True)
    else:
        st.table(table, hide_index=True, height=RULES_PX)
    source = _source(criteria.known().entries[finding.criterion], finding.definition)
    st.markdown(
        f":small[{wording.plain(wording.sentence(how_known(finding.rules)))} Source: {citations.citation(source)}]"
    )
    widgets.show_table("The numbers as a table", partial(tables.rule_table, finding), f"rules {finding.definition}")


def caveats(finding: Finding) -> None:
    """List the caveats of a definition and of its entry."""
    with st.expander(f"Caveats ({len(finding.caveats)})"):
        widgets.sentences("What to keep in mind", finding.caveats, "None stated.")
