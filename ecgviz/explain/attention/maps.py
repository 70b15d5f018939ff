"""Attention weights on tokens, read from a network, and the same mass on samples."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ecgviz.checkpoint import Model, model_input, tensors
from ecgviz.errors import EcgvizError, ExplanationError, ModelError, said_by
from ecgviz.explain.undisturbed import device_of, undisturbed
from ecgviz.types import AttentionMap, Beats, Explanation, ModelInput, Record
from ecgviz.types.arrays import FloatArray


def attention(model: Model, record: Record, beats: Beats) -> tuple[AttentionMap, ...]:
    """Return every attention map that a network exposes on one record; empty for a network without attention.

    Raises
    ------
    InputError
        When the record does not meet the model's input contract.
    """
    return taps(model, model_input(model, record, beats))


def taps(model: Model, inputs: ModelInput) -> tuple[AttentionMap, ...]:
    """Return every attention map of a prepared record; empty for a network without attention.

    Raises
    ------
    ModelError
        For whatever a network of another package raises when its attention is read, and for what is no map.
    """
    if not hasattr(model.net, "taps"):
        return ()
    net: Any
    with undisturbed(model.net) as net, _refusing(model):
        x, arguments = given_to(net, inputs)
        return _maps(net.taps(x, fs=inputs.fs, start_s=inputs.start_s, leads=inputs.leads, **arguments), model)


@contextmanager
def _refusing(model: Model) -> Iterator[None]:
    """Make whatever a network raises when its attention is read one refusal that names the model."""
    try:
        yield
    except EcgvizError:
        raise
    except Exception as fault:
        raise ModelError(f"{model.name}: the attention of its network cannot be read ({said_by(fault)})") from fault


def _maps(given: Iterable[Any], model: Model) -> tuple[AttentionMap, ...]:
    found = tuple(given)
    if strange := next((type(tap).__name__ for tap in found if not isinstance(tap, AttentionMap)), ""):
        raise ModelError(f"{model.name}: its network gives {strange} where an ecgviz.types.AttentionMap is needed")
    return found


def level_tap(model: Model, inputs: ModelInput, level: str, label: str) -> AttentionMap:
    """Return the map of one level that the network has: the one of ``label``, or the one that holds for every label.

    An `Attentive` network need not work out its other levels for it.

    Raises
    ------
    ModelError
        When the network places no map of a level that it says it has; else as `taps`.
    """
    if not pools_of(model):
        return _chosen(taps(model, inputs), model, level, label)
    net: Any
    with undisturbed(model.net) as net, torch.inference_mode(), _refusing(model):
        x, arguments = given_to(net, inputs)
        _, weights = net.attend(x, **arguments)
        needed = {level: weights[level]} if level in weights else weights
        return _chosen(_maps(placed(net, needed, inputs), model), model, level, label)


def _chosen(found: Sequence[AttentionMap], model: Model, level: str, label: str) -> AttentionMap:
    """Return the map of a level and label."""
    for tap in found:
        if tap.level == level and tap.label in (None, label):
            return tap
    has = ", ".join(dict.fromkeys(tap.level for tap in found)) or "none"
    raise ModelError(
        f"{model.name} says that its attention has a {level} level, but gave no map of it for {label!r}; levels that "
        f"it gave: {has}"
    )


def pools_of(model: Model) -> tuple[str, ...]:
    """Return the levels whose weights the logits are made from, finest first; empty where a network names none."""
    pools: tuple[str, ...] = getattr(model.net, "pools", ())
    return pools


def given_to(net: nn.Module, inputs: ModelInput) -> tuple[Tensor, dict[str, Tensor | None]]:
    """Return x (1, L, T) and the keyword arguments of one record, on the network's device."""
    x, arguments = tensors(inputs)
    device = device_of(net)
    return x.to(device), {k: None if v is None else v.to(device) for k, v in arguments.items()}


def placed(net: Any, weights: Mapping[str, Any], inputs: ModelInput) -> list[AttentionMap]:
    """Return values of the shape of an `Attentive` network's weights as maps on the record."""
    x, arguments = tensors(inputs)
    arguments.pop("meta")
    maps: list[AttentionMap] = net.place(
        weights, x, fs=inputs.fs, start_s=inputs.start_s, leads=inputs.leads, **arguments
    )
    return maps


def on_samples(
    tap: AttentionMap,
    inputs: ModelInput,
    *,
    method: str,
    label: str | None,
    signed: bool,
    params: Mapping[str, Any],
    values: FloatArray | None = None,
) -> Explanation:
    """Return a map on tokens as an explanation: the mass of a token is spread evenly over its span and conserved.

    ``values`` take the place of the map's own. ``resolution_s`` is the widest span. What a token sees is wider:
    ``params["receptive_field_s"]``. A map of one token (a channel map) has no time axis. Where a patient's age or sex
    asks and is not stated, ``params["not_stated"]`` names it: the network's stand-in for an unknown one asked.
    """
    values = tap.values if values is None else values
    n_tokens = values.shape[1]
    if n_tokens > 1:
        values = spread(values, tap.span_s, inputs.fs, inputs.start_s, inputs.x.shape[1])
    return Explanation(
        values=values,
        fs=inputs.fs,
        start_s=inputs.start_s,
        leads=tap.leads,
        label=label,
        method=method,
        signed=signed,
        resolution_s=float((tap.span_s[:, 1] - tap.span_s[:, 0]).max()),
        params={**params, **_not_stated(tap, inputs), "receptive_field_s": tap.receptive_field_s, "n_tokens": n_tokens},
    )


def _not_stated(tap: AttentionMap, inputs: ModelInput) -> dict[str, str]:
    asks = {"age": inputs.age_years, "sex": inputs.sex}
    return {"not_stated": tap.level} if asks.get(tap.level, "stated") is None else {}


def spread(values: FloatArray, span_s: FloatArray, fs: float, start_s: float, n_samples: int) -> FloatArray:
    """Spread what each token holds over the samples it overlaps: (L, K) to (L, n_samples), sum unchanged.

    ``span_s`` (K, 2) is where the tokens, or windows, begin and end, in seconds from the record's start.

    Raises
    ------
    ExplanationError
        When a token lies outside the window altogether.
    """
    edges = np.clip((span_s - start_s) * fs + 0.5, 0, n_samples)
    left = np.arange(n_samples)
    overlap = np.minimum(edges[:, 1:], left + 1) - np.maximum(edges[:, :1], left)  # (K, T)
    overlap = np.maximum(overlap, 0)
    width = overlap.sum(axis=1, keepdims=True)
    outside = np.flatnonzero(~(width > 0))
    if outside.size:
        raise ExplanationError(f"token {outside[0]} of the network lies outside the window that it read")
    spread_out: FloatArray = values @ (overlap / width)
    return spread_out


def cannot_tell(explanation: Explanation) -> tuple[str, ...]:
    """Return, in sentences, what a map cannot say: which label, which lead, when, and how finely."""
    sentences = []
    if explanation.label is None:
        sentences.append("The same for every label: it cannot say why this label and not another.")
    if not explanation.has_leads:
        sentences.append("It has no lead axis: it says when, never in which lead.")
    if not explanation.has_time:
        sentences.append("It has no time axis: it says in which lead, never when.")
    if missing := explanation.params.get("not_stated"):
        sentences.append(f"The patient's {missing} is not stated: the network's stand-in for an unknown one looked.")
    field_s = explanation.params.get("receptive_field_s", 0.0)
    if explanation.has_time and field_s > explanation.resolution_s:
        sentences.append(
            f"A weight is drawn over {explanation.resolution_s:.3g} s, but {field_s:.3g} s of signal went into it: "
            "what it points at may lie anywhere within."
        )
    return tuple(sentences)
