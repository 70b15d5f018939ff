"""The table of words: how often each was said of networks whose reason is known, with intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ecgviz.errors import ExplanationError
from ecgviz.records.write import written_whole
from ecgviz.types.calibration import wilson
from ecgviz.validate.verdicts.judged import METHODS, RECORDS, Word, ask, judge
from ecgviz.validate.verdicts.networks import PATIENTS, POOLINGS, TEACHES, Taught, teach
from ecgviz.validate.verdicts.plants import TASKS, Task

SCORES = (
    *("evidence", "share", "area", "p_time", "p_place", "limb_share", "limb_area", "pointing", "rank_accuracy"),
    "auprc",
)
"""Fields of an `Agreement` that are kept with each word."""
WORDS = ("agrees", "partly", "disagrees", "not assessable")
TARGETS = {"right": 0.95, "wrong": 0.05}
"""*Agrees* should be said of at least, and of at most, this part of the maps of such networks."""


@dataclass(frozen=True)
class WordRow:
    """Of ``n`` maps of one method, on one kind of network, the part of which each word was said (order of `WORDS`).

    ``network`` is "right", "wrong" or "half", ``pooling`` one of `POOLINGS`; ``task`` is "all" for all tasks of a half
    together. ``low`` and ``high`` are 95 % intervals after Wilson. ``share`` and ``area`` are medians of the share of
    the map in the region and of its area.
    """

    task: str
    scored: bool
    pooling: str
    network: str
    method: str
    n: int
    part: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    share: float
    area: float

    @property
    def met(self) -> bool | None:
        """Whether the target for *agrees* is met; None for networks that have none."""
        if self.network not in TARGETS:
            return None
        target = TARGETS[self.network]
        return self.part[0] >= target if self.network == "right" else self.part[0] <= target


@dataclass(frozen=True)
class Verdicts:
    """What was measured: the networks with what they were shown to do, every word said, and the table of these."""

    seed: int
    networks: tuple[tuple[Task, Taught], ...]
    words: tuple[Word, ...]
    rows: tuple[WordRow, ...]


def measure_words(
    tasks: Sequence[str] = (),
    *,
    seed: int = 0,
    n_records: int = RECORDS,
    n_patients: int = PATIENTS,
    methods: Sequence[str] = tuple(METHODS),
    poolings: Sequence[str] = tuple(POOLINGS),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Verdicts:
    """Train networks whose reason is known, and see what is said of their maps on patients that they have not seen.

    Parameters
    ----------
    tasks : names of `TASKS`, all when empty.
    seed : int
        Of patients, training and null tests.
    n_records : int
        Records explained of each task: those that its networks call and that meet the criterion.
    n_patients : int
        Patients that the networks of a task learn from.
    methods : names of `METHODS`.
    poolings : names of `POOLINGS`; networks of each are trained and explained.
    progress : called with the number of records done and to do.

    Raises
    ------
    ExplanationError
        For an unknown task, method or pooling, a seed below 0, or too few patients or records.
    """
    chosen = _chosen(tasks, methods, poolings, seed, n_records, n_patients)
    networks: list[tuple[Task, Taught]] = []
    words: list[Word] = []
    total = len(chosen) * len(poolings) * n_records
    for task in chosen:
        taught = teach(task, seed=seed, n_patients=n_patients, poolings=poolings)
        for pooling in poolings:
            same = [each for each in taught if each.pooling == pooling]
            before = len(networks) // len(TEACHES) * n_records
            networks += [(task, each) for each in same]
            asked = ask(task, same, n_records, seed=seed, n_patients=n_patients, methods=methods)
            for done, one in enumerate(asked, 1):
                words += judge(task, pooling, one, seed=seed)
                progress(before + done, total)
    return Verdicts(seed, tuple(networks), tuple(words), table(words))


def save_words(found: Verdicts, path: Path) -> None:
    """Write every word said as CSV, one map a row, with the scores behind it.

    Raises
    ------
    ExplanationError
        When the file exists already.
    """
    if path.exists():
        raise ExplanationError(f"{path} exists already; name a new file")
    rows = []
    for word in found.words:
        said = word.agreement
        best = min((each for each in said.controls if np.isfinite(each.excess)), key=lambda c: c.excess, default=None)
        rows.append(
            {name: getattr(word, name) for name in ("task", "scored", "pooling", "network", "method", "record")}
            | {name: getattr(said, name) for name in SCORES}
            | {name: getattr(best, name, np.nan) for name in ("excess", "excess_low", "excess_high")}
            | {"best_control": getattr(best, "name", ""), "why": said.why}
        )
    with written_whole(path) as part:
        pd.DataFrame(rows).to_csv(part, index=False)


def _chosen(
    tasks: Sequence[str],
    methods: Sequence[str],
    poolings: Sequence[str],
    seed: int,
    n_records: int,
    n_patients: int,
) -> list[Task]:
    for names, known, what in ((tasks, TASKS, "task"), (methods, METHODS, "method"), (poolings, POOLINGS, "pooling")):
        if unknown := [name for name in names if name not in known]:
            raise ExplanationError(f"the words are not measured on {what} {unknown[0]!r}; known are {', '.join(known)}")
    if seed < 0:
        raise ExplanationError(f"a seed is 0 or more, not {seed}")
    if n_records < 1 or n_patients < 1:
        raise ExplanationError(f"nothing is measured on {n_records} records and {n_patients} patients to learn from")
    return [TASKS[name] for name in tasks or TASKS]


def table(words: Sequence[Word]) -> tuple[WordRow, ...]:
    """Count words by task, pooling, network and method, and for all tasks of each half together."""
    rows = []
    for scored in (False, True):
        half = [word for word in words if word.scored == scored]
        names = list(dict.fromkeys(word.task for word in half))
        for task in [*names, *(["all"] if len(names) > 1 else [])]:
            own = [word for word in half if task in (word.task, "all")]
            keys = sorted({_key(word) for word in own}, key=_order)
            rows += [_row(task, scored, key, [word for word in own if _key(word) == key]) for key in keys]
    return tuple(rows)


def _key(word: Word) -> tuple[str, str, str]:
    return word.pooling, word.network, word.method


def _order(key: tuple[str, str, str]) -> tuple[int, int, int]:
    pooling, network, method = key
    return list(POOLINGS).index(pooling), list(TEACHES).index(network), list(METHODS).index(method)


def _row(task: str, scored: bool, key: tuple[str, str, str], words: Sequence[Word]) -> WordRow:
    said = [word.agreement.evidence for word in words]
    n = len(said)
    counts = [said.count(word) for word in WORDS]
    limits = [wilson(count, n) for count in counts]
    known = [word.agreement for word in words if np.isfinite(word.agreement.share)]
    share, area = (
        float(np.median([getattr(one, name) for one in known])) if known else np.nan for name in ("share", "area")
    )
    return WordRow(
        *(task, scored, *key, n),
        part=tuple(count / n for count in counts),
        low=tuple(low for low, _ in limits),
        high=tuple(high for _, high in limits),
        share=share,
        area=area,
    )
