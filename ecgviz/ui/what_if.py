"""What the What if page is made of: the form of an edit, the list of those made, and the altered tracing."""

import math
from collections.abc import Mapping
from functools import partial

import streamlit as st

from ecgviz.edit import CHANGES, Edited, Step, Takes, step
from ecgviz.errors import EcgvizError
from ecgviz.figures import tables
from ecgviz.figures.heat import Heat
from ecgviz.figures.overlaid import over_original
from ecgviz.records.leads import LIMB
from ecgviz.types import Record
from ecgviz.ui import files, sides, state, widgets, wording
from ecgviz.ui.state import looking

BEFORE, AFTER = "before", "after"
ALL, NOTHING = "all leads", "Nothing"
_BEHIND = (sides.METHOD, sides.ATTENTION, NOTHING)


def editor(record: Record) -> None:
    """Let the reader choose an edit, give it what it takes and apply it; list those made, to be taken back."""
    left, right = st.columns([3, 2])
    with left:
        name = st.selectbox(
            "Edit",
            list(CHANGES),
            format_func=title_of,
            key="edit",
            help="One change to the recording; several can follow one another.",
        )
        change = CHANGES[name]
        with st.form(f"edit {name}"):
            widgets.note(change.definition)
            given = {takes.name: _asked(record, name, takes) for takes in change.takes}
            applied = st.form_submit_button("Apply", type="primary", key=f"apply {name}")
    if applied:
        wanted = step(name, **{key: value for key, value in given.items() if value is not None})
        refusal = state.add_step(record, wanted)
        if refusal:
            left.error(wording.plain(f"Not applied: {refusal}."))
    with right:
        _made(record)


def title_of(name: str) -> str:
    """Return the title of an edit."""
    return CHANGES[name].title


def _asked(record: Record, change: str, takes: Takes) -> float | str | tuple[str, ...] | None:
    """Show the control of one parameter, and return what was given; None leaves the parameter out."""
    key = f"{change} {takes.name} {record.key[:8]}"
    if takes.kind == "number":
        empty = isinstance(takes.start, float) and math.isnan(takes.start)
        value = st.number_input(
            f"{takes.title}, {takes.unit}",
            takes.low,
            takes.high,
            value=None if empty else float(takes.start),
            step=takes.step,
            key=key,
        )
        return None if value is None else float(value)
    if takes.kind == "leads":
        chosen = st.multiselect(takes.title, record.leads, key=key, placeholder=f"{ALL} where none is chosen")
        return tuple(chosen) or record.leads
    options = takes.choices or record.leads
    first = options.index(str(takes.start)) if takes.start in options else 0
    return str(st.selectbox(takes.title, options, index=first, key=key))


def _made(record: Record) -> None:
    made = state.steps(record)
    st.markdown("**Edits made**")
    if not made:
        widgets.note("None yet. Choose an edit on the left and press Apply: all numbers below then follow.")
        return
    st.markdown("\n".join(f"{n}. {wording.plain(said(record, each))}" for n, each in enumerate(made, 1)))
    undo, clear = st.columns(2)
    undo.button("Undo the last", on_click=state.undo_step, args=(record,), width="stretch", key="undo edit")
    clear.button("Undo all", on_click=state.clear_steps, args=(record,), width="stretch", key="clear edits")
    with st.expander("The same in Python"):
        st.code(python(made), language=None, wrap_lines=True)


def said(record: Record, made: Step) -> str:
    """Return one edit in words, as it was asked for."""
    parts = []
    for name, value in made.given:
        takes = next(each for each in CHANGES[made.change].takes if each.name == name)
        if isinstance(value, tuple):
            parts.append(ALL if value == record.leads else ", ".join(value))
        else:
            parts.append(f"{value:g} {takes.unit}" if isinstance(value, float) else str(value))
    title = CHANGES[made.change].title
    return f"{title}: {', '.join(parts)}" if parts else title


def python(made: tuple[Step, ...]) -> str:
    """Return the Python that makes the same edits."""
    names = ", ".join(dict.fromkeys(each.change for each in made))
    calls = []
    for each in made:
        calls.append(f"edited = {each}")
        calls.append("record, beats = edited.record, edited.beats")
    return "\n".join(
        [
            f"from ecgviz.edit import {names}",
            "",
            *calls,
            "case = analyse(record, model, label, method, beats=beats)",
        ]
    )


def altered(record: Record) -> Edited | None:
    """Return the recording as altered by the reader, None without any edit; edits that fail end the page."""
    try:
        return state.altered(record)
    except EcgvizError as refusal:
        st.error(wording.plain(f"These edits cannot be made any more: {refusal}. Take them back above."))
        st.stop()


def both(record: Record, edited: Edited) -> tuple[sides.Side, sides.Side]:
    """Return the recording before and after its edits, asked the same."""
    chosen = state.choice()
    network = widgets.need_model(chosen.model)
    label = chosen.label or network.labels[0]
    return (
        sides.Side(BEFORE, record, network, label, chosen.method),
        sides.Side(AFTER, edited.record, network, label, chosen.method),
    )


def tracing(record: Record, edited: Edited, shown: sides.Sides, found: Mapping[str, state.Explained]) -> None:
    """Draw the altered tracing in black over the original in blue, with what the reader wants behind it."""
    left, right = st.columns(2)
    behind = left.segmented_control(
        "Behind the trace",
        _BEHIND,
        default=sides.METHOD,
        required=True,
        key="what if behind",
        wrap=True,
        help="The method chosen on the left, or where the network pooled; the scale is one for both.",
    )
    whose = right.segmented_control(
        "of the recording", (AFTER, BEFORE), default=AFTER, required=True, key="what if whose", wrap=True
    )
    heat, of_heat = _behind(str(behind), next(side for side in shown if side.title == whose), shown, found)
    if heat is not None:
        sides.say_scale([heat])
    sheet_s = looking.view().form.sheet_s(record.duration_s)
    start_s = widgets.window_start(record, sheet_s)
    now, was = state.reading(edited.record).clean, state.reading(record).clean
    sheet = sides.paper(next(side for side in shown if side.title == AFTER), heat, start_s)
    over_original(sheet, now, was)
    table = partial(tables.sample_table, now, start_s, start_s + sheet_s)
    shows = files.together(files.facts(edited.record), files.facts(record), of_heat)
    widgets.draw(sheet, table, key="what if paper", shows=shows)


def _behind(
    behind: str, side: sides.Side, shown: sides.Sides, found: Mapping[str, state.Explained]
) -> tuple[Heat | None, files.Shows]:
    """Return what lies behind the trace, and what it is of; nothing where the network has no such map."""
    if behind == sides.METHOD and side.title in found:
        return sides.heats(shown, found)[side.title], sides.shows(side, found)
    if behind != sides.ATTENTION:
        return None, {}
    maps = sides.attended(shown)
    if not maps:
        st.info("This network shows no attention; choose the method instead.")
    if side.title not in maps:
        return None, {}
    one = maps[side.title]
    shows = files.facts(side.record, side.model, label=one.label, method=f"attention_{one.level}")
    return sides.attention_heats(maps)[side.title], shows


def cautions(record: Record, edited: Edited) -> None:
    """Say what an altered recording cannot tell."""
    limb = "limb leads no longer follow" in edited.sentence and set(LIMB) <= set(record.leads)
    widgets.note(
        "An altered recording is no patient's: it tells what this network and these rules make of a change, not what "
        "a heart would do. Beats and marks moved along with the samples; they were not found anew."
        + (" The limb leads contradict one another, which no electrode could record." if limb else "")
    )
