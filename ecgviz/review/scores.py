"""Readers' marks held against what they were shown, exactly as a guideline's region is held against a map."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ecgviz.compare import hold_against
from ecgviz.errors import ReviewError
from ecgviz.evidence import evidence
from ecgviz.review import material
from ecgviz.review.answers import Answer
from ecgviz.review.design import Item
from ecgviz.review.marks import asked_beats, region_of_cells, region_of_spans
from ecgviz.review.material import Reading, Shown
from ecgviz.types import Held, Region


@dataclass(frozen=True)
class MarkedAgainst:
    """One reader's marks on one item against one map: the verdict, the shares, and the excess over each control."""

    reader_id: str
    item_id: str
    patient_id: str
    arm: str
    method: str
    held: Held


def marked_region(answer: Answer, reading: Reading, who: str) -> Region | None:
    """Return what a reader marked: cells where there are some, else spans; None where nothing can be scored."""
    record = reading.record
    try:
        if answer.cells:
            among = asked_beats(answer.label or "", reading.beats)
            return region_of_cells(answer.cells, reading.beats, record.leads, who=who, among=among)
        if answer.spans:
            return region_of_spans(answer.spans, reading.beats, record.leads, who=who)
    except ReviewError:
        return None  # spans between the waves: nothing that a map could hold
    return None


def hold(shown: Shown, reading: Reading, region: Region, *, seed: int) -> Held:
    """Hold a map that a reader was shown against what the reader had marked before."""
    grid = evidence(shown.explanation, reading.beats)
    return hold_against(shown.explanation, reading.beats, grid, region, shown.controls, seed=seed)


def score(folder: Path, item: Item, reader_id: str, answer: Answer, *, seed: int) -> tuple[MarkedAgainst, ...]:
    """Return a reader's marks on an item against each map that the item shows; none without marks.

    Raises
    ------
    ReviewError
        When the study's folder does not hold what readers were shown.
    """
    reading = material.reading(folder, item.record_sha256)
    region = marked_region(answer, reading, reader_id)
    if region is None:
        return ()
    return tuple(
        MarkedAgainst(
            reader_id,
            item.item_id,
            item.patient_id,
            item.arm,
            shown.explanation.method,
            hold(shown, reading, region, seed=seed),
        )
        for shown in material.maps_of(folder, item)
    )


def score_all(
    folder: Path, answered: Sequence[tuple[Item, str, Answer]], *, seed: int
) -> tuple[tuple[MarkedAgainst, ...], str]:
    """Return all marks against all maps, and why not when the folder holds no maps."""
    try:
        found = [each for item, reader_id, answer in answered for each in _score(folder, item, reader_id, answer, seed)]
    except ReviewError as refusal:
        return (), str(refusal)
    return tuple(found), ""


@lru_cache(maxsize=4096)
def _score(folder: Path, item: Item, reader_id: str, answer: Answer, seed: int) -> tuple[MarkedAgainst, ...]:
    return score(folder, item, reader_id, answer, seed=seed)
