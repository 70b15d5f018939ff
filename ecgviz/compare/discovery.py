"""Several tests of one record at once: the false discovery rate over criteria, or over labels, is controlled."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy

from ecgviz.types import CriterionScore
from ecgviz.types.arrays import FloatArray


def q_values(p_values: Sequence[float]) -> FloatArray:
    """Return p-values adjusted after Benjamini and Hochberg 1995 (doi:10.1111/j.2517-6161.1995.tb02031.x).

    Those below a level are discoveries of which, on average, at most that part is false. NaN stays NaN and is no test:
    a region that makes no claim about leads, or one for which a map cannot answer.
    """
    p = np.asarray(p_values, dtype=float)
    q = np.full(p.shape, np.nan)
    tested = np.isfinite(p)
    if tested.any():
        q[tested] = scipy.stats.false_discovery_control(p[tested], method="bh")
    return q


def with_q_values(scores: Sequence[CriterionScore]) -> tuple[CriterionScore, ...]:
    """Return the scores of criteria that were held against one map together, each null adjusted for their number.

    In time that of ``p_phase``, since it asks that p holds its level.
    """
    q_time = q_values([score.p_phase for score in scores])
    q_place = q_values([score.p_place for score in scores])
    return tuple(
        replace(score, q_time=float(time), q_place=float(place))
        for score, time, place in zip(scores, q_time, q_place, strict=True)
    )
