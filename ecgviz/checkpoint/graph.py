"""The calls of an exported program, read from its graph: which operator, with what, and what comes of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from ecgviz.checkpoint.archive import DTYPES, Archive
from ecgviz.checkpoint.operators import resolved
from ecgviz.errors import ModelError

_PLAIN = ("as_int", "as_bool", "as_string", "as_ints", "as_bools")
_NAMED = ("as_tensor", "as_sym_int", "as_sym_bool", "as_sym_float")
_LISTS = ("as_tensors", "as_sym_ints", "as_optional_tensors")
_FORMATS: Mapping[int, torch.memory_format] = {
    1: torch.contiguous_format,
    2: torch.channels_last,
    4: torch.preserve_format,
}
_AUTOCAST = "torch.ops.higher_order.wrap_with_autocast"
_PARTS = (_AUTOCAST, "torch.ops.higher_order.wrap_with_set_grad_enabled")
"""Calls of a part of the program: it runs without gradients anyway, and without autocast."""
DEVICE = "the device of the samples"
"""No graph has a value of this name: new tensors are made where the samples are, wherever the program was exported."""
PROBABLE = ("sigmoid", "sigmoid_", "softmax", "_softmax", "log_softmax", "_log_softmax")
"""Operators that make probabilities of logits."""
_AS_IT_IS = ("clone", "alias", "view", "reshape", "squeeze", "unsqueeze", "contiguous", "detach", "_to_copy", "to")


@dataclass(frozen=True)
class Ref:
    """The name of a value that an earlier step of the program made, or that is stored."""

    name: str


@dataclass(frozen=True)
class Step:
    """One call: ``arguments`` by name, with a `Ref` for each computed value; ``done`` are not needed afterwards."""

    target: str
    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    outputs: tuple[str, ...]
    done: tuple[str, ...] = ()


def steps_of(archive: Archive, called: str, given: set[str], output: str) -> tuple[Step, ...]:
    """Return the calls of a program in their order, each with the values that no later one needs.

    A call that reads what is neither ``given`` nor made before it raises ModelError.
    """
    steps = list(_calls(archive.graph["nodes"], called))
    known = {*given, DEVICE}
    for step in steps:
        for name in _names(list(step.arguments.values())):
            if name not in known:
                raise ModelError(f"{called}: its graph is damaged ({step.target} reads {name!r}, which nothing makes)")
        known.update(step.outputs)
    if output not in known:
        raise ModelError(f"{called}: its graph is damaged (nothing makes its output {output!r})")
    kept, freed = {output, DEVICE}, []
    for step in reversed(steps):
        done = tuple(name for name in _names(list(step.arguments.values())) if name not in kept)
        kept.update(done)
        freed.append(replace(step, done=done))
    return tuple(reversed(freed))


def last_operator(steps: Sequence[Step], output: str) -> str:
    """Return the name of the operator that made the output, but for those that only copy or reshape it."""
    name = output
    for step in reversed(steps):
        if name in step.outputs:
            operator, source = step.target.split(".")[-2], next(iter(step.arguments.values()), None)
            if operator not in _AS_IT_IS or not isinstance(source, Ref):
                return operator
            name = source.name
    return ""


def _calls(nodes: Sequence[Mapping[str, Any]], called: str, part: str = "") -> Iterator[Step]:
    """Yield the calls of a graph, those of its parts in their place; ``part`` stands before the names of its values."""
    for node in nodes:
        target = node["target"]
        if target in _PARTS:
            yield from _part(node, called, part)
            continue
        given = {each["name"]: _in_part(_argument(each["arg"], target, called), part) for each in node["inputs"]}
        yield Step(target, resolved(target, called), given, _outputs(node, part))


def _part(node: Mapping[str, Any], called: str, outer: str) -> Iterator[Step]:
    """Yield the calls of a part of a program that runs without gradients, or with autocast switched off."""
    target, arguments = node["target"], [each["arg"] for each in node["inputs"]]
    at = ["as_graph" in each for each in arguments].index(True)
    if target == _AUTOCAST and arguments[2]["as_bool"]:
        raise ModelError(f"{called} switches autocast on in a part of it, which is not supported: export it without")
    graph, inner = arguments[at]["as_graph"]["graph"], f"{outer}{arguments[at]['as_graph']['name']}/"
    for taken, given in zip(graph["inputs"], arguments[at + 1 :], strict=True):
        value = _in_part(_argument(given, target, called), outer)
        yield Step(target, _same, {"x": value}, _outputs({"outputs": [taken]}, inner))
    yield from _calls(graph["nodes"], called, inner)
    for given, made in zip(graph["outputs"], node["outputs"], strict=True):
        value = _in_part(_argument(given, target, called), inner)
        yield Step(target, _same, {"x": value}, _outputs({"outputs": [made]}, outer))


def _same(x: Any) -> Any:
    return x


def _in_part(argument: Any, part: str) -> Any:
    """Return an argument whose computed values are those of a part of the program."""
    if isinstance(argument, list):
        return [_in_part(entry, part) for entry in argument]
    return Ref(part + argument.name) if isinstance(argument, Ref) and argument.name != DEVICE else argument


def _outputs(node: Mapping[str, Any], part: str = "") -> tuple[str, ...]:
    """Return the names that a call's results get; several when it returns several, or one list of tensors."""
    names: list[str] = []
    for output in node["outputs"]:
        ((kind, value),) = output.items()
        entries = value if kind in _LISTS else [value]
        names += [part + (_name(entry) or "") for entry in entries]
    return tuple(names)


def _argument(argument: Mapping[str, Any], target: str, called: str) -> Any:
    """Return an argument as Python, with a `Ref` wherever it is computed."""
    ((kind, value),) = argument.items()
    if kind in _PLAIN:
        return value
    if kind == "as_none":
        return None
    if kind == "as_float":
        return float(value)  # what JSON has no number for is written as a word: -Infinity
    if kind == "as_floats":
        return [float(each) for each in value]
    if kind in _LISTS:
        return [_entry(entry, target, called) for entry in value]
    if kind in _NAMED:
        return _entry(value, target, called)
    if kind == "as_optional_tensor":
        return _argument(value, target, called)
    if kind == "as_scalar_type":
        return DTYPES[value]
    if kind == "as_device":
        return Ref(DEVICE)
    if kind == "as_layout":
        return torch.strided
    if kind == "as_memory_format":
        return _FORMATS[value]
    raise ModelError(f"{called} gives {target!r} an argument of the kind {kind!r}, which is not supported")


def _entry(entry: Mapping[str, Any], target: str, called: str) -> Any:
    name = _name(entry)
    return _argument(entry, target, called) if name is None else Ref(name)


def _name(entry: Any) -> str | None:
    """Return the name of a value that is referred to; None for a constant, or for nothing."""
    named = entry.get("name", entry.get("as_name")) if isinstance(entry, dict) else None
    return named if isinstance(named, str) else None


def _names(argument: Any) -> Sequence[str]:
    if isinstance(argument, list):
        return [name for entry in argument for name in _names(entry)]
    return [argument.name] if isinstance(argument, Ref) else []
