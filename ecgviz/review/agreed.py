"""How far readers agree: on labels, on ratings, and on what they marked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from ecgviz.review.answers import Answer
from ecgviz.review.counted import LABELS, LIKERT_ITEMS, MARKS, RATINGS, Counting, Given, Result
from ecgviz.review.statistics import agreement, overlap
from ecgviz.review.statistics.intervals import Estimate
from ecgviz.types.arrays import FloatArray

OVERLAPS: Mapping[str, tuple[str, Callable[[Any, Any], float]]] = {
    "Dice of cells": ("cells", overlap.cell_dice),
    "IoU of spans": ("spans", overlap.span_iou),
    "Spans hit within 50 ms": ("spans", overlap.mean_hits),
}
"""What readers' marks are compared by: with which of the two tools they were made, and the statistic of a pair."""


def label_agreement(counting: Counting, answers: Sequence[str], given: Sequence[Given]) -> Iterator[Result]:
    """Yield kappa, AC1 and alpha of readers' labels, before and after, over the recordings that several read."""
    n = len(answers)
    statistics: Mapping[str, Callable[[FloatArray], float]] = {
        "Cohen's kappa": partial(agreement.cohen_kappa, n_categories=n),
        "Fleiss' kappa": partial(agreement.fleiss_kappa, n_categories=n),
        "Gwet's AC1": partial(agreement.gwet_ac, n_categories=n),
        "Krippendorff's alpha, nominal": partial(agreement.krippendorff_alpha, level="nominal"),
    }
    for phase in ("before", "after"):
        units, patients, names = _units([each for each in given if each.phase == phase], by="record_sha256")
        if not units:
            continue
        labels = [[one[name].answer.label if name in one else None for name in names] for one in units]
        coded = agreement.codes(labels, answers)
        for name, statistic in statistics.items():
            if name != "Cohen's kappa" or len(names) == 2:
                whom = f"{phase}, {len(names)} readers"
                by_all = name == "Fleiss' kappa"
                yield counting.table(LABELS, name, whom, statistic, coded, patients, by_all=by_all)
        if len(names) > 2:
            yield from _pairwise(coded, patients, names, n, phase)


def _pairwise(
    coded: FloatArray, patients: Sequence[str], names: Sequence[str], n_categories: int, phase: str
) -> Iterator[Result]:
    for one, other in combinations(range(len(names)), 2):
        two = coded[:, [one, other]]
        both = np.flatnonzero(~np.isnan(two).any(axis=1))
        n_patients = len({patients[int(i)] for i in both})
        value = agreement.cohen_kappa(two, n_categories)
        alone = Estimate(value, np.nan, np.nan, n_patients, "intervals are given for all readers together")
        yield Result(LABELS, "Cohen's kappa", f"{phase}, {names[one]} and {names[other]}", alone, len(both))


def rating_agreement(counting: Counting, given: Sequence[Given]) -> Iterator[Result]:
    """Yield the agreement on ratings (1 to 5) of the same item, and on confidence (0 to 100) in the same recording."""
    statistics: Mapping[str, Callable[[FloatArray], float]] = {
        "Cohen's kappa, quadratic weights": partial(agreement.cohen_kappa, n_categories=5, weights="quadratic"),
        "Gwet's AC2, quadratic weights": partial(agreement.gwet_ac, n_categories=5, weights="quadratic"),
        "Krippendorff's alpha, ordinal": partial(agreement.krippendorff_alpha, level="ordinal"),
    }
    units, patients, names = _units([each for each in given if each.phase == "after"], by="item_id")
    for rating in LIKERT_ITEMS if units else ():
        coded = _numbers(units, names, rating) - 1
        for name, statistic in statistics.items():
            if not name.startswith("Cohen") or len(names) == 2:
                yield counting.table(RATINGS, name, rating.replace("_", " "), statistic, coded, patients)
    for phase in ("before", "after"):
        units, patients, names = _units([each for each in given if each.phase == phase], by="record_sha256")
        if units:
            confidence = _numbers(units, names, "confidence")
            whom = f"confidence {phase}"
            yield counting.table(RATINGS, "ICC(2,1)", whom, agreement.icc, confidence, patients, by_all=True)


def mark_agreement(counting: Counting, given: Sequence[Given]) -> Iterator[Result]:
    """Yield Dice of cells, IoU and hits of spans, over pairs of readers who read the same recording.

    Readers mark with cells or with spans, as they like. So cells are held against cells and spans against spans alone:
    a pair is left out of a tool's statistics where one of the two marked with the other tool only, which tells nothing
    of whether they agree (`left_out` counts these). Who marked nothing at all agrees in nothing with who marked: 0.
    """
    pairs = _pairs(given)
    patients = [one.item.patient_id for one, _ in pairs]
    for name, (tool, statistic) in OVERLAPS.items():
        values = np.array(
            [
                statistic(getattr(one.answer, tool), getattr(other.answer, tool))
                if _comparable(one.answer, other.answer, tool)
                else np.nan
                for one, other in pairs
            ]
        )
        if np.isfinite(values).any():
            yield counting.mean(MARKS, name, "pairs of readers", values, patients)


def left_out(given: Sequence[Given]) -> list[str]:
    """Return in sentences how many pairs of readers the statistics of cells, and those of spans, leave out."""
    notes = []
    for tool, other in (("cells", "spans"), ("spans", "cells")):
        used = [(a.answer, b.answer) for a, b in _pairs(given) if getattr(a.answer, tool) or getattr(b.answer, tool)]
        n = sum(not _comparable(a, b, tool) for a, b in used)
        if n:
            notes.append(
                f"pairs of readers that agreement on {tool} leaves out, since one of the two marked {other} only: {n}"
            )
    return notes


def _pairs(given: Sequence[Given]) -> list[tuple[Given, Given]]:
    """Return the own answers of every two readers to the same recording."""
    units, _, _ = _units([each for each in given if each.phase == "before"], by="record_sha256")
    return [pair for one in units for pair in combinations(one.values(), 2)]


def _comparable(one: Answer, other: Answer, tool: str) -> bool:
    """Return whether both readers marked with a tool ("cells" or "spans"), or else marked nothing at all."""
    return all(getattr(each, tool) or not (each.cells or each.spans) for each in (one, other))


def _units(given: Sequence[Given], *, by: str) -> tuple[list[dict[str, Given]], list[str], list[str]]:
    """Return what several read, each by reader (a first meeting counts), whose recordings these are, and the readers.

    ``by`` is "record_sha256" or "item_id": whether readers must have seen the same maps.
    """
    found: dict[str, dict[str, Given]] = {}
    for each in given:
        found.setdefault(getattr(each.item, by), {}).setdefault(each.reader_id, each)
    several = [readers for readers in found.values() if len(readers) > 1]
    names = sorted({name for readers in several for name in readers})
    return several, [next(iter(readers.values())).item.patient_id for readers in several], names


def _numbers(units: Sequence[Mapping[str, Given]], names: Sequence[str], field: str) -> FloatArray:
    """Return a rating as a table of units x readers, NaN where a reader did not read."""
    return np.array(
        [[float(getattr(one[name].answer, field)) if name in one else np.nan for name in names] for one in units]
    )
