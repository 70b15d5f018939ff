"""What a method of explanation is: how it runs, for which networks it is valid, and what it says it does."""

from collections.abc import Callable
from dataclasses import dataclass

from ecgviz.checkpoint import Model
from ecgviz.checkpoint.folder import EXPORTED
from ecgviz.types import Explanation


def always(model: Model) -> str:
    """Return "": the method is valid for every network."""
    return ""


def needs_gradients(model: Model) -> str:
    """Return why gradients cannot explain a model, "" where they can."""
    if model.net_name != EXPORTED:
        return ""
    return f"{model.name} is an exported program: it predicts and can be perturbed, but it gives no gradient"


@dataclass(frozen=True)
class Method:
    """One row of `METHODS`.

    ``run(model, inputs, beats, label_index, *, seed, **params) -> Explanation`` explains one logit. ``why_not(model)``
    is "" where the method is valid for the network, else a sentence that says why not. ``family`` is "attention",
    "exact", "gradient" or "perturbation"; ``title`` its name for readers, ``definition`` one clause on what it shows,
    ``source`` the paper. ``complete`` tells whether its map promises to add up to a change of the logit. ``together``
    is ``run`` for many records, given as lists, where the network answers faster in batches.
    """

    run: Callable[..., Explanation]
    family: str
    title: str
    definition: str
    source: str
    why_not: Callable[[Model], str] = always
    complete: bool = False
    together: Callable[..., list[Explanation]] | None = None
