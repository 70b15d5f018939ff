"""The answer after the model's: what it said and what its maps show, and what the reader makes of both.

Where the arm is blinded a map has a letter, and is drawn so that nothing beside its shape tells how it was made.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from ecgviz import figures
from ecgviz.figures import tables
from ecgviz.figures.heat import COLOUR_END_QUANTILE, Heat
from ecgviz.figures.style import percent
from ecgviz.review.answers import LIKERT, VERDICTS, Answer, missing
from ecgviz.review.design import ALONE
from ecgviz.review.places import Place
from ecgviz.types import WAVES
from ecgviz.ui import failures, method_words, widgets, wording, words
from ecgviz.ui.reader_study import meter, own_answer, sheet
from ecgviz.ui.state import review
from ecgviz.ui.state.review import MapShown, Question, Seat

_AGREED = {
    "agree_with_prediction": ("Do you agree with the model's answer?",) * 2,
    "explanation_plausible": ("Is what the map points at plausible?", "Is what the maps point at plausible?"),
    "leads_correct": ("Does it point at the right leads?", "Do they point at the right leads?"),
}
"""What is asked about one map, and about several."""
_ENDS = "1 not at all, 5 fully"


def ask(held: Seat, question: Question, place: str, first: Answer) -> None:
    """Show prediction and maps beside the reader's own answer, and ask again."""
    shown = review.prepared(held.folder, question.item.record_sha256)
    maps = review.maps(held.folder, question.item)
    review.fill(question, (), _judged(maps), first)
    own = review.own_answer(held, question.item)
    behind = _answers(question, own, maps)
    heat = behind_trace(behind, shown.record.duration_s, blinded=question.item.arm != ALONE)
    measured = held.study.protocol.measurements
    sheet.paper(shown, place, question.key(f"paper {behind.name}"), measured=measured, heat=heat)
    columns = st.columns(1 + len(maps))
    with columns[0]:
        _prediction(held, maps[0])
    for column, each in zip(columns[1:], maps, strict=True):
        with column:
            _matrix(each, question, own)
    _form(held, question, maps)
    meter.run(held, question)


def behind_trace(shown: MapShown, duration_s: float, *, blinded: bool) -> Heat:
    """Return the layer of a map behind the trace.

    Of a blinded one it holds what supports alone, as parts of where its colours end: sign, unit, size, label and
    fineness would tell attention from an attribution.
    """
    made = replace(shown.explanation, method=shown.name)
    if not blinded:
        return figures.from_explanation(made, duration_s)
    heat = figures.from_explanation(replace(made, values=np.maximum(made.values, 0.0), signed=False), duration_s)
    return replace(
        heat,
        values=heat.values / (heat.limit or 1.0),
        limit=1.0,
        name=f"{shown.name}: 1 is its {100 * COLOUR_END_QUANTILE:.0f}th percentile",
        resolution_s=float("nan"),
        field_s=float("nan"),
    )


def _answers(question: Question, own: Answer, maps: tuple[MapShown, ...]) -> MapShown:
    """Tell both answers in one row with the picker of maps; return the map that goes behind the trace."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(
            f"**Your own answer**, locked: {wording.plain(str(own.label))}, {own.confidence} of 100 sure. "
            f"**The model's answer**: {wording.plain(question.item.predicted)}.",
            width="content",
        )
        if len(maps) == 1:
            return maps[0]
        names = [each.name for each in maps]
        behind = st.segmented_control(
            "Behind the trace",
            names,
            default=names[0],
            required=True,
            format_func=_name,
            key=question.key("behind"),
        )
    return maps[names.index(behind)]


def _name(name: str) -> str:
    return name[0].upper() + name[1:] if name.startswith("map ") else method_words.method_name(name)


def _judged(maps: tuple[MapShown, ...]) -> tuple[Place, ...]:
    """Return the places that wait for a verdict, each once."""
    found = {(place.lead, place.wave): place for each in maps for place in each.places}
    return tuple(found.values())


def _prediction(held: Seat, shown: MapShown) -> None:
    prediction = shown.prediction
    rows = [
        (
            ", ".join(filter(None, (label, words.label_name(label)))),
            percent(prediction.probability(label)),
            "called" if prediction.positive(label) else "not called",
        )
        for label in held.study.labels
    ]
    st.table(pd.DataFrame(rows, columns=["label", "probability", "model"]), hide_index=True)


def _matrix(shown: MapShown, question: Question, own: Answer) -> None:
    """Draw how a map shares out, the reader's own cells framed: the shares are those of the places to judge."""
    grid, of = shown.grid, f" of {words.mass(shown.grid)}" if question.item.arm == ALONE else ""
    title = f"{_name(shown.name)} of {question.item.label}: share{of}, %"
    shares, by_lead = grid.beat(), grid.channel()
    key = question.key(f"matrix {shown.name}")
    if shares is not None and grid.kind:
        framed = np.array([[(lead, wave) in own.cells for wave in WAVES] for lead in grid.leads])
        below = "framed: what you marked" if framed.any() else ""
        drawn = figures.wave_matrix(shares, grid.leads, title=title, outlined=framed, below=below)
        sheet.draw(drawn, tables.matrix_table(shares, grid.leads), key)
    elif by_lead is not None:
        sheet.draw(
            figures.channel_bars(by_lead, grid.leads, title=title), tables.channel_table(by_lead, grid.leads), key
        )


@failures.fragment
def _form(held: Seat, question: Question, maps: tuple[MapShown, ...]) -> None:
    judged = _judged(maps)
    left, right = st.columns([5, 4], gap="large")
    with left:
        _places(question, judged, maps)
    with right:
        for field, asked in _AGREED.items():
            st.segmented_control(f"{asked[len(maps) > 1]} ({_ENDS})", LIKERT, key=question.key(field), wrap=True)
        own_answer.label_and_confidence(held, question, "What do you find now?")
        own_answer.comment(question)
        answer = review.written(question, (), judged)
        review.keep(held, question, answer)
        _give(held, question, answer, judged)


def _places(question: Question, judged: tuple[Place, ...], maps: tuple[MapShown, ...]) -> None:
    if judged:
        st.markdown("**Where the maps point most: does it matter for your answer?**")
    for n, place in enumerate(judged):
        said, verdict = st.columns([3, 2], vertical_alignment="center")
        at = f"{place.span.start_s:.2f} to {place.span.end_s:.2f} s"
        said.markdown(f"**{wording.plain(f'{place.lead} {place.wave}')}**, {_parts(place, maps)}, strongest at {at}")
        verdict.segmented_control(
            f"Does {place.lead} {place.wave} matter?",
            VERDICTS,
            key=question.key(f"verdict {n}"),
            label_visibility="collapsed",
            wrap=True,
        )


def _parts(place: Place, maps: tuple[MapShown, ...]) -> str:
    """Tell how much of each map lies at a place that it points at."""
    cell = (place.lead, place.wave)
    return " and ".join(
        f"{percent(one.share)} of {each.name if len(maps) > 1 else 'the map'}"
        for each in maps
        for one in each.places
        if (one.lead, one.wave) == cell
    )


def _give(held: Seat, question: Question, answer: Answer, judged: tuple[Place, ...]) -> None:
    lacks = missing(answer, question.phase, held.study, n_spans=len(judged))
    given = st.button("Give this answer", type="primary", disabled=bool(lacks), key=question.key("give"))
    if lacks:
        widgets.note(f"Still missing: {', '.join(lacks)}.")
    if given:
        record = review.prepared(held.folder, question.item.record_sha256).record
        refusal = review.give(held, question, answer, record.leads, judged)
        if refusal:
            st.error(wording.plain(f"Not taken: {refusal}."))
        else:
            review.choose_position(None)
            st.rerun()
