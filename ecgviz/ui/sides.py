"""Two sides held against one another on shared scales: before and after an edit, or what a reader chose to compare.

A side is a recording, a network, a label and a method. Colours of both end at the same value, and numbers
stand in one table.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ecgviz import figures
from ecgviz.checkpoint import Model
from ecgviz.errors import EcgvizError
from ecgviz.figures import tables
from ecgviz.figures.beat_tables import INTERVALS
from ecgviz.figures.heat import Heat, per_lead
from ecgviz.figures.style import MISSING, number, percent
from ecgviz.records.quality import as_read
from ecgviz.types import AttentionMap, Prediction, Record
from ecgviz.ui import files, state, widgets, wording, words
from ecgviz.ui.state import looking

METHOD, ATTENTION = "Method", "Attention"


@dataclass(frozen=True, eq=False)
class Side:
    """One side: its title, and what is asked of which network about which recording."""

    title: str
    record: Record
    model: Model
    label: str
    method: str


Sides = Sequence[Side]


def predictions(sides: Sides) -> None:
    """List every label that either side knows, with its probability on each side; called ones are marked."""
    found: list[dict[str, str]] = []
    read: dict[str, list[str]] = {}
    recordings = {side.record.key: side for side in sides}
    for side in recordings.values():
        widgets.doubt(state.reading(side.record).quality, side.title if len(recordings) > 1 else "")
    for side in sides:
        try:
            said = state.prediction(side.record, side.model)
        except EcgvizError as refusal:
            st.warning(wording.plain(f"{side.title}: {refusal}"))
            found.append({})
            continue
        for told in as_read(side.record, side.model.spec.fs, side.model.spec.duration_s):
            read.setdefault(told, []).append(side.title)
        found.append(_called(said))
    for told, whose in read.items():
        widgets.note(wording.sentence(told if len(whose) == len(sides) else f"{', '.join(whose)}: {told}"))
    labels = list(dict.fromkeys(label for each in found for label in each))
    rows = [(label, words.label_name(label), *(each.get(label, MISSING) for each in found)) for label in labels]
    table = pd.DataFrame(rows, columns=["label", "stands for", *_titles(sides)])
    called = [any("called" in cell for cell in row[2:]) or row[0] in {side.label for side in sides} for row in rows]
    if any(called):
        widgets.small_table(_heads_escaped(table[called]), "label", "stands for")
    if not all(called):
        widgets.show_table(
            f"{len(rows) - sum(called)} more labels, called on no side",
            table[[not each for each in called]],
            f"more labels of {', '.join(_titles(sides))}",
        )


def _called(said: Prediction) -> dict[str, str]:
    """Return the probability of each label in words, and whether it is called."""
    return {
        label: percent(said.probability(label)) + (", called" if said.positive(label) else "") for label in said.labels
    }


def measured(sides: Sides) -> None:
    """List rate, intervals and axes of each side."""
    columns = {side.title: state.reading(side.record).measured for side in sides}
    rows = []
    for name in (*INTERVALS, "p_axis_deg", "qrs_axis_deg", "t_axis_deg"):
        title, unit, decimals = tables.MEASUREMENTS[name]
        rows.append((title, unit, *(number(each.value(name), decimals) for each in columns.values())))
    widgets.small_table(_heads_escaped(pd.DataFrame(rows, columns=["measured", "unit", *columns])))


def verdicts(sides: Sides) -> None:
    """List for each side who calls its label, whether the evidence agrees, its share and the best control's."""
    columns: dict[str, dict[str, str]] = {}
    why = []
    for side in sides:
        try:
            case = state.case(side.record, side.model, side.label, side.method)
        except EcgvizError as refusal:
            st.warning(wording.plain(f"{side.title}: {refusal}"))
            continue
        agreement = case.agreement
        met = [finding.definition for finding in case.findings if finding.state == "met"]
        best = max((control.share for control in agreement.controls), default=float("nan"))
        columns[side.title] = {
            f"model on {side.label}": f"{percent(case.prediction.probability(side.label))}, "
            f"{'called' if case.prediction.positive(side.label) else 'not called'}",
            "criteria met": f"{len(met)} of {len(case.findings)}" if case.findings else "none known",
            "who calls it": agreement.label,
            "does the evidence agree": agreement.evidence,
            "share in the guideline's region": percent(agreement.share),
            "area of that region": percent(agreement.area),
            "best trivial map there": percent(best),
        }
        why.append(f"{side.title}: {agreement.why}")
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    rows = [(name, *(column.get(name, MISSING) for column in columns.values())) for name in names]
    widgets.small_table(_heads_escaped(pd.DataFrame(rows, columns=["verdict", *columns])), "verdict")
    for sentence in why:
        widgets.note(f"{sentence.rstrip('.')}.")


def explained(sides: Sides) -> dict[str, state.Explained]:
    """Return the explanation of each side by its title; a side that cannot be explained says why and is left out."""
    found = {}
    for side in sides:
        try:
            found[side.title] = state.explained(side.record, side.model, side.label, side.method)
        except EcgvizError as refusal:
            st.warning(wording.plain(f"{side.title}: {refusal}"))
    return found


def shows(side: Side, found: Mapping[str, state.Explained]) -> files.Shows:
    """Return what the files of a figure tell of a side with its explanation."""
    return files.of_map(side.record, side.model, found[side.title].explanation)


def heats(sides: Sides, found: Mapping[str, state.Explained]) -> dict[str, Heat]:
    """Return what lies behind each side's trace, with colours that end at one value."""
    made = {
        side.title: figures.from_explanation(found[side.title].explanation, side.record.duration_s)
        for side in sides
        if side.title in found
    }
    return _on_one_scale(made)


def attended(sides: Sides) -> dict[str, AttentionMap]:
    """Return the attention of each side's network, of all its levels together where it has that."""
    found = {}
    for side in sides:
        try:
            maps = state.attended(side.record, side.model, side.label).maps
        except EcgvizError as refusal:
            st.warning(wording.plain(f"{side.title}: {refusal}"))
            continue
        if maps:
            found[side.title] = maps.get("joint", next(iter(maps.values())))
    return found


def attention_heats(found: Mapping[str, AttentionMap]) -> dict[str, Heat]:
    """Return what lies behind each side's trace of the attention of its network, with colours that end at one value."""
    return _on_one_scale({title: figures.from_attention(each) for title, each in found.items()})


def _on_one_scale(made: Mapping[str, Heat]) -> dict[str, Heat]:
    limit = max((heat.limit for heat in made.values()), default=0.0)
    signed = any(heat.signed for heat in made.values())
    if len({heat.signed for heat in made.values()}) > 1:
        return dict(made)  # a signed map and one that is not have no scale in common
    return {title: replace(heat, limit=limit, signed=signed) for title, heat in made.items()}


def say_scale(made: Collection[Heat]) -> None:
    """Say why colours of the two sides cannot be compared, where they cannot."""
    if looking.view().per_lead:
        widgets.note(
            "Each lead has a colour scale of its own, as chosen under Paper and colours: colours of the two sides "
            "cannot be compared."
        )
    elif len({heat.signed for heat in made}) > 1:
        widgets.note(
            "One map has signs and the other has none, so that they have no colour scale in common: each paper has its "
            "own, with numbers above it."
        )


def paper(side: Side, heat: Heat | None, start_s: float) -> go.Figure:
    """Return the tracing of a side with a map behind it, in the layout, scales and colours that the reader chose."""
    reading, view = state.reading(side.record), looking.view()
    return figures.paper(
        reading.clean,
        start_s=start_s,
        form=view.form,
        header=figures.header(side.record, reading.measured),
        footer=figures.footer(side.record, view.form),
        heat=per_lead(heat) if heat is not None and view.per_lead else heat,
        in_strip=view.in_strip,
        hatched=view.high_contrast,
    )


def matrices(sides: Sides, found: Mapping[str, state.Explained], key: str) -> None:
    """Draw lead by wave of each side on one scale; for a map without times, its leads."""
    nets = {side.title: figures.signed_matrix(found[side.title].grid) for side in sides if side.title in found}
    beats = {side.title: len(state.reading(side.record).beats) for side in sides}
    drawn = [net for title, net in nets.items() if net is not None and beats[title]]
    limit = figures.colour_end(drawn or [np.zeros((1, 1))])
    if drawn:
        signed = {title: found[title].grid.signed for title, net in nets.items() if net is not None}
        widgets.note(f"In each cell: {words.in_cells(signed)}; one scale for all.")
    for place, side in zip(st.columns(len(sides)), sides, strict=True):
        if side.title not in found:
            continue
        grid, net = found[side.title].grid, nets[side.title]
        channel = grid.channel()
        with place:
            if net is not None and beats[side.title]:
                matrix = figures.wave_matrix(
                    net,
                    grid.leads,
                    title=side.title,
                    signed=True,
                    limit=limit,
                    durations=figures.wave_durations(grid),
                )
                table = tables.matrix_table(net, grid.leads)
                widgets.draw(matrix, table, key=f"{key} matrix {side.title}", shows=shows(side, found))
            elif channel is not None:
                bars = figures.channel_bars(channel, grid.leads, title=side.title)
                table = tables.channel_table(channel, grid.leads)
                widgets.draw(bars, table, key=f"{key} leads {side.title}", shows=shows(side, found))
            else:
                st.info("There are no beats, so there are no waves to share this map out to.")


def _heads_escaped(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table under titles of sides, names of recordings, networks and labels, as `st.table` can show it."""
    return table.rename(columns=wording.plain)


def _titles(sides: Sides) -> list[str]:
    return [side.title for side in sides]
