"""The parts of an answer, one after another: the label with the score, the criteria, and what the model saw."""

from collections.abc import Sequence

import streamlit as st

from ecgviz import figures
from ecgviz.checkpoint import Model
from ecgviz.criteria import load as load_criteria
from ecgviz.criteria import union_region
from ecgviz.errors import EcgvizError
from ecgviz.evidence import share
from ecgviz.figures import tables
from ecgviz.figures.style import percent
from ecgviz.review.marks import MarkScore, score_cells
from ecgviz.teach import Library, Opened, Score
from ecgviz.teach.opened import findings_of
from ecgviz.types import Case, Region
from ecgviz.ui import files, state, widgets, wording, words
from ecgviz.ui.state.teaching import Given
from ecgviz.ui.teaching import classroom, sheet

_GROUPS = (
    ("right", "Right", ":material/check_circle:"),
    ("missed", "Missed", ":material/visibility_off:"),
    ("wrong", "Wrong", ":material/cancel:"),
    ("contradictory", "Contradictory: it cannot be true beside the rest", ":material/sync_problem:"),
    ("also", "Not planted, but its criteria are met here: not counted against you", ":material/info:"),
)


def label(opened: Opened, library: Library, given: Given | None) -> None:
    """Show the answer, and how the learner's was scored."""
    names = [library.lessons[each].name for each in opened.case.answers]
    st.markdown(f"**Answer: {wording.plain(', '.join(names))}**")
    if given is not None:
        _scored(given.score, library)
    if opened.case.point:
        st.markdown(wording.plain(opened.case.point))


def _scored(score: Score, library: Library) -> None:
    lines = [f"Your reading was **{score.outcome}**."]
    for group, title, icon in _GROUPS:
        names = [library.lessons[each].name for each in getattr(score, group)]
        if names:
            lines.append(f"{icon} {title}: {wording.plain(', '.join(names))}")
    st.markdown("  \n".join(lines))


def criteria(opened: Opened, given: Given | None, key: str, start_s: float) -> None:
    """Show the annotated example, each published definition with what was measured, and the marks of the learner."""
    sheet.annotated_paper(opened, start_s, key=f"annotated {key}")
    found = findings_of(opened.lesson, opened.findings)
    rows = {
        "criterion": [f"{each.criterion}, {wording.readable(each.definition)}" for each in found],
        "state": [wording.readable(each.state) for each in found],
        "measured beside its limit": [each.why for each in found],
    }
    st.table(rows, hide_index=True)
    if given is not None and given.cells:
        region = asked_region(opened)
        if region is None:
            widgets.note("Your marks are not scored: no criterion that is met here names leads and waves.")
        else:
            marks(score_cells(given.cells, region, opened.beats), region)


def asked_region(opened: Opened) -> Region | None:
    """Return where the met criteria of a case look first, None where they name no place."""
    return union_region(findings_of(opened.lesson, opened.findings))


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
        known = [each for each in opened.lesson.outputs if each in network.labels]
        for sentence in judged(opened, network, known):
            st.markdown(sentence)
        if not known:
            return
        case = state.case(opened.record, network, known[0], chosen.method, beats=opened.beats)
    except EcgvizError as refusal:
        st.error(wording.plain(str(refusal)))
        return
    st.markdown(
        f"**Where its map for {known[0]} lies** ({percent(prediction.probability(known[0]))}): "
        f"{wording.plain(wording.sentence(case.agreement.why))}"
    )
    heat = figures.from_explanation(case.explanation, opened.record.duration_s)
    sheet.paper(opened, start_s, heat=heat, measured=True, key=f"model {key}", shows=files.of_case(case))
    _model_matrix(opened, case, given, key)


def _model_matrix(opened: Opened, case: Case, given: Given | None, key: str) -> None:
    """Draw how the model's map shares out over leads and waves, the criteria's place framed, beside the learner's."""
    shares = case.grid.beat()
    if shares is None or not len(case.beats):
        return
    region = asked_region(opened)
    framed = None if region is None else figures.framed_cells({"primary": region}, case.grid.leads)
    below = "" if framed is None else "framed: where the criteria look"
    title = f"{case.label}: share of {words.mass(case.grid)}, %"
    left, right = st.columns(2)
    with left:
        matrix = figures.wave_matrix(shares, case.grid.leads, title=title, outlined=framed, below=below)
        table = tables.matrix_table(shares, case.grid.leads)
        classroom.draw(matrix, table, key=f"model matrix {key}", shows=files.of_case(case))
    with right:
        if given is not None and given.cells and region is not None:
            yours = score_cells(given.cells, region, opened.beats)
            models = share(case.grid, region)[0]
            st.markdown("**The same question to both: how much lies where the criteria look?**")
            st.table(
                {
                    "": ["you", "the model", "an even spread"],
                    "share": list(map(percent, (yours.share, models, yours.area))),
                }
            )


def judged(opened: Opened, network: Model, known: Sequence[str]) -> list[str]:
    """Return in Markdown whether a trained network calls what is there, and what it calls besides.

    A planted finding that no published definition finds either is too faint for its miss to be a fault.
    """
    prediction = state.prediction(opened.record, network, beats=opened.beats)
    name = wording.plain(network.name)
    if not known:
        return [f"{name} has no output for {wording.plain(opened.lesson.name)}: it cannot be right or wrong about it."]
    told = []
    faint = opened.simulation is not None and opened.lesson.id not in opened.met
    for each in known:
        said = f"{name} gives {each} {percent(prediction.probability(each))}"
        if prediction.positive(each):
            told.append(f":material/check_circle: {said} and calls it: **the model is right** about {each}.")
        elif faint:
            told.append(
                f":material/info: {said} and does not call it; no published definition of the finding is met at this "
                "severity either."
            )
        else:
            told.append(f":material/error: {said} and does not call it: **the model is wrong**, it misses {each}.")
    called = [each for each in prediction.labels if prediction.positive(each) and each not in known]
    false = [each for each in called if opened.simulation is not None and each in _unfounded(opened)]
    if false:
        told.append(
            f":material/error: It also calls {', '.join(false)}: **the model is wrong**, no criterion of that is met."
        )
    return told


def _unfounded(opened: Opened) -> set[str]:
    """Return the labels of which no published definition is met on the recording, among those with any."""
    labels = {one.id: {one.id, *one.maps.scp, one.maps.superclass} for one in load_criteria().entries.values()}
    open_or_met = {each.criterion for each in opened.findings if each.state != "not_met"}
    founded = {name for entry in open_or_met for name in labels[entry]}
    return {name for names in labels.values() for name in names if name is not None} - founded
