"""What the Recordings page is made of: the list of what can be opened, its search, and asking a network about all."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from ecgviz.checkpoint import Model
from ecgviz.errors import EcgvizError
from ecgviz.figures.style import percent
from ecgviz.records.library import Entry
from ecgviz.ui import method_words, state, widgets, wording

EVIDENCE = ("agrees", "partly", "disagrees", "not assessable")
NOT_ASKED = "not asked yet"
MOST_SHOWN = 1000


def search(entries: Mapping[str, Entry], network: Model | None) -> list[str]:
    """Let the reader narrow the list by words, by labels the network called, and by verdict; return the ids left."""
    words, called, verdict = st.columns([2, 2, 2])
    text = words.text_input(
        "Label, id or source",
        key="search",
        placeholder="LBBB, AFIB, ptbxl-00012, demo",
        help="All words must be in the id, the source, or a label that came with the recording. Kept in this session "
        "only, never in the address.",
    )
    labels = () if network is None else network.labels
    wanted = called.multiselect(
        "Called by the network",
        labels,
        key="search called",
        placeholder="any",
        help="Recordings of which the chosen network calls all of these labels, among those it was asked about.",
    )
    evidence = verdict.multiselect(
        "Does the evidence agree",
        EVIDENCE,
        key="search verdict",
        placeholder="any",
        help="Recordings with such a verdict, of any label and method, among those held against the guideline so far.",
    )
    found = [each for each, entry in entries.items() if _has_words(entry, text)]
    if network is not None and wanted:
        found = [each for each in found if set(wanted) <= set(_called(each, network))]
    if network is not None and evidence:
        found = [each for each in found if set(evidence) & set(_verdicts(each, network).values())]
    return found


def _has_words(entry: Entry, text: str) -> bool:
    held = " ".join((entry.id, entry.source, *entry.labels)).casefold()
    return all(word in held for word in text.casefold().split())


def _called(entry_id: str, network: Model) -> tuple[str, ...]:
    said = state.predicted(entry_id, network.digest)
    return () if said is None else tuple(label for label in said.labels if said.positive(label))


def _verdicts(entry_id: str, network: Model) -> dict[tuple[str, str], str]:
    return {asked: each.evidence for asked, each in state.verdicts(entry_id, network.digest).items()}


def listed(entries: Mapping[str, Entry], found: Sequence[str], network: Model | None) -> str | None:
    """Show what was found as a table, and return the id of the row that the reader picked."""
    if not found:
        st.info("No recording matches; clear a field above.")
        return None
    rows = [_row(entries[each], network) for each in found[:MOST_SHOWN]]
    columns = ["id", "source", "age", "sex", "labels", "called by the network", "verdicts"]
    if len(found) > MOST_SHOWN:
        widgets.note(f"The first {MOST_SHOWN} of {len(found)} are listed; narrow the search to see others.")
    event = st.dataframe(
        pd.DataFrame(rows, columns=columns),
        hide_index=True,
        key="recordings",
        on_select="rerun",
        selection_mode="single-row",
        height=420,
        placeholder="",
        column_config={
            "age": st.column_config.NumberColumn(format="%d"),
            "labels": st.column_config.TextColumn(help="What came with the recording: statements of its readers."),
            "called by the network": st.column_config.TextColumn(
                help="Labels at or above the network's thresholds, with their probability."
            ),
            "verdicts": st.column_config.TextColumn(help="Label, and whether the evidence for it agrees so far."),
        },
    )
    picked = [row for row in event.selection.rows if row < len(rows)]
    return found[picked[0]] if picked else None


def _row(entry: Entry, network: Model | None) -> tuple[object, ...]:
    said = None if network is None else state.predicted(entry.id, network.digest)
    called = NOT_ASKED
    if said is not None:
        held = [f"{label} {percent(said.probability(label))}" for label in said.labels if said.positive(label)]
        called = ", ".join(held) or "none"
    verdicts = {} if network is None else _verdicts(entry.id, network)
    labels = [label for label, _ in verdicts]
    told = ", ".join(
        f"{label}{f' by {method_words.method_name(method)}' if labels.count(label) > 1 else ''}: {evidence}"
        for (label, method), evidence in verdicts.items()
    )
    return entry.id, entry.source, entry.age_years, entry.sex, ", ".join(entry.labels), called, told


def ask(found: Sequence[str], network: Model, label: str, method: str) -> None:
    """Offer to ask the network about everything listed, or to hold it against the guideline; both can be stopped."""
    left, right = st.columns(2)
    new = [each for each in found if state.predicted(each, network.digest) is None]
    open_ = [each for each in found if (label, method) not in state.verdicts(each, network.digest)]
    predict = left.button(
        f"Ask {wording.plain(network.name)} about {len(new)} of them", disabled=not new, key="ask all", width="stretch"
    )
    hold = right.button(
        f"Hold {wording.plain(label)} in {len(open_)} of them against the guideline",
        disabled=not open_,
        key="hold all",
        width="stretch",
        help="By the method on the left; some seconds each.",
    )
    if predict:
        _one_by_one(new, network, "", "")
    if hold:
        _one_by_one(open_, network, label, method)


def _one_by_one(ids: Sequence[str], network: Model, label: str, method: str) -> None:
    """Ask about one recording after the other; a click on Stop ends it between two, and what was found is kept."""
    bar = st.progress(0.0)
    place = st.empty()
    place.button("Stop", key="stop asking", help="What was found so far is kept.")
    refused = []
    for n, each in enumerate(ids):
        bar.progress(n / len(ids), f"{n} of {len(ids)}: {wording.plain(each)}")
        try:
            record = state.open_recording(each)
            if isinstance(record, str):
                refused.append(f"{each}: {record}")
            elif label:
                state.case(record, network, label, method)
            else:
                state.prediction(record, network)
        except EcgvizError as refusal:
            refused.append(f"{each}: {refusal}")
    bar.empty()
    place.empty()
    if refused:
        widgets.sentences(f"{len(refused)} could not be asked", tuple(refused[:20]), "")
    else:
        st.rerun()
