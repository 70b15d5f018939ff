"""What seeing the model's answer and its map changed: accuracy, confidence, and whom readers followed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from ecgviz.types.arrays import FloatArray


@dataclass(frozen=True)
class Pair:
    """One reader's answers to one item, before and after; ``model`` is the label that the model found most probable.

    ``reference`` is None where nobody gave one.
    """

    reader_id: str
    item_id: str
    patient_id: str
    arm: str
    reference: str | None
    model: str
    before: str
    after: str
    confidence_before: int
    confidence_after: int


@dataclass(frozen=True)
class Switches:
    """How often answers went from wrong to right and from right to wrong, and the exact test that both are as likely.

    McNemar 1947 (doi:10.1007/BF02295996), exact by the binomial distribution. Answers of one reader are not
    independent of one another, so the p-value is a description, not a proof.
    """

    to_right: int
    to_wrong: int
    p: float


def accuracy(pairs: Sequence[Pair], when: str) -> FloatArray:
    """Return 1 for each right answer and 0 for each wrong one, NaN without reference; ``when`` is before or after."""
    return np.array([np.nan if p.reference is None else float(getattr(p, when) == p.reference) for p in pairs])


def confidence_change(pairs: Sequence[Pair]) -> FloatArray:
    """Return by how many points of 100 each confidence rose."""
    return np.array([float(p.confidence_after - p.confidence_before) for p in pairs])


def switches(pairs: Sequence[Pair]) -> Switches:
    """Count switches among answers with a reference."""
    known = [p for p in pairs if p.reference is not None]
    to_right = sum(p.before != p.reference and p.after == p.reference for p in known)
    to_wrong = sum(p.before == p.reference and p.after != p.reference for p in known)
    either = to_right + to_wrong
    return Switches(to_right, to_wrong, float(binomtest(to_right, either, 0.5).pvalue) if either else np.nan)


def followed(pairs: Sequence[Pair], *, model_right: bool) -> FloatArray:
    """Return for each answer that first differed from the model's whether the reader went over to it.

    Only where the model was right, or only where it was wrong: the second is misplaced trust. NaN for all others.
    """
    return np.array(
        [
            float(p.after == p.model)
            if p.reference is not None and p.before != p.model and (p.model == p.reference) == model_right
            else np.nan
            for p in pairs
        ]
    )
