"""The table of methods, and the one function that runs any of them."""

import inspect
from collections.abc import Mapping, Sequence
from math import isfinite
from numbers import Integral, Real
from types import MappingProxyType, NoneType
from typing import Any, get_args

import numpy as np

from ecgviz.checkpoint import Model, model_input
from ecgviz.errors import EcgvizError, ExplanationError
from ecgviz.explain.attention import ATTENTION_METHODS
from ecgviz.explain.backprop import BACKPROP_METHODS
from ecgviz.explain.cam import CAM_METHODS
from ecgviz.explain.decomposition import DECOMPOSITION_METHODS
from ecgviz.explain.expected import EXPECTED_METHODS
from ecgviz.explain.gradients import GRADIENT_METHODS
from ecgviz.explain.installed import guarded
from ecgviz.explain.method import Method
from ecgviz.explain.path import PATH_METHODS
from ecgviz.explain.perturbation import PERTURBATION_METHODS
from ecgviz.registry import available, find
from ecgviz.types import Beats, Explanation, ModelInput, Record

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        **ATTENTION_METHODS,
        **DECOMPOSITION_METHODS,
        **GRADIENT_METHODS,
        **PATH_METHODS,
        **EXPECTED_METHODS,
        **BACKPROP_METHODS,
        **CAM_METHODS,
        **PERTURBATION_METHODS,
    }
)
"""Every method by name; installed packages add theirs through the entry points ``ecgviz.methods``."""


GROUP = "ecgviz.methods"
"""Entry points under which installed packages offer methods."""


def find_method(name: str) -> Method:
    """Return a method of `METHODS` or of an installed package.

    Raises
    ------
    EcgvizError
        When there is none of that name, or the installed package that offers it cannot be loaded.
    ExplanationError
        When an installed package offers something else under it.
    """
    method = find(METHODS, GROUP, name)
    if not isinstance(method, Method):
        raise ExplanationError(f"the entry point {GROUP} {name!r} is no ecgviz.explain.Method")
    return method if name in METHODS else guarded(name, method)


def all_methods() -> tuple[dict[str, Method], tuple[str, ...]]:
    """Return every method by name, `METHODS` first, then those of installed packages that can be used.

    Returns
    -------
    dict, tuple of str
        The methods, and a sentence for each one of an installed package that cannot be used.
    """
    found, faults = dict(METHODS), []
    for name in available(METHODS, GROUP):
        try:
            found[name] = find_method(name)
        except EcgvizError as fault:
            faults.append(str(fault))
    return found, tuple(faults)


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
        Used by networks that take R peaks, by methods that remove waves, and by baselines that stand on R peaks; R
        peaks stay fixed while the signal is attributed.
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
        When the method does not apply to this network or does not take a parameter or its value, or for a seed that
        is no whole number or below 0.
    """
    return explain_many(model, [model_input(model, record, beats)], label, method, [beats], seed=seed, **params)[0]


def explain_many(
    model: Model,
    inputs: Sequence[ModelInput],
    label: str,
    method: str,
    beats: Sequence[Beats],
    *,
    seed: int = 0,
    **params: Any,
) -> list[Explanation]:
    """Explain the logit of one label on many records, as `model_input` prepared them, each with its beats.

    Methods that can answer for several records at a time do (`Method.together`). What a record gets is what `explain`
    gives it but for the rounding of a batch: 1e-5 of the map's largest value or less, or up to some 1e-3 at the samples
    of a ReLU that stands at zero to within rounding, where the slope itself jumps. The same records in the same order
    give the same maps. Errors as in `explain`; that of one record is that of all, since their maps are made together.
    """
    _check_seed(seed)
    chosen = find_method(method)
    label_index = model.label_index(label)
    unknown = sorted(set(params) - set(method_parameters(chosen)))
    if unknown:
        takes = ", ".join(method_parameters(chosen)) or "none"
        raise ExplanationError(f"{method} does not take {', '.join(unknown)}; its parameters are: {takes}")
    _check_numbers(chosen, method, params)
    if why_not := chosen.why_not(model):
        raise ExplanationError(why_not)
    if chosen.together is not None:
        return chosen.together(model, inputs, beats, label_index, seed=seed, **params) if inputs else []
    return [
        chosen.run(model, each, its_beats, label_index, seed=seed, **params)
        for each, its_beats in zip(inputs, beats, strict=True)
    ]


def _check_seed(seed: object) -> None:
    """Refuse what is no seed, also for methods that draw nothing: it is kept with the result."""
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ExplanationError(f"a seed is a whole number of 0 or more, not {seed!r}")


def _check_numbers(chosen: Method, name: str, params: Mapping[str, Any]) -> None:
    """Refuse what is no finite number, or no whole one, where a parameter's annotation or default is one."""
    taken = inspect.signature(chosen.run).parameters
    for key, value in params.items():
        stated = {type(taken[key].default), taken[key].annotation, *get_args(taken[key].annotation)}
        if not stated & {int, float} or (value is None and NoneType in stated):
            continue
        wanted, what = (Real, "a number") if float in stated else (Integral, "a whole number")
        if isinstance(value, bool) or not isinstance(value, wanted) or not isfinite(value):
            raise ExplanationError(f"{name}: {key} is {what}, not {value!r}")


def applicable(model: Model) -> tuple[str, ...]:
    """Return the names of the methods that are valid for this model's network, in the order of `all_methods`."""
    return tuple(name for name, method in all_methods()[0].items() if not method.why_not(model))


def method_parameters(method: Method) -> tuple[str, ...]:
    """Names of the parameters that a method takes beyond those that every method takes."""
    parameters = inspect.signature(method.run).parameters.values()
    return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "seed")
