"""A teacher that reads measurements: what trees say of altered copies of real records.

A few hundred labelled records are few for a network, and enough for trees on what `ecgviz.measure` finds: extremely
randomised trees (Geurts, Ernst, Wehenkel 2006, doi:10.1007/s10994-006-6226-1) know from the start what a PR interval
is. So they teach: real records are altered as another patient's might differ, measured again, and the network learns
what the trees say of them beside what the reader stated (distillation: Hinton, Vinyals, Dean 2015, arXiv:1503.02531).
The trees of a record's copies never saw that patient, and the network that is fed to the dashboard never sees a tree.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from ecgviz.beats import delineate
from ecgviz.criteria.vocabulary import MEASURES
from ecgviz.measure import measure
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.signal import condition
from ecgviz.training.augment import turned
from ecgviz.training.data import Examples, parallel
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray

TREES, LEAST_IN_LEAF, TRIED = 300, 2, 0.3
"""Trees of a label, records in a leaf at least, and the share of measurements that a split may choose from."""
PARTS = 5
"""The teaching patients are dealt into so many parts; the trees that speak of one learnt from the others."""
TEACHER_SHARE = 0.5
"""What the trees say weighs this much in a target, what the record's reader stated the rest."""
TURN_RAD, STRETCH, GAIN, LEAD_GAIN, NOISE_MV = 0.18, 0.12, 0.2, 0.08, 0.015
"""How a copy differs: heart turned about and stretched along each axis (standard deviations), all amplitudes and those
of each lead scaled (1 +- so much), noise added (standard deviation at most)."""
LEAST_VALUES = 6
"""A measurement with fewer different values among the teaching records is not asked."""


@dataclass(frozen=True, eq=False)
class Copies:
    """Altered copies of real records: ``x`` (n, L, T) mV, ``measured`` (n, F) NaN where not measurable.

    ``of`` (n,) is the number of the record that each is a copy of; ``altered`` (n,) is False for the record itself.
    """

    x: FloatArray
    measured: FloatArray
    of: np.ndarray
    altered: BoolArray


def copies_of(
    real: Examples,
    n: int,
    *,
    fs: float,
    seed: int,
    n_jobs: int = 1,
    progress: Callable[[str], None] = lambda line: None,
) -> Copies:
    """Return each real record and ``n`` altered copies of it, measured on the record's own beats.

    Equal arguments give equal copies, whatever ``n_jobs``.
    """
    progress(f"measuring {len(real)} real records and {n} altered copies of each")
    rows = parallel(n_jobs, _copied, [(x, n, fs, seed, i) for i, x in enumerate(real.x)])
    xs, measured = zip(*rows, strict=True)
    of = np.repeat(np.arange(len(real)), n + 1)
    return Copies(np.concatenate(xs), np.concatenate(measured), of, np.tile(np.arange(n + 1) > 0, len(real)))


def _copied(x: FloatArray, n: int, fs: float, seed: int, i: int) -> tuple[FloatArray, FloatArray]:
    generator = torch.Generator().manual_seed(int(np.random.SeedSequence([seed, i]).generate_state(1)[0]))
    every = np.concatenate([x[None], _altered(torch.from_numpy(x), n, generator).numpy()])
    clean = [condition(Record(each, fs, STANDARD_LEADS, id="copy")) for each in every]
    beats = delineate(clean[0])
    return every, np.stack([_measured(each, beats) for each in clean])


def _altered(x: torch.Tensor, n: int, generator: torch.Generator) -> torch.Tensor:
    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    def even(*shape: int) -> torch.Tensor:
        return 2 * torch.rand(*shape, generator=generator) - 1

    copies = turned(x.expand(n, *x.shape), TURN_RAD * normal(n, 3), 1 + STRETCH * normal(n, 3))
    copies = copies * (1 + GAIN * even(n, 1, 1)) * (1 + LEAD_GAIN * even(n, x.shape[0], 1))
    return copies + NOISE_MV * even(n, 1, 1).abs() * normal(*copies.shape)


def _measured(clean: Record, beats: Beats) -> FloatArray:
    found = measure(clean, beats)
    values = []
    for name, each in MEASURES.items():
        leads = STANDARD_LEADS if each.per_lead else (None,)
        values += [found.value(name, lead) for lead in leads]
    return np.array(values, dtype=np.float32)


def taught(real: Examples, copies: Copies, teaching: BoolArray, *, seed: int) -> Examples:
    """Return the copies of the teaching records, with the stated labels and what the trees say mixed in their targets.

    ``teaching`` (n,) chooses records of ``real``. A target that is not known stays so.
    """
    part = _parts(real, seed)
    said = np.full((len(copies.of), real.y.shape[1]), np.nan)
    for k in range(PARTS):
        asked = (teaching & (part == k))[copies.of]
        if asked.any():
            said[asked] = answers_of_trees(real, copies, teaching & (part != k), asked, seed=seed)
    kept = teaching[copies.of]
    rows = copies.of[kept]
    stated = real.y[rows]
    y = ((1 - TEACHER_SHARE) * stated + TEACHER_SHARE * said[kept]).astype(np.float32)
    names = ("patient", "record", "finding")
    of_each: dict[str, Any] = {name: tuple(getattr(real, name)[i] for i in rows) for name in names}
    of_each |= {name: getattr(real, name)[rows] for name in ("r_s", "meta", "fold", "severity")}
    return replace(real, x=copies.x[kept], y=y, again=real.again[rows] | copies.altered[kept], **of_each)


def answers_of_trees(real: Examples, copies: Copies, teaching: BoolArray, asked: BoolArray, *, seed: int) -> FloatArray:
    """Return what trees that learnt from the teaching records say of the copies ``asked``: probabilities (n, C).

    They learn from records as they are, not from copies. A label of which the teaching records know one answer only
    gets that answer.
    """
    learnt = teaching[copies.of] & ~copies.altered
    columns = [len(np.unique(c[np.isfinite(c)])) >= LEAST_VALUES for c in copies.measured[learnt].T]
    known, questions = copies.measured[learnt][:, columns], copies.measured[asked][:, columns]
    y = real.y[copies.of[learnt]]
    said = np.empty((int(asked.sum()), y.shape[1]))
    for c in range(y.shape[1]):
        there = np.isfinite(y[:, c])
        classes = np.unique(y[there, c])
        if len(classes) < 2:
            said[:, c] = classes[0] if len(classes) else np.nan
            continue
        trees = make_pipeline(
            SimpleImputer(strategy="median"),
            ExtraTreesClassifier(TREES, min_samples_leaf=LEAST_IN_LEAF, max_features=TRIED, random_state=seed),
        )
        said[:, c] = trees.fit(known[there], y[there, c]).predict_proba(questions)[:, 1]
    return said


def _parts(real: Examples, seed: int) -> np.ndarray:
    """Deal patients, with all their records, into `PARTS` parts."""
    patients = sorted(set(real.patient))
    dealt = dict(zip(patients, np.random.default_rng(seed).permutation(len(patients)) % PARTS, strict=True))
    return np.array([dealt[name] for name in real.patient])
