"""A device beside the CPU on machines without one: it computes on the CPU, and mixes no tensors, as a GPU would not.

PyTorch lets Python be the backend of one device of its own. Each tensor there holds one of the CPU; an operation of
both kinds is refused, but for what a GPU takes from the CPU too: copies, indices, lengths and numbers.
"""

from functools import partial

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils import backend_registration

NAME = "elsewhere"
FROM_CPU_TOO = {
    *("aten::_to_copy", "aten::copy_", "aten::index", "aten::index_put_", "aten::_index_put_impl_"),
    *("aten::_pack_padded_sequence", "aten::_pad_packed_sequence"),
}


class _Backend(backend_registration._DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


class Elsewhere(Tensor):
    """A tensor of the other device; ``held`` is where its numbers are."""

    __torch_function__ = torch._C._disabled_torch_function_impl
    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "Elsewhere":
        """Wrap a tensor of the CPU."""
        place = {"strides": held.stride(), "storage_offset": held.storage_offset(), "dtype": held.dtype}
        made = Tensor._make_wrapper_subclass(cls, held.shape, device=f"{NAME}:0", **place)
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, op, types, args=(), kwargs=None):
        """Compute on the CPU what is asked of this device."""
        return _computed(op, *args, **(kwargs or {}))

    def numpy(self, *, force: bool = False):
        """Return the numbers as PyTorch does of a GPU: only by force."""
        if not force:
            raise TypeError(f"a tensor of {NAME} is no array")
        return self.detach().cpu().numpy()

    def tolist(self):
        """Return the numbers, which PyTorch refuses of any tensor of a subclass."""
        return self.detach().cpu().tolist()

    def __matmul__(self, other):
        """Multiply; of a vector PyTorch makes a matrix and back in place, which a wrapped tensor does not follow."""
        return (self[None] @ other)[0] if self.dim() == 1 else super().__matmul__(other)

    def __getitem__(self, at):
        """Take by index; a list becomes an index of the CPU."""
        return super().__getitem__(torch.tensor(at) if isinstance(at, list) else at)


def register() -> str:
    """Make the device, and return its name; before the first backward pass of the process, which counts devices.

    Views of a wrapped tensor cannot be made in inference mode, so that it becomes the mode without gradients; and a
    module that moves gets new parameters, since the old ones cannot become wrapped.
    """
    backend_registration._setup_privateuseone_for_python_backend(NAME, backend_module=_Backend())
    _LIBRARY.fallback(_computed, "PrivateUse1")
    torch.inference_mode = torch.no_grad
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    return NAME


_LIBRARY = torch.library.Library("_", "IMPL")


def _computed(op, *args, **kwargs):
    """Return what an operation gives, on this device unless it names the CPU."""
    known: dict[int, Tensor] = {}
    asked = kwargs.get("device")
    args, kwargs = pytree.tree_map(partial(_down, op._schema.name, known), (args, kwargs))
    if asked is not None:
        kwargs["device"] = "cpu"
    found = _OWN.get(op._schema.name, op)(*args, **kwargs)
    if asked is not None and torch.device(asked).type == "cpu":
        return found
    if op._schema.name == "aten::_pack_padded_sequence":
        return Elsewhere(found[0]), found[1]
    return pytree.tree_map(lambda each: _up(known, each), found)


def _down(name: str, known: dict[int, Tensor], given):
    if isinstance(given, Elsewhere):
        known[id(given.held)] = given
        return given.held
    if isinstance(given, Tensor):
        if given.dim() and name not in FROM_CPU_TOO:
            raise RuntimeError(f"{name}: a tensor of the CPU {tuple(given.shape)} among those of {NAME}")
        known[id(given)] = given
    return given


def _up(known: dict[int, Tensor], found):
    if not isinstance(found, Tensor):
        return found
    return known[id(found)] if id(found) in known else Elsewhere(found)


def _lstm_cell(from_input, from_hidden, cell, input_bias=None, hidden_bias=None):
    """Return hidden state, cell and gates of an LSTM's step, which PyTorch has as one kernel for other devices only."""
    gates = from_input + from_hidden
    for bias in (input_bias, hidden_bias):
        gates = gates if bias is None else gates + bias
    i, f, g, o = gates.chunk(4, 1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    new = f * cell + i * g
    return o * new.tanh(), new, torch.cat((i, f, g, o), 1)


def _lstm_cell_backward(d_hidden, d_cell, cell, new, gates, has_bias):
    i, f, g, o = gates.chunk(4, 1)
    d_hidden = torch.zeros_like(new) if d_hidden is None else d_hidden
    d_new = d_hidden * o * (1 - new.tanh() ** 2) + (0 if d_cell is None else d_cell)
    d_gates = (
        d_new * g * i * (1 - i),
        d_new * cell * f * (1 - f),
        d_new * i * (1 - g**2),
        d_hidden * new.tanh() * o * (1 - o),
    )
    together = torch.cat(d_gates, 1)
    return together, d_new * f, together.sum(0) if has_bias else None


_OWN = {
    "aten::_thnn_fused_lstm_cell": _lstm_cell,
    "aten::_thnn_fused_lstm_cell_backward_impl": _lstm_cell_backward,
}
