"""All checks of one explanation in one call, and what they left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from ecgviz.checkpoint import Model
from ecgviz.errors import EcgvizError
from ecgviz.explain.attention import attention
from ecgviz.explain.checks.agreement import attention_agreement
from ecgviz.explain.checks.complexity import beat_consistency, sparseness
from ecgviz.explain.checks.faithfulness import completeness, infidelity
from ecgviz.explain.checks.question import Check, Question, question
from ecgviz.explain.checks.randomisation import Randomisation, random_logit, randomisation, randomisation_check
from ecgviz.explain.checks.removal import Removal, removal, removal_checks
from ecgviz.explain.checks.robustness import max_sensitivity, seed_stability, training_stability
from ecgviz.explain.methods import explain, find_method
from ecgviz.types import Beats, Explanation, Record

T = TypeVar("T")

SLOW = ("max sensitivity", "stability over seeds", "randomised weights")
"""Checks that explain again many times: they run only when asked for."""
ATTRIBUTIONS = ("integrated_gradients", "input_x_gradient")
"""What attention is held against, and what that is held against in turn."""


@dataclass(frozen=True, eq=False)
class Checks:
    """The checks of one explanation. None of them says whether the map is plausible.

    ``removal`` and ``randomisation`` hold the curves behind their checks, None where there are none. ``left_out``
    names the checks that were not run because they take long.
    """

    explanation: Explanation
    results: tuple[Check, ...]
    removal: Removal | None
    randomisation: Randomisation | None
    left_out: tuple[str, ...]

    def __getitem__(self, name: str) -> Check:
        for each in self.results:
            if each.name == name:
                return each
        raise KeyError(name)


def check(
    model: Model,
    record: Record,
    label: str,
    method: str,
    beats: Beats,
    *,
    seed: int = 0,
    slow: bool = False,
    trainings: Sequence[Model] = (),
    **params: Any,
) -> Checks:
    """Explain one logit of one record, and check the explanation for faithfulness and robustness.

    Parameters
    ----------
    model, record, label, method, beats, seed, **params
        As for `ecgviz.explain.explain`; the seed also starts what the checks draw.
    slow : bool
        Also run the checks of `SLOW`, each of which explains the record several times again.
    trainings : sequence of Model
        Other trainings for the same labels, ``model`` not among them.

    Raises
    ------
    EcgvizError
        As `ecgviz.explain.explain`. A check that is not available says so in its ``remark`` and raises nothing.
    """
    explanation = explain(model, record, label, method, beats, seed=seed, **params)
    asked = question(model, record, label, method, beats, seed=seed, **params)
    results = [completeness(explanation)]
    curves, why = _tried(lambda: removal(asked, explanation))
    removed = removal_checks(curves) if curves else _missing(why, ("deletion", "insertion", "area between"))
    results += [*removed, infidelity(asked, explanation), random_logit(asked, explanation)]
    results += [sparseness(asked, explanation), beat_consistency(asked, explanation)]
    results += _attention(asked, record, explanation)
    steps = None
    if slow:
        steps, why = _tried(lambda: randomisation(asked, explanation))
        results += [randomisation_check(steps)] if steps else _missing(why, ("randomised weights",))
        results += [max_sensitivity(asked, explanation), seed_stability(asked, explanation)]
    if trainings:
        results.append(training_stability((model, *trainings), record, label, method, beats, seed=seed, **params))
    return Checks(explanation, tuple(results), curves, steps, () if slow else SLOW)


def _attention(asked: Question, record: Record, explanation: Explanation) -> tuple[Check, ...]:
    """Hold attention against attribution: all levels for an attribution, its own level for an attention map."""
    model, beats = asked.model, asked.beats
    if not getattr(model.net, "levels", ()):
        return ()
    maps = attention(model, record, beats)
    label = model.labels[asked.label_index]
    if find_method(asked.method).family != "attention":
        other = next(name for name in ATTRIBUTIONS if name != asked.method)
        return attention_agreement(maps, explanation, explain(model, record, label, other, beats, seed=asked.seed))
    first, second = (explain(model, record, label, name, beats, seed=asked.seed) for name in ATTRIBUTIONS)
    own = f"attention, {asked.method.removeprefix('attention_')}"
    return tuple(each for each in attention_agreement(maps, first, second) if each.name == own)


def _tried(run: Callable[[], T]) -> tuple[T | None, str]:
    """Run a check that may not be available: its result and "", or None and why not."""
    try:
        return run(), ""
    except EcgvizError as refusal:
        return None, str(refusal)


def _missing(why: str, names: tuple[str, ...]) -> tuple[Check, ...]:
    return tuple(Check(name, "faithfulness", np.nan, name == "insertion", "", remark=why) for name in names)
