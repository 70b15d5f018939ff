"""Attention levels as explanations: where the network pooled, or pooled more than is its habit."""

from collections.abc import Mapping
from functools import partial

from ecgviz.checkpoint import Model
from ecgviz.errors import ExplanationError
from ecgviz.explain.attention.maps import level_tap, on_samples
from ecgviz.explain.attention.prior import attention_prior, checked, excess
from ecgviz.explain.method import Method
from ecgviz.types import AttentionMap, Beats, Explanation, ModelInput


def attention_level(
    level: str, model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, seed: int, prior: str = "keep"
) -> Explanation:
    """Return one attention level as an explanation; ``label`` is None where it is the same for every label.

    The mass of a token is spread evenly over its span and conserved; ``resolution_s`` is the widest span. What a token
    sees is wider: ``params["receptive_field_s"]``. A map of one token (a channel map) has no time axis.

    With ``prior="keep"`` the map is unsigned. With ``prior="subtract"`` it is signed, the excess over what the network
    attends to when there is no diagnosis to see (`attention_prior`), and ``params["prior_overlap"]`` says how much of
    the map each part of the prior already explains, from 0 to 1.

    Raises
    ------
    ExplanationError
        When the network has no such level, for another ``prior``, or to subtract it without beats.
    """
    if why_not := lacks_level(level, model):
        raise ExplanationError(why_not)
    subtract = checked(prior)
    label = model.labels[label_index]
    tap = level_tap(model, inputs, level, label)
    if not subtract:
        return as_pooled(tap, inputs)
    values, overlap = excess(tap.values, attention_prior(model, inputs, beats, level, label_index, seed=seed))
    params = {"prior": prior, "prior_overlap": overlap}
    return on_samples(tap, inputs, method=_named(tap), label=tap.label, signed=True, params=params, values=values)


def as_pooled(tap: AttentionMap, inputs: ModelInput) -> Explanation:
    """Return a map that a network was asked for as the explanation that it is, nothing subtracted."""
    params = {"prior": "keep", "sums_to": tap.sums_to}
    return on_samples(tap, inputs, method=_named(tap), label=tap.label, signed=False, params=params)


def _named(tap: AttentionMap) -> str:
    return f"attention_{tap.level}"


def lacks_level(level: str, model: Model) -> str:
    """Return why a model cannot show a level of attention, "" where it can."""
    levels = getattr(model.net, "levels", ())
    if level in levels:
        return ""
    return f"{model.name} exposes no {level} attention; its attention levels: {', '.join(levels) or 'none'}"


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
LEVEL_METHODS: Mapping[str, Method] = {
    "attention_beat": _level("beat", "beat", "where the network pooled inside each window", IMLE),
    "attention_rhythm": _level("rhythm", "rhythm", "which windows of a lead the network pooled", IMLE),
    "attention_channel": _level("channel", "channel", "which leads the network pooled", IMLE),
    "attention_joint": _level("joint", "all levels", "beat, rhythm and channel weights multiplied", IMLE),
    "attention_age": _level("age", "age", "where the patient's age looked", "the network's own cross-attention"),
    "attention_sex": _level("sex", "sex", "where the patient's sex looked", "the network's own cross-attention"),
}
