"""Trained models: a folder with weights.safetensors, model.json and CARD.md, checked key by key before it may predict.

No code travels with a model: model.json may only name a registered architecture, and weights are plain tensors.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from ecgviz.errors import ModelError
from ecgviz.nets import build
from ecgviz.registry import shipped
from ecgviz.signal import prepare
from ecgviz.types import Beats, InputSpec, ModelInput, Prediction, Record

WEIGHTS, DESCRIPTION, CARD = "weights.safetensors", "model.json", "CARD.md"
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class Description(pydantic.BaseModel):
    """The contents of model.json; unknown or missing fields are refused."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    format: int = pydantic.Field(ge=1, le=1)
    name: str = pydantic.Field(pattern=f"^{NAME.pattern}$")
    version: str
    net: str
    config: dict[str, float | int | str | bool]
    labels: tuple[str, ...] = pydantic.Field(min_length=1)
    thresholds: tuple[float, ...]
    spec: InputSpec
    weights_sha256: str = pydantic.Field(pattern="^[0-9a-f]{64}$")
    metrics: dict[str, Any]
    training: dict[str, Any]

    @pydantic.model_validator(mode="after")
    def _counts(self) -> "Description":
        if len(self.thresholds) != len(self.labels):
            raise ValueError(f"{len(self.thresholds)} thresholds for {len(self.labels)} labels")
        return self


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network with all that is needed to feed it and to read it.

    ``digest`` (SHA-256 over weights and model.json) identifies it in every result.
    """

    net: nn.Module
    net_name: str
    config: Mapping[str, Any]
    name: str
    version: str
    spec: InputSpec
    labels: tuple[str, ...]
    thresholds: tuple[float, ...]
    digest: str
    card: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.net.parameters())

    def label_index(self, label: str) -> int:
        """Return the position of ``label`` in the output; raises ModelError for one the model does not predict."""
        if label not in self.labels:
            raise ModelError(f"{self.name} does not predict {label!r}; its labels are {', '.join(self.labels)}")
        return self.labels.index(label)


def available_models() -> tuple[str, ...]:
    """Names of the shipped models, sorted."""
    folder = shipped("models")
    return tuple(sorted(path.parent.name for path in folder.glob(f"*/{DESCRIPTION}"))) if folder.is_dir() else ()


def load_model(source: str | Path) -> Model:
    """Load a shipped model by name, or any model folder by path.

    Raises
    ------
    ModelError
        When the folder is incomplete, model.json malformed, the hash wrong, or the weights do not fit the network
        key by key and shape by shape. A network that is not fully loaded never predicts.
    """
    folder = shipped("models") / str(source) if NAME.fullmatch(str(source)) else Path(source)
    if not folder.is_dir():
        known = ", ".join(available_models()) or "none"
        raise ModelError(f"there is no model {str(source)!r}; shipped models: {known}; or give a model folder")
    for name in (WEIGHTS, DESCRIPTION, CARD):
        if not (folder / name).is_file():
            raise ModelError(f"model folder {folder.name} lacks {name}")
    text = (folder / DESCRIPTION).read_bytes()
    weights = (folder / WEIGHTS).read_bytes()
    described = _describe(text, folder.name)
    found = hashlib.sha256(weights).hexdigest()
    if found != described.weights_sha256:
        raise ModelError(
            f"{folder.name}: {WEIGHTS} has SHA-256 {found[:12]}..., model.json says "
            f"{described.weights_sha256[:12]}...: the weights were changed or belong to another model"
        )
    net = build(described.net, len(described.labels), seed=0, config=described.config)
    _fill(net, weights, folder.name)
    return Model(
        net=net.eval().requires_grad_(requires_grad=False),
        net_name=described.net,
        config=described.config,
        name=described.name,
        version=described.version,
        spec=described.spec,
        labels=described.labels,
        thresholds=described.thresholds,
        digest=hashlib.sha256(weights + text).hexdigest(),
        card=(folder / CARD).read_text(encoding="utf-8"),
        metrics=described.metrics,
        training=described.training,
    )


def _describe(text: bytes, folder: str) -> Description:
    try:
        return Description.model_validate_json(text)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ModelError(f"{folder}: {DESCRIPTION} is malformed at {place}: {first['msg']}") from error


def _fill(net: nn.Module, weights: bytes, folder: str) -> None:
    try:
        tensors = load_tensors(weights)
    except SafetensorError as error:
        raise ModelError(f"{folder}: {WEIGHTS} is no safetensors file ({error})") from error
    wanted = net.state_dict()
    missing, extra = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    if missing or extra:
        raise ModelError(
            f"{folder}: weights do not fit the network: missing {missing[:3] or 'none'}, unknown {extra[:3] or 'none'}"
        )
    for key, tensor in tensors.items():
        if tensor.shape != wanted[key].shape or tensor.dtype != wanted[key].dtype:
            raise ModelError(
                f"{folder}: {key} is {tuple(tensor.shape)} {tensor.dtype}, the network wants "
                f"{tuple(wanted[key].shape)} {wanted[key].dtype}"
            )
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(f"{folder}: {key} holds values that are not finite")
    net.load_state_dict(tensors, strict=True)


def save_model(
    folder: Path,
    net: nn.Module,
    *,
    net_name: str,
    config: Mapping[str, Any],
    name: str,
    version: str,
    spec: InputSpec,
    labels: tuple[str, ...],
    thresholds: tuple[float, ...],
    metrics: Mapping[str, Any],
    training: Mapping[str, Any],
    card: str,
) -> None:
    """Write a model folder; it appears whole or not at all.

    Raises
    ------
    ModelError
        When ``folder`` exists already, or the description is not valid.
    """
    if folder.exists():
        raise ModelError(f"{folder} exists already; name a new folder")
    weights = save_tensors({key: tensor.contiguous().cpu() for key, tensor in net.state_dict().items()})
    described = {
        "format": 1,
        "name": name,
        "version": version,
        "net": net_name,
        "config": dict(config),
        "labels": labels,
        "thresholds": thresholds,
        "spec": asdict(spec),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "metrics": dict(metrics),
        "training": dict(training),
    }
    text = json.dumps(described, indent=1, allow_nan=False).encode()
    _describe(text, folder.name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        whole = Path(scratch) / folder.name
        whole.mkdir()
        (whole / WEIGHTS).write_bytes(weights)
        (whole / DESCRIPTION).write_bytes(text)
        (whole / CARD).write_text(card, encoding="utf-8")
        whole.rename(folder)


def model_input(model: Model, record: Record, beats: Beats | None = None) -> ModelInput:
    """Prepare a record for this model: the one path shared by prediction, explanation and training."""
    needs_peaks = "r_peaks" in model.spec.needs
    if needs_peaks and (beats is None or not len(beats)):
        raise ModelError(
            f"{model.name} needs R peaks, and none were found: {beats.reason if beats else 'no beats given'}"
        )
    return prepare(record, model.spec, r_s=beats.r_s if needs_peaks and beats is not None else None)


def tensors(inputs: ModelInput) -> tuple[Tensor, dict[str, Tensor | None]]:
    """Return x (1, L, T) and the keyword arguments (``r_s``, ``meta``, ``mask``) that a network is called with.

    ``meta`` is (1, 2): age in years and sex (0 male, 1 female), NaN where unknown.
    """
    sex = {"male": 0.0, "female": 1.0}.get(inputs.sex or "", np.nan)
    age = np.nan if inputs.age_years is None else inputs.age_years
    return torch.from_numpy(inputs.x.copy())[None], {
        "r_s": None if inputs.r_s is None else torch.tensor(inputs.r_s, dtype=torch.float32)[None],
        "meta": torch.tensor([[age, sex]], dtype=torch.float32),
        "mask": torch.from_numpy(inputs.mask.copy())[None],
    }


def predict(model: Model, record: Record, beats: Beats | None = None) -> Prediction:
    """Return logits and probabilities of every label for one record.

    Raises
    ------
    InputError
        When the record does not meet the model's input contract.
    """
    x, arguments = tensors(model_input(model, record, beats))
    with torch.inference_mode():
        logits = model.net(x, **arguments)[0].double().numpy(force=True)
    return Prediction(model.labels, logits, 1 / (1 + np.exp(-logits)), np.array(model.thresholds))
