"""Methods of installed packages, held to what a method promises: whatever goes wrong in one is a sentence about it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np

from ecgviz.checkpoint import Model
from ecgviz.errors import EcgvizError, ExplanationError, said_by
from ecgviz.explain.method import Method
from ecgviz.types import Beats, Explanation, ModelInput


def guarded(name: str, method: Method) -> Method:
    """Return a method of an installed package that fails by name, and whose maps fit what they explain."""

    @wraps(method.run)
    def one(model: Model, inputs: ModelInput, beats: Beats, label_index: int, **given: Any) -> Explanation:
        return _maps(name, [inputs], lambda: [method.run(model, inputs, beats, label_index, **given)])[0]

    def why_not(model: Model) -> str:
        try:
            return method.why_not(model)
        except Exception as fault:  # noqa: BLE001 - what it raises is why it cannot be used, whatever it is
            return f"the installed method {name!r} failed when it was asked about {model.name} ({said_by(fault)})"

    together = None if method.together is None else _together(name, method.together)
    return replace(method, run=one, together=together, why_not=why_not)


def _together(name: str, run: Callable[..., list[Explanation]]) -> Callable[..., list[Explanation]]:
    def many(
        model: Model, inputs: Sequence[ModelInput], beats: Sequence[Beats], label_index: int, **given: Any
    ) -> list[Explanation]:
        return _maps(name, inputs, lambda: run(model, inputs, beats, label_index, **given))

    return many


def _maps(name: str, inputs: Sequence[ModelInput], make: Callable[[], list[Explanation]]) -> list[Explanation]:
    """Return the maps that a package makes of inputs.

    Raises
    ------
    ExplanationError
        For whatever it raises, for what is no map, and for a map that does not fit its input.
    """
    try:
        maps = list(make())
    except EcgvizError:
        raise
    except Exception as fault:
        raise ExplanationError(f"the installed method {name!r} failed ({said_by(fault)})") from fault
    if len(maps) != len(inputs):
        raise ExplanationError(f"the installed method {name!r} made {len(maps)} maps of {len(inputs)} records")
    for each, fed in zip(maps, inputs, strict=True):
        if why := _unfit(each, fed):
            raise ExplanationError(f"the installed method {name!r} made {why}")
    return maps


def _unfit(made: Any, fed: ModelInput) -> str:
    """Return in what a map does not fit what the network was fed, or ""."""
    if not isinstance(made, Explanation):
        return f"{type(made).__name__} where a map is needed (ecgviz.types.Explanation)"
    if made.has_leads and made.leads != fed.leads:
        return f"a map of the leads {', '.join(made.leads)}, and the network is fed {', '.join(fed.leads)}"
    if made.values.shape[1] not in (1, fed.x.shape[1]):
        return f"a map of {made.values.shape[1]} samples, and the network is fed {fed.x.shape[1]}"
    if (made.fs, made.start_s) != (fed.fs, fed.start_s):
        return (
            f"a map at {made.fs:g} Hz from {made.start_s:g} s on, and the network is fed {fed.fs:g} Hz from "
            f"{fed.start_s:g} s on"
        )
    if not np.isfinite(made.values).all():
        return "a map that holds no number somewhere"
    return ""
