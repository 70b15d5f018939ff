"""What the pages share: figures with their table, refusals and empty states in one sentence."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ecgviz import glossary
from ecgviz.errors import EcgvizError
from ecgviz.figures import style
from ecgviz.figures.style import MISSING, percent
from ecgviz.records.quality import as_read
from ecgviz.types import Case, LeadQuality, Record
from ecgviz.ui import chart, files, framed, state, titles, wording
from ecgviz.ui.state import looking

if TYPE_CHECKING:
    from ecgviz.checkpoint import Model


def heading(text: str, *terms: str) -> None:
    """Write a heading within a page, with the definitions of glossary terms (by id) on hover."""
    st.markdown(f"**{text}**", help=glossary.define(*terms) or None)


def need_model(name: str | None) -> "Model":
    """Return a model by name; without one, or for a damaged one, say why and end the page."""
    if name is None:
        st.info(
            "No trained model is installed: train one with `ecgviz train`, or put a model folder into `models/`, and "
            "start again. The Record page works without one."
        )
        st.stop()
    try:
        return state.model(name)
    except EcgvizError as refusal:
        st.error(wording.plain(str(refusal)))
        st.stop()


def need_attention() -> "state.Attended":
    """Return where the chosen model pooled on the chosen recording; where it cannot be asked, say why and end."""
    record, chosen = titles.need_record(), state.choice()
    network = need_model(chosen.model)
    try:
        return state.attended(record, network, chosen.label or network.labels[0])
    except EcgvizError as refusal:
        st.error(wording.plain(str(refusal)))
        st.stop()


def find_case() -> Case | str:
    """Return the case of what was chosen, or the sentence with which the network or the method refuses it."""
    record = titles.need_record()
    chosen = state.choice()
    network = need_model(chosen.model)
    try:
        label = chosen.label or state.prediction(record, network).labels[0]
        return state.case(record, network, label, chosen.method)
    except EcgvizError as refusal:
        return str(refusal)


def draw(
    figure: go.Figure,
    table: files.Table,
    key: str,
    *,
    shows: files.Shows,
    select: Mapping[str, Any] | None = None,
    below: Callable[[], None] | None = None,
    paper: str = "",
    frames: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Show a figure as drawn (no theme), with its description, and below it the same numbers as a table and as files.

    Parameters
    ----------
    figure, table
        A figure of `ecgviz.figures`, and its twin in numbers, or what makes the twin once a reader opens it.
    key : str
        Of the figure, once on a page.
    shows : mapping of str to str
        Of which recording, model, label and method it is, for its files (``facts`` of `ecgviz.ui.files`); empty for a
        figure of none.
    select : mapping, optional
        What makes it follow clicks or boxes (``on_pick`` or ``on_box`` of `ecgviz.ui.chart.show`).
    below : callable, optional
        Draws what stands between the figure and its table.
    paper : str, optional
        Which sheet of paper this is: a reader's zoom stays with it, whatever is drawn on it and on whichever page.
    frames : sequence of shapes, optional
        Drawn over the figure, which can then be the same whatever is framed.
    """
    shown, over = figure, frames
    if looking.view().high_contrast:
        shown, over = style.contrasting(style.with_shapes(figure, frames)), ()
    with framed.frame(figure, key) as fills:
        chart.show(shown, key, paper=paper, fills=fills, frames=over, **(select or {}))
    if below is not None:
        below()
    files.offer(partial(style.with_shapes, shown, over) if over else shown, table, key, shows=shows)


def paper_name(record: Record, start_s: float) -> str:
    """Return which sheet of which recording, in the layout that the reader chose, `draw` is given as ``paper``."""
    return f"{record.key} {start_s:g} {looking.view().form}"


def show_table(title: str, table: files.Table, key: str) -> None:
    """Show a table that is made and sent to the browser only once it is opened."""
    with st.expander(title, key=key, on_change="rerun") as box:
        if box.open:
            st.dataframe(table() if callable(table) else table, hide_index=True, placeholder=MISSING)


def small_table(table: pd.DataFrame, *others: str) -> None:
    """Show a table whose texts in the columns named ``others`` are of any origin: `st.table` reads Markdown."""
    shown = table.assign(**{name: table[name].map(wording.plain) for name in others})
    st.table(shown, hide_index=True)


def table_of_words(table: pd.DataFrame) -> None:
    """Show a table of texts of any origin, letter by letter, in one piece.

    `st.table` makes a document of each cell: that takes a browser a millisecond a cell.
    """
    rows = [tuple(table.columns), *table.itertuples(index=False)]
    lines = [" | ".join(wording.plain(str(cell)) for cell in row) for row in rows]
    lines.insert(1, " | ".join(["---"] * len(table.columns)))
    st.markdown("\n".join(f"| {line} |" for line in lines))


def window_start(record: Record, sheet_s: float, *, first_s: float = 0.0) -> float:
    """Let the reader page through a recording that is longer than one sheet; return the left edge in seconds."""
    last = record.duration_s - sheet_s
    if last <= 0:
        return first_s
    at = min(first_s, float(last))
    return float(st.slider("Start of the sheet, s", 0.0, float(last), at, 0.5, key=f"start {record.key} {sheet_s:g}"))


def quality_marks(quality: tuple[LeadQuality, ...]) -> dict[str, str]:
    """Return what is written beside the names of leads that are not good."""
    return {entry.lead: entry.verdict for entry in quality if entry.verdict != "good"}


def doubt(quality: tuple[LeadQuality, ...], whose: str = "") -> None:
    """Say beside what a network says of a recording which leads are not good, and whose where there are several."""
    from ecgviz.ui import words  # which takes the catalogue of criteria

    told = words.doubt(quality)
    said = f"{whose}: {told}" if whose else told
    if any(each.verdict == "unusable" for each in quality):
        st.warning(wording.plain(said))
    elif told:
        note(said)


def sentences(title: str, texts: tuple[str, ...], none: str) -> None:
    """List sentences of any origin under a title, or say that there are none."""
    st.markdown(f"**{title}**")
    st.markdown("\n".join(f"- {wording.plain(text)}" for text in texts) if texts else none)


def note(text: str) -> None:
    """Show an explanatory sentence in small type."""
    st.markdown(f":small[{wording.plain(text)}]")


def verdict(case: Case) -> None:
    """Show who calls the label, how the evidence compares, and the sentence behind it."""
    agreement, label = case.agreement, case.label
    called = "called" if case.prediction.positive(label) else "not called"
    met = [finding for finding in case.findings if finding.state == "met"]
    columns = st.columns(4)
    probability, named = percent(case.prediction.probability(label)), wording.plain(label)
    columns[0].metric(f"Model on {named}", f"{probability}, {called}", help=glossary.define("label", "threshold"))
    criteria = f"{len(met)} of {len(case.findings)} met" if case.findings else "none known"
    columns[1].metric("Criteria", criteria, help=glossary.define("criterion"))
    columns[2].metric(f"Who calls {named}?", agreement.label, help="The model, the criteria, both or neither.")
    columns[3].metric("Evidence agrees?", agreement.evidence, help=glossary.define("verdict", "control", "nulls"))
    st.markdown(wording.plain(wording.sentence(agreement.why)))
    doubt(case.quality)
    spec = need_model(state.choice().model).spec
    for told in as_read(case.record, spec.fs, spec.duration_s):
        note(wording.sentence(told))
