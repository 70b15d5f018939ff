"""What is checked, and what a check says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecgviz.checkpoint import Model, model_input
from ecgviz.explain.methods import find_method
from ecgviz.types import Beats, Explanation, ModelInput, Record
from ecgviz.types.arrays import FloatArray

FAMILIES = ("faithfulness", "robustness", "complexity", "consistency")


@dataclass(frozen=True, eq=False)
class Question:
    """One method asked about one logit of one record: what a check may ask again under another condition."""

    model: Model
    inputs: ModelInput
    beats: Beats
    label_index: int
    method: str
    seed: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)

    def explain(
        self,
        *,
        model: Model | None = None,
        inputs: ModelInput | None = None,
        label_index: int | None = None,
        seed: int | None = None,
    ) -> Explanation:
        """Explain again, with what is given in place of the question's own."""
        return find_method(self.method).run(
            model or self.model,
            inputs or self.inputs,
            self.beats,
            self.label_index if label_index is None else label_index,
            seed=self.seed if seed is None else seed,
            **self.params,
        )

    def recorded(self, explanation: Explanation) -> FloatArray:
        """Return a map's values on recorded samples: padding, where every map is 0, would make any two alike."""
        return explanation.values[:, self.inputs.mask] if explanation.has_time else explanation.values


def question(
    model: Model, record: Record, label: str, method: str, beats: Beats, *, seed: int = 0, **params: Any
) -> Question:
    """Put a question as `ecgviz.explain.explain` takes it; ``params`` are those of the method.

    Raises
    ------
    ModelError
        For a label that the model does not predict.
    InputError
        When the record does not meet the model's input contract.
    """
    return Question(model, model_input(model, record, beats), beats, model.label_index(label), method, seed, params)


@dataclass(frozen=True, eq=False)
class Check:
    """One number on one explanation. It is about the map and the network; whether the map is plausible is not asked.

    ``family`` is one of `FAMILIES`. ``higher_is_better`` is None where the number describes and does not judge.
    ``beside`` holds the same number for what must be beaten, by name. ``excess`` is how much better than that the map
    is (positive is better, whatever the direction of ``value``), ``excess_sd`` its spread over what was drawn; NaN
    where there is nothing to beat. ``value`` is NaN where the check is not available, and ``remark`` then says why;
    otherwise it says what to mind, or nothing.
    """

    name: str
    family: str
    value: float
    higher_is_better: bool | None
    source: str
    beside: Mapping[str, float] = field(default_factory=dict)
    excess: float = np.nan
    excess_sd: float = np.nan
    remark: str = ""
