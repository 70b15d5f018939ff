"""An exported program as a network: its list of tensor operators is carried out one by one.

It predicts, and its input can be perturbed. It shows no attention, and gives no gradients: what was exported may have
been simplified, detached or replaced for inference, so that a slope of it need not be one of the network that was
trained.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ecgviz.checkpoint.archive import DTYPES, MAX_BYTES, Archive, fixed_or_most, read_archive
from ecgviz.checkpoint.graph import DEVICE, PROBABLE, Ref, last_operator, steps_of
from ecgviz.checkpoint.operators import SIZES
from ecgviz.errors import ExplanationError, ModelError
from ecgviz.types import InputSpec

PREDICTS_ONLY = (
    "is an exported program: it predicts and can be perturbed, but it gives no gradients and shows no attention"
)


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
        When the file is no program, takes or returns anything but one tensor, calls what is not in `operators`, or
        makes a tensor of which its graph says that it is too large.
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
            _check_sizes(archive, called)
            self._weights = self._register(archive)
            self._input, self._output = _ends(archive, called)
            self._steps = steps_of(archive, called, {*self._weights, self._input}, self._output)
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
            Naming the shapes that differ, a batch size that is fixed to more than one record, or the last operator
            where it makes probabilities of the logits.
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
        if (last := last_operator(self._steps, self._output)) in PROBABLE:
            raise ModelError(
                f"{self.called} ends in {last.strip('_')}, and its outputs would be taken for logits: export the "
                "network without that"
            )

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
        values |= {DEVICE: x.device, self._input: x.clone()}  # a program may write into its input
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


def _check_sizes(archive: Archive, called: str) -> None:
    """Refuse a value that takes more than `MAX_BYTES` by its size in the graph, for one record where that varies."""
    for name, value in archive.graph["tensor_values"].items():
        n_bytes = math.prod(size.get("as_int", 1) for size in value["sizes"])
        n_bytes *= DTYPES.get(value["dtype"], torch.complex64).itemsize  # complex ones are made, and never stored
        if n_bytes > MAX_BYTES:
            raise ModelError(
                f"{called} makes a tensor {name} of {n_bytes / 1e6:.0f} MB (limit {MAX_BYTES / 1e6:.0f} MB)"
            )


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


def _value(argument: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(argument, list):
        return [_value(entry, values) for entry in argument]
    return values[argument.name] if isinstance(argument, Ref) else argument
