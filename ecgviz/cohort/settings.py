"""What a run asks: networks, methods with parameters, labels and seeds; and the digests that keep answers apart."""

import hashlib
import inspect
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from ecgviz import __version__
from ecgviz.beats import delineate
from ecgviz.checkpoint import Model
from ecgviz.checkpoint.folder import EXPORTED
from ecgviz.cohort.schema import FORMAT
from ecgviz.errors import CohortError, ExplanationError, InputError, ModelError
from ecgviz.explain import explain, find_method
from ecgviz.explain.methods import method_parameters
from ecgviz.records import load_record
from ecgviz.records.ptbxl import SUPERCLASSES
from ecgviz.signal import condition

POOL = 2
"""Random networks of which each recording takes one, in turn by its id, unless more are asked for."""
TRIED_ON = "demo:sinus_bradycardia"
"""Parameters are tried on this recording before any other is read."""
_WORDS: Mapping[Any, str] = {int: "a whole number", float: "a number", str: "a word"}
FOLDER_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True)
class Asked:
    """One method with its parameters, as ``--method NAME:key=value,...`` names it."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """One network asked with one method: all that an answer depends on beside the recording and the label.

    ``fs`` says which of PTB-XL's two files of a recording were read; None where a folder has one of each.
    """

    model: str
    model_digest: str
    method: str
    params: Mapping[str, Any]
    random_networks: int
    pool: int
    seed: int
    device: str = "cpu"
    fs: int | None = None
    version: str = __version__
    format: int = FORMAT

    @property
    def digest(self) -> str:
        """Twelve digits that stand for these settings in the store."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    def random_seeds(self, record: str) -> tuple[int, ...]:
        """Return the seeds of the random networks that a recording is held against."""
        first = int(hashlib.sha256(record.encode()).hexdigest(), 16)
        return tuple((first + k) % self.pool for k in range(self.random_networks))


def read_method(text: str) -> Asked:
    """Return the method that a text names: ``saliency``, or ``integrated_gradients:n_steps=16,baseline=median``.

    Raises
    ------
    EcgvizError
        For an unknown method.
    CohortError
        For a parameter that it does not take, one given twice, a value of another type, or what is no parameter.
    """
    name, _, told = text.partition(":")
    method = find_method(name)
    takes = method_parameters(method)
    params: dict[str, Any] = {}
    for each in filter(None, told.split(",")):
        key, equals, value = each.partition("=")
        if not (equals and value):
            raise CohortError(f"--method {text!r}: {each!r} is no parameter; write NAME:key=value")
        if key not in takes:
            raise CohortError(f"{name} does not take {key!r}; its parameters are: {', '.join(takes) or 'none'}")
        if key in params:
            raise CohortError(f"--method {text!r}: {key} is given twice")
        params[key] = _checked(name, key, _value(value), inspect.signature(method.run).parameters[key].annotation)
    return Asked(name, params)


def _checked(method: str, key: str, value: float | str, annotation: Any) -> float | str:
    """Return a parameter's value, after holding it against the type that the method states for it, if it does."""
    types = get_args(annotation) or (annotation,)
    if isinstance(value, float) and not math.isfinite(value):
        raise CohortError(f"{method}: {key} is {value}, which is no finite number")
    if isinstance(value, int) and int not in types and float in types:
        return value
    stated = [kind for kind in types if kind in _WORDS]
    if stated and type(value) not in stated:
        wanted = " or ".join(_WORDS[kind] for kind in stated)
        raise CohortError(f"{method}: {key} is {wanted}, and {value!r} is none")
    return value


def try_params(model: Model, asked: Asked) -> None:
    """Refuse parameters that a network and method cannot work with, by working on one simulated recording.

    Its few beats make few cells, so that too few coalitions for it are too few for nearly any. What is refused for
    another reason than its parameters, such as a recording that is too short for this network, is let pass.

    Raises
    ------
    CohortError
        With what the method says of its parameters.
    """
    if not asked.params:
        return
    record = load_record(TRIED_ON)
    beats = delineate(condition(record))
    try:
        explain(model, record, model.labels[0], asked.method, beats, **asked.params)
    except ExplanationError as refusal:
        told = ",".join(f"{key}={value}" for key, value in asked.params.items())
        raise CohortError(f"--method {asked.method}:{told} cannot be asked of {model.name}: {refusal}") from refusal
    except (InputError, ModelError):
        return


def settings_of(
    model: Model,
    asked: Asked,
    *,
    random_networks: int = 1,
    seed: int = 0,
    device: str = "cpu",
    fs: int | None = None,
) -> Settings:
    """Return the settings of one network and method.

    Raises
    ------
    CohortError
        Without any random network, for a seed below 0, or for a name that no folder can have.
    """
    if seed < 0:
        raise CohortError(f"a seed is 0 or more, not {seed}")
    if random_networks < 1:
        raise CohortError("at least one random network is needed: without it nobody knows what a map is worth")
    for name in (model.name, asked.method):
        if not FOLDER_NAME.fullmatch(name):
            raise CohortError(f"{name!r} cannot be the name of a folder")
    pool = max(POOL, random_networks)
    params = dict(asked.params)
    return Settings(model.name, model.digest, asked.method, params, random_networks, pool, seed, device, fs)


def why_not(model: Model, asked: Asked) -> str:
    """Return why a network cannot be asked with a method, "" where it can."""
    if model.net_name == EXPORTED:
        return f"{model.name} is an exported program, which has no random networks to be held against"
    return find_method(asked.method).why_not(model)


def labels_of(model: Model, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the labels to ask of a network: those wanted that it has; where none is, its superclasses, or else all."""
    if wanted:
        return tuple(label for label in model.labels if label in wanted)
    return tuple(label for label in model.labels if label in SUPERCLASSES) or model.labels


def _value(text: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
