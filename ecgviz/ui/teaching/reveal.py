"""The parts of an answer, one after another: the label with the score, the criteria, and what the model saw."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from ecgviz import figures
from ecgviz.checkpoint import Model
from ecgviz.compare.region import assessable
from ecgviz.criteria import load as load_criteria
from ecgviz.errors import EcgvizError
from ecgviz.evidence import share
from ecgviz.figures import tables
from ecgviz.figures.style import percent
from ecgviz.review.marks import MarkScore, score_cells
from ecgviz.teach import Lesson, Library, Opened, Score
from ecgviz.teach.opened import findings_of
from ecgviz.types import Case, Prediction, Region
from ecgviz.ui import files, state, widgets, wording, words
from ecgviz.ui.state.teaching import Given
from ecgviz.ui.teaching import classroom, sheet

_GROUPS = (
    ("right", "Right", ":material/check_circle:"),
    ("missed", "Missed", ":material/visibility_off:"),
    ("wrong", "Wrong", ":material/cancel:"),
    ("contradictory", "Contradictory: it cannot be true beside the rest", ":material/sync_problem:"),
)


def label(opened: Opened, library: Library, given: Given | None) -> None:
    """Show the answer, and how the learner's was scored."""
    names = [library.lessons[each].name for each in opened.case.answers]
    st.markdown(f"**Answer: {wording.plain(', '.join(names))}**")
    if given is not None:
        _scored(given.score, opened, library)
    if opened.case.point:
        st.markdown(wording.plain(opened.case.point))


def _scored(score: Score, opened: Opened, library: Library) -> None:
    lines = [f"Your reading was **{score.outcome}**."]
    groups = [(getattr(score, group), title, icon) for group, title, icon in _GROUPS]
    for named, title, icon in (*groups, *_uncounted(score, opened)):
        names = [library.lessons[each].name for each in named]
        if names:
            lines.append(f"{icon} {title}: {wording.plain(', '.join(names))}")
    st.markdown("  \n".join(lines))


def _uncounted(score: Score, opened: Opened) -> list[tuple[list[str], str, str]]:
    """Return what an answer names beside the truth without being wrong, and why; nothing is planted in a patient."""
    absent = "Not part of the answer" if opened.simulation is None else "Not planted"
    met = [each for each in score.also if each in opened.met]
    left = [each for each in score.also if each not in opened.met]
    return [
        (met, f"{absent}, but its criteria are met here: not counted against you", ":material/info:"),
        (left, "Not part of the answer, but its readers left it open: not counted against you", ":material/info:"),
    ]


def criteria(opened: Opened, given: Given | None, key: str, start_s: float) -> None:
    """Show the annotated example, each published definition with what was measured, and the marks of the learner."""
    sheet.annotated_paper(opened, start_s, key=f"annotated {key}")
    st.table(criteria_rows(opened), hide_index=True)
    if given is not None and given.cells:
        region = asked_region(opened)
        if region is None:
            widgets.note("Your marks are not scored: no criterion that is met here names leads and waves.")
            return
        marks(score_cells(given.cells, region, opened.beats), region)
        unmet = ", ".join(one.name for one in opened.unmet if one.id != "normal")
        if unmet:
            widgets.note(f"No definition of {unmet} is met here: what you marked for that counts as beside it.")


def asked_region(opened: Opened) -> Region | None:
    """Return where marks are asked for, None where the met criteria of a case name no place.

    A mark names no beat: where the answers speak of different beats, a cell of one is asked for in the beats of all.
    """
    region = opened.place()
    if region is None or len(opened.lessons) == 1:
        return region
    touched = region.inside.any(axis=(0, 2), keepdims=True)
    return replace(region, weight=region.weight.max(axis=1, keepdims=True) * touched)


def criteria_rows(opened: Opened) -> dict[str, list[str]]:
    """Return the columns of the table of criteria: every definition of every answer, with what was measured."""
    found = [(one.name, each) for one in opened.lessons for each in findings_of(one, opened.findings)]
    answers = {"answer": [name for name, _ in found]} if len(opened.lessons) > 1 else {}
    return answers | {
        "criterion": [f"{each.criterion}, {wording.readable(each.definition)}" for _, each in found],
        "state": [wording.readable(each.state) for _, each in found],
        "measured beside its limit": [each.why for _, each in found],
    }


def marks(scored: MarkScore, region: Region) -> None:
    """Tell how the learner's marks lie in the criteria's region, in the numbers that a model's map gets."""
    st.markdown(
        f"**Your marks.** {len(scored.right)} right, {len(scored.wrong)} beside it, {len(scored.missed)} missed "
        f"(Dice {scored.dice:.2f}). {percent(scored.share)} of the time that you marked lies in "
        f"{wording.plain(region.text)}; an even spread would get {percent(scored.area)}."
    )


def model(opened: Opened, given: Given | None, key: str, start_s: float) -> None:
    """Show what the network on the left predicts and where its map lies; say plainly where it is wrong."""
    chosen = state.choice()
    network = widgets.need_model(chosen.model)
    try:
        prediction = state.prediction(opened.record, network, beats=opened.beats)
        known = outputs(opened, network)
        for sentence in judged(opened, network, known):
            st.markdown(sentence)
        if not known:
            return
        label = _asked_label(known, f"map label {key} {opened.case.id} {network.name}")
        case = state.case(opened.record, network, label, chosen.method, beats=opened.beats)
    except EcgvizError as refusal:
        st.error(wording.plain(str(refusal)))
        return
    st.markdown(
        f"**Where its map for {label} lies** ({percent(prediction.probability(label))}): "
        f"{wording.plain(wording.sentence(case.agreement.why))}"
    )
    heat = figures.from_explanation(case.explanation, opened.record.duration_s)
    sheet.paper(opened, start_s, heat=heat, measured=True, key=f"model {key}", shows=files.of_case(case))
    _model_matrix(opened, case, given, key)


def _asked_label(known: Sequence[str], key: str) -> str:
    """Let the reader say for which label that speaks of an answer the map is; the first one until then."""
    if len(known) == 1:
        return known[0]
    picked = st.segmented_control("Its map for", list(known), default=known[0], required=True, key=key)
    return picked or known[0]


def _model_matrix(opened: Opened, case: Case, given: Given | None, key: str) -> None:
    """Draw how the model's map shares out over leads and waves, the criteria's place framed, beside the learner's."""
    shares = case.grid.beat()
    if shares is None or not len(case.beats):
        return
    region, own = asked_region(opened), opened.place(spoken_of(opened, case.label))
    framed = None if own is None else figures.framed_cells({"primary": own}, case.grid.leads)
    below = "" if framed is None else "framed: where the criteria look"
    title = f"{case.label}: share of {words.mass(case.grid)}, %"
    left, right = st.columns(2)
    with left:
        matrix = figures.wave_matrix(shares, case.grid.leads, title=title, outlined=framed, below=below)
        table = tables.matrix_table(shares, case.grid.leads)
        classroom.draw(matrix, table, key=f"model matrix {key}", shows=files.of_case(case))
    with right:
        judged_there = region is not None and assessable(case.grid, region, opened.beats)[0] is not None
        if given is not None and given.cells and region is not None and judged_there:
            yours = score_cells(given.cells, region, opened.beats)
            models = share(case.grid, region)[0]
            st.markdown("**The same question to both: how much lies where the criteria look?**")
            model = "the model" if len(opened.lessons) == 1 else f"the model, asked for {case.label} alone"
            st.table(
                {
                    "": ["you", model, "an even spread"],
                    "share": list(map(percent, (yours.share, models, yours.area))),
                }
            )


def outputs(opened: Opened, network: Model) -> list[str]:
    """Return a network's labels that speak of the answers, in their order; of each, those that readers stated first."""
    each = [[label for label in one.outputs if label in network.labels] for one in opened.lessons]
    ordered = [label for known in each for label in sorted(known, key=lambda one: not opened.case.states(one))]
    return list(dict.fromkeys(ordered))


def spoken_of(opened: Opened, label: str) -> tuple[Lesson, ...]:
    """Return the answers that a network's label speaks of."""
    return tuple(one for one in opened.lessons if label in one.outputs)


def judged(opened: Opened, network: Model, known: Sequence[str]) -> list[str]:
    """Return in Markdown whether a trained network calls the answers, by its labels ``known``, and what else it calls.

    A finding that no published definition finds is too faint for its miss to be a fault, planted or stated by readers;
    and a label that the readers of a recording did not state is none that a network must call.
    """
    prediction = state.prediction(opened.record, network, beats=opened.beats)
    name = wording.plain(network.name)
    silent = [wording.plain(one.name) for one in opened.lessons if not set(one.outputs) & set(known)]
    no_output = [f"{name} has no output for {one}: it cannot be right or wrong about it." for one in silent]
    if not known:
        return no_output
    told = [_judged(opened, prediction, name, each) for each in known] + no_output
    called = [each for each in prediction.labels if prediction.positive(each) and each not in known]
    false = [each for each in called if opened.simulation is not None and each in _unfounded(opened)]
    if false:
        told.append(
            f":material/error: It also calls {', '.join(false)}: **the model is wrong**, no criterion of that is met."
        )
    return told


def _judged(opened: Opened, prediction: Prediction, name: str, each: str) -> str:
    """Return a sentence on one label that speaks of the answer."""
    said = f"{name} gives {each} {percent(prediction.probability(each))}"
    called = "and calls it" if prediction.positive(each) else "and does not call it"
    if not opened.case.states(each):
        held = "is neither right nor wrong" if prediction.positive(each) else "is not held against the model"
        return f":material/info: {said} {called}; its readers did not state {each}, so that this {held}."
    if prediction.positive(each):
        return f":material/check_circle: {said} {called}: **the model is right** about {each}."
    if any(one.id in opened.met for one in spoken_of(opened, each)):
        return f":material/error: {said} {called}: **the model is wrong**, it misses {each}."
    where = "on this recording" if opened.simulation is None else "at this severity"
    return f":material/info: {said} {called}; no published definition of the finding is met {where} either."


def _unfounded(opened: Opened) -> set[str]:
    """Return the labels of which no published definition is met on the recording, among those with any."""
    labels = {one.id: {one.id, *one.maps.scp, one.maps.superclass} for one in load_criteria().entries.values()}
    open_or_met = {each.criterion for each in opened.findings if each.state != "not_met"}
    founded = {name for entry in open_or_met for name in labels[entry]}
    return {name for names in labels.values() for name in names if name is not None} - founded
