"""The table of methods, and the one function that runs any of them."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ecgviz.checkpoint import Model, model_input
from ecgviz.checkpoint.folder import EXPORTED
from ecgviz.errors import ExplanationError
from ecgviz.explain.attention import attention_level
from ecgviz.explain.decomposition import decomposition
from ecgviz.explain.gradients import input_x_gradient, integrated_gradients, saliency
from ecgviz.registry import find
from ecgviz.types import Beats, Explanation, Record

METHODS: Mapping[str, Callable[..., Explanation]] = {
    "attention_beat": partial(attention_level, "beat"),
    "attention_rhythm": partial(attention_level, "rhythm"),
    "attention_channel": partial(attention_level, "channel"),
    "attention_joint": partial(attention_level, "joint"),
    "attention_age": partial(attention_level, "age"),
    "attention_sex": partial(attention_level, "sex"),
    "decomposition": decomposition,
    "saliency": saliency,
    "input_x_gradient": input_x_gradient,
    "integrated_gradients": integrated_gradients,
}
"""Each is ``method(model, inputs, label_index, *, seed, **params) -> Explanation``; installed packages add
theirs through the entry points ``ecgviz.methods``."""


def explain(
    model: Model, record: Record, label: str, method: str, beats: Beats, *, seed: int = 0, **params: Any
) -> Explanation:
    """Explain the logit of one label on one record.

    Parameters
    ----------
    model : Model
        A trained model, in eval mode.
    record : Record
        Prepared for the model exactly as for prediction.
    label : str
        One of ``model.labels``.
    method : str
        A name of `METHODS`, or of an installed entry point ``ecgviz.methods``.
    beats : Beats
        Used by networks that take R peaks; these stay fixed while the signal is attributed.
    seed : int
        Starts whatever a method draws at random.
    **params
        What the method itself takes, such as ``baseline`` or ``n_steps``.

    Returns
    -------
    Explanation
        On the record's time base, at the model's rate, with the model's leads.

    Raises
    ------
    ModelError
        For a label that the model does not predict.
    InputError
        When the record does not meet the model's input contract.
    ExplanationError
        When the method does not apply to this network or does not take a parameter.
    """
    run = find(METHODS, "ecgviz.methods", method)
    label_index = model.label_index(label)
    unknown = sorted(set(params) - set(method_parameters(run)))
    if unknown:
        takes = ", ".join(method_parameters(run)) or "none"
        raise ExplanationError(f"{method} does not take {', '.join(unknown)}; its parameters are: {takes}")
    explanation: Explanation = run(model, model_input(model, record, beats), label_index, seed=seed, **params)
    return explanation


def applicable(model: Model) -> tuple[str, ...]:
    """Return the names of `METHODS` that this model's network can answer, in their order."""
    levels = getattr(model.net, "levels", ())
    return tuple(name for name in METHODS if _applies(name, model, levels))


def _applies(name: str, model: Model, levels: Sequence[str]) -> bool:
    if name.startswith("attention_"):
        return name.removeprefix("attention_") in levels
    return hasattr(model.net, "decompose") if name == "decomposition" else model.net_name != EXPORTED


def method_parameters(run: Callable[..., Explanation]) -> tuple[str, ...]:
    """Names of the parameters that a method takes beyond those that every method takes."""
    parameters = inspect.signature(run).parameters.values()
    return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "seed")
