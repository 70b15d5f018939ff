"""The model card: what a network was made from, how good it is, and what it must not be used for."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from ecgviz import NOTICE

PTBXL_LICENCE = (
    "PTB-XL: Wagner et al., Scientific Data 7:154 (2020), doi:10.1038/s41597-020-0495-6, "
    "PhysioNet doi:10.13026/x4td-x982, licence CC BY 4.0"
)


def model_card(name: str, net_name: str, net: nn.Module, metrics: Mapping[str, Any], history: Mapping[str, Any]) -> str:
    """Return CARD.md; every number in it is taken from what was measured while training."""
    n_parameters = sum(parameter.numel() for parameter in net.parameters())
    plan = history["plan"]
    positives = ", ".join(f"{label} {count}" for label, count in history["positives_real"].items())
    left_out = ", ".join(f"{count} {reason}" for reason, count in history["left_out"].items() if count) or "none"
    config = ", ".join(f"{key} {value}" for key, value in plan["config"].items()) or "default size"
    parts = [
        f"# {name}",
        NOTICE,
        f"**Network** {net_name} ({config}), {n_parameters:,} parameters.",
        "**Input** 12 leads in the order I, II, III, aVR, aVL, aVF, V1 to V6, the first 10 s at 100 Hz in "
        "millivolts, standardised with one scalar mean and deviation. No filter.",
        "**Labels** the five diagnostic superclasses of PTB-XL (CD, HYP, MI, NORM, STTC); several may be present.",
        f"**Data** {history['n_real']} real records of PTB-XL, folds 1 to 8 ({positives}; left out: {left_out}; "
        f"{history['n_again']} of them were shown from their 500 Hz file too), and "
        f"{history['n_simulated']} simulated records. {PTBXL_LICENCE}. The simulator uses population statistics that "
        "were measured on records of PTB-XL too.",
        f"**Training** AdamW, one-cycle, {plan['pretraining']['epochs']} epoch(s) on simulated records, then "
        f"{plan['finetuning']['epochs']} epoch(s) on real and simulated ones; time rolls, gain, noise, wander, lead "
        f"drops and mixup; averaged weights; bfloat16 convolutions; seed {plan['seed']}; {history['minutes']} minutes "
        f"on {history['threads']} CPU thread(s).",
        "## Scores",
        *[_scores(title, values) for title, values in metrics.items()],
        "Fold 9 chose the epoch to keep and the thresholds, so its scores are optimistic; with so few records they are "
        "also wide: read the intervals. Fold 10 was not looked at. Simulated scores say how well the network knows "
        "the simulator, not patients.",
        "## Limits",
        f"Trained on {history['n_real']} real records: the scores of the published network do not apply here. Adults "
        "of one archive (Germany, 1989 to 1996). A superclass is no diagnosis. Rhythms have none: a record in atrial "
        "fibrillation or with premature beats can be called NORM.",
    ]
    return "\n\n".join(parts) + "\n"


def _scores(title: str, values: Mapping[str, Any]) -> str:
    rows = [("macro", values["macro_auc"], ""), *((k, v, v["positives"]) for k, v in values["auc"].items())]
    lines = [
        f"**{title}**, {values['n']} records of {values['n_patients']} patients: area under the ROC curve, "
        "95 % bootstrap interval over patients",
        "",
        "| label | AUC | 95 % interval | positives |",
        "| --- | --- | --- | --- |",
        *(f"| {name} | {v['value']:.3f} | {v['low']:.3f} to {v['high']:.3f} | {n} |" for name, v, n in rows),
    ]
    return "\n".join(lines)
