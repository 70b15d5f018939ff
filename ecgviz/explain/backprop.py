"""Methods that replace the rule of back-propagation by one of their own, by Captum's hooks on a copy of the network.

Their rules are bound to modules. Where a network computes the same by a function (`functional.relu`), or by a layer
that has no rule (SiLU, LSTM, attention, a scan), the plain gradient is taken in silence and the map is wrong. So each
network is put to the test before: DeepLift by how far its parts miss the change of the logit, guided
back-propagation by whether every ReLU on the way is a module.

Captum's LRP is not offered: in version 0.9 it has no rule for Conv1d and BatchNorm1d, of which these networks are made.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from ecgviz.checkpoint import Model, model_input
from ecgviz.errors import EcgvizError, ExplanationError
from ecgviz.explain.attribution import Fed, attributed, change_of_logit, completeness_error, explanation
from ecgviz.explain.baselines import at_baseline, one_baseline
from ecgviz.explain.gradients import saliency
from ecgviz.explain.method import Method, needs_gradients
from ecgviz.explain.stand_ins import standing_in
from ecgviz.simulate import simulate
from ecgviz.types import Beats, Explanation, ModelInput

LIMIT = 0.05
"""DeepLift is shown where its parts miss the change of the logit by less."""
ACTS = 0.10
"""ReLUs act where they change the saliency by this share of its size at least."""
PROBE_HZ = 500.0

# Captum announces its hooks, which are on a copy. `catch_warnings` is not safe with threads, a filter is.
warnings.filterwarnings("ignore", message=r"Setting (forward, )?backward hooks", category=UserWarning)


def once_a_network(test: Callable[[Model], str]) -> Callable[[Model], str]:
    """Keep a test's answer for as long as the network lives; a model without gradients is not put to the test.

    A copy with other weights is another network.
    """
    known: WeakKeyDictionary[nn.Module, str] = WeakKeyDictionary()

    @wraps(test)
    def tested(model: Model) -> str:
        if why_not := needs_gradients(model):
            return why_not
        if model.net not in known:
            known[model.net] = test(model)
        return known[model.net]

    return tested


def deep_lift(
    model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, seed: int, baseline: str = "isoelectric"
) -> Explanation:
    """Return DeepLift's contributions by its Rescale rule (Shrikumar et al. 2017, arXiv:1704.02685).

    They should add up to the change of the logit from the baseline to the record. Where they do not, by more than
    5 % of it (or of 0.5 logit), there is no map.

    Raises
    ------
    ExplanationError
        For an unknown baseline or a set of them, or when the contributions miss the change of the logit.
    """
    values = one_baseline(baseline, model, inputs, beats, seed=seed)
    attribution, error = _lifted(model, inputs, torch.from_numpy(values)[None], label_index)
    if error > LIMIT:
        raise ExplanationError(f"{_missed(error)} of {model.name} on this record")
    params = at_baseline(model, inputs, values, label_index).params(baseline)
    return explanation(model, inputs, label_index, "deep_lift", attribution, params, error)


@once_a_network
def misses_the_logit(model: Model) -> str:
    """Return why DeepLift is not valid for a model, "" where it is; measured once for a network.

    Two signals are asked, noise against 0 mV and a simulated normal record against its own level, each for the label
    that changes most.
    """
    try:
        inputs, beats = probe(model)
        noise = replace(inputs, x=np.random.default_rng(0).standard_normal(inputs.x.shape) * inputs.mask)
        for signal, name in ((noise, "zero"), (inputs, "isoelectric")):
            reference = torch.from_numpy(one_baseline(name, model, signal, beats, seed=0))[None]
            _, error = _lifted(model, signal, reference)
            if error > LIMIT:
                return f"{_missed(error)} on {model.name}"
    except EcgvizError as error:
        return str(error)
    except (AssertionError, RuntimeError) as error:
        said = str(error).strip().splitlines()[0]
        return f"DeepLift cannot follow {model.name}: {said}"
    return ""


def _lifted(
    model: Model, inputs: ModelInput, reference: Tensor, label_index: int | None = None
) -> tuple[Tensor, float]:
    """Return contributions (1, L, T) and completeness error, of the label that changes most when none is named."""
    from captum.attr import DeepLift

    errors = []

    def run(fed: Fed, x: Tensor) -> Tensor:
        start = reference.to(x)
        label = label_index
        if label is None:
            with torch.no_grad():
                label = int((fed(x) - fed(start)).abs().argmax())
        change = change_of_logit(fed, x, start, label)
        attribution: Tensor = DeepLift(fed).attribute(x.requires_grad_(), start, target=label).detach()
        errors.append(completeness_error(attribution, change))
        return attribution

    return attributed(model, [inputs], run, hooked=True), errors[0]


def _missed(error: float) -> str:
    return f"DeepLift's contributions miss the change of the logit by {100 * error:.0f} % (limit {100 * LIMIT:.0f} %)"


def probe(model: Model) -> tuple[ModelInput, Beats]:
    """Return a simulated normal record as this model is fed it, and its beats: what networks are tested on.

    Where it reads other leads than the twelve, one of these stands in (`ecgviz.explain.stand_ins`).
    """
    simulated = simulate("normal", seed=0, fs=PROBE_HZ, duration_s=max(model.spec.duration_s, 2.0))
    record = standing_in(simulated.record, model.spec.leads)
    return model_input(model, record, simulated.truth.beats), simulated.truth.beats


def guided_backprop(model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, seed: int) -> Explanation:
    """Return guided back-propagation (Springenberg et al. 2014, arXiv:1412.6806): at each ReLU, only gains go back.

    It shows what the first layers can rebuild more than what moved the logit: it hardly changes when the upper layers
    are drawn anew (Adebayo et al. 2018, arXiv:1810.03292). It promises no completeness.
    """
    from captum.attr import GuidedBackprop

    def run(fed: Fed, x: Tensor) -> Tensor:
        attribution: Tensor = GuidedBackprop(fed).attribute(x.requires_grad_(), target=label_index)
        return attribution

    attribution = attributed(model, [inputs], run, hooked=True)
    return explanation(model, inputs, label_index, "guided_backprop", attribution, {})


@once_a_network
def lacks_relu_modules(model: Model) -> str:
    """Return why guided back-propagation is not valid for a model, "" where ReLUs act and each of them is a module.

    ReLUs are counted in the graph of one backward pass, and modules as they are called; whether they act is seen on a
    simulated normal record.
    """
    calls: list[nn.Module] = []
    in_graph = 0

    def run(fed: Fed, x: Tensor) -> Tensor:
        nonlocal in_graph
        for module in fed.modules():
            if isinstance(module, nn.ReLU):
                module.register_forward_hook(lambda relu, given, made: calls.append(relu))
        with torch.enable_grad():
            logits = fed(x.requires_grad_())
        in_graph = _relus_before(logits)
        return logits

    try:
        inputs, beats = probe(model)
        attributed(model, [inputs], run, hooked=True)
        guided, plain = (each(model, inputs, beats, 0, seed=0).values for each in (guided_backprop, saliency))
    except EcgvizError as error:
        return str(error)
    if not in_graph:
        return f"{model.name} has no ReLU, so guided back-propagation would be its saliency"
    if in_graph > len(calls):
        return (
            f"{in_graph - len(calls)} of the {in_graph} ReLUs of {model.name} are functions, which guided "
            "back-propagation cannot reach: its map would be neither the method's nor the saliency"
        )
    apart = np.linalg.norm(guided - plain) / max(np.linalg.norm(plain), np.finfo(float).tiny)
    if apart < ACTS:
        return (
            f"the ReLUs of {model.name} hardly act on the way: guided back-propagation would be its saliency, to "
            f"within {100 * apart:.0f} %"
        )
    return ""


def _relus_before(logits: Tensor) -> int:
    """Return how many ReLUs the graph of some logits holds."""
    waiting, seen = [logits.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting.extend(before for before, _ in node.next_functions)
    return sum(node.name().startswith("Relu") for node in seen)


BACKPROP_METHODS: Mapping[str, Method] = {
    "deep_lift": Method(
        deep_lift,
        "gradient",
        "DeepLift",
        "each sample's share of the change of the logit from a baseline, passed back layer by layer",
        "Shrikumar et al. 2017, arXiv:1704.02685",
        misses_the_logit,
        complete=True,
    ),
    "guided_backprop": Method(
        guided_backprop,
        "gradient",
        "Guided back-propagation",
        "the slope of the logit where every ReLU passes back gains only",
        "Springenberg et al. 2014, arXiv:1412.6806",
        lacks_relu_modules,
    ),
}
