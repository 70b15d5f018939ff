"""A case computed once more from what is in it, and held against what it says: bitwise, within tolerance, different."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import torch

from ecgviz.beats import METHOD
from ecgviz.checkpoint import Model
from ecgviz.errors import CaseError
from ecgviz.pipeline.analyse import analyse, evidence_sha256
from ecgviz.types import Case

BITWISE, WITHIN, DIFFERENT = "bitwise", "within tolerance", "different"
TOLERANCE = 1e-4
"""Of a difference, relative to the largest magnitude of the same array. Other processors, numbers of threads and
releases of PyTorch change last digits, and PyTorch promises no equality across them
(https://pytorch.org/docs/stable/notes/randomness.html).
"""
PARTS = ("quality", "beats", "measurements", "prediction", "explanation", "grid", "controls", "attention", "findings",
         "agreement", "provenance")  # fmt: skip
"""What is computed anew; record, label, method and seed are taken from the case."""
STATED = ("notice", "record_sha256", "told_sha256", "model", "model_version", "method", "edited_marks")
"""What must be the same in its provenance; older cases have no digest of what the recording tells of itself."""
LARGEST_SEED, MOST_THREADS = 2**31 - 1, 1024


@dataclass(frozen=True)
class Verified:
    """One part of a case: whether it is the same again, and its largest relative difference (0 when bitwise).

    ``where`` names what differs first, or most.
    """

    part: str
    state: str
    difference: float = 0.0
    where: str = ""


@dataclass(frozen=True)
class Verification:
    """Every part, and what was not the same around it: versions and threads that differ from those of the case."""

    parts: tuple[Verified, ...]
    surroundings: tuple[str, ...]

    @property
    def state(self) -> str:
        """The worst state of any part."""
        states = {each.state for each in self.parts}
        return next(state for state in (DIFFERENT, WITHIN, BITWISE) if state in states)


def verify(case: Case, model: Model) -> Verification:
    """Compute a case once more and compare every part.

    Parameters
    ----------
    case : Case
        Marks that a reader changed, that moved along with an edit, or that are not of `ecgviz.beats.delineate`, are
        taken from it, and are no part of what is verified; all others are found anew.
        It is computed with as many threads as it was.
    model : Model
        The network that the case names.

    Raises
    ------
    CaseError
        When the recording in the case is not the one of its provenance, the model has other weights, or the seed or
        the number of threads is none.
    EcgvizError
        When the case cannot be computed any more.
    """
    told = case.provenance
    if case.record.key != told["record_sha256"]:
        raise CaseError(f"the recording in this case is not the one it was made from ({case.record.id} was changed)")
    if model.digest != told["model_sha256"]:
        raise CaseError(f"{model.name} has other weights than the model of this case ({told['model_sha256'][:12]})")
    seed = _whole(told, "seed", 0, LARGEST_SEED)
    found_anew = case.beats.method == METHOD and not case.beats.edits and not case.record.altered
    given = None if found_anew else case.beats
    with _threads(_whole({"threads": torch.get_num_threads(), **told}, "threads", 1, MOST_THREADS)):
        again = analyse(case.record, model, case.label, case.explanation.method, seed=seed, beats=given)
    taken = {"provenance"} if given is None else {"provenance", "beats"}  # what is not found anew is not verified
    parts = [_compared(name, getattr(case, name), getattr(again, name)) for name in PARTS if name not in taken]
    parts.append(_compared("provenance", *_stated(case, again.provenance)))
    return Verification(tuple(parts), _surroundings(dict(told), dict(again.provenance)))


def _whole(told: Mapping[str, Any], name: str, low: int, high: int) -> int:
    """Return a whole number of a case's provenance; anything else there is refused."""
    value = told.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise CaseError(f"this case says that its {name} is {value!r}, which is no whole number from {low} to {high}")
    return value


def _stated(case: Case, now: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a case states of itself, and what it would have to: the digest of its evidence is that of its own."""
    then = case.provenance
    names = [name for name in STATED if name != "told_sha256" or name in then]
    stated = {name: then.get(name) for name in (*names, "evidence_sha256")}
    return stated, {name: now[name] for name in names} | {"evidence_sha256": evidence_sha256(case.grid)}


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """Compute with so many threads, as sums depend on how many share them."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _surroundings(then: dict[str, Any], now: dict[str, Any]) -> tuple[str, ...]:
    names = ("ecgviz", "python", "platform", "threads")
    found = [f"{name} {then.get(name)}, now {now[name]}" for name in names if then.get(name) != now[name]]
    if "told_sha256" not in then:
        found.append(
            "no digest of the recording's id, statements and assumptions in this case, so these were not verified"
        )
    was = then.get("packages", {})
    found += [f"{name} {was.get(name)}, now {each}" for name, each in now["packages"].items() if was.get(name) != each]
    return tuple(found)


def _compared(part: str, then: Any, now: Any) -> Verified:
    worst = Verified(part, BITWISE)
    for where, a, b in _leaves(part, then, now):
        found = _difference(a, b)
        if found is None:
            return Verified(part, DIFFERENT, float("nan"), where)
        if found > worst.difference:
            worst = Verified(part, WITHIN if found <= TOLERANCE else DIFFERENT, found, where)
    return worst


def _leaves(where: str, then: Any, now: Any) -> list[tuple[str, Any, Any]]:
    """Return every pair of leaves of two values of one shape, with their path; what differs in shape is one leaf."""
    if is_dataclass(then) and not isinstance(then, type) and isinstance(now, type(then)):
        pairs = [(f"{where}.{f.name}", getattr(then, f.name), getattr(now, f.name)) for f in fields(then)]
    elif hasattr(then, "keys") and hasattr(now, "keys") and set(then) == set(now):
        pairs = [(f"{where}.{name}", then[name], now[name]) for name in then]
    elif isinstance(then, tuple | list) and isinstance(now, tuple | list) and len(then) == len(now):
        pairs = [(f"{where}[{n}]", a, b) for n, (a, b) in enumerate(zip(then, now, strict=True))]
    else:
        return [(where, then, now)]
    return [leaf for each in pairs for leaf in _leaves(*each)]


def _difference(a: Any, b: Any) -> float | None:
    """Return by how much two leaves differ, relative to the larger; None for words, or for what no longer fits.

    What is not finite in one must be the same in the other.
    """
    if _missing(a) or _missing(b):
        return 0.0 if _missing(a) and _missing(b) else None
    x, y = np.asarray(a), np.asarray(b)
    if x.shape != y.shape:
        return None
    if x.dtype.kind not in "fiub" or y.dtype.kind not in "fiub":
        return 0.0 if bool(np.all(x == y)) else None
    x, y = x.astype(np.float64), y.astype(np.float64)
    finite = np.isfinite(x) & np.isfinite(y)
    if not np.array_equal(x[~finite], y[~finite], equal_nan=True):
        return None
    apart = float(np.max(np.abs(x[finite] - y[finite]), initial=0.0))
    return apart / float(np.max(np.maximum(np.abs(x[finite]), np.abs(y[finite])))) if apart else 0.0


def _missing(value: Any) -> bool:
    """Return whether a leaf is None or NaN: a stored case has one where the computed one may have the other."""
    return value is None or (isinstance(value, float) and value != value)
