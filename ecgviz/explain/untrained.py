"""The untrained twin of a network: the same architecture, with weights that know nothing of the training.

They are drawn by the digest of the trained weights and a seed: a seed alone may be the one with which the training
began, and weights that hardly moved since are no random ones. A threshold that is set anew draws no other networks.
Batch normalisation is fresh too, but not empty: what it normalises by is measured on simulated healthy hearts. A
network of many layers whose normalisations do nothing carries no signal to its end; it answers nothing, and its maps
are flat.
"""

import json
from functools import lru_cache
from hashlib import sha256

import torch
from torch import Tensor, nn

from ecgviz.checkpoint import Model
from ecgviz.checkpoint.inputs import stacked
from ecgviz.explain.undisturbed import device_of
from ecgviz.nets import build
from ecgviz.signal import prepare
from ecgviz.simulate import simulate
from ecgviz.types import InputSpec

PROBES = 2
"""Healthy hearts whose statistics a fresh network takes; one alone has no spread after pooling over time."""
PROBE_HZ, PROBE_LEAST_S = 500.0, 2.0
NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def untrained_network(model: Model, seed: int) -> nn.Module:
    """Return the untrained twin of a model's network, in eval mode on its device; the same one for the same seed."""
    own_seed = int.from_bytes(sha256(f"{model.weights_sha256} {seed}".encode()).digest()[:4], "big")
    config = json.dumps(dict(model.config), sort_keys=True)
    return _built(model.net_name, len(model.labels), config, model.spec, own_seed, device_of(model.net))


@lru_cache(maxsize=16)
def _built(net_name: str, n_labels: int, config: str, spec: InputSpec, seed: int, device: torch.device) -> nn.Module:
    net = build(net_name, n_labels, seed=seed, config=json.loads(config))
    net.requires_grad_(requires_grad=False).to(device)
    _settle(net, spec)
    return net.eval()


def _settle(net: nn.Module, spec: InputSpec) -> None:
    """Measure what each batch normalisation of a network normalises by, all in one pass.

    In float64: in float32 the variances of IMLE-Net come out by up to 3e-4 otherwise with another number of threads.
    """
    own = [(part, part.momentum) for part in net.modules() if isinstance(part, NORMALISATIONS)]
    if not own:
        return
    for part, _ in own:
        part.reset_running_stats()
        part.train().momentum = None  # the mean over all that passes, however a network deals it into parts
    x, arguments = _healthy(spec)
    net.double()
    with torch.enable_grad():  # without, networks may take a short cut round their normalisations
        net(_double(x, net), **{name: None if each is None else _double(each, net) for name, each in arguments.items()})
    net.float()
    for part, momentum in own:
        part.momentum = momentum


def _double(each: Tensor, net: nn.Module) -> Tensor:
    """Return an argument of a network on its device, in float64 unless it is a mask."""
    return each.to(device_of(net), torch.float64 if each.is_floating_point() else each.dtype)


@lru_cache(maxsize=4)
def _healthy(spec: InputSpec) -> tuple[Tensor, dict[str, Tensor | None]]:
    """Return simulated healthy hearts as a network of this contract is fed them."""
    duration_s = max(spec.duration_s, PROBE_LEAST_S)
    made = [simulate("normal", seed=seed, fs=PROBE_HZ, duration_s=duration_s) for seed in range(PROBES)]
    needs_peaks = "r_peaks" in spec.needs
    return stacked([prepare(each.record, spec, r_s=each.truth.beats.r_s if needs_peaks else None) for each in made])
