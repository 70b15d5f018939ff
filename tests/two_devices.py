"""Ask networks on the CPU and on another device, and print as JSON how far the answers of each differ.

``compare MODEL...`` does that, ``fill MODEL DATA STORE METHOD...`` fills a store on the other device. A process of its
own: what is changed of PyTorch here must not reach other tests.
"""

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ecgviz.checkpoint import Model, load_model, model_input, on_device, predict_many
from ecgviz.cohort.run import run_cohort
from ecgviz.explain import explain, explain_controls
from ecgviz.explain.attention import attention_prior, prior, uniform_attention
from ecgviz.explain.attention.maps import pools_of
from ecgviz.explain.coalitions import STRUCTURE
from ecgviz.explain.methods import applicable, find_method, method_parameters
from ecgviz.simulate import simulate
from tests.elsewhere import register

FEW: dict[str, Any] = {"n_steps": 4, "n_samples": 2, "n_references": 2, "n_coalitions": 288}
"""Less work of the methods that take it: devices are compared, not maps made."""
FEWEST: dict[str, Any] = {**FEW, "cells": "lead", "n_coalitions": 48}
"""Least work of a network that runs as a whole on every coalition: which cells one keeps is not its device's work."""
SLOW = ("feature_ablation", "occlusion", "lime", "gradient_shap", "kernel_shap")
"""Methods that ask a network in the same way as one of the others."""
SLOWEST = ("ecg_mamba", "shapley")
"""A network and a method that take a minute together."""
MADE = simulate("lbbb", seed=3, fs=100.0, duration_s=10.0)
RECORD, BEATS = MADE.record, MADE.truth.beats


def questions(model: Model) -> Iterator[tuple[str, Any]]:
    """Yield what is asked by name, each a function of the model that returns numbers."""
    inputs = model_input(model, RECORD, BEATS)
    yield "logits", lambda one: predict_many(one, [inputs])[0].logits
    for method in applicable(model):
        if method not in SLOW and (model.name, method) != SLOWEST:
            yield method, partial(_map, method=method)
    yield "controls", _of_random_networks
    if pools_of(model):
        yield "even attention", lambda one: np.array(uniform_attention(one, inputs, 0).all_levels)
    if levels := getattr(model.net, "levels", ()):
        yield "prior", lambda one: attention_prior(one, inputs, BEATS, levels[0], 0, seed=0).mean


def _map(model: Model, method: str) -> np.ndarray:
    few = FEW if all(hasattr(model.net, part) for part in STRUCTURE) else FEWEST
    taken = {k: v for k, v in few.items() if k in method_parameters(find_method(method))}
    return explain(model, RECORD, "CLBBB", method, BEATS, **taken).values


def _of_random_networks(model: Model) -> np.ndarray:
    return explain_controls(model, RECORD, "MI", "saliency", BEATS, seeds=(1,))["random networks"][0].values


def fill(device: str, model: str, data: str, store: str, *methods: str) -> None:
    """Fill a store in this process, with the network on the device."""
    run_cohort(Path(data), Path(store), models=[model], methods=methods, random_networks=5, jobs=1, device=device)


def compare(device: str, *names: str) -> None:
    """Print the largest difference of each answer of each network, as a share of its largest number."""
    prior.N_NOISE = prior.N_PATIENTS = 1  # one input of each kind: their mean is taken outside of the device
    sys.stdout.write(json.dumps({name: apart(device, name) for name in names}))


def apart(device: str, name: str) -> dict[str, float]:
    """Return how far each answer of a network differs."""
    here = load_model(name)
    there = on_device(here, device)
    assert {str(each.device) for each in here.net.parameters()} == {"cpu"}
    assert {str(each.device) for each in there.net.parameters()} == {f"{device}:0"}
    found = {}
    for question, ask in questions(here):
        expected = ask(here)
        found[question] = float(np.abs(ask(there) - expected).max() / np.abs(expected).max())
    return found


if __name__ == "__main__":
    {"compare": compare, "fill": fill}[sys.argv[1]](register(), *sys.argv[2:])
