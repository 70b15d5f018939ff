"""Spot the flaw: two maps of one case, one of them from a network whose weights are random."""

import streamlit as st

from ecgviz import figures
from ecgviz.checkpoint import Model
from ecgviz.compare.region import assessable
from ecgviz.errors import EcgvizError
from ecgviz.evidence import share
from ecgviz.figures import tables
from ecgviz.figures.style import percent
from ecgviz.teach import Library, Opened
from ecgviz.teach.flaw import SIDES, p_of_guessing, trained_side
from ecgviz.types import Region
from ecgviz.ui import files, method_words, state, widgets, wording, words
from ecgviz.ui.state import teaching
from ecgviz.ui.state.networks import Explained
from ecgviz.ui.state.teaching import Sitting
from ecgviz.ui.teaching import classroom, controls, reveal, sheet, start


def run(library: Library) -> None:
    """Go through cases with two maps each; count how often the learner tells them apart."""
    held = start.sitting(library, "Spot the flaw")
    if held is None:
        return
    if held.case is None:
        _result(held)
        return
    network = widgets.need_model(state.choice().model)
    try:
        opened = teaching.opened(library, held.case)
        label = next(iter(reveal.outputs(opened, network)), None)
        if label is None:
            names = ", ".join(one.name for one in opened.lessons)
            st.info(wording.plain(f"{network.name} has no output for {names}."))
            controls.forwards("Next case", reveals=False)
            return
        maps = _maps(opened, network, label, held.seed)
    except EcgvizError as refusal:
        st.error(wording.plain(str(refusal)))
        controls.forwards("Next case", reveals=False)
        return
    names = ", ".join(one.name for one in reveal.spoken_of(opened, label))
    sheet.heading(opened, f"{controls.place(held)}, {names}")
    _question(opened, network, label, held, maps)


def _maps(opened: Opened, network: Model, label: str, seed: int) -> dict[str, Explained]:
    """Return the two maps by side: the trained network's, and one of the same network with random weights."""
    method = state.choice().method
    trained = state.explained(opened.record, network, label, method, beats=opened.beats)
    random = teaching.randomised(opened, network, label, method, seed)
    side = trained_side(opened.case.id, seed)
    return {each: trained if each == side else random for each in SIDES}


def _question(opened: Opened, network: Model, label: str, held: Sitting, maps: dict[str, Explained]) -> None:
    method = method_words.method_name(state.choice().method)
    st.markdown(
        f"Both maps: {wording.plain(method)} of {wording.plain(network.name)} for {label}. One network learnt from "
        "patients, the other has random weights and learnt nothing. **Which map is the random one?**"
    )
    if held.step == 0:
        _answer_buttons(opened, held)
    else:
        _answered(opened, label, held, maps)
    shown = st.segmented_control("Behind the trace", list(SIDES), default="A", required=True, key="flaw side") or "A"
    heat = figures.from_explanation(maps[shown].explanation, opened.record.duration_s)
    shows = _shows(opened, network, maps[shown])
    sheet.paper(opened, sheet.window(opened), heat=heat, key=f"flaw {shown}", shows=shows)
    for place, side in zip(st.columns(2), SIDES, strict=True):
        with place:
            _matrix(maps[side], side, opened, network)


def _shows(opened: Opened, network: Model, one: Explained) -> files.Shows:
    """Return what the files of a map tell of it: not which of the two it is, which is the question."""
    told = files.of_map(opened.record, network, one.explanation)
    return {**told, "model": f"{told['model']}, or the same network with random weights"}


def _matrix(one: Explained, side: str, opened: Opened, network: Model) -> None:
    shows = _shows(opened, network, one)
    shares = one.grid.beat()
    if shares is None or not len(opened.beats):
        by_lead = one.grid.channel()
        if by_lead is not None:
            bars = figures.channel_bars(by_lead, one.grid.leads, title=f"Map {side}: share of each lead")
            table = tables.channel_table(by_lead, one.grid.leads)
            classroom.draw(bars, table, key=f"flaw bars {side}", shows=shows)
        return
    matrix = figures.wave_matrix(shares, one.grid.leads, title=f"Map {side}: share of {words.mass(one.grid)}, %")
    table = tables.matrix_table(shares, one.grid.leads)
    classroom.draw(matrix, table, key=f"flaw matrix {side}", shows=shows)


def _answer_buttons(opened: Opened, held: Sitting) -> None:
    random_side = next(side for side in SIDES if side != trained_side(opened.case.id, held.seed))
    *answers, end, _ = st.columns([2, 2, 1, 3])  # as wide as "A is random" beside its key in a narrow window
    with end:
        controls.ending()
    for place, side in zip(answers, SIDES, strict=True):
        place.button(
            f"{side} is random",
            shortcut=side,
            on_click=teaching.found_flaw,
            args=(side == random_side,),
            key=f"flaw is {side}",
            width="stretch",
        )


def _answered(opened: Opened, label: str, held: Sitting, maps: dict[str, Explained]) -> None:
    side = trained_side(opened.case.id, held.seed)
    said = "right" if held.told_apart[opened.case.id] else "wrong"
    n_right, n = sum(held.told_apart.values()), len(held.told_apart)
    st.markdown(
        f"**Map {side} is the trained network's.** You were {said}; so far "
        f"{n_right} of {n}. Guessing does as well or better with a chance of {percent(p_of_guessing(n_right, n))}."
    )
    region = opened.place(reveal.spoken_of(opened, label))
    if region is not None:
        widgets.note(
            f"{_shares(opened, region, maps)} A map that looks convincing proves nothing: it must beat "
            "maps of networks that learnt nothing, which the Criteria page counts for every case."
        )
    on, end, _ = st.columns([2, 1, 3])
    with on:
        controls.forwards("Next case", reveals=False)
    with end:
        controls.ending()


def _shares(opened: Opened, region: Region, maps: dict[str, Explained]) -> str:
    """Return the share of each map in a region, or why one of them cannot be judged there."""
    for side in SIDES:
        where, why = assessable(maps[side].grid, region, opened.beats)
        if where is None:
            return f"The shares of both maps are not compared: {why}."
    told = ", ".join(f"{side} {percent(share(maps[side].grid, region)[0])}" for side in SIDES)
    return f"Share of each map in {region.text}: {told}."


def _result(held: Sitting) -> None:
    n_right, n = sum(held.told_apart.values()), len(held.told_apart)
    if n:
        st.markdown(
            f"**{n_right} of {n} right.** Guessing does as well or better with a chance of "
            f"{percent(p_of_guessing(n_right, n))}."
        )
        widgets.note(f"Seed of this sitting: {held.seed}. It dealt the sides, and the random weights.")
    controls.ending()
