"""A network on another device than the CPU, once it has said there what it says here."""

import copy
from dataclasses import replace

from ecgviz.checkpoint.folder import Model
from ecgviz.checkpoint.inputs import network_logits, noise_for
from ecgviz.errors import ModelError

DEVICE_TOLERANCE = 1e-3
"""Logits of noise may differ by so much between devices: sums in another order make some 1e-6, TF32 some 1e-2."""


def on_device(model: Model, device: str) -> Model:
    """Return a model with a copy of its network on a device, such as "cuda"; the given one stays where it is.

    What is asked of it (`predict_many`, `ecgviz.explain`) is worked out there, and comes back as arrays.

    Raises
    ------
    ModelError
        Where PyTorch finds no such device on this machine, or the network says something else on it than here.
    """
    try:
        moved = replace(model, net=copy.deepcopy(model.net).to(device))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ModelError(f"PyTorch finds no device {device!r} on this machine for {model.name}") from error
    x, arguments = noise_for(model.spec)
    here, there = (network_logits(each.net, x, **arguments).cpu() for each in (model, moved))
    apart = float((here - there).abs().max())
    if not apart <= DEVICE_TOLERANCE:
        raise ModelError(f"{model.name} says something else on {device} than on the CPU: logits differ by {apart:.2g}")
    return moved
