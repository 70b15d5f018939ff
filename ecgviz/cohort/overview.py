"""All summaries of a store in one go: what the command line prints."""

from collections.abc import Sequence

import pandas as pd

from ecgviz.cohort.density import PUBLISHED, density_map, external_checks
from ecgviz.cohort.question import Question, available
from ecgviz.cohort.store import Cohort
from ecgviz.cohort.summary import agreement, criteria
from ecgviz.errors import CohortError

RECIPE = "saliency"
"""The method of the published class maps."""


def overview(
    cohort: Cohort,
    *,
    models: Sequence[str] = (),
    methods: Sequence[str] = (),
    labels: Sequence[str] = (),
    which: str = "called",
    by: str | None = None,
    seed: int = 0,
) -> dict[str, pd.DataFrame]:
    """Return the tables ``agreement``, ``criteria`` and ``published`` of every network, method and label that is asked.

    All that the store holds where nothing is named. ``published`` is of saliency maps alone.

    Raises
    ------
    CohortError
        When the store holds none of what is named, or one of the names nowhere.
    """
    held = available(cohort)
    _check_known("network", models, [model for model, _ in held])
    _check_known("method", methods, [method for _, method in held])
    _check_known("label", labels, [label for known in held.values() for label in known])
    asked = [
        (model, method, label)
        for (model, method), known in held.items()
        for label in known
        if (not models or model in models) and (not methods or method in methods) and (not labels or label in labels)
    ]
    if not asked:
        there = "; ".join(f"{model} by {method}: {', '.join(known)}" for (model, method), known in held.items())
        raise CohortError(f"the store holds none of that, but {there}")
    tables: dict[str, list[pd.DataFrame]] = {"agreement": [], "criteria": [], "published": []}
    for model, method, label in asked:
        question = Question(model, method, label, which)
        tables["agreement"].append(_of(question, agreement(cohort, question, by=by, seed=seed)))
        tables["criteria"].append(_of(question, criteria(cohort, question, seed=seed)))
        if method == RECIPE and any(each.label == label for each in PUBLISHED):
            checked = external_checks(label, density_map(cohort, question), seed=seed)
            tables["published"].append(_of(question, checked))
    return {name: _joined(some) for name, some in tables.items()}


def _check_known(what: str, asked: Sequence[str], held: Sequence[str]) -> None:
    if missing := [name for name in asked if name not in held]:
        raise CohortError(f"the store holds no {what} {missing[0]!r}, but {', '.join(dict.fromkeys(held))}")


def _of(question: Question, table: pd.DataFrame) -> pd.DataFrame:
    asked = {"model": question.model, "method": question.method, "label": question.label}
    return pd.DataFrame({name: [value] * len(table) for name, value in asked.items()}).join(
        table.drop(columns="label", errors="ignore")
    )


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    some = [each for each in tables if len(each)]
    return pd.concat(some, ignore_index=True) if some else pd.DataFrame()
