"""What a study counts, and its statistics of change, opinion and marks; those of agreement are in `agreed`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ecgviz.review.answers import Answer
from ecgviz.review.design import Item
from ecgviz.review.scores import MarkedAgainst
from ecgviz.review.statistics import change
from ecgviz.review.statistics.change import Pair
from ecgviz.review.statistics.intervals import Estimate, by_patient
from ecgviz.types.arrays import FloatArray

LABELS, RATINGS, MARKS, CHANGE, OPINIONS, MAPS = (
    "Agreement on labels",
    "Agreement on ratings",
    "Agreement on marks",
    "Before and after",
    "What readers think of the maps",
    "Maps held against readers' marks",
)
LIKERT_ITEMS = ("agree_with_prediction", "explanation_plausible", "leads_correct")


@dataclass(frozen=True)
class Given:
    """An answer that counts, with its item; ``seconds`` is the time of the question, answers it corrects included."""

    item: Item
    reader_id: str
    phase: str
    answer: Answer
    seconds: float = np.nan


@dataclass(frozen=True)
class Result:
    """One statistic: ``topic`` heads its table, ``name`` says what it is, ``of`` about whom or which arm.

    ``n`` counts what it is computed from: recordings, items, answers, or pairs of readers.
    """

    topic: str
    name: str
    of: str
    estimate: Estimate
    n: int


@dataclass(frozen=True)
class Counting:
    """How intervals are drawn."""

    draws: int
    seed: int

    def of(
        self, topic: str, name: str, of: str, statistic: Callable[[NDArray[np.intp]], float], patients: Sequence[str]
    ) -> Result:
        """Return a statistic of rows, each of which is about one patient."""
        made = by_patient(patients, statistic, draws=self.draws, seed=self.seed)
        return Result(topic, name, of, made, len(patients))

    def table(
        self,
        topic: str,
        name: str,
        of: str,
        statistic: Callable[[FloatArray], float],
        ratings: FloatArray,
        patients: Sequence[str],
        *,
        by_all: bool = False,
    ) -> Result:
        """Return a statistic of ratings (units x readers), ``by_all`` of the units that all readers rated."""
        used = np.flatnonzero(~np.isnan(ratings).any(axis=1)) if by_all else np.arange(len(ratings))
        kept = ratings[used]
        return self.of(topic, name, of, lambda rows: statistic(kept[rows]), [patients[int(i)] for i in used])

    def mean(self, topic: str, name: str, of: str, values: FloatArray, patients: Sequence[str]) -> Result:
        """Return the mean of the values that are not NaN."""
        known = np.flatnonzero(~np.isnan(values))
        kept = values[known]
        owners = [patients[int(i)] for i in known]
        return self.of(topic, name, of, lambda rows: float(kept[rows].mean()) if len(rows) else np.nan, owners)


def before_after(counting: Counting, pairs: Sequence[Pair]) -> Iterator[Result]:
    """Yield accuracy and confidence before and after with their change, and whom readers followed, by arm."""
    arms = sorted({pair.arm for pair in pairs})
    for arm in (*([] if len(arms) == 1 else ["all arms"]), *arms):
        some = [pair for pair in pairs if arm in ("all arms", pair.arm)]
        patients = [pair.patient_id for pair in some]
        before, after = change.accuracy(some, "before"), change.accuracy(some, "after")
        if np.isfinite(before).any():
            yield counting.mean(CHANGE, "Accuracy before", arm, before, patients)
            yield counting.mean(CHANGE, "Accuracy after", arm, after, patients)
            yield counting.mean(CHANGE, "Change of accuracy", arm, after - before, patients)
        confidence = [np.array([float(p.confidence_before) for p in some]), change.confidence_change(some)]
        yield counting.mean(CHANGE, "Confidence before, 0 to 100", arm, confidence[0], patients)
        yield counting.mean(CHANGE, "Change of confidence, points", arm, confidence[1], patients)
        for right in (True, False):
            followed = change.followed(some, model_right=right)
            if np.isfinite(followed).any():
                name = f"Went over to the model where it was {'right' if right else 'wrong'}"
                yield counting.mean(CHANGE, name, arm, followed, patients)


def opinions(counting: Counting, given: Sequence[Given]) -> Iterator[Result]:
    """Yield the mean ratings of each arm, and how many places of its maps were judged relevant."""
    after = [each for each in given if each.phase == "after"]
    for arm in sorted({each.item.arm for each in after}):
        some = [each for each in after if each.item.arm == arm]
        patients = [each.item.patient_id for each in some]
        for name in LIKERT_ITEMS:
            values = np.array([float(getattr(each.answer, name) or np.nan) for each in some])
            yield counting.mean(OPINIONS, f"{name.replace('_', ' ').capitalize()}, 1 to 5", arm, values, patients)
        relevant = np.array(
            [
                np.mean([span.verdict == "relevant" for span in each.answer.span_verdicts])
                if each.answer.span_verdicts
                else np.nan
                for each in some
            ]
        )
        if np.isfinite(relevant).any():
            yield counting.mean(OPINIONS, "Places judged relevant", arm, relevant, patients)


def against_maps(counting: Counting, marked: Sequence[MarkedAgainst]) -> Iterator[Result]:
    """Yield how much of each arm's maps lies in what readers marked, beyond an even spread and beyond controls.

    The best control is the one that the maps of an arm are least above on average. It is chosen anew in each draw, so
    that the interval knows of the choice.
    """
    for arm, method in sorted({(each.arm, each.method) for each in marked}):
        some = [each for each in marked if (each.arm, each.method) == (arm, method)]
        patients = [each.patient_id for each in some]
        of = f"{arm}: {method.replace('_', ' ')}"
        share = np.array([each.held.share for each in some])
        area = np.array([each.held.area for each in some])
        yield counting.mean(MAPS, "Share of the map in the marks", of, share, patients)
        yield counting.mean(MAPS, "Area of the marks", of, area, patients)
        above = _above_controls(some)
        known = np.flatnonzero(np.isfinite(above).any(axis=1))
        owners = [patients[int(i)] for i in known]
        yield counting.of(MAPS, "Excess over the best control", of, partial(_least, above[known]), owners)
        agrees = np.array(
            [np.nan if each.held.evidence == "not assessable" else each.held.evidence == "agrees" for each in some],
            dtype=float,
        )
        yield counting.mean(MAPS, "Maps that agree with the marks", of, agrees, patients)


def _above_controls(marked: Sequence[MarkedAgainst]) -> FloatArray:
    """Return how far each map is above each control, (maps, controls); NaN where that is not assessable."""
    above = [{score.name: score.excess for score in each.held.controls} for each in marked]
    names = sorted({name for each in above for name in each})
    return np.array([[each.get(name, np.nan) for name in names] for each in above]).reshape(len(above), len(names))


def _least(above: FloatArray, rows: NDArray[np.intp]) -> float:
    """Return the smallest of the controls' mean excesses over rows, each over those that have it."""
    drawn = above[rows]
    known = np.isfinite(drawn)
    n = known.sum(axis=0)
    total = np.where(known, drawn, 0.0).sum(axis=0)
    return float((total[n > 0] / n[n > 0]).min(initial=np.inf)) if n.any() else np.nan
