"""Which simulated records may judge a map: those that the network is right about because of what was planted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecgviz.checkpoint import Model, model_input, predict_batch
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.validate.explanations.truth import PlantedCase, planted_case

LEAST_MOVE = 1.0
"""Taking the finding out must lower the logit by this much: the odds fall to less than 37 %."""
PATIENTS_PER_RECORD = 2
"""So many patients are simulated for each record that is to be explained: not all of them will count."""
APART_MOST = 20
"""So many of the records that do not count are explained too, and scored apart."""
AT_ONCE = 50
"""Patients that are held in memory together while the network is asked."""


@dataclass(frozen=True, eq=False)
class Screened:
    """Logits of the label with the finding and without, (n, 2), and what follows from them, each (n,).

    ``right``: the record reaches the label's threshold, its twin does not. ``counted``: right, and taking the finding
    out lowers the logit by `LEAST_MOVE` or more.
    """

    logits: FloatArray
    right: BoolArray
    counted: BoolArray

    def explained(self, n_records: int) -> list[int]:
        """Return the numbers of the patients whose maps are made: the first that count, and some of the others."""
        counts = np.flatnonzero(self.counted)[:n_records]
        others = np.flatnonzero(~self.counted)[: min(APART_MOST, n_records)]
        return sorted(int(number) for number in (*counts, *others))


def screen(model: Model, label: str, finding: str, numbers: Sequence[int]) -> FloatArray:
    """Return the logits of a label on the records of some patients and on their twins, shape (n, 2).

    Noise, rhythm and patient are those of the record; only the finding is gone from the twin. R peaks are the planted
    ones.
    """
    column = model.label_index(label)
    parts = []
    for first in range(0, len(numbers), AT_ONCE):
        cases = [planted_case(finding, number, model.spec) for number in numbers[first : first + AT_ONCE]]
        parts.append(np.stack([_logits(model, cases, column, twin=twin) for twin in (False, True)], axis=1))
    return np.concatenate(parts)


def judged(model: Model, label: str, logits: FloatArray) -> Screened:
    """Return what the logits (n, 2) of records and twins say of each patient."""
    threshold = model.thresholds[model.label_index(label)]
    called = 1 / (1 + np.exp(-logits)) >= threshold
    right = called[:, 0] & ~called[:, 1]
    return Screened(logits, right, right & (logits[:, 0] - logits[:, 1] >= LEAST_MOVE))


def _logits(model: Model, cases: Sequence[PlantedCase], column: int, *, twin: bool) -> FloatArray:
    pairs = [(case.twin, case.twin_beats) if twin else (case.record, case.beats) for case in cases]
    logits: FloatArray = predict_batch(model, [model_input(model, record, beats) for record, beats in pairs])[:, column]
    return logits
