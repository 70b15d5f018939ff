"""The model card: what a network was made from, how good it is, and what it must not be used for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import nn

from ecgviz import NOTICE
from ecgviz.records.ptbxl import SUPERCLASSES
from ecgviz.training.scores import RARE_CALLED
from ecgviz.training.teacher import TEACHER_SHARE

PTBXL_LICENCE = (
    "PTB-XL: Wagner et al., Scientific Data 7:154 (2020), doi:10.1038/s41597-020-0495-6, "
    "PhysioNet doi:10.13026/x4td-x982, licence CC BY 4.0"
)
AFTER_ABSTRACT = "Our design after the abstract; the paper's scores do not apply."
"""First line about networks whose papers could not be read in full."""
ORIGINS = {
    "imle_net": "After IMLE-Net (Reddy et al. 2021, arXiv 2204.05116); the paper's scores do not apply here.",
    "imle_net_beats": "Ours, after IMLE-Net (Reddy et al. 2021, arXiv 2204.05116), on windows around real beats.",
    "ecg_mamba": f"{AFTER_ABSTRACT} 1D-CNN ECG Mamba (Jiang et al. 2025, arXiv 2510.13046).",
    "res_lstm": f"{AFTER_ABSTRACT} ResLSTM-TemporalSE.",
    "efficient_ecg": f"{AFTER_ABSTRACT} EfficientECG (Deng et al. 2025, arXiv 2512.03804).",
    "resnet1d": "A plain residual network, for comparison: it shows no attention.",
}


def model_card(name: str, net_name: str, net: nn.Module, metrics: Mapping[str, Any], history: Mapping[str, Any]) -> str:
    """Return CARD.md; every number in it is taken from what was measured while training."""
    plan = history["plan"]
    held = metrics["past scores"]["on"]
    parts = [
        f"# {name}",
        NOTICE,
        *([ORIGINS[net_name]] if net_name in ORIGINS else []),
        _network(net_name, net, plan),
        *_shows(net),
        "**Input** 12 leads in the order I, II, III, aVR, aVL, aVF, V1 to V6, the first 10 s at 100 Hz in "
        "millivolts, standardised with one scalar mean and deviation. No filter.",
        _labels(plan["labels"]),
        _data(history),
        _training(history),
        "## Scores on real records",
        _what_was_held_out(held),
        *_reports(held, metrics[held]),
        *(_reports("fold 10", metrics["fold 10"]) if "fold 10" in metrics else ()),
        *_pairs(metrics["both rates"], plan["labels"]),
        *_trees(metrics),
        "## Scores on simulated records",
        "These say how well the network knows the simulator, not patients.",
        *_reports("unseen simulated", metrics["unseen simulated"]),
        _margins(metrics["by margin"]),
        "## Limits",
        _limits(history, metrics),
    ]
    return "\n\n".join(parts) + "\n"


def _network(net_name: str, net: nn.Module, plan: Mapping[str, Any]) -> str:
    n_parameters = sum(parameter.numel() for parameter in net.parameters())
    config = ", ".join(f"{key} {value}" for key, value in plan["config"].items()) or "default size"
    return f"**Network** {net_name} ({config}), {n_parameters:,} parameters."


def _shows(net: nn.Module) -> Iterator[str]:
    exposes: Mapping[str, str] = getattr(net, "exposes", {})
    if exposes:
        yield "**Attention it shows** " + "; ".join(f"{level}: {what}" for level, what in exposes.items()) + "."


def _labels(labels: tuple[str, ...]) -> str:
    superclasses = [label for label in labels if label in SUPERCLASSES]
    others = [label for label in labels if label not in SUPERCLASSES]
    groups = (("PTB-XL's diagnostic superclasses", superclasses), ("SCP-ECG statements", others))
    said = [f"{what} {', '.join(names)}" for what, names in groups if names]
    return f"**Labels** {' and '.join(said)}; several may hold."


def _data(history: Mapping[str, Any]) -> str:
    positives = ", ".join(f"{label} {count}" for label, count in history["positives_real"].items())
    left_out = ", ".join(f"{count} {reason}" for reason, count in history["left_out"].items() if count) or "none"
    folds = history["folds"]
    return (
        f"**Data** {history['n_real']} real records of PTB-XL, folds {folds[0]} to {folds[-1]} "
        f"({positives}; left out: {left_out}; {history['n_again']} of them were shown from their 500 Hz file too), and "
        f"{history['n_simulated']} simulated records.{_chosen_on(history)} {PTBXL_LICENCE}. The simulator uses "
        "population statistics that were measured on records of PTB-XL too."
    )


def _chosen_on(history: Mapping[str, Any]) -> str:
    if not history["chosen_on"]:
        return ""
    folds = ", ".join(map(str, history["chosen_on"]))
    return f" {history['n_chosen_on']} more of fold {folds} taught nothing: they chose the epoch."


def _training(history: Mapping[str, Any]) -> str:
    plan = history["plan"]
    phases = ", then ".join(
        f"{phase['epochs']} epochs of {phase['n_simulated']} simulated and {phase['real_passes']} x the real records"
        for phase in (plan["pretraining"], plan["finetuning"])
        if phase is not None
    )
    minutes = history["minutes"]
    took = "in several runs, whose time was not kept," if minutes is None else f"{minutes} minutes"
    return (
        f"**Training** AdamW, one-cycle, {phases}; time rolls, gain, noise, wander, flat leads and stretches, mixup; "
        f"averaged weights; {history['precision']} convolutions; protocol {plan['protocol']}; seed {plan['seed']}; "
        f"{took} on {history['device']}.{_taught(plan)}"
    )


def _taught(plan: Mapping[str, Any]) -> str:
    if not plan["copies"]:
        return ""
    return (
        f" Each real record was shown with {plan['copies']} altered copies, every second one with waves, intervals or "
        f"a rate that were edited. {100 * TEACHER_SHARE:.0f} % of a target, of an edited copy all of it, is what "
        "extremely randomised trees, which read the copy's measurements and had not learnt from its patient, say of it."
    )


def _what_was_held_out(held: str) -> str:
    if held == "out of fold":
        return (
            "Each record was scored by a network that learnt from two thirds of the folds, without its own; the "
            "network that is shipped learnt from all of them. Thresholds were set on these scores, so what follows "
            "them is optimistic. So, a little, are the areas under the curve: the recipe was chosen by such areas, "
            "and the intervals do not know of it. With few records they are wide: read them."
        )
    return (
        "Fold 9 chose the epoch to keep and the thresholds, so its scores are optimistic; with few records they are "
        "also wide: read the intervals."
    )


def _reports(title: str, reports: Mapping[str, Any]) -> Iterator[str]:
    for group, values in reports.items():
        yield _report(f"{title}, {group}", values)


def _report(title: str, values: Mapping[str, Any]) -> str:
    rows = [("macro", values["macro_auc"], ""), *((k, v, v["positives"]) for k, v in values["auc"].items())]
    lines = [
        f"**{title}**, {values['n']} records of {values['n_patients']} patients: area under the ROC curve, "
        "95 % bootstrap interval over patients",
        "",
        "| label | AUC | 95 % interval | positives |",
        "| --- | --- | --- | --- |",
        *(f"| {name} | {_interval(v)} | {n} |" for name, v, n in rows),
    ]
    return "\n".join(lines)


def _interval(v: Mapping[str, Any]) -> str:
    if v["value"] is None:
        return "none | none"
    spread = "none" if v["low"] is None else f"{v['low']:.3f} to {v['high']:.3f}"
    return f"{v['value']:.3f} | {spread}"


def _margins(table: Mapping[str, Mapping[str, Any]]) -> str:
    names = list(next(iter(table.values()), {}))
    lines = [
        "AUC of the unseen simulated records of a finding by how far past its published limits it is, against healthy "
        "records, all other findings, and the finding short of its limits (number of positives)",
        "",
        f"| statement | {' | '.join(names)} |",
        f"| --- | {' | '.join('---' for _ in names)} |",
        *(f"| {label} | {' | '.join(_cell(row[name]) for name in names)} |" for label, row in table.items()),
    ]
    return "\n".join(lines) if table else ""


def _cell(found: Mapping[str, Any]) -> str:
    return "none" if found["auc"] is None else f"{found['auc']:.3f} ({found['positives']})"


def _pairs(change: Mapping[str, Any] | None, labels: tuple[str, ...]) -> Iterator[str]:
    if change is not None:
        of = "superclass" if set(labels) & set(SUPERCLASSES) else "statement"
        yield (
            f"**100 Hz and 500 Hz files** of the same {change['pairs']} records: {of} logits differ by "
            f"{change['median']:.2f} (median), {change['p95']:.2f} (95th percentile); between records they vary by "
            f"{change['logit_sd']:.2f} (SD)."
        )


def _trees(metrics: Mapping[str, Any]) -> Iterator[str]:
    for group, scores in metrics.get("trees out of fold", {}).items():
        if (value := scores["macro_auc"]["value"]) is not None:
            yield f"The trees that taught it reach a macro AUC of {value:.3f} on {group} themselves, out of fold."


def _limits(history: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    plan = history["plan"]
    rare = "".join(_rare(plan["labels"], history["thresholds_set_on"], metrics))
    rhythms = " Rhythms without a statement among the labels can be called NORM." if "NORM" in plan["labels"] else ""
    return (
        f"Trained on {history['n_real']} real records.{rare} Patients of one archive (Germany, 1989 to 1996). Neither "
        f"a superclass nor a statement is a diagnosis.{rhythms}"
    )


def _rare(labels: Sequence[str], set_on: Sequence[str], metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield, of labels that few real records have, how their thresholds came about and whom they call."""
    for where, how in (
        (
            "real without it",
            f"theirs are what {100 * RARE_CALLED:.0f} % of the records without the statement reach, so that who has it "
            "was not used, and many who have it may not reach them.",
        ),
        ("simulated", "theirs were set on simulated records, and real ones may seldom reach them."),
    ):
        if few := [label for label, each in zip(labels, set_on, strict=True) if each == where]:
            yield f" Too few of the real records on which thresholds are set have {', '.join(few)}: {how}"
            yield _reached(few, metrics)


def _reached(labels: Sequence[str], metrics: Mapping[str, Any]) -> str:
    """Return how many real records these labels' thresholds call; "" for a network of which it was not counted."""
    if "reached" not in metrics:
        return ""
    counts = [(label, metrics["reached"][label]) for label in labels]
    said = [
        f"{n['with']} of {n['of']} with {label} and {n['without']} without"
        if n["of"]
        else f"{n['without']} without {label}, which none has"
        for label, n in counts
    ]
    on = metrics["past scores"]["on"]
    where = "Out of fold" if on == "out of fold" else f"On {on}"
    return f" {where} these thresholds call {', '.join(said)}."
