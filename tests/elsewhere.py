"""A device beside the CPU on machines without one: it computes on the CPU, and mixes no tensors, as a GPU would not.

PyTorch lets Python be the backend of one device of its own. Each tensor there holds one of the CPU; an operation of
both kinds is refused, but for what a GPU takes from the CPU too: copies, indices, lengths and numbers.
"""

import torch
from torch import Tensor
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
    _ATEN.impl("lstm.input", _lstm, "AutogradPrivateUse1")
    _ATEN.impl("lstm.data", _packed_lstm, "AutogradPrivateUse1")
    torch.inference_mode = torch.no_grad
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    return NAME


_LIBRARY, _ATEN = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")


def _computed(op, *args, **kwargs):
    """Return what an operation gives, on this device unless it names the CPU."""
    known: dict[int, Tensor] = {}
    name, asked = op._schema.name, kwargs.get("device")
    args = _down(name, known, args)
    kwargs = {key: _down(name, known, each) for key, each in kwargs.items()}
    if asked is not None:
        kwargs["device"] = "cpu"
    found = op(*args, **kwargs)
    if asked is not None and torch.device(asked).type == "cpu":
        return found
    if name == "aten::_pack_padded_sequence":
        return Elsewhere(found[0]), found[1]
    return _up(known, found)


def _down(name: str, known: dict[int, Tensor], given):
    """Return the arguments of an operation on the CPU, in whatever lists they stand."""
    if isinstance(given, Elsewhere):
        known[id(given.held)] = given
        return given.held
    if isinstance(given, Tensor):
        if given.dim() and name not in FROM_CPU_TOO:
            raise RuntimeError(f"{name}: a tensor of the CPU {tuple(given.shape)} among those of {NAME}")
        known[id(given)] = given
        return given
    return type(given)([_down(name, known, each) for each in given]) if type(given) in (list, tuple) else given


def _up(known: dict[int, Tensor], found):
    if isinstance(found, Tensor):
        return known[id(found)] if id(found) in known else Elsewhere(found)
    return type(found)([_up(known, each) for each in found]) if type(found) in (list, tuple) else found


class _Lstm(torch.autograd.Function):
    """All steps of an LSTM as one kernel, as GPUs have it; left to itself, PyTorch takes each step apart in Python."""

    @staticmethod
    def forward(ctx, packed_sizes, rest, *tensors):
        """Compute on the CPU; the tensors are what is read, two states and the parameters."""
        sizes = () if packed_sizes is None else (packed_sizes,)
        ctx.held = [each.detach().requires_grad_() for each in _down("aten::lstm", {}, tensors)]
        x, hidden, cell, *params = ctx.held
        with torch.enable_grad():
            ctx.found = torch._VF.lstm(x, *sizes, (hidden, cell), params, *rest)
        return tuple(Elsewhere(each.detach()) for each in ctx.found)

    @staticmethod
    def backward(ctx, *slopes):
        """Return the gradients of the tensors."""
        found = torch.autograd.grad(ctx.found, ctx.held, [each.held for each in slopes])
        return None, None, *map(Elsewhere, found)


def _lstm(x, states, params, *rest):
    return _Lstm.apply(None, rest, x, *states, *params)


def _packed_lstm(x, sizes, states, params, *rest):
    return _Lstm.apply(sizes, rest, x, *states, *params)
