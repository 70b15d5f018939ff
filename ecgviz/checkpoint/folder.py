"""A model folder on disk: what model.json must say, how it is written whole or not at all, and how it is checked."""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pydantic
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from ecgviz.checkpoint.exported import ExportedProgram
from ecgviz.errors import EcgvizError, ModelError
from ecgviz.nets import build
from ecgviz.registry import DESCRIPTION
from ecgviz.types import InputSpec
from ecgviz.yaml_text import wrong_with

WEIGHTS, PROGRAM, CARD = "weights.safetensors", "program.pt2", "CARD.md"
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
EXPORTED = "exported"
"""What model.json calls the network of a folder that holds a program instead of weights."""


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
        check_labels(self.labels, self.thresholds)
        return self

    @pydantic.field_validator("metrics")
    @classmethod
    def _past(cls, metrics: dict[str, Any]) -> dict[str, Any]:
        past = metrics.get("past scores", {"on": "", "tables": {}})
        parts = (past.get("on"), past.get("tables")) if isinstance(past, dict) else (None, None)
        if not isinstance(parts[0], str) or not isinstance(parts[1], dict):
            raise ValueError(f'"past scores" are {str(past)[:40]}, and no "tables" with what they were counted "on"')
        return metrics


def check_labels(labels: Sequence[str], thresholds: Sequence[float]) -> None:
    """Refuse labels that are empty or the same, and thresholds that are not one probability a label.

    Raises
    ------
    ModelError
        Naming the labels, or the thresholds.
    """
    if len(set(labels)) < len(labels) or not all(labels):
        raise ModelError(f"labels {', '.join(labels)} are empty or not all different")
    if len(thresholds) != len(labels):
        raise ModelError(f"{len(thresholds)} thresholds for {len(labels)} labels")
    if not all(0 < value < 1 for value in thresholds):
        raise ModelError(f"thresholds {', '.join(f'{value:g}' for value in thresholds)} are not all between 0 and 1")


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network with all that is needed to feed it and to read it.

    ``digest`` (SHA-256 over weights and model.json) identifies it in every result. ``weights_sha256``, over the weights
    alone, stays what it is where only a threshold or a score is told anew.
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
    weights_sha256: str
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


def read_model(folder: Path) -> Model:
    """Read and check a model folder; see `ecgviz.checkpoint.load_model`."""
    if not (folder / DESCRIPTION).is_file():
        raise ModelError(f"model folder {folder.name} lacks {DESCRIPTION}")
    text = (folder / DESCRIPTION).read_bytes()
    described = _describe(text, folder.name)
    stored = PROGRAM if described.net == EXPORTED else WEIGHTS
    for name in (stored, CARD):
        if not (folder / name).is_file():
            raise ModelError(f"model folder {folder.name} lacks {name}")
    weights = (folder / stored).read_bytes()
    found = hashlib.sha256(weights).hexdigest()
    if found != described.weights_sha256:
        raise ModelError(
            f"{folder.name}: {stored} has SHA-256 {found[:12]}..., model.json says "
            f"{described.weights_sha256[:12]}...: the weights were changed or belong to another model"
        )
    net = _network(described, weights, folder.name)
    _check_contract(net, described, folder.name)
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
        weights_sha256=found,
        card=_card(folder),
        metrics=described.metrics,
        training=described.training,
    )


def _check_contract(net: nn.Module, described: Description, folder: str) -> None:
    """Refuse an input contract that promises what the network, as far as it says so, cannot do or does without."""
    spec = described.spec
    if spec.pads and not getattr(net, "pads", True):
        raise ModelError(
            f"{folder}: {DESCRIPTION} says that shorter records may be padded (spec.pads), and {described.net} would "
            "take the padding for signal"
        )
    if lacking := [name for name in getattr(net, "needs", ()) if name not in spec.needs]:
        raise ModelError(
            f"{folder}: {described.net} needs {', '.join(lacking)}, which {DESCRIPTION} does not name (spec.needs)"
        )
    check_rate(net, spec, described.net, folder)


def check_rate(net: nn.Module, spec: InputSpec, net_name: str, called: str) -> None:
    """Refuse a rate at which a network that takes seconds for samples would read beats where there are none.

    Raises
    ------
    ModelError
        Naming both rates.
    """
    only = getattr(net, "fs", None)
    if only is not None and spec.fs != only:
        raise ModelError(
            f"{called}: {net_name} finds beats among samples at {only:g} Hz, and is to be fed {spec.fs:g} Hz; train it "
            f"at {only:g} Hz"
        )


def _card(folder: Path) -> str:
    try:
        return (folder / CARD).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} is {error.object[error.start]:#04x}"
        raise ModelError(f"{folder.name}: {CARD} is no text in UTF-8 ({found}); save it as that") from error


def _network(described: Description, weights: bytes, folder: str) -> nn.Module:
    if described.net == EXPORTED:
        program = ExportedProgram(weights, f"{folder}: {PROGRAM}")
        program.check(len(described.labels), described.spec)
        return program
    net = architecture(described.net, len(described.labels), described.config)
    try:
        tensors = load_tensors(weights)
    except SafetensorError as error:
        raise ModelError(f"{folder}: {WEIGHTS} is no safetensors file ({error})") from error
    fill(net, tensors, folder)
    return net


def architecture(net_name: str, n_labels: int, config: Mapping[str, Any]) -> nn.Module:
    """Build a registered network that waits for its weights; settings that it does not take raise ModelError."""
    try:
        return build(net_name, n_labels, seed=0, config=config)
    except EcgvizError:
        raise
    except (TypeError, RuntimeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise ModelError(f"{net_name} cannot be built with {dict(config)}: {error}") from error


def _describe(text: bytes, folder: str) -> Description:
    try:
        return Description.model_validate_json(text)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ModelError(f"{folder}: {DESCRIPTION} is malformed at {place}: {wrong_with(first)}") from error


def fill(net: nn.Module, tensors: Mapping[str, Tensor], called: str) -> None:
    """Put tensors into a network whose every key, shape and type they fit.

    Raises
    ------
    ModelError
        Naming the first keys that are missing or unknown, or the first tensor of another shape or type, or one that
        holds values that are not finite.
    """
    wanted = net.state_dict()
    missing, extra = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    if missing or extra:
        raise ModelError(
            f"{called}: weights do not fit the network: missing {missing[:3] or 'none'}, unknown {extra[:3] or 'none'}"
        )
    for key, tensor in tensors.items():
        if tensor.shape != wanted[key].shape or tensor.dtype != wanted[key].dtype:
            raise ModelError(
                f"{called}: {key} is {tuple(tensor.shape)} {tensor.dtype}, the network wants "
                f"{tuple(wanted[key].shape)} {wanted[key].dtype}"
            )
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(f"{called}: {key} holds values that are not finite")
    net.load_state_dict(tensors, strict=True)


def save_model(
    folder: str | Path,
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
    folder = Path(folder)
    if folder.exists():
        raise ModelError(f"{folder} exists already; name a new folder")
    if isinstance(net, ExportedProgram):
        stored, weights = PROGRAM, net.stored
    else:
        state = {key: tensor.contiguous().cpu() for key, tensor in net.state_dict().items()}
        stored, weights = WEIGHTS, save_tensors(state)
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
    try:
        text = json.dumps(described, indent=1, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{folder.name}: {DESCRIPTION} holds numbers, words, lists and tables alone ({error})"
        ) from error
    _describe(text, folder.name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        whole = Path(scratch) / folder.name
        whole.mkdir()
        (whole / stored).write_bytes(weights)
        (whole / DESCRIPTION).write_bytes(text)
        (whole / CARD).write_text(card, encoding="utf-8")
        whole.rename(folder)
