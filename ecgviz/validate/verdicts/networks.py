"""Networks whose reason is known: right, wrong, or half of each, by what their training made tell the label.

There are three of each pooling for a task: with the mean over time alone every beat weighs the same, with the maximum
beside it one beat may decide. All of a task learn from the same records. What one does is shown on patients that it
has not seen, by taking out the finding or the cue: only then do maps that look elsewhere speak against the words.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import roc_auc_score
from torch.nn import functional

from ecgviz.checkpoint import Model, model_input, predict_batch
from ecgviz.simulate import simulate
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.validate.explanations.audit_net import SPEC as CROP
from ecgviz.validate.explanations.audit_net import as_model, trained_net
from ecgviz.validate.explanations.truth import FIRST_PATIENT
from ecgviz.validate.verdicts.plants import TASKS, VERSIONS, Task, in_part, varied, version

SPEC = replace(CROP, duration_s=10.0)
"""What the networks read once trained: records as long as those of patients; they learn from 4 s of each."""
POOLINGS: Mapping[str, tuple[str, ...]] = {"mean": ("mean",), "mean and maximum": ("mean", "maximum")}
PATIENTS, CHECKED = 150, 30
"""Patients to learn from, and patients that a network is checked on before it is explained."""
PATIENTS_A_TASK = 100_000
IN_PART: tuple[tuple[bool, bool], ...] = ((False, False), (False, True))
"""What networks are told of the finding and the cue in records with the finding in some of its leads: that is not the
finding, so that the right network has to read all of them."""
LEAST_AUC, LARGEST_OTHER = 0.95, 0.2
"""A network proves something when its AUC on unseen patients is at least the first (the right one's against the finding
in some of its leads, too), and when taking out what it should not read moves its logit by at most this part of what
taking out its reason does."""

TEACHES: Mapping[str, Callable[[BoolArray, BoolArray], FloatArray]] = {
    "right": lambda finding, cue: finding.astype(float),
    "wrong": lambda finding, cue: cue.astype(float),
    "half": lambda finding, cue: (finding.astype(float) + cue) / 2,
}
"""How likely the label is, given where finding and cue are present."""


@dataclass(frozen=True, eq=False)
class Patient:
    """One simulated patient in all `VERSIONS`, with the true beats; ``seed`` is that of the simulation.

    ``in_part`` are the versions with the finding in some of its leads only, without the cue and with it.
    """

    seed: int
    records: tuple[Record, ...]
    in_part: tuple[Record, ...]
    beats: Beats


@dataclass(frozen=True, eq=False)
class Taught:
    """One network of a task, with what it does on unseen patients; ``pooling`` is one of `POOLINGS`.

    ``auc`` is that of its label over all versions, ``whole_auc`` that of the finding against the finding in some of its
    leads, without the cue. ``finding_drop`` and ``cue_drop`` are by how much its logit falls, mean over patients, when
    finding or cue is taken out of the record that has both.
    """

    kind: str
    pooling: str
    model: Model
    auc: float
    whole_auc: float
    finding_drop: float
    cue_drop: float

    @property
    def valid(self) -> bool:
        """Whether it does its task, for the reason it was taught."""
        small, large = sorted((self.finding_drop, self.cue_drop))
        if self.auc < LEAST_AUC:
            return False
        if self.kind == "half":
            return small > LARGEST_OTHER * large
        if self.kind == "right" and self.whole_auc < LEAST_AUC:
            return False
        reason = self.finding_drop if self.kind == "right" else self.cue_drop
        return reason == large and abs(small) <= LARGEST_OTHER * large


def patient(task: Task, number: int, seed: int, *, wild: bool = False) -> Patient:
    """Simulate one patient of a task in all versions; ``wild`` ones are to learn from (see `plants.varied`)."""
    first = FIRST_PATIENT + PATIENTS_A_TASK * (len(TASKS) * seed + list(TASKS).index(task.name))
    made = simulate("normal", seed=first + number, fs=SPEC.fs, duration_s=SPEC.duration_s)
    beats = made.truth.beats
    rng = np.random.default_rng([first, number])
    base = varied(task, made, rng, wild=wild)
    records = tuple(version(task, base, beats, with_finding=f, with_cue=c) for f, c in VERSIONS)
    parts = tuple(in_part(task, base, beats, rng, with_cue=c) for _, c in IN_PART)
    return Patient(first + number, records, parts, beats)


def teach(
    task: Task, *, seed: int, n_patients: int = PATIENTS, poolings: Sequence[str] = tuple(POOLINGS)
) -> tuple[Taught, ...]:
    """Train the networks of a task, and check them on patients that follow those they learnt from."""
    learnt = [patient(task, k, seed, wild=True) for k in range(n_patients)]
    unseen = [patient(task, n_patients + k, seed) for k in range(CHECKED)]
    crops = _crops(task, learnt, seed)
    finding, cue = (np.array(flags * n_patients) for flags in zip(*VERSIONS, *IN_PART, strict=True))
    return tuple(
        _taught(kind, pooling, task, crops, label(finding, cue), unseen, seed)
        for pooling in poolings
        for kind, label in TEACHES.items()
    )


def _crops(task: Task, learnt: Sequence[Patient], seed: int) -> FloatArray:
    """Cut 4 s out of each record, somewhere, standardised as the networks are fed them: (n, 12, T)."""
    rng = np.random.default_rng(seed)
    length, n = round(CROP.fs * CROP.duration_s), round(SPEC.fs * SPEC.duration_s)
    rows = []
    for each in learnt:
        start = int(rng.integers(n - length + 1))
        rows += [
            (record.signal[:, start : start + length] - SPEC.mean_mv) / SPEC.std_mv
            for record in each.records + each.in_part
        ]
    return np.stack(rows)


def _taught(
    kind: str, pooling: str, task: Task, crops: FloatArray, target: FloatArray, unseen: Sequence[Patient], seed: int
) -> Taught:
    loss, pools = functional.binary_cross_entropy_with_logits, POOLINGS[pooling]
    net = trained_net(crops, target, loss, places=1, seed=seed, pools=pools)
    model = replace(as_model(net, task.label), spec=SPEC)
    logits = logits_of(model, [each.records for each in unseen])
    parts = logits_of(model, [each.in_part for each in unseen])
    finding, cue = (np.array(flags) for flags in zip(*VERSIONS, strict=True))
    truth = np.tile(TEACHES[kind](finding, cue) == 1, (len(unseen), 1))
    both = logits[:, VERSIONS.index((True, True))]
    drops = [float((both - logits[:, VERSIONS.index(v)]).mean()) for v in ((False, True), (True, False))]
    auc = float(roc_auc_score(truth.ravel(), logits.ravel()))
    found = logits[:, VERSIONS.index((True, False))], parts[:, IN_PART.index((False, False))]
    whole_auc = float(roc_auc_score(np.repeat([True, False], len(unseen)), np.concatenate(found)))
    return Taught(kind, pooling, model, auc, whole_auc, *drops)


def logits_of(model: Model, versions: Sequence[Sequence[Record]]) -> FloatArray:
    """Return the logit of each version of each patient, (patients, versions)."""
    inputs = [model_input(model, record) for each in versions for record in each]
    return predict_batch(model, inputs)[:, 0].reshape(len(versions), -1)
