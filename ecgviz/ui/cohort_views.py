"""The views of the Cohort page: class maps, distributions, criteria, methods apart, published findings, clusters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ecgviz.cohort import Cohort
from ecgviz.cohort.class_map import ClassMap, by_wave, count_leads
from ecgviz.cohort.density import TOP
from ecgviz.cohort.question import Question
from ecgviz.figures import cohort as figures
from ecgviz.figures import matrix, role_map, tables
from ecgviz.figures.style import MISSING
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types.arrays import FloatArray
from ecgviz.ui import cohort_records, files, method_words, widgets, wording
from ecgviz.ui.state import cohort as kept

RECIPE = "saliency"
_ABREAST = 3
"""Matrices that a window 1024 pixels wide has room for side by side."""
_MATRIX_PX = 256
"""Four of them fill a window 1440 pixels wide, and two stand in a row of one 1024 pixels wide."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What the reader chose: a store, its state, and one question for each network, the first one in front."""

    cohort: Cohort
    state: str
    questions: tuple[Question, ...]
    methods: tuple[str, ...]
    by: str | None


def maps(asked: Asked) -> None:
    """Draw the guideline's mean place and each network's class map on one scale, and what lies in the place."""
    found = [kept.mean_map(asked.state, question, asked.cohort) for question in asked.questions]
    shown = [by_wave(each.mean) for each in found]
    limit = matrix.colour_end(shown)
    columns = _beside(len(found) + 1)
    with columns[0]:
        _guideline(asked, found)
    for column, each, shares in zip(columns[1:], found, shown, strict=True):
        model = each.question.model
        with column:
            if not (n := max(each.n_by_lead)):
                missing = "no supporting mass on these records" if each.n_records else "no such record"
                st.info(wording.plain(f"{model}: {missing}."))
                continue
            drawn = figures.map_figure(
                shares,
                title=f"{model}, % of mass, {of_records(n)}",
                outlined=figures.pointed_at(each.guideline),
                limit=limit,
                title_letters=figures.TITLE_LETTERS,
            )
            widgets.draw(drawn, _map_table(shares, each), f"cohort map {model}", shows=of_question(each.question))
    widgets.note("Framed: where the guideline points in half of the records or more.")
    for each in found:
        _leads_of(each.question.model, each.n_by_lead)
    agreed(asked)


def _leads_of(model: str, n_by_lead: Sequence[int]) -> None:
    """Say which leads all maps, or some, lack, and what the cells are of then."""
    n = max(n_by_lead)
    absent = [lead for lead, of in zip(STANDARD_LEADS, n_by_lead, strict=True) if not of]
    some = [f"{lead} ({of} of {n})" for lead, of in zip(STANDARD_LEADS, n_by_lead, strict=True) if 0 < of < n]
    if n and absent:
        widgets.note(f"Maps of {model} have no {', '.join(absent)}: what is told is of its other leads.")
    if some:
        widgets.note(f"Not all maps of {model} have {', '.join(some)}: a cell is the mean over those that have it.")


def _beside(n: int) -> list[Any]:
    """Return places for so many matrices side by side; more than a narrow window holds stand in several rows."""
    if n <= _ABREAST:
        return list(st.columns(n))
    row = st.container(horizontal=True)
    return [row.container(width=_MATRIX_PX) for _ in range(n)]


def of_records(n: int) -> str:
    """Return a number of records in words."""
    return f"{n} record{'s' if n != 1 else ''}"


def of_question(question: Question) -> files.Shows:
    """Return what the files of a figure tell of the network, method and label that it sums up, and on which records."""
    records = question.which if question.member is None else f"{question.which}, {question.group} {question.member}"
    return {"model": question.model, "label": question.label, "method": question.method, "records": records}


def _guideline(asked: Asked, maps: Sequence[ClassMap]) -> None:
    """Draw the guideline of the first network on whose records it points somewhere; name it where records differ."""
    label = asked.questions[0].label
    found = next((each for each in maps if each.n_guideline), None)
    if found is None:
        named = wording.plain(label)
        st.info(f"The guideline points nowhere: on none of these records a criterion of {named} with a place is met.")
        return
    title = f"Guideline for {label}, % of {of_records(found.n_guideline)}"
    if not cohort_records.same_guideline(asked.cohort, asked.state, asked.questions):
        title = f"Guideline for {label}, %, {of_records(found.n_guideline)} of {found.question.model}"
    figure = figures.guideline_figure(found.guideline, found.n_guideline, title=title)
    table = tables.matrix_table(figures.guideline_by_wave(found.guideline), STANDARD_LEADS)
    shows = {name: told for name, told in of_question(found.question).items() if name != "method"}
    widgets.draw(figure, table, "cohort guideline", shows=shows)


def _map_table(shares: FloatArray, found: ClassMap) -> pd.DataFrame:
    """Return a class map as a table, with the same of each control."""
    table = tables.matrix_table(shares, STANDARD_LEADS)
    for name, control in found.controls.items():
        more = tables.matrix_table(by_wave(control), STANDARD_LEADS).drop(columns="lead")
        table = table.join(more.add_prefix(f"{name}: "))
    return table


def agreed(asked: Asked) -> None:
    """Draw how far each network, or each member of a group, is above the best control, and list it with verdicts."""
    rows, names = [], []
    for question in asked.questions:
        table = kept.agreed(asked.state, question, asked.by, asked.cohort)
        rows.append(table.assign(network=question.model))
        names += [
            question.model if asked.by is None else f"{question.model}, {each}" for each in table.get("member", ())
        ]
    table = pd.concat(rows, ignore_index=True)
    if table.empty or not table.n.any():
        st.info(
            "On none of these records can the maps be held against the guideline: it points nowhere, or they are too "
            "coarse."
        )
        if table.empty:
            return
    else:
        title = "Share in the guideline's place above the best control, 95 % by patient"
        shows = files.together(*map(of_question, asked.questions))
        widgets.draw(figures.excess_figure(table, names, title=title), shown(table), "cohort excess", shows=shows)
    st.dataframe(shown(table), hide_index=True, placeholder=MISSING, key="cohort agreement")


AGREEMENT: Mapping[str, str] = {
    **{"network": "network", "member": "of", "n_records": "records", "n": "judged", "n_patients": "patients"},
    **{"share": "share", "share_low": "from", "share_high": "to", "area": "area"},
    **{"best_control": "best control", "excess": "above it", "excess_low": "above, from", "excess_high": "above, to"},
    **{"p_place": "p place", "p_time": "p time", "agrees": "agrees", "partly": "partly", "disagrees": "disagrees"},
    "not_assessable": "not assessable",
}


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that a reader needs, under names that a reader knows; shares in parts of 1, p to 2 digits."""
    p = {name: ["" if value != value else f"{value:.2g}" for value in table[name]] for name in ("p_place", "p_time")}
    return table.assign(**p)[list(AGREEMENT)].rename(columns=AGREEMENT).round(4)


MET: Mapping[str, str] = {
    **{"control_share": "best control", "excess": "above it", "excess_low": "above, from", "excess_high": "above, to"},
    **{"n": "records"},
}


def met(found: pd.DataFrame) -> pd.DataFrame:
    """Return the definitions that are met, and their columns, under names that a reader knows; shares in parts of 1."""
    return found.assign(definition=found.definition.map(wording.readable)).rename(columns=MET).round(4)


def distributions(asked: Asked) -> None:
    """Draw in how many records so much of the map lies in the guideline's place, one figure a network."""
    for column, question in zip(st.columns(len(asked.questions)), asked.questions, strict=True):
        condition, parameters = question.condition()
        query = f"SELECT share, share - excess AS control FROM cohort WHERE {condition}"  # noqa: S608
        found = kept.asked(asked.state, query, tuple(parameters), asked.cohort)
        title = f"{question.model}: mass in the guideline's place for {question.label}"
        if found.dropna().empty:
            column.info(wording.plain(_none_to_count(question.model, len(found))))
            continue
        with column:
            share, control = (found[name].to_numpy(dtype=float) for name in ("share", "control"))
            figure = figures.share_figure(share, control, title=title)
            table = found.dropna().round(4)
            widgets.draw(figure, table, f"cohort shares {question.model}", shows=of_question(question))


def _none_to_count(model: str, n_records: int) -> str:
    """Return why there is no distribution to draw of so many records."""
    if not n_records:
        return f"{model}: no such record. Choose other records above."
    return f"{model}: the guideline points nowhere on these {n_records} records, or the maps are too coarse for it."


def criteria(asked: Asked) -> None:
    """List each definition that is met, and whether the network's evidence uses its place."""
    for question in asked.questions:
        st.markdown(f"**{wording.plain(question.model)}**")
        found = kept.judged(asked.state, question, asked.cohort)
        if found.empty:
            st.info(wording.plain(f"No criterion of {question.label} with a place is met on these records."))
            continue
        st.dataframe(met(found), hide_index=True, placeholder=MISSING, key=f"cohort criteria {question.model}")
    widgets.note(
        "used = yes: more of the map than of any control lies in the place of the definition, and more than an even "
        "spread would have there, with the whole 95 % interval; no (ignored): less, with all of it; open: neither; "
        "few: fewer than 10 records."
    )


def apart(asked: Asked) -> None:
    """Let the reader choose a second method, and draw where its maps and those of the first part."""
    question = asked.questions[0]
    others = [method for method in asked.methods if method != question.method]
    if not others:
        st.info(
            f"The store holds one method of {wording.plain(question.model)}; `ecgviz cohort run` with another adds it."
        )
        return
    other = str(st.selectbox("Second method", others, format_func=method_words.method_name, key="cohort other"))
    found = kept.apart(asked.state, question, other, asked.cohort)
    if len(found) < 2:
        st.info("On none of these records are there both maps with leads or waves in common.")
        return
    together = found[found.place == "together"].iloc[0]
    if np.isfinite(together["first"]):
        low, high = 100 * together.difference_low, 100 * together.difference_high
        st.markdown(
            f"On average {100 * together['first']:.0f} % of both maps lie on the same leads and waves "
            f"({low:.0f} to {high:.0f} %)."
        )
    names = (method_words.method_name(question.method), method_words.method_name(other))
    title = f"Where two methods part, {question.model} on {question.label}"
    shows = files.together(of_question(question), {"method": other})
    widgets.draw(figures.parted_figure(found, *names, title=title), found.round(4), "cohort parted", shows=shows)


def published(asked: Asked) -> None:
    """Draw the density map of the published recipe, and say which published findings it shows."""
    for question in asked.questions:
        found, checks = kept.published(asked.state, question, asked.cohort)
        if question.method != RECIPE:
            named = method_words.method_name(question.method)
            widgets.note(f"The recipe is for saliency; this is the same sum of {named}.")
        density = by_wave(found.mean) / np.nansum(found.mean)
        drawn = figures.map_figure(
            density,
            title=f"{question.model}: density, % of all cells, {of_records(len(found.patients))} of highest output",
        )
        table = tables.matrix_table(density, STANDARD_LEADS)
        every = replace(question, which="all")  # what the recipe takes, whatever was chosen above
        widgets.draw(drawn, table, f"cohort density {question.model}", shows=of_question(every))
        densest = "; ".join(f"{lead} {role_map.part_of_beat(atom)}" for lead, atom in found.strongest)
        st.markdown(f"Densest: {wording.plain(densest)}.")
        _leads_of(question.model, count_leads(found.of_records))
        if checks.empty:
            st.info(wording.plain(f"No published finding speaks of {question.label}."))
        else:
            st.dataframe(
                checks.round(3), hide_index=True, placeholder=MISSING, key=f"cohort published {question.model}"
            )
    widgets.note(
        f"After Wagner et al. 2024 (arXiv 2305.17043): unsigned mass a second and cell, mean of the {TOP} records with "
        "the highest output, whatever was chosen as records above. A finding passes where its cells are denser than "
        "the same segment in the other leads."
    )


def grouped(asked: Asked) -> None:
    """Draw clusters of a network's maps, each with its mean map and the records nearest to it."""
    question = asked.questions[0]
    if not cohort_records.n_records(asked.cohort, asked.state, question):
        st.info(wording.plain(_none_to_count(question.model, 0)))
        return
    k = int(st.slider("Clusters", 2, 8, 3, key="cohort clusters"))
    found = kept.grouped(asked.state, question, k, asked.cohort)
    table = pd.DataFrame(
        {
            "cluster": [f"cluster {each + 1}" for each in range(k)],
            "records": found.sizes,
            "label stated": found.stated,
            "nearest records": [", ".join(each) for each in found.nearest],
        }
    )
    figure = figures.cluster_figure(
        found.places,
        found.members,
        found.records,
        found.explained,
        title=f"{question.model} on {question.label}: near = looked at the same places",
    )
    widgets.draw(figure, table.round(3), "cohort cluster map", shows=of_question(question))
    limit = matrix.colour_end(list(found.centres))
    n_drawn = min(k, 4)
    for column, each in zip(_beside(n_drawn), range(n_drawn), strict=True):
        with column:
            drawn = figures.map_figure(
                found.centres[each],
                title=f"Cluster {each + 1}, {of_records(found.sizes[each])}",
                limit=limit,
            )
            means = tables.matrix_table(found.centres[each], STANDARD_LEADS)
            widgets.draw(drawn, means, f"cohort centre {each}", shows=of_question(question))
    _leads_of(question.model, found.n_by_lead)
    nearest = [record for some in found.nearest for record in some]
    cohort_records.open_one(asked.cohort, asked.state, nearest, question, "Record near a centre")


def records(asked: Asked) -> None:
    """List the records of the first network page by page, sorted by the store itself, and open one."""
    cohort_records.listed(asked.cohort, asked.state, asked.questions[0])
