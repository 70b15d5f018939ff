"""Who reads what, and in which order: balanced, and drawn from the study's seed.

Each reader meets each recording once a round. Over the recordings of a round a reader meets each condition (model,
arm and methods, explained label) equally often, as far as the numbers allow; over readers each recording is met under
each condition equally often, and stands at different places, after different others. Conditions are dealt
independently of the order, so that no reader can tell from a place which condition it has.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from ecgviz.review.audit import digest
from ecgviz.review.study import Study

ALONE = "alone"
"""The arm of a study without arms: one method at a time, named to the reader."""
RANDOMISED = "randomised"
REFERENCE = "reference"
"""The arm of an adjudicator, who sees the recording alone."""


@dataclass(frozen=True)
class Condition:
    """What a reader is shown after their own answer: by which model, in which arm, by which methods, for which label.

    ``explained`` numbers the label among the study's ones; None stands for the model's most probable one.
    """

    model: str
    arm: str
    methods: tuple[str, ...]
    explained: int | None


@dataclass(frozen=True)
class Item:
    """One recording under one condition.

    ``predicted`` is the model's answer, ``label`` what its maps explain; all of the model is "" for an adjudicator.
    """

    item_id: str
    record_sha256: str
    record_id: str
    patient_id: str
    reference: str | None
    model: str
    model_sha256: str
    predicted: str
    label: str
    arm: str
    methods: tuple[str, ...]


def conditions(study: Study, attention: frozenset[str]) -> tuple[Condition, ...]:
    """Return all conditions of a study; ``attention`` are the methods that show attention.

    Without arms each method is a condition. With arms: attention and attribution methods one at a time, all pairs for
    "both", each attribution method for "randomised".
    """
    pooled = [method for method in study.methods if method in attention]
    moved = [method for method in study.methods if method not in attention]
    shown: dict[str, list[tuple[str, ...]]] = {
        "attention": [(method,) for method in pooled],
        "attribution": [(method,) for method in moved],
        "both": [(one, other) for one in pooled for other in moved],
        RANDOMISED: [(method,) for method in moved],
    }
    alone: dict[str, list[tuple[str, ...]]] = {ALONE: [(method,) for method in study.methods]}
    arms = {str(arm): shown[arm] for arm in study.arms} or alone
    explained = tuple(range(len(study.labels))) if study.explain == "each" else (None,)
    return tuple(
        Condition(model, arm, methods, label)
        for model in study.models
        for label in explained
        for arm, choices in arms.items()
        for methods in choices
    )


def turns(study: Study, n_records: int, n_conditions: int) -> dict[str, list[tuple[int, int]]]:
    """Return for each reader the (record, condition) at each position, both counted from 0.

    Parameters
    ----------
    study : Study
        Its seed, readers and rounds.
    n_records, n_conditions : int
        How many there are.
    """
    draw = random.Random(study.seed)  # noqa: S311
    order, deal = list(range(n_records)), list(range(n_records))
    draw.shuffle(order)
    draw.shuffle(deal)
    names = [reader.pseudonym for reader in study.readers if reader.role == "reader"]
    draw.shuffle(names)
    step = max(1, n_records // len(names))
    shifts = [_shift(r * len(names), len(names), n_conditions) for r in range(study.rounds)]
    made = {}
    for seat, name in enumerate(names):
        own = [order[(place + seat * step) % n_records] for place in _williams(n_records)]
        made[name] = [(record, (deal[record] + seat + shift) % n_conditions) for shift in shifts for record in own]
    return {reader.pseudonym: made[reader.pseudonym] for reader in study.readers if reader.role == "reader"}


def _shift(before: int, n_readers: int, n_conditions: int) -> int:
    """Return by how many conditions a round is shifted, when each recording was read ``before`` times in all.

    Readers take the conditions in turn, round after round; once that would begin as an earlier round did, the turn
    moves on by one. A recording's conditions then differ by one reading at most, and no reader meets one twice, which
    a test counts for all small studies.
    """
    return before % n_conditions + before // math.lcm(n_readers, n_conditions)


def item_id(record_sha256: str, model_sha256: str, label: str, arm: str, methods: Sequence[str]) -> str:
    """Return an item's name: a digest, which tells a reader nothing."""
    return digest([record_sha256, model_sha256, label, arm, list(methods)])[:16]


def _williams(n: int) -> list[int]:
    """Return 0, n - 1, 1, n - 2, ...: shifted, each number stands once at each place, and after each other number.

    Williams 1949 (doi:10.1071/CH9490149); for an odd n the neighbours are balanced as far as one square can.
    """
    return [place // 2 if place % 2 == 0 else n - 1 - place // 2 for place in range(n)]


def lettered(item: str, methods: tuple[str, ...]) -> tuple[str, ...]:
    """Return the methods in the order of their maps' letters, turned round in half of the items.

    Were A always attention, who recognises one map would know them all.
    """
    return methods if int(item, 16) % 2 else methods[::-1]
