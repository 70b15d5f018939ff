"""An exported program as a network: its list of tensor operators is carried out one by one.

It predicts, and its input can be perturbed. It shows no attention, and gives no gradients: what was exported may have
been simplified, detached or replaced for inference, so that a slope of it need not be one of the network that was
trained.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ecgviz.checkpoint.archive import DTYPES, Archive, fixed_or_most, read_archive
from ecgviz.checkpoint.operators import SIZES, resolved
from ecgviz.errors import ExplanationError, ModelError
from ecgviz.types import InputSpec

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
_DEVICE = "the device of the samples"
"""No graph has a value of this name: new tensors are made where the samples are, wherever the program was exported."""
PREDICTS_ONLY = (
    "is an exported program: it predicts and can be perturbed, but it gives no gradients and shows no attention"
)


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


class ExportedProgram(nn.Module):
    """A program that ``torch.export.save`` wrote; input (B, L, T) standardised samples, output (B, C) logits.

    Parameters
    ----------
    stored : bytes
        The file.
    called : str
        Its name in refusals.

    Raises
    ------
    ModelError
        When the file is no program, takes or returns anything but one tensor, or calls what is not in `operators`.
    """

    levels: tuple[str, ...] = ()
    exposes: Mapping[str, str] = {"beat": "none", "rhythm": "none", "channel": "none"}
    needs: tuple[str, ...] = ()
    pads = False

    def __init__(self, stored: bytes, called: str) -> None:
        super().__init__()
        self.stored, self.called = stored, called
        archive = read_archive(stored, called)
        try:
            self._weights = self._register(archive)
            self._input, self._output = _ends(archive, called)
            self._steps = _steps(archive, called, {*self._weights, self._input}, self._output)
            self._fixed = "as_int" in archive.graph["tensor_values"][self._input]["sizes"][0]
            self._in_shape, self._out_shape = (
                tuple(fixed_or_most(size, archive.ranges) for size in archive.graph["tensor_values"][name]["sizes"])
                for name in (self._input, self._output)
            )
        except (LookupError, TypeError, AttributeError, ValueError, RuntimeError, ArithmeticError) as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(f"{called}: its graph is damaged ({type(error).__name__}: {error})") from error

    def _register(self, archive: Archive) -> dict[str, str]:
        """Register the stored tensors as buffers; return for each name in the graph that of its buffer."""
        kinds = {"parameter": "parameter_name", "buffer": "buffer_name", "tensor_constant": "tensor_constant_name"}
        buffers: dict[str, str] = {}
        for spec in archive.signature["input_specs"]:
            ((kind, entry),) = spec.items()
            if kind == "user_input":
                continue
            if kind not in kinds:
                raise ModelError(f"{self.called} takes a {kind}, which is not supported: export tensors only")
            tensor = archive.stored[entry[kinds[kind]]]
            buffer = f"stored_{len(buffers)}"
            if kind == "parameter":
                self.register_parameter(buffer, nn.Parameter(tensor, requires_grad=False))
            else:
                self.register_buffer(buffer, tensor)
            buffers[entry["arg"]["name"]] = buffer
        return buffers

    def check(self, n_labels: int, spec: InputSpec) -> None:
        """Hold the shapes that the program was exported with against labels and input contract.

        Raises
        ------
        ModelError
            Naming the shapes that differ, or a batch size that is fixed to more than one record.
        """
        wanted = (len(spec.leads), spec.n_samples)
        if self._in_shape[0] is not None and self._in_shape[0] < 1:
            raise ModelError(f"{self.called} takes {self._in_shape[0]} records at once, so none can be given to it")
        if self._fixed and self._in_shape[0] != 1:
            raise ModelError(
                f"{self.called} takes exactly {self._in_shape[0]} records at once; export it with a batch of "
                f"1, or with a dynamic one"
            )
        if len(self._in_shape) != 3 or self._in_shape[1:] != wanted:
            raise ModelError(
                f"{self.called} takes samples of shape {self._in_shape[1:]}, the input contract says {wanted} "
                f"({len(spec.leads)} leads, {spec.duration_s:g} s at {spec.fs:g} Hz)"
            )
        if len(self._out_shape) != 2 or self._out_shape[1] != n_labels:
            raise ModelError(f"{self.called} returns {self._out_shape[1:]} numbers a record, and has {n_labels} labels")

    def forward(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return logits (B, C); a program of a fixed batch of 1 is called once a record.

        Raises
        ------
        ExplanationError
            When gradients are asked of it.
        ModelError
            When an operator refuses what it is given.
        """
        if x.requires_grad and torch.is_grad_enabled():
            raise ExplanationError(f"{self.called} {PREDICTS_ONLY}; take a method that perturbs the input")
        with torch.no_grad():
            return torch.cat([self._run(part) for part in x.split(self._in_shape[0] or len(x))])

    def _run(self, x: Tensor) -> Tensor:
        values: dict[str, Any] = {name: getattr(self, buffer) for name, buffer in self._weights.items()}
        values |= {_DEVICE: x.device, self._input: x.clone()}  # a program may write into its input
        for step in self._steps:
            try:
                given = {name: _value(argument, values) for name, argument in step.arguments.items()}
                result = step.function(*given.values()) if step.target in SIZES else step.function(**given)
            except (RuntimeError, LookupError, TypeError, ValueError, ArithmeticError, MemoryError) as error:
                reason = str(error).partition("\n")[0] or type(error).__name__
                raise ModelError(f"{self.called}: {step.target} failed in it ({reason})") from error
            results = result if isinstance(result, list | tuple) else (result,)
            values.update(zip(step.outputs, results, strict=False))
            for name in step.done:
                values.pop(name, None)
        logits, wanted = values.get(self._output), (len(x), *self._out_shape[1:])
        if not isinstance(logits, Tensor) or logits.shape != wanted:
            found = f"numbers of shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else type(logits).__name__
            raise ModelError(f"{self.called} returned {found}, and was exported to return {wanted}")
        return logits


def _ends(archive: Archive, called: str) -> tuple[str, str]:
    """Return the names of the one input and the one output."""
    inputs = [spec["user_input"]["arg"] for spec in archive.signature["input_specs"] if "user_input" in spec]
    outputs = [spec.get("user_output", {"arg": {}})["arg"] for spec in archive.signature["output_specs"]]
    for what, found in (("takes", inputs), ("returns", outputs)):
        if len(found) != 1 or "as_tensor" not in found[0]:
            raise ModelError(
                f"{called} {what} {len(found)} values; a program takes the samples alone and returns the logits alone"
            )
    return inputs[0]["as_tensor"]["name"], outputs[0]["as_tensor"]["name"]


def _steps(archive: Archive, called: str, given: set[str], output: str) -> tuple[Step, ...]:
    """Return the calls of a program in their order, each with the values that no later one needs.

    A call that reads what is neither ``given`` nor made before it raises ModelError.
    """
    steps = list(_calls(archive.graph["nodes"], called))
    known = {*given, _DEVICE}
    for step in steps:
        for name in _names(list(step.arguments.values())):
            if name not in known:
                raise ModelError(f"{called}: its graph is damaged ({step.target} reads {name!r}, which nothing makes)")
        known.update(step.outputs)
    if output not in known:
        raise ModelError(f"{called}: its graph is damaged (nothing makes its output {output!r})")
    kept, freed = {output, _DEVICE}, []
    for step in reversed(steps):
        done = tuple(name for name in _names(list(step.arguments.values())) if name not in kept)
        kept.update(done)
        freed.append(replace(step, done=done))
    return tuple(reversed(freed))


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
    return Ref(part + argument.name) if isinstance(argument, Ref) and argument.name != _DEVICE else argument


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
        return Ref(_DEVICE)
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


def _value(argument: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(argument, list):
        return [_value(entry, values) for entry in argument]
    return values[argument.name] if isinstance(argument, Ref) else argument
