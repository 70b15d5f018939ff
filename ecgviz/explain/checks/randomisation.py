"""Does a map depend on what was learnt: random weights from the top down, and the logits of other labels."""

import copy
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from ecgviz.checkpoint.folder import EXPORTED
from ecgviz.errors import ExplanationError
from ecgviz.evidence import evidence
from ecgviz.explain.checks.question import Check, Question
from ecgviz.explain.checks.similarity import densities, mean_known, signed_cells, spearman
from ecgviz.explain.controls import trivial_maps
from ecgviz.explain.untrained import untrained_network
from ecgviz.types import Explanation
from ecgviz.types.arrays import FloatArray, frozen

ADEBAYO = "Adebayo et al. 2018, arXiv:1810.03292"
SIXT = "Sixt et al. 2020, arXiv:1912.09818"


@dataclass(frozen=True, eq=False)
class Randomisation:
    """How alike a map stays while more and more of the network is random, from the output down.

    One entry a step, in which ``stages`` names what was drawn anew last; all steps before stay random. ``signed`` and
    ``absolute`` (N,) are rank correlations with the map of the trained network, sample by sample, ``grid`` (N,) of
    the signed densities of the evidence grid's cells. ``amplitude`` is the rank correlation of the trained network's
    absolute map with ``|x|``: as much stays whatever the weights, for a map that follows the amplitude.
    """

    stages: tuple[str, ...]
    signed: FloatArray
    absolute: FloatArray
    grid: FloatArray
    amplitude: float

    def __post_init__(self) -> None:
        for name in ("signed", "absolute", "grid"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def randomisation(question: Question, explanation: Explanation) -> Randomisation:
    """Draw the weights anew from the output down, stage by stage, and explain again after each (Adebayo et al. 2018).

    arXiv:1810.03292, their cascading randomisation. The stages are the parts of the network in the order in which it
    defines them, which is the order of their use; lists and sequences of parts count one by one. Weights come from the
    untrained twin of the question's seed, buffers too: a batch normalisation that keeps its trained statistics is not
    random. The network that is explained is a copy.

    Departures: Quantus' `MPRT` redraws only what has a method ``reset_parameters``, so that weights which a network
    holds itself stay trained, and reseeds the global generator; it compares maps as they are, where signed and
    absolute maps, which can differ widely, stand side by side here.

    Raises
    ------
    ExplanationError
        For an exported program, whose weights cannot be drawn anew.
    """
    model = question.model
    if model.net_name == EXPORTED:
        raise ExplanationError(f"{model.name} is an exported program: its weights cannot be drawn anew")
    fresh = untrained_network(model, question.seed).state_dict()
    net = copy.deepcopy(model.net)
    names = tuple(reversed(stages(net)))
    similar = []
    for name, keys in zip(names, _keys(net, names), strict=True):
        net.load_state_dict({key: fresh[key] for key in keys}, strict=False)
        random = replace(model, net=net, digest=f"{model.digest}, random from the output down to {name}")
        similar.append(_similar(explanation, question.explain(model=random), question))
    signed, absolute, grid = np.array(similar).T
    amplitude = trivial_maps(question.inputs, explanation)["|x|"]
    own = question.recorded(explanation)
    return Randomisation(names, signed, absolute, grid, spearman(np.abs(own), question.recorded(amplitude)))


def randomisation_check(steps: Randomisation) -> Check:
    """Return how alike the absolute map is once every weight is random; lower is better, near 0 is right."""
    value = float(steps.absolute[-1])
    remark = "one of the two maps is the same everywhere" if np.isnan(value) else ""
    beside = {"the map with |x|": steps.amplitude}
    return Check("randomised weights", "faithfulness", value, False, ADEBAYO, beside, remark=remark)


def stages(net: nn.Module) -> tuple[str, ...]:
    """Return the parts of a network that hold weights or buffers, in the order in which it defines them.

    The parts of a list or sequence count one by one; weights that the network itself holds are the last, "".
    """
    names = []
    for name, part in net.named_children():
        parts = part.named_children() if isinstance(part, nn.ModuleList | nn.Sequential) else ()
        names += [f"{name}.{inner}" for inner, _ in parts] or [name]
    state = net.state_dict()
    held = [name for name in names if any(key.startswith(f"{name}.") for key in state)]
    rest = any(not key.startswith(tuple(f"{name}." for name in held)) for key in state)
    return (*held, *([""] if rest else []))


def random_logit(question: Question, explanation: Explanation, *, n_labels: int = 3) -> Check:
    """Return how alike the maps of this label and of others are, absolute, by rank; lower is better.

    The mean over labels drawn from the others (Sixt et al. 2020, arXiv:1912.09818, draw one). A map that is the same
    for every label has 1 by construction.
    """
    name, family, labels = "other labels", "faithfulness", question.model.labels
    if explanation.label is None:
        told = f"{explanation.method} is the same for every label by construction"
        return Check(name, family, 1.0, False, SIXT, remark=told)
    others = [n for n in range(len(labels)) if n != question.label_index]
    if not others:
        told = f"{question.model.name} predicts one label only"
        return Check(name, family, np.nan, False, SIXT, remark=told)
    rng = np.random.default_rng(question.seed)
    others = sorted(rng.choice(others, min(n_labels, len(others)), replace=False).tolist())
    own = question.recorded(explanation)
    maps = [question.recorded(question.explain(label_index=n)) for n in others]
    absolute = [spearman(np.abs(own), np.abs(values)) for values in maps]
    signed = mean_known([spearman(own, values) for values in maps])
    nearest = int(np.nanargmax(absolute)) if not np.isnan(absolute).all() else 0
    told = f"with signs {signed:.2f}; the most alike is {labels[others[nearest]]}, {absolute[nearest]:.2f}"
    return Check(name, family, mean_known(absolute), False, SIXT, remark=told)


def _keys(net: nn.Module, names: tuple[str, ...]) -> list[list[str]]:
    """Return which keys of the network's state belong to each stage; "" has those that no other stage has."""
    state = list(net.state_dict())
    of: dict[str, list[str]] = {name: [key for key in state if key.startswith(f"{name}.")] for name in names if name}
    taken = {key for keys in of.values() for key in keys}
    return [of[name] if name else [key for key in state if key not in taken] for name in names]


def _similar(trained: Explanation, random: Explanation, question: Question) -> tuple[float, float, float]:
    cells = [signed_cells(evidence(each, question.beats)) for each in (trained, random)]
    samples = [question.recorded(each) for each in (trained, random)]
    return spearman(*samples), spearman(*np.abs(samples)), spearman(*densities(*cells))
