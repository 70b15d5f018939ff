"""The untrained twin of a network: the same architecture, with weights that know nothing of the training.

They are drawn by the digest of the trained weights and a seed: a seed alone may be the one with which the training
began, and weights that hardly moved since are no random ones. A threshold that is set anew draws no other networks.
Batch normalisation is fresh too, but not empty: what it normalises by is measured on simulated healthy hearts. A
network of many layers whose normalisations do nothing carries no signal to its end; it answers nothing, and its maps
are flat. In leads in which no heart is simulated one of the twelve stands in (`ecgviz.explain.stand_ins`).
"""

import json
from functools import lru_cache
from hashlib import sha256

import torch
from torch import Tensor, nn

from ecgviz.checkpoint import Model
from ecgviz.checkpoint.inputs import stacked
from ecgviz.errors import EcgvizError, ExplanationError, said_by
from ecgviz.explain.stand_ins import standing_in
from ecgviz.explain.undisturbed import device_of
from ecgviz.nets import build
from ecgviz.signal import prepare
from ecgviz.simulate import simulate
from ecgviz.types import InputSpec

PROBES = 2
"""Healthy hearts whose statistics a fresh network takes; one alone has no spread after pooling over time."""
PROBE_HZ, PROBE_LEAST_S = 500.0, 2.0
NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
FAULTS = (RuntimeError, ValueError, TypeError, LookupError)
"""What a network raises that cannot be fed what it is fed."""


def untrained_network(model: Model, seed: int) -> nn.Module:
    """Return the untrained twin of a model's network, in eval mode on its device; the same one for the same seed."""
    own_seed = int.from_bytes(sha256(f"{model.weights_sha256} {seed}".encode()).digest()[:4], "big")
    config = json.dumps(dict(model.config), sort_keys=True)
    return _built(model.net_name, len(model.labels), config, model.spec, own_seed, device_of(model.net))


@lru_cache(maxsize=16)
def _built(net_name: str, n_labels: int, config: str, spec: InputSpec, seed: int, device: torch.device) -> nn.Module:
    net = build(net_name, n_labels, seed=seed, config=json.loads(config))
    net.requires_grad_(requires_grad=False).to(device)
    _settle(net, spec, net_name)
    return net.eval()


def _settle(net: nn.Module, spec: InputSpec, net_name: str) -> None:
    """Measure what each batch normalisation of a network normalises by, all in one pass.

    In float64: in float32 the variances of IMLE-Net come out by up to 3e-4 otherwise with another number of threads.
    A network that makes numbers of its own in float32 on the way cannot be asked in float64, and is in float32.
    """
    own = [(part, part.momentum) for part in net.modules() if isinstance(part, NORMALISATIONS)]
    if not own:
        return
    given = _healthy(spec)
    try:
        try:
            _measure(net.double(), given, torch.float64)
        except FAULTS:
            _measure(net.float(), given, torch.float32)
    except FAULTS as fault:
        if isinstance(fault, EcgvizError):
            raise
        raise ExplanationError(
            f"there is no random network to hold the maps of {net_name} against: built anew, it cannot be fed healthy "
            f"simulated hearts, by which its batch normalisations would be set ({said_by(fault)})"
        ) from fault
    finally:
        net.float()
        for part, momentum in own:
            part.momentum = momentum


def _measure(net: nn.Module, given: tuple[Tensor, dict[str, Tensor | None]], dtype: torch.dtype) -> None:
    """Take the statistics of what passes the batch normalisations of a network whose numbers are of that type."""
    for part in (each for each in net.modules() if isinstance(each, NORMALISATIONS)):
        part.reset_running_stats()
        part.train().momentum = None  # the mean over all that passes, however a network deals it into parts
    x, arguments = given
    with torch.enable_grad():  # without, networks may take a short cut round their normalisations
        net(
            _as(dtype, x, net),
            **{name: None if each is None else _as(dtype, each, net) for name, each in arguments.items()},
        )


def _as(dtype: torch.dtype, each: Tensor, net: nn.Module) -> Tensor:
    """Return an argument of a network on its device, in that type unless it is a mask."""
    return each.to(device_of(net), dtype if each.is_floating_point() else each.dtype)


@lru_cache(maxsize=4)
def _healthy(spec: InputSpec) -> tuple[Tensor, dict[str, Tensor | None]]:
    """Return simulated healthy hearts as a network of this contract is fed them."""
    duration_s = max(spec.duration_s, PROBE_LEAST_S)
    made = [simulate("normal", seed=seed, fs=PROBE_HZ, duration_s=duration_s) for seed in range(PROBES)]
    needs_peaks = "r_peaks" in spec.needs
    hearts = [(standing_in(each.record, spec.leads), each.truth.beats.r_s if needs_peaks else None) for each in made]
    return stacked([prepare(record, spec, r_s=r_s) for record, r_s in hearts])
