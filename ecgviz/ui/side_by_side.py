"""Up to four explanations of one recording beside one another: by several methods, or of several networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from ecgviz import figures
from ecgviz.checkpoint import Model, available_models
from ecgviz.errors import EcgvizError
from ecgviz.explain import applicable
from ecgviz.explain.checks import agreement_matrix
from ecgviz.explain.checks.similarity import leads_compared
from ecgviz.figures import tables
from ecgviz.figures.agreement import agreement_table, check_table
from ecgviz.figures.focus import within
from ecgviz.figures.style import MISSING
from ecgviz.types import Record
from ecgviz.ui import failures, files, linked, method_words, pointing, state, tracing, widgets, wording, words

MOST = 4
"""Maps that a page 1440 pixels wide holds beside one another."""
SECOND = ("decomposition", "integrated_gradients")
"""What stands beside the chosen method at first: the first of these that the network can answer."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One column: its title, whose logit was explained by which method, and the explanation."""

    title: str
    model: Model
    label: str
    method: str
    explained: state.Explained


def pick(record: Record) -> tuple[Shown, ...]:
    """Let the reader choose what stands side by side; what cannot be explained is said; the page ends without any."""
    chosen = state.choice()
    network = widgets.need_model(chosen.model)
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    by = left.segmented_control(
        "Side by side", ["Methods", "Networks"], default="Methods", required=True, key="by", wrap=True
    )
    with right:
        if by == "Networks":
            asked = [(name, chosen.method) for name in _networks(network.name)]
        else:
            asked = [(network.name, method) for method in _methods(network, chosen.method)]
    label = chosen.label or network.labels[0]
    found = [_explained(record, name, label, method, by == "Networks") for name, method in asked]
    shown = tuple(each for each in found if isinstance(each, Shown))
    for refusal in dict.fromkeys(each for each in found if isinstance(each, str)):
        (st.warning if shown else st.error)(wording.plain(refusal))
    if not shown:
        if not asked:
            st.info("Choose at least one method or network above.")
        st.stop()
    return shown


def _networks(first: str) -> list[str]:
    names = list(available_models())
    others = [name for name in names if name != first][:1]
    return st.multiselect("Networks", names, default=[first, *others], max_selections=MOST, key=f"networks {first}")


def _methods(network: Model, first: str) -> list[str]:
    names = list(applicable(network))
    second = [name for name in SECOND if name in names and name != first][:1]
    return st.multiselect(
        "Methods",
        names,
        default=[name for name in (first, *second) if name in names],
        format_func=method_words.method_name,
        max_selections=MOST,
        key=f"methods {network.digest} {first}",  # another method chosen in the sidebar starts anew
    )


def _explained(record: Record, name: str, label: str, method: str, by_network: bool) -> Shown | str:
    title = name if by_network else method_words.method_name(method)
    try:
        network = state.model(name)
        return Shown(title, network, label, method, state.explained(record, network, label, method))
    except EcgvizError as refusal:
        return str(refusal)


@failures.fragment
def panels(record: Record, shown: Sequence[Shown]) -> None:
    """Draw the maps: one behind the trace, all by lead and wave, and what they agree on; a click draws these alone."""
    one = behind(shown)
    explanation, grid = one.explained.explanation, one.explained.grid
    heat = figures.from_explanation(explanation, record.duration_s)
    shows = files.of_map(record, one.model, explanation)
    tracing.show(record, "attribution paper", heat=heat, start_s=explanation.start_s, shows=shows)
    held = words.in_cells({each.title: each.explained.grid.signed for each in shown})
    st.markdown(f"**Lead by wave**, {wording.plain(held)}; one scale for all")
    columns(shown, record)
    checks(shown, record)
    left, right = st.columns(2)
    share = f"{one.title}: share of {words.mass(grid)}"
    with left:
        agreement(shown, record)
    with right:
        linked.channels(record, grid, what=share, key="attribution channels", shows=shows)
    beats = state.reading(record).beats
    linked.rhythm(record, grid, beats, what=share, key="attribution rhythm", shows=shows)
    widgets.note(words.outside(grid))


def columns(shown: Sequence[Shown], record: Record) -> None:
    """Draw the matrix lead x wave of each map on one scale, with what was explained and whether it adds up below.

    A click on a cell or a bar is followed by every level; with a beat in focus the matrices are of that beat.
    """
    n_beats, at = len(state.reading(record).beats), pointing.focus(record)
    nets = [figures.signed_matrix(within(each.explained.grid, at, but="lead+wave")) for each in shown]
    limit = figures.colour_end([net for net in nets if net is not None and n_beats] or [np.zeros((1, 1))])
    for place, each, net in zip(st.columns(len(shown)), shown, nets, strict=True):
        with place:
            grid, key = each.explained.grid, f"matrix {each.model.name} {each.method}"
            by_lead, select = grid.channel(), pointing.follow(record)
            shows = files.of_map(record, each.model, each.explained.explanation)
            if net is None and by_lead is not None:
                bars = figures.channel_bars(by_lead, grid.leads, title=f"{each.title}: share of each lead", focus=at)
                table = partial(tables.channel_table, by_lead, grid.leads)
                widgets.draw(bars, table, key, shows=shows, select=select)
            elif net is not None and n_beats:
                matrix = figures.wave_matrix(
                    net,
                    grid.leads,
                    title=each.title + linked.of(grid, at, but="lead+wave"),
                    signed=True,
                    limit=limit,
                    durations=figures.wave_durations(grid),
                    focus=at,
                )
                table = partial(tables.matrix_table, net, grid.leads)
                widgets.draw(matrix, table, key, shows=shows, select=select)
            widgets.note(method_words.explanation_facts(each.explained.explanation))


def behind(shown: Sequence[Shown]) -> Shown:
    """Let the reader choose which of the maps lies behind the trace."""
    if len(shown) == 1:
        return shown[0]
    titles = [each.title for each in shown]
    title = st.segmented_control(
        "Behind the trace", titles, default=titles[0], required=True, key="behind", format_func=wording.plain
    )
    return shown[titles.index(title)] if title in titles else shown[0]


def agreement(shown: Sequence[Shown], record: Record) -> None:
    """Draw how far the maps agree, pair by pair."""
    if len(shown) < 2:
        return
    matrix = agreement_matrix([each.explained.explanation for each in shown], state.reading(record).beats)
    names = [each.title for each in shown]
    mass = "supporting mass" if all(each.explained.grid.signed for each in shown) else "mass"
    title = f"Rank correlation of {mass} per second, lead x wave"
    drawn = figures.agreement_figure(matrix.spearman, names, title=title)
    shows = files.together(*(files.of_map(record, each.model, each.explained.explanation) for each in shown))
    widgets.draw(drawn, agreement_table(matrix.spearman, names), key="agreement", shows=shows)
    told = (
        "+1: the same order of leads and waves; 0: unrelated. Per second, or all maps would agree that long waves hold "
        "more. Methods are known to disagree, and two that agree may both be wrong."
    )
    over = leads_compared(names, [each.explained.grid.leads for each in shown])
    widgets.note(f"{told} {over}" if over else told)


def checks(shown: Sequence[Shown], record: Record) -> None:
    """Run and list the checks of each map, once the reader asks for them."""
    key = "checks of " + ", ".join(f"{each.model.name} {each.method}" for each in shown)
    with st.expander(
        "Checks: is the map faithful to the network, and is it stable?", key=key, on_change="rerun"
    ) as box:
        if not box.open:
            return
        found = {}
        for each in shown:
            try:
                found[each.title] = state.checked(record, each.model, each.label, each.method)
            except EcgvizError as refusal:
                st.warning(wording.plain(f"{each.title}: {refusal}"))
        if found:
            st.dataframe(check_table(found), hide_index=True, placeholder=MISSING)
            widgets.note(
                "None of these asks whether the map is where a cardiologist would look: that is on the Criteria page. "
                f"Slower checks are left out here ({', '.join(next(iter(found.values())).left_out)}); "
                "`ecgviz check --slow` runs them."
            )
