"""Trained models: a folder with weights, model.json and CARD.md, checked key by key before it may predict.

No code travels with a model. model.json may only name a registered architecture, whose weights are plain tensors
(``weights.safetensors``), or say "exported": then ``program.pt2`` is read as data, a list of tensor operators and their
weights, and nothing in it is unpickled or imported.
"""

from pathlib import Path

from ecgviz import registry
from ecgviz.checkpoint.devices import on_device
from ecgviz.checkpoint.folder import CARD, NAME, PROGRAM, WEIGHTS, Model, read_model, save_model
from ecgviz.checkpoint.inputs import (
    model_input,
    network_logits,
    past_rate,
    predict,
    predict_batch,
    predict_many,
    stacked,
    tensors,
)
from ecgviz.errors import ModelError
from ecgviz.registry import DESCRIPTION, available_models, default_model

__all__ = [
    "CARD",
    "DESCRIPTION",
    "NAME",
    "PROGRAM",
    "WEIGHTS",
    "Model",
    "available_models",
    "default_model",
    "load_model",
    "model_input",
    "network_logits",
    "on_device",
    "past_rate",
    "predict",
    "predict_batch",
    "predict_many",
    "save_model",
    "stacked",
    "tensors",
]


def load_model(source: str | Path) -> Model:
    """Load a shipped model by name, or any model folder by path; a shipped name wins over a folder of that name.

    Those that the dashboard was started with have names in its process, too.

    Raises
    ------
    ModelError
        When the folder is incomplete, model.json malformed, the hash wrong, or the weights do not fit the network
        key by key and shape by shape. A network that is not fully loaded never predicts.
    """
    folder = registry.model_folders().get(str(source), Path(source))
    if not str(source).strip() or not folder.is_dir():
        known = ", ".join(available_models()) or "none"
        raise ModelError(
            f"there is no model {str(source)!r}: the shipped models are {known}, and no folder has that path"
        )
    return read_model(folder)
