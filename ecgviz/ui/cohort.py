"""What the Cohort page asks: which store, networks, method, label and records; and the view that is drawn of them."""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import streamlit as st

from ecgviz.cohort import Cohort
from ecgviz.cohort.question import GROUPS, WHICH, Question, grouping
from ecgviz.errors import EcgvizError
from ecgviz.ui import cohort_views, method_words, widgets, wording
from ecgviz.ui.state import cohort as kept

BESIDE = 3
"""Networks beside one another, and the guideline."""
EVERYONE = "all"


def need_store() -> Cohort:
    """Return the store that the reader chose; without any, say how to make one and end the page."""
    stores = kept.stores()
    if not stores:
        st.info(
            "No cohort is open. `ecgviz cohort run --data DIR --model resnet1d --method input_x_gradient --out STORE` "
            "explains a folder of recordings, and `ecgviz app --cohort STORE` opens what it found here."
        )
        st.stop()
    name = next(iter(stores)) if len(stores) == 1 else str(st.selectbox("Store", list(stores), key="cohort store"))
    try:
        return kept.cohort(stores[name])
    except EcgvizError as refusal:
        st.error(wording.plain(str(refusal)))
        st.stop()


def pick(cohort: Cohort) -> cohort_views.Asked:
    """Let the reader choose networks, method, label, records and how to divide them."""
    now = kept.as_it_stands(cohort)
    held = kept.held(now, cohort)
    models = list(dict.fromkeys(model for model, _ in held))
    first, second = st.columns([5, 2])
    chosen = first.multiselect(
        "Networks",
        models,
        default=models[:BESIDE],
        max_selections=BESIDE,
        key="cohort models",
        placeholder="choose one",
    )
    if not chosen:
        st.info("Choose at least one network.")
        st.stop()
    methods = methods_of(chosen, held, kept.with_places(now, cohort))
    third, fourth, fifth, sixth = st.columns([3, 2, 2, 2])
    method = str(third.selectbox("Method", methods, format_func=method_words.method_name, key="cohort method"))
    label = str(second.selectbox("Label", held[chosen[0], method], key="cohort label"))
    which = str(fourth.selectbox("Records", list(WHICH), key="cohort which", help="By network and readers."))
    by = fifth.selectbox("Divided by", [EVERYONE, *GROUPS], key="cohort by")
    group = None if by == EVERYONE else str(by)
    member = None if group is None else _member(sixth, cohort, now, Question(chosen[0], method, label, which, group))
    questions = tuple(
        Question(model, method, label, which, group if member else None, member)
        for model in chosen
        if label in held.get((model, method), ())
    )
    for model in chosen:
        if label not in held.get((model, method), ()):
            widgets.note(f"{model} was not asked about {label} by {method_words.method_name(method)}.")
    return cohort_views.Asked(cohort, now, questions, tuple(methods), group)


def methods_of(
    chosen: Sequence[str], held: Mapping[tuple[str, str], Sequence[str]], with_places: Container[tuple[str, str]]
) -> list[str]:
    """Return the first network's methods: before others those whose maps of most networks have leads and waves."""
    own = [method for model, method in held if model == chosen[0]]

    def shared(method: str) -> tuple[int, int]:
        asked = [(model, method) for model in chosen]
        return -sum(each in with_places for each in asked), -sum(each in held for each in asked)

    return sorted(own, key=shared)


def _member(place: Any, cohort: Cohort, now: str, question: Question) -> str | None:
    condition, parameters = question.condition()
    query = f"SELECT DISTINCT {grouping(question.group)} AS member FROM cohort WHERE {condition} ORDER BY member"  # noqa: S608
    members = kept.asked(now, query, tuple(parameters), cohort).member.tolist()
    picked = place.selectbox("Only", [EVERYONE, *members], key=f"cohort only {question.group}")
    return None if picked == EVERYONE else str(picked)


VIEWS: Mapping[str, Callable[[cohort_views.Asked], None]] = {
    "Class maps": cohort_views.maps,
    "Distributions": cohort_views.distributions,
    "Records": cohort_views.records,
    "Criteria": cohort_views.criteria,
    "Methods apart": cohort_views.apart,
    "Published findings": cohort_views.published,
    "Clusters": cohort_views.grouped,
}


def draw(asked: cohort_views.Asked) -> None:
    """Draw the view that the reader picked; only that one is worked out."""
    if not asked.questions:
        st.stop()
    view = str(st.segmented_control("Show", list(VIEWS), default="Class maps", required=True, key="cohort view"))
    try:
        VIEWS[view](asked)
    except EcgvizError as refusal:
        st.info(wording.plain(wording.sentence(str(refusal))))
