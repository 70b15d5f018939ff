"""What the page on attention is made of: which level, behind the trace or beyond its habit, and what leans on it."""

import streamlit as st

from ecgviz import figures
from ecgviz.checkpoint import Model
from ecgviz.errors import EcgvizError
from ecgviz.records.quality import unread
from ecgviz.types import Record
from ecgviz.types.focus import Focus
from ecgviz.ui import failures, files, linked, method_words, pointing, state, tracing, widgets, wording, words


@failures.fragment
def levels(record: Record, network: Model, attended: state.Attended) -> None:
    """Draw the levels that a network has, each following what is clicked in the others: a click draws these alone."""
    beats = state.reading(record).beats
    if attended.maps:
        behind_trace(record, network, attended, pointing.focus(record))
    if attended.maps and not len(beats):
        st.info(wording.plain(f"No beats to pool over: {beats.reason}"))
    rhythm, channel, beat = (attended.grid(each) for each in ("rhythm", "channel", "beat"))
    level_note(network, "rhythm")
    if rhythm is not None:
        shows = _shows(record, network, attended, "rhythm")
        linked.rhythm(record, rhythm, beats, what="Rhythm: share of attention", key="attention rhythm", shows=shows)
    left, right = st.columns(2)
    with left:
        level_note(network, "channel")
        if channel is not None:
            shows = _shows(record, network, attended, "channel")
            linked.channels(record, channel, what="Channel: share of attention", key="attention channels", shows=shows)
    with right:
        level_note(network, "beat")
        if beat is not None:
            shows = _shows(record, network, attended, "beat")
            linked.matrix(record, beat, beats, what="Beat: share of attention", key="attention matrix", shows=shows)
            widgets.note(words.outside(beat))


def _shows(record: Record, network: Model, attended: state.Attended, level: str) -> files.Shows:
    """Return what the files of one level's figure tell: the map it is read from, of all levels where one is."""
    own = attended.maps.get("joint", attended.maps.get(level))
    label, method = (None, None) if own is None else (own.label, f"attention_{own.level}")
    return files.facts(record, network, label=label, method=method)


@failures.fragment
def behind_trace(record: Record, network: Model, attended: state.Attended, at: Focus) -> None:
    """Let the reader pick a level, and draw it behind the trace; a change here leaves the rest of the page as it is.

    ``at`` is what the rest of the page was drawn for: where a click on the tracing changed that, the rest follows.
    """
    level, beyond_habit = _level_picker(network, attended)
    _heat(record, network, attended, level, beyond_habit=beyond_habit)
    if told := unread(record, network.spec.duration_s):
        widgets.note(wording.sentence(told))
    _leaning(record, network)
    if pointing.focus(record) != at:
        st.rerun()  # not before the figure is drawn, which would be taken away and put back


def _level_picker(network: Model, attended: state.Attended) -> tuple[str, bool]:
    """Return the level behind the trace (all together at first), and whether to show only what exceeds the habit."""
    names = list(attended.maps)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        level = st.segmented_control(
            "Level behind the trace",
            names,
            default="joint" if "joint" in names else names[0],
            required=True,
            key=f"level {network.digest}",
        )
        beyond = st.toggle(
            "Subtract the network's habit",
            key=f"prior {network.digest}",
            help="Its mean attention on a flat line, on noise, and on healthy beats at this recording's R peaks.",
        )
    return str(level), beyond


def _heat(record: Record, network: Model, attended: state.Attended, level: str, *, beyond_habit: bool) -> None:
    """Draw one level behind the trace: as it is, or what exceeds the network's habit; and say what it cannot tell."""
    label = state.choice().label or network.labels[0]
    if not beyond_habit:
        one = attended.maps[level]
        shows = files.facts(record, network, label=one.label, method=f"attention_{level}")
        heat = figures.from_attention(one)
        tracing.show(record, "attention paper", heat=heat, start_s=attended.start_s, shows=shows)
        widgets.note(" ".join([words.attention_facts(one), "" if one.leads else words.behind_all(network, record)]))
        return
    try:
        made = state.explained(record, network, label, f"attention_{level}", prior="subtract").explanation
    except EcgvizError as refusal:
        st.warning(wording.plain(str(refusal)))
        return
    heat, shows = figures.from_explanation(made, record.duration_s), files.of_map(record, network, made)
    tracing.show(record, "attention paper", heat=heat, start_s=made.start_s, shows=shows)
    widgets.note(" ".join([method_words.habit(made), "" if made.has_leads else words.behind_all(network, record)]))


def _leaning(record: Record, network: Model) -> None:
    """Say how much the logit of the chosen label leans on the network's attention."""
    label = state.choice().label or network.labels[0]
    try:
        widgets.note(words.leaning(state.even(record, network, label), label))
    except EcgvizError as refusal:
        widgets.note(str(refusal))


def level_note(network: Model, level: str) -> None:
    """Say in small type what a network shows at one level of attention."""
    st.markdown(f":small[**{level.capitalize()} level.** {wording.plain(words.level_sentence(network, level))}]")
