"""Overlap of what two readers marked, or of what one marked and a region asks."""

from collections.abc import Iterable, Sequence

import numpy as np

from ecgviz.review.marks import Cell, Span, merged

HIT_S = 0.050
"""A span is hit by one that comes this near, in seconds."""


def cell_dice(one: Iterable[Cell], other: Iterable[Cell]) -> float:
    """Return Dice's coefficient of two sets of cells, 2 |A and B| / (|A| + |B|); NaN when both are empty."""
    a, b = set(one), set(other)
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else np.nan


def span_iou(one: Sequence[Span], other: Sequence[Span]) -> float:
    """Return the time that both mark in the same lead, over the time that either marks; NaN when nobody marks."""
    a, b = merged(one), merged(other)
    both = sum(_shared_s(x, y) for x in a for y in b)
    either = _length_s(a) + _length_s(b) - both
    return both / either if either > 0 else np.nan


def hits(one: Sequence[Span], other: Sequence[Span]) -> float:
    """Return the part of ``one``'s spans that a span of ``other`` in the same lead comes within 50 ms of."""
    near = [any(_shared_s(_widened(x), y) > 0 for y in other) for x in one]
    return float(np.mean(near)) if near else np.nan


def mean_hits(one: Sequence[Span], other: Sequence[Span]) -> float:
    """Return the mean of `hits` both ways: 0 where one of the two marks nothing, NaN where nobody marks."""
    if one and other:
        return (hits(one, other) + hits(other, one)) / 2
    return 0.0 if one or other else np.nan


def _shared_s(one: Span, other: Span) -> float:
    if one.lead != other.lead:
        return 0.0
    return max(0.0, min(one.end_s, other.end_s) - max(one.start_s, other.start_s))


def _length_s(spans: Sequence[Span]) -> float:
    return sum(span.end_s - span.start_s for span in spans)


def _widened(span: Span) -> Span:
    return Span(span.lead, max(0.0, span.start_s - HIT_S), span.end_s + HIT_S)
