"""What some operators of PyTorch do not ask of their arguments, asked before they are called.

PyTorch's public functions look at what they are given. Those that they are made of, which an exported program calls by
name, often trust it: where lengths do not fit, they read and write memory that is not theirs, or end the process.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

Given = Mapping[str, Any]
NEVER_CALLED = frozenset({"as_strided_", "gru.data", "lstm.data", "rnn_relu.data", "rnn_tanh.data"})
"""Left out although their like is listed: nothing is asked of the span or of the batch sizes that they are given."""
WIDEST = 1_000_000
"""Samples that a window may span, or be moved by: of 2**31 they are counted one by one."""


def _must(fits: bool, otherwise: str) -> None:
    if not fits:
        raise ValueError(otherwise)


def _shaped(given: Given, name: str, wanted: Sequence[int]) -> None:
    """Refuse a tensor of another shape; one that is left out is None."""
    tensor = given[name]
    if tensor is not None:
        _must(tensor.shape == tuple(wanted), f"{name} is {tuple(tensor.shape)}, and {tuple(wanted)} is wanted")


def _one_type(tensors: Sequence[Tensor | None]) -> None:
    found = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors if tensor is not None})
    _must(len(found) == 1, f"it mixes {' and '.join(found)}")


def _batch_norm(given: Given) -> None:
    x, mean, variance = given["input"], given.get("running_mean"), given.get("running_var")
    _must(x.ndim >= 2, f"input is {tuple(x.shape)}, without an axis of channels")
    _must((mean is None) == (variance is None), "it has one of running_mean and running_var without the other")
    _must(mean is not None or given["training"], "it has no running_mean and is not in training")
    for name in ("weight", "bias", "running_mean", "running_var"):
        if name in given:
            _shaped(given, name, (x.shape[1],))


def _divide(given: Given) -> None:
    a, b = given["self"], given["other"]
    kind = torch.result_type(a, b)
    if given["rounding_mode"] != "trunc" or kind.is_floating_point or kind.is_complex or kind == torch.bool:
        return
    least = torch.iinfo(kind).min
    overflows = least < 0 and bool((a == least).any()) and bool(torch.as_tensor(b == -1).any())
    _must(not overflows, f"it divides {least} by -1, and {kind} has no number for that")


def _window(given: Given) -> None:
    for name in ("kernel_size", "stride", "padding", "dilation"):
        _must(all(abs(size) <= WIDEST for size in given[name]), f"{name} is {given[name]}")


def _fourier(given: Given) -> None:
    x, axes = given["self"], given["dim"]
    known = len(axes) > 0 and len(set(axes)) == len(axes) and all(0 <= axis < x.ndim for axis in axes)
    _must(known, f"dim is {list(axes)} for samples of {x.ndim} axes")


def _fourier_back(given: Given) -> None:
    _fourier(given)
    found, length = given["self"].shape[given["dim"][-1]], given["last_dim_size"]
    _must(length >= 1 and found == length // 2 + 1, f"{found} frequencies are not those of {length} samples")


def _attention(given: Given) -> None:
    query, key, value, mask = (given[name] for name in ("query", "key", "value", "attn_mask"))
    _must(query.ndim == key.ndim == 4, "query and key have other than 4 axes")
    _shaped(given, "key", (*query.shape[:2], key.shape[2], query.shape[3]))
    _shaped(given, "value", key.shape)
    _must(key.numel() > 0 and query.numel() > 0, "query or key is empty")
    _one_type((query, key, value))
    if mask is not None:
        whole = (*query.shape[:3], key.shape[2])
        fits = mask.ndim in (2, 4) and all(
            size in (1, full) for size, full in zip(mask.shape, whole[-mask.ndim :], strict=True)
        )
        _must(fits, f"attn_mask is {tuple(mask.shape)}, and {whole} is wanted")
        _must(mask.dtype in (query.dtype, torch.float32), f"attn_mask is {mask.dtype}")


def _weight_norm(given: Given) -> None:
    v, axis = given["v"], given["dim"]
    _must(-1 <= axis < v.ndim and v.numel() > 0, f"dim is {axis} for v of shape {tuple(v.shape)}")
    if axis >= 0:
        _shaped(given, "g", [size if n == axis else 1 for n, size in enumerate(v.shape)])
    _one_type((v, given["g"]))


def _recurrent(gates: int) -> Callable[[Given], None]:
    """Return what asks of a recurrent layer with so many gates whether weights and states fit its input."""

    def check(given: Given) -> None:
        x, states, weights = given["input"], given["hx"], given["params"]
        states = [states] if isinstance(states, Tensor) else states
        _must(x.ndim == 3 and all(state.ndim == 3 for state in states), "input or state has other than 3 axes")
        _one_type((x, *states, *weights))
        _must(x.numel() > 0 and len(states) == (2 if gates == 4 else 1), "input or state is empty")
        ways, shown, hidden = 1 + given["bidirectional"], states[0].shape[2], states[-1].shape[2]
        n, n_records = given["num_layers"] * ways, x.shape[0 if given["batch_first"] else 1]
        for state in states:
            _must(state.shape[:2] == (n, n_records), f"a state is {tuple(state.shape)} for {n_records} records")
        wanted: list[tuple[int, ...]] = []
        for layer in range(min(given["num_layers"], len(weights))):
            wide = x.shape[2] if layer == 0 else ways * shown
            biases = [(gates * hidden,)] * 2 if given["has_biases"] else []
            projection = [(shown, hidden)] if shown != hidden else []
            wanted += [(gates * hidden, wide), (gates * hidden, shown), *biases, *projection] * ways
        found = [tuple(weight.shape) for weight in weights]
        _must(hidden > 0 and shown > 0 and found == wanted, f"params are {found}, and {wanted} are wanted")

    return check


GUARDS: Mapping[str, Callable[[Given], None]] = {
    "native_batch_norm": _batch_norm,
    "_native_batch_norm_legit": _batch_norm,
    "_native_batch_norm_legit_no_training": lambda given: _batch_norm({**given, "training": False}),
    "div.Tensor_mode": _divide,
    "div.Scalar_mode": _divide,
    "divide.Tensor_mode": _divide,
    "divide.Scalar_mode": _divide,
    "_fft_c2c": _fourier,
    "_fft_r2c": _fourier,
    "_fft_c2r": _fourier_back,
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "_weight_norm": _weight_norm,
    "max_pool1d": _window,
    "col2im": _window,
    "lstm": _recurrent(4),
    "gru": _recurrent(3),
    "rnn_tanh": _recurrent(1),
    "rnn_relu": _recurrent(1),
}
"""By an operator's name, or that with its overload; in place (``div_``) is asked the same. Each raises ValueError."""


def guarded(function: torch._ops.OpOverload, name: str) -> Callable[..., Any]:
    """Return an operator that asks first what its guard asks; itself where it has none."""
    plain, overload = name.removesuffix("_"), function._overloadname
    guard = GUARDS.get(plain) or GUARDS.get(f"{plain}.{overload}")
    if guard is None:
        return function
    # What is not given is as the operator has it.
    usual = {each.name: each.default_value for each in function._schema.arguments if each.has_default_value()}

    def asked(**given: Any) -> Any:
        guard({**usual, **given})
        return function(**given)

    return asked
