"""Slopes summed on the way from a baseline to this record: integrated gradients and expected gradients."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ecgviz.checkpoint import Model
from ecgviz.errors import ExplanationError
from ecgviz.explain.attribution import Fed, attributed, change_of_logit, completeness_error, explanation
from ecgviz.explain.baselines import at_baseline, one_baseline
from ecgviz.explain.method import Method, needs_gradients
from ecgviz.explain.undisturbed import MIN_CHANGE
from ecgviz.types import Beats, Explanation, ModelInput

COMPLETE = 0.01
"""Integrated gradients are refined until their completeness error is below this."""
PANELS = 0.1
"""And until what the panels miss, each without its sign, adds up to less than this part of the change of the logit,
or of `PANEL_CHANGE` where that is more: errors of opposite sign cancel in the sum, and not in the map.

Measured on 6 recordings of PTB-XL, labels MI and NORM (of `imle_net` 9 of the 12), against 300 Gauss-Legendre places.
By the completeness error alone `resnet1d`, `res_lstm`, `efficient_ecg` and `imle_net` ask 18, 28, 12 and 22 places
(means), and their maps are off by 6, 7, 1 and 13 % (L2, medians). With 10 %, where only sums that are right by chance
go on, they ask 19, 30, 12 and 28 for 6, 5, 1 and 13 %; with 5 % 21, 42, 12 and 35 for 5, 4, 1 and 10 %; with 2.5 % 38,
60, 12 and 58 for 3, 3, 1 and 6 %; with 1 % 96, 94, 15 and 93 for 1, 2, 0.4 and 2 %. Of 6 recordings with 10 %,
`ecg_mamba` asks 18 places for 4 % (10 at most), `imle_net_beats` 37 for 10 % (31 at most)."""
PANEL_CHANGE = 1.0
"""Logits. As a part of a smaller change the limit would be reached by maps that are 2 % off already, or never."""
FIRST_PLACES = (0.0, 0.125, 0.25, 0.5, 1.0)
"""Ends of the first panels: a network's answer changes most where the first small waves rise from the baseline."""
LAST_STEPS = 129
"""No more places on the path are asked than this; what is left is told by both errors."""
NARROWEST = 2.0**-16
"""Panels are not halved below this share of the path: a logit that changes there jumps, and no slope tells of it."""


def integrated_gradients(
    model: Model,
    inputs: ModelInput,
    beats: Beats,
    label_index: int,
    *,
    seed: int,
    baseline: str = "isoelectric",
    n_steps: int | None = None,
    panels: float = PANELS,
) -> Explanation:
    """Return integrated gradients from a baseline to the record (Sundararajan et al. 2017, arXiv:1703.01365).

    The path is cut into panels, each integrated by Simpson's rule. What a panel should add up to is known, for it is
    the change of the logit along it; so the panel that misses most is halved, with every slope used again, until the
    completeness error |sum - (f(x) - f(x'))| / max(|f(x) - f(x')|, 0.5 logit) is below 1 % and what the panels miss,
    each without its sign, below the part ``panels`` of max(|f(x) - f(x')|, 1 logit) (`PANELS`); or until 129 places
    were asked, or what is missing is a jump. ``params["complete"]`` tells whether both were reached,
    ``params["panel_error"]`` is the latter. Both are about sums: a map that is complete is some per cent off
    (`PANELS`). With ``n_steps`` exactly so many Gauss-Legendre places are taken, by Captum: of these only the
    completeness error is known, and "complete" tells no more. ``params`` also hold the logits at both ends and the
    labels that the baseline itself fires: a baseline that fires is not neutral.

    Raises
    ------
    ExplanationError
        For an unknown baseline or a set of them, a step count below 1, ``panels`` that are not above 0, or a network
        that yields no finite logit or no gradient.
    """
    return integrated_gradients_together(
        model, [inputs], [beats], label_index, seed=seed, baseline=baseline, n_steps=n_steps, panels=panels
    )[0]


def integrated_gradients_together(
    model: Model,
    inputs: Sequence[ModelInput],
    beats: Sequence[Beats],
    label_index: int,
    *,
    seed: int,
    baseline: str = "isoelectric",
    n_steps: int | None = None,
    panels: float = PANELS,
) -> list[Explanation]:
    """Return the `integrated_gradients` of each of many records: places on several paths are asked in one batch."""
    if n_steps is not None and n_steps < 1:
        raise ExplanationError(f"n_steps is {n_steps}; integrated gradients need at least 1")
    if not panels > 0:
        raise ExplanationError(f"panels is {panels}; what the panels may miss is a part above 0, such as {PANELS}")
    given = zip(inputs, beats, strict=True)
    values = [one_baseline(baseline, model, each, its_beats, seed=seed) for each, its_beats in given]
    at = [at_baseline(model, each, start, label_index) for each, start in zip(inputs, values, strict=True)]
    found: list[dict[str, Any]] = []

    def run(fed: Fed, x: Tensor) -> Tensor:
        references = torch.from_numpy(np.stack(values)).to(x)
        if n_steps is None:
            made = refined(fed, x, references, label_index, panels)
        else:
            made = [_in_steps(fed.of([n]), x[[n]], references[[n]], label_index, n_steps) for n in range(len(x))]
        for each, start in zip(made, at, strict=True):
            error = completeness_error(each.attribution, each.change)
            complete = error < COMPLETE and (each.panel_error is None or each.panel_error < panels)
            told = {} if each.panel_error is None else {"panel_error": each.panel_error}
            found.append({"n_steps": each.n_steps, "complete": complete, "logit": start.logit + each.change} | told)
            errors.append(error)
        return torch.stack([each.attribution for each in made])

    errors: list[float] = []
    attributions = attributed(model, inputs, run)
    return [
        explanation(
            model,
            each,
            label_index,
            "integrated_gradients",
            attributions[[n]],
            at[n].params(baseline) | found[n],
            errors[n],
        )
        for n, each in enumerate(inputs)
    ]


@dataclass(frozen=True, eq=False)
class Integrated:
    """Integrated gradients (L, T), the change of the logit, how many places were asked, and what their panels miss."""

    attribution: Tensor
    change: float
    n_steps: int
    panel_error: float | None = None


def _in_steps(fed: Fed, x: Tensor, reference: Tensor, label_index: int, n_steps: int) -> Integrated:
    """Return what `refined` does for one record, by Captum with so many places."""
    from captum.attr import IntegratedGradients

    attribution = IntegratedGradients(fed).attribute(
        x, reference, target=label_index, n_steps=n_steps, internal_batch_size=fed.at_once
    )
    return Integrated(attribution[0], change_of_logit(fed, x, reference, label_index), n_steps)


@dataclass(eq=False)
class Path:
    """What is known of one record's way from its baseline, by place from 0 to 1, and what each panel misses."""

    panels: float
    slope: dict[float, Tensor] = field(default_factory=dict)  # (L, T) float32
    rate: dict[float, float] = field(default_factory=dict)  # change of the logit per unit of the path
    logit: dict[float, float] = field(default_factory=dict)
    errors: dict[tuple[float, float], float] = field(default_factory=dict)

    def questions(self) -> Iterator[list[float]]:
        """Yield places to ask, in turns, until the panels miss little; answers go to the dicts.

        First come the ends and middles of `FIRST_PLACES`, then two places in each panel that is halved.
        """
        panels = list(pairwise(FIRST_PLACES))
        yield sorted({*FIRST_PLACES, *((start + end) / 2 for start, end in panels)})
        self.errors.update({panel: self._missed(*panel) for panel in panels})
        while not self.complete and len(self.slope) < LAST_STEPS:
            start, end = worst = max(self.errors, key=lambda panel: abs(self.errors[panel]))
            if end - start <= NARROWEST:
                return
            middle = (start + end) / 2
            yield [(start + middle) / 2, (middle + end) / 2]
            del self.errors[worst]
            self.errors.update({half: self._missed(*half) for half in ((start, middle), (middle, end))})

    @property
    def change(self) -> float:
        """Change of the logit from the baseline to the record."""
        return self.logit[1.0] - self.logit[0.0]

    @property
    def panel_error(self) -> float:
        """What the panels miss, each without its sign, as a part of the change of the logit or of `PANEL_CHANGE`."""
        return sum(map(abs, self.errors.values())) / max(abs(self.change), PANEL_CHANGE)

    @property
    def complete(self) -> bool:
        """Whether the panels add up to the change of the logit, each nearly by itself."""
        error = abs(sum(self.errors.values())) / max(abs(self.change), MIN_CHANGE)
        return error < COMPLETE and self.panel_error < self.panels

    def integral(self) -> Tensor:
        """Return the mean slope along the path, (L, T) in double precision."""
        return torch.stack([_simpson(start, end, self.slope).double() for start, end in sorted(self.errors)]).sum(dim=0)

    def _missed(self, start: float, end: float) -> float:
        return _simpson(start, end, self.rate) - (self.logit[end] - self.logit[start])


def _simpson(start: float, end: float, values: Mapping[float, Any]) -> Any:
    return (end - start) / 6 * (values[start] + 4.0 * values[(start + end) / 2] + values[end])


def refined(fed: Fed, x: Tensor, references: Tensor, label_index: int, panels: float) -> list[Integrated]:
    """Return the integrated gradients of each record, refined panel by panel.

    ``x`` and ``references`` are (B, L, T). Each path asks what it would ask alone; a batch holds places of several.
    """
    steps = x - references
    paths = [Path(panels) for _ in x]
    asking = [path.questions() for path in paths]
    waiting = dict(enumerate(map(next, asking)))
    while waiting:
        places = [(n, place) for n, some in waiting.items() for place in some]
        n_batches = max(1, round(len(places) / fed.at_once))  # even ones: a batch of one place is the dearest
        for batch in np.array_split(np.arange(len(places)), n_batches):
            _answer(fed, references, steps, [places[i] for i in batch], paths, label_index)
        waiting = {n: some for n in waiting if (some := next(asking[n], []))}
    return [
        Integrated(path.integral() * step, path.change, len(path.slope), path.panel_error)
        for path, step in zip(paths, steps, strict=True)
    ]


def _answer(
    fed: Fed,
    references: Tensor,
    steps: Tensor,
    places: Sequence[tuple[int, float]],
    paths: Sequence[Path],
    label_index: int,
) -> None:
    """Ask the network at places on the paths of several records, and tell each path."""
    which = [n for n, _ in places]
    on_path = torch.tensor([place for _, place in places]).to(steps)[:, None, None]
    at = (references[which] + on_path * steps[which]).requires_grad_()
    with torch.enable_grad():
        logits = fed.of(which)(at)[:, label_index]
        slopes_there = torch.autograd.grad(logits.sum(), at)[0]
    rates = (slopes_there * steps[which]).double().sum(dim=(1, 2)).tolist()
    of_each = zip(places, slopes_there, rates, logits.detach().double().tolist(), strict=True)
    for (n, place), slope, rate, logit in of_each:
        paths[n].slope[place], paths[n].rate[place], paths[n].logit[place] = slope, rate, logit


PATH_METHODS: Mapping[str, Method] = {
    "integrated_gradients": Method(
        integrated_gradients,
        "gradient",
        "Integrated gradients",
        "slopes summed along the straight path from a baseline to this recording, times the sample",
        "Sundararajan et al. 2017, arXiv:1703.01365",
        needs_gradients,
        complete=True,
        together=integrated_gradients_together,
    ),
}
