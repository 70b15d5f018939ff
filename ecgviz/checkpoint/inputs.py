"""From records to logits: one way to prepare a model's input, and one way to predict, for one record or many."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn

from ecgviz.checkpoint.folder import Model
from ecgviz.errors import EcgvizError, InputError, ModelError
from ecgviz.signal import prepare
from ecgviz.types import Beats, InputSpec, ModelInput, ObservedRate, Prediction, Record, ScoreTable, how_often
from ecgviz.types.arrays import FloatArray

AT_ONCE_CPU = 8
"""Records a batch on a CPU: fewer fill no core, and of more the activations leave its cache."""
AT_ONCE_GPU = 128


def model_input(model: Model, record: Record, beats: Beats | None = None) -> ModelInput:
    """Prepare a record for this model: the one path shared by prediction, explanation and training.

    Raises
    ------
    InputError
        When the record does not meet the model's input contract.
    """
    needs_peaks = "r_peaks" in model.spec.needs
    if needs_peaks and (beats is None or not len(beats)):
        raise InputError(
            f"{model.name} needs R peaks, and none were found: {'no beats given' if beats is None else beats.reason}"
        )
    return prepare(record, model.spec, r_s=beats.r_s if needs_peaks and beats is not None else None)


def stacked(inputs: Sequence[ModelInput]) -> tuple[Tensor, dict[str, Tensor | None]]:
    """Return x (B, L, T) and the keyword arguments (``r_s``, ``meta``, ``mask``) that a network is called with.

    ``meta`` is (B, 2): age in years and sex (0 male, 1 female), NaN where unknown. ``r_s`` is (B, K) with NaN after a
    record's last R peak, and None when the inputs of this model come without.
    """
    sexes = {"male": 0.0, "female": 1.0}
    meta = [[np.nan if i.age_years is None else i.age_years, sexes.get(i.sex or "", np.nan)] for i in inputs]
    peaks = [i.r_s for i in inputs if i.r_s is not None]
    r_s = None
    if len(peaks) == len(inputs):
        r_s = torch.full((len(inputs), max(len(each) for each in peaks)), torch.nan)
        for row, each in zip(r_s, peaks, strict=True):
            row[: len(each)] = torch.tensor(each, dtype=torch.float32)
    return torch.from_numpy(np.stack([i.x for i in inputs])), {
        "r_s": r_s,
        "meta": torch.tensor(meta, dtype=torch.float32),
        "mask": torch.from_numpy(np.stack([i.mask for i in inputs])),
    }


def tensors(inputs: ModelInput) -> tuple[Tensor, dict[str, Tensor | None]]:
    """Return x (1, L, T) and the keyword arguments of one record; see `stacked`."""
    return stacked([inputs])


def noise_for(spec: InputSpec) -> tuple[Tensor, dict[str, Tensor | None]]:
    """Return two records of noise, x (2, L, T), with arguments as of `stacked`; always the same.

    A network can be tried on it before any recording is there.
    """
    x = torch.randn(2, len(spec.leads), spec.n_samples, generator=torch.Generator().manual_seed(0))
    return x, {
        "r_s": torch.arange(0.4, spec.duration_s, 0.8).expand(2, -1) if "r_peaks" in spec.needs else None,
        "meta": torch.tensor([[50.0, 0.0], [60.0, 1.0]]),
        "mask": torch.ones(2, spec.n_samples, dtype=torch.bool),
    }


def network_logits(net: nn.Module, x: Tensor, **arguments: Tensor | None) -> Tensor:
    """Return logits (B, C) of many records x (B, L, T), in batches of the size that suits the network's device."""
    weight = next(chain(net.parameters(), net.buffers()), x)
    at_once = AT_ONCE_CPU if weight.device.type == "cpu" else AT_ONCE_GPU
    parts = []
    with torch.inference_mode():
        for start in range(0, len(x), at_once):
            some = slice(start, start + at_once)
            given = {k: None if v is None else v[some].to(weight.device) for k, v in arguments.items()}
            parts.append(net(x[some].to(weight.device), **given))
    return torch.cat(parts)


def predict_batch(model: Model, inputs: Sequence[ModelInput]) -> FloatArray:
    """Return the logits of many records as `model_input` prepared them, shape (B, C); (0, C) for none.

    Raises
    ------
    ModelError
        When the network cannot be fed what its input contract says, or does not return one finite logit a label.
    """
    if not inputs:
        return np.empty((0, len(model.labels)))
    x, arguments = stacked(inputs)
    logits: FloatArray = asked(model.net, model.spec, len(model.labels), model.name, x, arguments).double().numpy()
    lost = [label for k, label in enumerate(model.labels) if not np.isfinite(logits[:, k]).all()]
    if lost:
        raise ModelError(
            f"{model.name}: its network gives no finite logit of {', '.join(lost)}; its weights, or what it is fed, "
            "overflow"
        )
    return logits


def asked(
    net: nn.Module, spec: InputSpec, n_labels: int, called: str, x: Tensor, arguments: Mapping[str, Tensor | None]
) -> Tensor:
    """Return the logits (B, C), on the CPU, of what a network is fed; see `network_logits`.

    Raises
    ------
    ModelError
        When it cannot be called, or fed what its input contract says, or does not return one logit a label.
    """
    try:
        logits = network_logits(net, x, **arguments).cpu()
    except (RuntimeError, ValueError, TypeError, LookupError) as error:
        if isinstance(error, EcgvizError):
            raise
        reason = str(error).partition("\n")[0]
        if isinstance(error, TypeError):
            raise ModelError(
                f"{called}: its network cannot be called ({reason}): a network is called as net(x, r_s=..., meta=..., "
                "mask=...), each of them a tensor or None, see CONTRIBUTING.md"
            ) from error
        raise ModelError(
            f"{called}: its network cannot be fed {len(spec.leads)} leads of {spec.duration_s:g} s at {spec.fs:g} Hz "
            f"({reason}): are leads, rate and length those that it was trained with?"
        ) from error
    if logits.shape != (len(x), n_labels):
        raise ModelError(
            f"{called}: its network returns numbers of shape {tuple(logits.shape)} for {len(x)} records of "
            f"{n_labels} labels"
        )
    return logits


def predict(model: Model, record: Record, beats: Beats | None = None) -> Prediction:
    """Return logits and probabilities of every label for one record.

    Raises
    ------
    InputError
        When the record does not meet the model's input contract.
    ModelError
        As `predict_batch`.
    """
    return predict_many(model, [model_input(model, record, beats)])[0]


def predict_many(model: Model, inputs: Sequence[ModelInput]) -> list[Prediction]:
    """Return the prediction of each of many records as `model_input` prepared them."""
    logits = predict_batch(model, inputs)
    return [Prediction(model.labels, each, 1 / (1 + np.exp(-each)), np.array(model.thresholds)) for each in logits]


def past_rate(model: Model, label: str, probability: float) -> ObservedRate | None:
    """Return how often a score like this was right on records that the scoring network had not learnt from.

    None for a label without a table of past scores: the model was scored in another way, imported, or had too few
    records with that label.

    Raises
    ------
    ModelError
        When the table that the model's folder holds is none.
    """
    try:
        table = model.metrics.get("past scores", {}).get("tables", {}).get(label)
        return None if table is None else how_often(ScoreTable(**table), probability)
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ModelError(f"{model.name}: the past scores of {label} in model.json cannot be read ({error})") from error
