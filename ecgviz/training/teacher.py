"""A teacher that reads measurements: what trees say of altered copies of real records.

A few hundred labelled records are few for a network, and enough for trees on what `ecgviz.measure` finds: extremely
randomised trees (Geurts, Ernst, Wehenkel 2006, doi:10.1007/s10994-006-6226-1) know from the start what a PR interval
is. So they teach: real records are altered and measured again (`copies`), and the network learns what the trees say of
them beside what the reader stated (distillation: Hinton, Vinyals, Dean 2015, arXiv:1503.02531). The trees of a record's
copies never saw that patient, and the network that is fed to the dashboard never sees a tree.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from ecgviz.training.copies import Copies
from ecgviz.training.data import Examples
from ecgviz.types.arrays import BoolArray, FloatArray

TREES, LEAST_IN_LEAF, TRIED = 300, 2, 0.3
"""Trees of a label, records in a leaf at least, and the share of measurements that a split may choose from."""
PARTS = 5
"""The teaching patients are dealt into so many parts; the trees that speak of one learnt from the others."""
TEACHER_SHARE = 0.8
"""What the trees say weighs this much in a target, what the record's reader stated the rest; of an edited copy, of
which no reader stated anything, the trees alone speak."""


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
    share = np.where(copies.edited[kept], 1.0, TEACHER_SHARE)[:, None]
    y = ((1 - share) * stated + share * said[kept]).astype(np.float32)
    names = ("patient", "record", "finding")
    of_each: dict[str, Any] = {name: tuple(getattr(real, name)[i] for i in rows) for name in names}
    of_each |= {name: getattr(real, name)[rows] for name in ("meta", "fold", "severity")}
    again = real.again[rows] | copies.altered[kept]
    return replace(real, x=copies.x[kept], y=y, r_s=copies.r_s[kept], again=again, **of_each)


def answers_of_trees(real: Examples, copies: Copies, teaching: BoolArray, asked: BoolArray, *, seed: int) -> FloatArray:
    """Return what trees that learnt from the teaching records say of the copies ``asked``: probabilities (n, C).

    They learn from records as they are, not from copies, and ask each measurement that is not the same in all of them:
    extrasystoles are counted in few different numbers. A label of which the teaching records know one answer only gets
    that answer.
    """
    # here, since it takes seconds, and the processes that read and simulate records ask no trees
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    learnt = teaching[copies.of] & ~copies.altered
    columns = [len(np.unique(c[np.isfinite(c)])) > 1 for c in copies.measured[learnt].T]
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
