"""Frozen dataclasses as JSON and named arrays, and back: what is read is built from the types of the caller alone."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np


def encode(value: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """Turn a value into what JSON can hold; arrays go to ``arrays`` under their path, NaN becomes null."""
    if isinstance(value, np.ndarray):
        arrays[path] = value
        return {"array": path, "shape": list(value.shape)}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name), f"{path}.{f.name}", arrays) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): encode(each, f"{path}.{key}", arrays) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [encode(each, f"{path}.{i}", arrays) for i, each in enumerate(value)]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def decode(hint: Any, value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Turn JSON back into what ``hint`` says; null is NaN where a float is wanted.

    Raises
    ------
    TypeError
        When something of another kind stands where a text, a number, a list, a table of names, an array or a dataclass
        belongs.
    KeyError
        For an array that is not among ``arrays``.
    """
    origin, args = get_origin(hint), get_args(hint)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _check(value, dict, "a table of names")
        return {key: decode(args[1], each, arrays) for key, each in value.items()}
    if origin is np.ndarray:
        return _array(value, get_args(args[1])[0], arrays)
    if origin in (Union, types.UnionType):
        return None if value is None else decode(next(a for a in args if a is not types.NoneType), value, arrays)
    if origin is tuple:
        _check(value, list, "a list")
        return tuple(decode(args[0], each, arrays) for each in value)
    if is_dataclass(hint):
        _check(value, dict, f"a {getattr(hint, '__name__', hint)}")
        hints = get_type_hints(hint)
        return hint(**{name: decode(hints[name], each, arrays) for name, each in value.items()})  # type: ignore[operator]
    if hint is float:
        return float("nan") if value is None else float(value)
    if hint in _NAMED:
        _check(value, hint, _NAMED[hint])
    return value


_NAMED: Mapping[Any, str] = {str: "a text", int: "a whole number", bool: "true or false"}


def _array(value: Any, kind: Any, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the array that is named, when it is of the kind of numbers and the shape that are stated."""
    _check(value, dict, "an array")
    found = arrays[value["array"]]
    wanted = get_origin(kind) or kind
    if not np.issubdtype(found.dtype, wanted) or list(found.shape) != value["shape"]:
        raise TypeError(f"the array {value['array']} is {found.dtype} of shape {found.shape}, not as it is described")
    return found


def _check(value: Any, kind: type, wanted: str) -> None:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{value!r} stands where {wanted} belongs")
