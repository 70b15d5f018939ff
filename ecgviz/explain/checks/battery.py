"""All checks of one explanation in one call, and what they left out."""

from collections.abc import Callable, Mapping, Sequence
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
UNAVAILABLE: Mapping[str, tuple[str, float, bool]] = {
    "deletion": ("faithfulness", np.nan, False),
    "insertion": ("faithfulness", np.nan, True),
    "area between": ("faithfulness", np.nan, True),
    "attention": ("consistency", np.nan, True),
    "infidelity": ("faithfulness", np.nan, False),
    "other labels": ("faithfulness", np.nan, False),
    "randomised weights": ("faithfulness", np.nan, False),
    "max sensitivity": ("robustness", np.nan, False),
    "stability over seeds": ("robustness", np.nan, True),
    "stability over trainings": ("robustness", np.nan, True),
}
"""Family, value and direction of the checks that may refuse a record or a network as a whole."""
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
    results += [*removed, *_one("infidelity", lambda: infidelity(asked, explanation))]
    results += _one("other labels", lambda: random_logit(asked, explanation))
    results += [sparseness(asked, explanation), beat_consistency(asked, explanation)]
    held, why = _tried(lambda: _attention(asked, record, explanation))
    results += _missing(why, ("attention",)) if held is None else held
    steps = None
    if slow:
        steps, why = _tried(lambda: randomisation(asked, explanation))
        results += [randomisation_check(steps)] if steps else _missing(why, ("randomised weights",))
        results += _one("max sensitivity", lambda: max_sensitivity(asked, explanation))
        results += _one("stability over seeds", lambda: seed_stability(asked, explanation))
    if trainings:
        results += _one(
            "stability over trainings",
            lambda: training_stability((model, *trainings), record, label, method, beats, seed=seed, **params),
        )
    return Checks(explanation, tuple(results), curves, steps, () if slow else SLOW)


def _attention(asked: Question, record: Record, explanation: Explanation) -> tuple[Check, ...]:
    """Hold attention against attribution: all levels for an attribution, its own level for a level of attention.

    Nothing for a network without attention, and for an attention method that is no level of it.
    """
    model, beats = asked.model, asked.beats
    label, levels = model.labels[asked.label_index], list(getattr(model.net, "levels", ()))
    given = [explanation]
    if find_method(asked.method).family == "attention":
        given, levels = [], [level for level in levels if asked.method == f"attention_{level}"]
    if not levels:
        return ()
    for name in ATTRIBUTIONS:
        if name != asked.method and len(given) < 2:
            given.append(explain(model, record, label, name, beats, seed=asked.seed))
    wanted = [f"attention, {level}" for level in levels]
    found = attention_agreement(attention(model, record, beats), given[0], given[1])
    return tuple(each for each in found if each.name in wanted)


def _tried(run: Callable[[], T]) -> tuple[T | None, str]:
    """Run a check that may not be available: its result and "", or None and why not."""
    try:
        return run(), ""
    except EcgvizError as refusal:
        return None, str(refusal)


def _one(name: str, run: Callable[[], Check]) -> tuple[Check, ...]:
    found, why = _tried(run)
    return (found,) if found is not None else _missing(why, (name,))


def _missing(why: str, names: tuple[str, ...]) -> tuple[Check, ...]:
    return tuple(Check(name, *UNAVAILABLE[name], "", remark=why) for name in names)
