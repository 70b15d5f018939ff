"""The answer after the model's: what it said and what its maps show, and what the reader makes of both."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from ecgviz import figures
from ecgviz.figures import tables
from ecgviz.figures.style import percent
from ecgviz.review.answers import LIKERT, VERDICTS, Answer, missing
from ecgviz.review.places import Place
from ecgviz.ui import widgets, words
from ecgviz.ui.reader_study import meter, own_answer, sheet
from ecgviz.ui.state import review
from ecgviz.ui.state.review import MapShown, Question, Seat

_AGREED = {
    "agree_with_prediction": "Do you agree with the model's answer?",
    "explanation_plausible": "Is what the map points at plausible?",
    "leads_correct": "Does it point at the right leads?",
}
_ENDS = "1 not at all, 5 fully"


def ask(held: Seat, question: Question, place: str, first: Answer) -> None:
    """Show prediction and maps beside the reader's own answer, and ask again."""
    shown = review.prepared(held.folder, question.item.record_sha256)
    maps = review.maps(held.folder, question.item)
    review.fill(question, (), _judged(maps), first)
    own = review.own_answer(held, question.item)
    st.markdown(
        f"**Your own answer**, locked: {widgets.plain(str(own.label))}, sure by {own.confidence} of 100. "
        f"**The model's answer**: {widgets.plain(question.item.predicted)}."
    )
    names = [each.name for each in maps]
    behind = names[0]
    if len(names) > 1:
        behind = st.segmented_control(
            "Behind the trace", names, default=names[0], required=True, format_func=_name, key=question.key("behind")
        )
    drawn = maps[names.index(behind)]
    anonymous = replace(drawn.explanation, method=drawn.name)
    heat = figures.from_explanation(anonymous, shown.record.duration_s)
    measured = held.study.protocol.measurements
    sheet.paper(shown, place, question.key(f"paper {behind}"), measured=measured, heat=heat)
    meter.run(held, question)
    left, right = st.columns([5, 4], gap="large")
    with left:
        _prediction(held, maps[0])
        for column, each in zip(st.columns(len(maps)), maps, strict=True):
            with column:
                _matrix(each, question)
    with right:
        _form(held, question, maps)


def _name(name: str) -> str:
    return name[0].upper() + name[1:] if name.startswith("map ") else words.method_name(name)


def _judged(maps: tuple[MapShown, ...]) -> tuple[Place, ...]:
    """Return the places that wait for a verdict, each once."""
    found = {(place.lead, place.wave): place for each in maps for place in each.places}
    return tuple(found.values())


def _prediction(held: Seat, shown: MapShown) -> None:
    prediction = shown.prediction
    rows = [
        (
            label,
            words.label_name(label),
            percent(prediction.probability(label)),
            "called" if prediction.positive(label) else "not called",
        )
        for label in held.study.labels
    ]
    st.table(pd.DataFrame(rows, columns=["label", "stands for", "probability", "model"]), hide_index=True)


def _matrix(shown: MapShown, question: Question) -> None:
    grid, title = shown.grid, f"{_name(shown.name)} of {question.item.label}"
    net = figures.signed_matrix(grid) if grid.signed else grid.beat()
    key = question.key(f"matrix {shown.name}")
    if net is not None and grid.kind:
        drawn = figures.wave_matrix(net, grid.leads, title=title, signed=grid.signed)
        sheet.draw(drawn, tables.matrix_table(net, grid.leads), key)
    else:
        shares = grid.channel()
        if shares is not None:
            drawn = figures.channel_bars(shares, grid.leads, title=title)
            sheet.draw(drawn, tables.channel_table(shares, grid.leads), key)


@st.fragment
def _form(held: Seat, question: Question, maps: tuple[MapShown, ...]) -> None:
    for field, asked in _AGREED.items():
        st.segmented_control(f"{asked} ({_ENDS})", LIKERT, key=question.key(field))
    judged = _judged(maps)
    if judged:
        st.markdown("**Where the maps point most: does it matter for your answer?**")
    for n, place in enumerate(judged):
        st.segmented_control(
            f"{place.lead} {place.wave}, {percent(place.share)} of the map, strongest at "
            f"{place.span.start_s:.2f} to {place.span.end_s:.2f} s",
            VERDICTS,
            key=question.key(f"verdict {n}"),
        )
    own_answer.label_and_confidence(held, question, "What do you find now?")
    own_answer.comment(question)
    answer = review.written(question, (), judged)
    review.keep(held, question, answer)
    lacks = missing(answer, question.phase, held.study, n_spans=len(judged))
    given = st.button("Give this answer", type="primary", disabled=bool(lacks), key=question.key("give"))
    if lacks:
        widgets.note(f"Still missing: {', '.join(lacks)}.")
    if given:
        record = review.prepared(held.folder, question.item.record_sha256).record
        refusal = review.give(held, question, answer, record.leads, judged)
        if refusal:
            st.error(widgets.plain(f"Not taken: {refusal}."))
        else:
            review.choose_position(None)
            st.rerun()
