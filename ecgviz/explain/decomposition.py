"""The exact split of a logit into lead x window contributions, for networks whose last pooling is linear."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ecgviz.checkpoint import Model, tensors
from ecgviz.errors import ExplanationError
from ecgviz.explain.attention import spread
from ecgviz.explain.attention.maps import given_to
from ecgviz.explain.method import Method
from ecgviz.explain.undisturbed import MIN_CHANGE, undisturbed
from ecgviz.types import Beats, Explanation, ModelInput

INEXACT = 0.01
"""Parts that miss the logit by more than this share are none: rounding in single precision leaves 1e-5."""


def decomposition(model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, seed: int) -> Explanation:
    """Return the signed contribution of each lead and window to the logit, spread over the window's samples.

    The sum of the map plus ``params["bias"]`` is the logit; ``completeness_error`` says how nearly. Exact is not
    causal: the state that contributes at a window may have read the whole lead. Inside a window the map tells nothing
    about time, so ``resolution_s`` is the widest window. Samples between windows get nothing.

    Raises
    ------
    ExplanationError
        When the network has no exact decomposition, or its parts do not add up to the logit.
    """
    if why_not := lacks_decomposition(model):
        raise ExplanationError(why_not)
    x, arguments = tensors(inputs)
    net: Any
    with undisturbed(model.net) as net, torch.inference_mode():
        there, given = given_to(net, inputs)
        bias, contributions = net.decompose(there, **given)
        span_s = net.spans(x, fs=inputs.fs, start_s=inputs.start_s, **arguments)  # (W, 2)
        logit = float(net(there, **given)[0, label_index])
    by_window = contributions[0, label_index].double().numpy(force=True)  # (L, W)
    placed = ~np.isnan(span_s).any(axis=1)  # a peak that was merged with its neighbour has no window, and no part
    offset = float(bias[label_index].detach())
    error = abs(float(by_window.sum()) + offset - logit) / max(abs(logit - offset), MIN_CHANGE)
    if not error <= INEXACT:
        raise ExplanationError(
            f"{model.name}: its parts of the logit of {model.labels[label_index]} miss it by {100 * error:.2g} %, "
            "so this is no decomposition of it"
        )
    return Explanation(
        values=spread(by_window[:, placed], span_s[placed], inputs.fs, inputs.start_s, x.shape[2]),
        fs=inputs.fs,
        start_s=inputs.start_s,
        leads=inputs.leads,
        label=model.labels[label_index],
        method="decomposition",
        signed=True,
        resolution_s=float((span_s[placed, 1] - span_s[placed, 0]).max()),
        params={"bias": offset, "logit": logit, "n_windows": by_window.shape[1]},
        completeness_error=error,
    )


def lacks_decomposition(model: Model) -> str:
    """Return why a model has no exact decomposition, "" where it has one."""
    if hasattr(model.net, "decompose"):
        return ""
    return f"{model.name} has no exact decomposition; take an attribution method instead"


DECOMPOSITION_METHODS: Mapping[str, Method] = {
    "decomposition": Method(
        decomposition,
        "exact",
        "Exact decomposition",
        "the logit as a sum over leads and windows; nothing is approximated",
        "the network's last pooling is linear in its states, given the attention",
        lacks_decomposition,
        complete=True,
    ),
}
