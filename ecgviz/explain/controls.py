"""What a map must beat: maps that know nothing of the network's training, made for the same record.

QRS complexes hold most of a record's amplitude, so any amplitude-driven map seems to look at them; a network with
random weights does too (Adebayo et al. 2018, arXiv:1810.03292). An explanation counts by its excess over these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ecgviz.checkpoint import Model, model_input
from ecgviz.checkpoint.folder import EXPORTED
from ecgviz.errors import ExplanationError
from ecgviz.explain.methods import explain_many, find_method, method_parameters
from ecgviz.explain.untrained import untrained_network
from ecgviz.types import Beats, Explanation, ModelInput, Record
from ecgviz.types.arrays import FloatArray

RANDOM_PARAMS: Mapping[str, int] = {"n_steps": 4, "n_coalitions": 512}
"""What a random network is asked less of, unless the caller names a number, or other cells: several are averaged. Path
points: of five shipped networks' twins the share of QRS in V1 to V3 by 4 points is within 2.2 points of that by 64,
though single samples may differ widely (a bundle branch block, seed 0)."""


def explain_controls(
    model: Model,
    record: Record,
    label: str,
    method: str,
    beats: Beats,
    *,
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4),
    **params: Any,
) -> dict[str, tuple[Explanation, ...]]:
    """Return the control maps of one explanation, on the same leads and samples.

    ``|x|`` is the distance of each sample from its lead's isoelectric level (the median), ``|dx/dt|`` the slope, both
    of the signal as the network is fed it and unsigned. ``random networks`` is the same method on one untrained twin of
    the network a seed (`ecgviz.explain.untrained`). A map without lead or time axis gets controls summed over
    that axis.

    Raises
    ------
    ExplanationError
        As in `controls_of_many`.
    """
    prepared = [model_input(model, record, beats)]
    return controls_of_many(model, prepared, label, method, [beats], seeds=[seeds], **params)[0]


def controls_of_many(
    model: Model,
    inputs: Sequence[ModelInput],
    label: str,
    method: str,
    beats: Sequence[Beats],
    *,
    seeds: Sequence[tuple[int, ...]],
    **params: Any,
) -> list[dict[str, tuple[Explanation, ...]]]:
    """Return `explain_controls` of each of many prepared records, each with seeds of its own.

    Records that share a random network are explained together.

    Raises
    ------
    ExplanationError
        Without seeds, when the method does not apply to this network, or for an exported program: its weights cannot
        be drawn anew.
    """
    check_has_random_twin(model)
    if not all(seeds):
        raise ExplanationError("controls need at least one seed for a random network")
    taken = method_parameters(find_method(method))
    fewer = {} if "cells" in params else {name: value for name, value in RANDOM_PARAMS.items() if name in taken}
    params = fewer | params
    made: list[dict[int, Explanation]] = [{} for _ in inputs]
    for seed in dict.fromkeys(seed for each in seeds for seed in each):
        which = [n for n, each in enumerate(seeds) if seed in each]
        untrained = replace(model, net=untrained_network(model, seed))
        some, its_beats = [inputs[n] for n in which], [beats[n] for n in which]
        maps = explain_many(untrained, some, label, method, its_beats, seed=seed, **params)
        for n, each in zip(which, maps, strict=True):
            made[n][seed] = each
    return [
        _beside_trivial(each, tuple(found[seed] for seed in its_seeds))
        for each, found, its_seeds in zip(inputs, made, seeds, strict=True)
    ]


def check_has_random_twin(model: Model) -> None:
    """Refuse a network that there is no untrained one of.

    Raises
    ------
    ExplanationError
        For an exported program.
    """
    if model.net_name == EXPORTED:
        raise ExplanationError(
            f"{model.name} is an exported program, which cannot be built anew with random weights: there is no "
            "untrained network to hold its maps against. Its maps alone are on the Attributions page"
        )


def _beside_trivial(inputs: ModelInput, random: tuple[Explanation, ...]) -> dict[str, tuple[Explanation, ...]]:
    trivial = {name: (each,) for name, each in trivial_maps(inputs, random[0]).items()}
    return {**trivial, "random networks": random}


def trivial_maps(inputs: ModelInput, like: Explanation) -> dict[str, Explanation]:
    """Return the maps ``|x|`` and ``|dx/dt|`` of a record, on the axes that the explanation ``like`` has.

    ``|x|`` is the distance of each sample from its lead's median, ``|dx/dt|`` the slope, both of the signal as the
    network is fed it and unsigned; they are summed over an axis that ``like`` lacks.
    """
    return {
        "|x|": _trivial("|x|", _amplitude(inputs), inputs, like),
        "|dx/dt|": _trivial("|dx/dt|", _slope(inputs), inputs, like),
    }


def _amplitude(inputs: ModelInput) -> FloatArray:
    return np.abs(inputs.x - np.median(inputs.x[:, inputs.mask], axis=1, keepdims=True)) * inputs.mask


def _slope(inputs: ModelInput) -> FloatArray:
    slope = np.zeros(inputs.x.shape)
    slope[:, inputs.mask] = np.abs(np.gradient(inputs.x[:, inputs.mask], 1 / inputs.fs, axis=1))
    return slope


def _trivial(name: str, values: FloatArray, inputs: ModelInput, like: Explanation) -> Explanation:
    if not like.has_leads:
        values = values.sum(axis=0, keepdims=True)
    if not like.has_time:
        values = values.sum(axis=1, keepdims=True)
    return Explanation(
        values=values,
        fs=inputs.fs,
        start_s=inputs.start_s,
        leads=inputs.leads if like.has_leads else (),
        label=None,
        method=name,
        signed=False,
        resolution_s=1 / inputs.fs if like.has_time else like.resolution_s,
    )
