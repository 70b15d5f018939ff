"""Attention as a map on the samples: where a network pooled, which is not what moved its logit.

Attention weights have no sign and need not agree with attributions (Jain and Wallace, NAACL 2019, arXiv:1902.10186;
Wiegreffe and Pinter, EMNLP 2019, arXiv:1908.04626 for the other side). They are read from the network itself.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from ecgviz.checkpoint import Model, model_input, tensors
from ecgviz.errors import ExplanationError
from ecgviz.explain.method import Method
from ecgviz.explain.undisturbed import undisturbed
from ecgviz.types import AttentionMap, Beats, Explanation, ModelInput, Record
from ecgviz.types.arrays import FloatArray


def attention(model: Model, record: Record, beats: Beats) -> tuple[AttentionMap, ...]:
    """Return every attention map that a network exposes on one record; empty for a network without attention.

    Raises
    ------
    InputError
        When the record does not meet the model's input contract.
    """
    return _taps(model, model_input(model, record, beats))


def attention_level(
    level: str, model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, seed: int
) -> Explanation:
    """Return one attention level as an explanation, unsigned; ``label`` is None where it is the same for every label.

    The mass of a token is spread evenly over its span and conserved; ``resolution_s`` is the widest span. What a token
    sees is wider: ``params["receptive_field_s"]``. A map of one token (a channel map) has no time axis.

    Raises
    ------
    ExplanationError
        When the network has no such level.
    """
    if why_not := lacks_level(level, model):
        raise ExplanationError(why_not)
    maps = {tap.level: tap for tap in _taps(model, inputs) if tap.label in (None, model.labels[label_index])}
    tap = maps[level]
    n_tokens = tap.values.shape[1]
    values = (
        tap.values if n_tokens == 1 else spread(tap.values, tap.span_s, inputs.fs, inputs.start_s, inputs.x.shape[1])
    )
    return Explanation(
        values=values,
        fs=inputs.fs,
        start_s=inputs.start_s,
        leads=tap.leads,
        label=tap.label,
        method=f"attention_{level}",
        signed=False,
        resolution_s=float((tap.span_s[:, 1] - tap.span_s[:, 0]).max()),
        params={"sums_to": tap.sums_to, "receptive_field_s": tap.receptive_field_s, "n_tokens": n_tokens},
    )


def lacks_level(level: str, model: Model) -> str:
    """Return why a model cannot show a level of attention, "" where it can."""
    levels = getattr(model.net, "levels", ())
    if level in levels:
        return ""
    return f"{model.name} exposes no {level} attention; its attention levels: {', '.join(levels) or 'none'}"


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


def _taps(model: Model, inputs: ModelInput) -> tuple[AttentionMap, ...]:
    if not hasattr(model.net, "taps"):
        return ()
    x, arguments = tensors(inputs)
    net: Any
    with undisturbed(model.net) as net:
        taps = net.taps(x, fs=inputs.fs, start_s=inputs.start_s, leads=inputs.leads, **arguments)
    return tuple(taps)


def _level(level: str, title: str, definition: str, source: str) -> Method:
    return Method(
        partial(attention_level, level),
        "attention",
        f"Attention, {title}",
        f"{definition}; not what moved the logit",
        source,
        partial(lacks_level, level),
    )


IMLE = "Reddy et al. 2021, arXiv:2204.05116"
ATTENTION_METHODS: Mapping[str, Method] = {
    "attention_beat": _level("beat", "beat", "where the network pooled inside each window", IMLE),
    "attention_rhythm": _level("rhythm", "rhythm", "which windows of a lead the network pooled", IMLE),
    "attention_channel": _level("channel", "channel", "which leads the network pooled", IMLE),
    "attention_joint": _level("joint", "all levels", "beat, rhythm and channel weights multiplied", IMLE),
    "attention_age": _level("age", "age", "where the patient's age looked", "the network's own cross-attention"),
    "attention_sex": _level("sex", "sex", "where the patient's sex looked", "the network's own cross-attention"),
}
