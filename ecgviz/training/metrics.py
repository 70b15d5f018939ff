"""How good probabilities are, in pure numpy: each score for many weightings of the records at once.

A bootstrap by patient is a weighting of the records: how often each patient was drawn. Every score below is therefore
a function of truths, probabilities and weights, computed for all draws together, and exact for whole weights, ties
included: the same number as on a list in which each record is repeated by its weight.

    n records    C labels    D draws    G groups of equal probability    B bins

``y`` (n, C) holds 1 (has the label), 0 (has it not) or NaN (not known: that record is left out for that label),
``p`` (n, C) probabilities, ``weights`` (D, n) counts >= 0.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecgviz.types.arrays import FloatArray
from ecgviz.types.calibration import ScoreTable, wilson

BOOTSTRAP_DRAWS = 1000
FEWEST_PATIENTS = 5
"""Of fewer no interval is told: draws of one patient are all alike, and of a few hardly differ."""
CALL_AT = 0.5
"""Threshold of accuracy."""
FMAX_THRESHOLDS = tuple(k / 9 for k in range(10))
CALIBRATION_BINS = 10
"""Bins of equal width; the last one holds 1."""
SCORE_CUTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 7 / 8, 15 / 16, 31 / 32)
"""Shares of the records below the cuts between bins of past scores: narrow at both ends, where a rare label lives."""
SMALLEST_BIN = 10
BLOCK = 2_000_000
"""Draws times records that are worked on together: more would only cost memory."""


@dataclass(frozen=True)
class Interval:
    """A score and its 95 % interval: percentiles of the bootstrap by patient; NaN where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class CurvePoint:
    """One bin of a reliability curve: what was promised, what was found, with its Wilson interval."""

    promised: float
    found: float
    low: float
    high: float
    n: int


PerLabel = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
"""(y (n,), p (n,), weights (D, n)), all of them known -> (D,)."""


def patient_weights(patient: Sequence[str], *, seed: int, draws: int = BOOTSTRAP_DRAWS) -> FloatArray:
    """Return how often each record is drawn when patients are drawn with replacement: (draws, n) whole numbers.

    Of fewer than `FEWEST_PATIENTS` there are no draws: (0, n).
    """
    number = {name: k for k, name in enumerate(dict.fromkeys(patient))}
    member, n_patients = np.array([number[name] for name in patient]), len(number)
    draws = draws if n_patients >= FEWEST_PATIENTS else 0
    drawn = np.random.default_rng(seed).integers(n_patients, size=(draws, n_patients))
    counts = np.zeros((draws, n_patients), np.float32)
    np.add.at(counts, (np.arange(draws)[:, None], drawn), 1)
    return counts[:, member]


def _tied(y: FloatArray, p: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the weight of positives and of negatives in each group of equal probability, rising: two (D, G)."""
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(p[order]) > 0])
    ordered = weights[:, order]
    positive = np.add.reduceat(ordered * y[order], starts, axis=1)
    return positive, np.add.reduceat(ordered, starts, axis=1) - positive


def auc(y: FloatArray, p: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the area under the ROC curve (D,), NaN where positives or negatives are absent.

    It is the chance that a positive scores above a negative, a tie counting half.
    """
    positive, negative = _tied(y, p, weights)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    return _ratio((positive * below).sum(axis=1), pairs)


def auprc(y: FloatArray, p: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the average precision: precision at each threshold, weighted by the recall that it adds (D,).

    No straight lines are drawn between thresholds (Davis & Goadrich 2006). NaN without positives.
    """
    positive, negative = (part[:, ::-1] for part in _tied(y, p, weights))
    hits = np.cumsum(positive, axis=1)
    called = hits + np.cumsum(negative, axis=1)
    return _ratio((positive * hits / np.maximum(called, 1)).sum(axis=1), positive.sum(axis=1))


def accuracy(y: FloatArray, p: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the share of records on the right side of 0.5 (D,)."""
    return _mean((p >= CALL_AT) == (y > 0), weights)


def brier(y: FloatArray, p: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the mean squared distance of probability and truth (D,)."""
    return _mean((p - y) ** 2, weights)


def ece(y: FloatArray, p: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the expected calibration error (D,): |mean probability - share of positives|, averaged over 10 bins.

    The bins have equal width and count by their records. The error is biased upwards, the more so the fewer records
    there are; bootstrap draws are biased once more, so that its interval may lie above its value.
    """
    member = _bin(p)[:, None] == np.arange(CALIBRATION_BINS)
    gaps = weights @ np.where(member, (p - y)[:, None], 0.0)
    return _ratio(np.abs(gaps).sum(axis=1), weights.sum(axis=1))


PER_LABEL: Mapping[str, PerLabel] = {"auc": auc, "auprc": auprc, "accuracy": accuracy, "ece": ece, "brier": brier}
"""Scores of one label; each one's macro value is its mean over the labels for which it is defined."""


def fmax(y: FloatArray, p: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the F1 (D,) of the IMLE-Net benchmark (arXiv 2204.05116) over y and p (n, C); it is no macro F1.

    At each of the thresholds 0, 1/9, ..., 1 a label is called where its probability reaches the threshold. Precision
    and recall of a record run over its labels; precision is averaged over the records with a call, recall over
    those that have a label. F1 of these two means is taken at each threshold, and the largest returned.
    """
    known = ~np.isnan(y)
    true = known & (y > 0)
    labelled = true.sum(axis=1)
    best = np.full(weights.shape[0], np.nan)
    for threshold in FMAX_THRESHOLDS:
        called = known & (p >= threshold)
        hits, calls = (called & true).sum(axis=1), called.sum(axis=1)
        precision = _mean(hits / np.maximum(calls, 1), weights * (calls > 0))
        recall = _mean(hits / np.maximum(labelled, 1), weights * (labelled > 0))
        best = np.fmax(best, _ratio(2 * precision * recall, precision + recall))
    return best


def by_label(score: PerLabel, y: FloatArray, p: FloatArray, weights: FloatArray) -> FloatArray:
    """Return a score of every label for every draw (D, C), each on the records for which that label is known."""
    found = np.full((weights.shape[0], y.shape[1]), np.nan)
    for c in range(y.shape[1]):
        known = ~np.isnan(y[:, c])
        if known.any():
            found[:, c] = _blocks(score, y[known, c], p[known, c], weights[:, known])
    return found


def joint(y: FloatArray, p: FloatArray, weights: FloatArray) -> FloatArray:
    """Return `fmax` for every draw (D,)."""
    return _blocks(fmax, y, p, weights)


def macro(scores: FloatArray) -> FloatArray:
    """Return the mean over the labels for which a score is defined in any draw: (D, C) -> (D,).

    A draw in which one of these is not defined, since it holds nobody with the label, is NaN: a mean over the others
    would be another quantity.
    """
    labels = ~np.isnan(scores).all(axis=0)
    return scores[:, labels].mean(axis=1) if labels.any() else np.full(len(scores), np.nan)


def interval(value: float, draws: FloatArray) -> Interval:
    """Return a value with the 2.5th and 97.5th percentile of its draws (D,); draws in which it is NaN do not count."""
    defined = draws[~np.isnan(draws)]
    if np.isnan(value) or not defined.size:
        return Interval(value, np.nan, np.nan)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Interval(value, float(low), float(high))


def reliability(y: FloatArray, p: FloatArray) -> tuple[CurvePoint, ...]:
    """Return the reliability curve of one label (y and p (n,)) in the bins of `ece`; empty bins are left out."""
    known = ~np.isnan(y)
    y, p = y[known], p[known]
    points = []
    for k in np.unique(_bin(p)):
        inside = _bin(p) == k
        n, positives = int(inside.sum()), float(y[inside].sum())
        points.append(CurvePoint(float(p[inside].mean()), positives / n, *wilson(positives, n), n))
    return tuple(points)


def score_table(score: FloatArray, y: FloatArray) -> ScoreTable | None:
    """Return how often scores of one label were right out of fold, in up to 10 bins, narrow at both ends.

    ``score`` and ``y`` (n,) are probabilities of records that the network had not learnt from, and their truths; NaN
    truths are left out. A bin has 10 records or more, equal scores share a bin, and rates may fall where they should
    rise: nothing is smoothed. None where fewer than 10 truths are known.
    """
    known = ~np.isnan(y)
    order = np.argsort(score[known], kind="stable")
    score, y = score[known][order], y[known][order]
    if score.size < SMALLEST_BIN:
        return None
    cuts, edges = [0], [0.0]
    for target in (max(round(share * score.size), 1) for share in SCORE_CUTS):
        cut = int(np.searchsorted(score, score[target - 1], side="right"))
        if min(cut - cuts[-1], score.size - cut) < SMALLEST_BIN:
            continue
        edge = float(score[cut - 1] + score[cut]) / 2
        if score[cut - 1] < edge < score[cut]:  # neighbours may have no number between them
            cuts.append(cut)
            edges.append(edge)
    edges.append(1.0)
    n = np.diff([*cuts, score.size])
    return ScoreTable(edges, n.tolist(), np.add.reduceat(y, cuts).astype(int).tolist())


def _bin(p: FloatArray) -> FloatArray:
    """Return the bin of equal width that each probability lies in; 1 belongs to the last."""
    return np.minimum((p * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)


def _blocks(score: PerLabel, y: FloatArray, p: FloatArray, weights: FloatArray) -> FloatArray:
    """Score the draws in blocks, in float64: sums of whole weights are then exact."""
    size = max(1, BLOCK // max(1, weights.shape[1]))
    parts = [weights[k : k + size].astype(np.float64) for k in range(0, max(1, weights.shape[0]), size)]
    return np.concatenate([score(y, p, part) for part in parts])


def _mean(values: FloatArray, weights: FloatArray) -> FloatArray:
    return _ratio(weights @ values.astype(np.float64), weights.sum(axis=1))


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return above / below, NaN where below is 0."""
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)
