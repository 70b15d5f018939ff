"""What a study has shown so far: every statistic with its interval over patients, and why one is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecgviz.review import agreed, counted, store
from ecgviz.review.answers import from_row
from ecgviz.review.counted import Counting, Given, Result
from ecgviz.review.design import REFERENCE, Item
from ecgviz.review.scores import MarkedAgainst, score_all
from ecgviz.review.statistics import change
from ecgviz.review.statistics.change import Pair
from ecgviz.review.statistics.intervals import DRAWS
from ecgviz.review.store import Person
from ecgviz.review.study import Study


@dataclass(frozen=True)
class Results:
    """All statistics of a study, and what they come from.

    ``switches`` by arm; ``expected`` is how many answers the study waits for in all; ``head`` the digest of the audit
    trail they were computed at; ``seed`` and ``draws`` of the intervals; ``notes`` what could not be counted.
    """

    study: Study
    people: tuple[Person, ...]
    results: tuple[Result, ...]
    switches: Mapping[str, change.Switches]
    given: tuple[Given, ...]
    pairs: tuple[Pair, ...]
    marked: tuple[MarkedAgainst, ...]
    expected: int
    head: str
    seed: int
    draws: int
    notes: tuple[str, ...]

    def topics(self) -> dict[str, tuple[Result, ...]]:
        """Return the results by topic, in order."""
        return {
            name: tuple(r for r in self.results if r.topic == name)
            for name in dict.fromkeys(r.topic for r in self.results)
        }


def results(folder: Path, *, draws: int = DRAWS, seed: int | None = None) -> Results:
    """Compute everything from the answers that count.

    Parameters
    ----------
    folder : Path
        The study's.
    draws : int
        Resamples of patients behind each interval.
    seed : int or None
        Of the resamples; the study's own by default. It is kept with the results.

    Raises
    ------
    ReviewError
        When the folder holds no study.
    """
    study = store.study(folder)
    seed = study.seed if seed is None else seed
    items = store.items(folder)
    given = tuple(_given(row, items) for row in store.current(folder))
    references, notes = _references(study, given, items)
    pairs = _pairs(given, references)
    marks = [(each.item, each.reader_id, each.answer) for each in given if each.phase == "before"]
    marked, why = score_all(folder, marks, seed=seed)
    counting = Counting(draws, seed)
    found = (
        *counted.before_after(counting, pairs),
        *counted.opinions(counting, given),
        *counted.against_maps(counting, marked),
        *agreed.label_agreement(counting, study.answers, given),
        *agreed.rating_agreement(counting, given),
        *agreed.mark_agreement(counting, given),
    )
    expected = sum(1 if items[turn["item_id"]].model == "" else 2 for turn in store.rows(folder, "turns"))
    return Results(
        study=study,
        people=store.people(folder),
        results=found,
        switches=_switches(pairs),
        given=given,
        pairs=pairs,
        marked=marked,
        expected=expected,
        head=store.verify(folder).head,
        seed=seed,
        draws=draws,
        notes=(*notes, *agreed.left_out(given), *([why] if why else [])),
    )


def _given(row: Mapping[str, Any], items: Mapping[str, Item]) -> Given:
    return Given(items[row["item_id"]], row["reader_id"], row["phase"], from_row(row), row["question_seconds"])


def _switches(pairs: Sequence[Pair]) -> dict[str, change.Switches]:
    arms = sorted({pair.arm for pair in pairs})
    return {arm: change.switches([pair for pair in pairs if pair.arm == arm]) for arm in arms}


def _references(study: Study, given: Sequence[Given], items: Mapping[str, Item]) -> tuple[dict[str, str], list[str]]:
    """Return what is true of each recording: the owner's word, else that of all adjudicators, where they agree."""
    known = {item.record_sha256: item.reference for item in items.values() if item.reference is not None}
    adjudicators = {reader.pseudonym for reader in study.readers if reader.role == "adjudicator"}
    told: dict[str, dict[str, str]] = {}
    for each in given:
        if each.phase == "reference" and each.answer.label is not None:
            told.setdefault(each.item.record_sha256, {})[each.reader_id] = each.answer.label
    split = {key for key, labels in told.items() if len(set(labels.values())) > 1}
    whole = {key for key, labels in told.items() if labels.keys() >= adjudicators} - split
    waiting = {item.record_sha256 for item in items.values() if item.arm == REFERENCE} - set(known) - split - whole
    without = {item.record_sha256 for item in items.values()} - set(known) - whole
    why = {
        " because adjudicators differ": split,
        " because not all adjudicators have answered yet": waiting,
        ", which accuracy leaves out": without,
    }
    notes = [f"recordings without a reference{reason}: {len(some)}" for reason, some in why.items() if some]
    return {key: next(iter(told[key].values())) for key in whole} | known, notes


def _pairs(given: Sequence[Given], references: Mapping[str, str]) -> tuple[Pair, ...]:
    """Return the answers before and after of those who gave both."""
    after = {(each.reader_id, each.item.item_id): each for each in given if each.phase == "after"}
    both = [(each, after.get((each.reader_id, each.item.item_id))) for each in given if each.phase == "before"]
    return tuple(_pair(own, later, references.get(own.item.record_sha256)) for own, later in both if later is not None)


def _pair(before: Given, after: Given, reference: str | None) -> Pair:
    return Pair(
        reader_id=before.reader_id,
        item_id=before.item.item_id,
        patient_id=before.item.patient_id,
        arm=before.item.arm,
        reference=reference,
        model=before.item.predicted,
        before=str(before.answer.label),
        after=str(after.answer.label),
        confidence_before=int(before.answer.confidence or 0),
        confidence_after=int(after.answer.confidence or 0),
    )
