"""``evaluate`` and ``fetch``: trained networks on PTB-XL, and PTB-XL itself."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ecgviz import NOTICE
from ecgviz.cli.arguments import Json, Seed
from ecgviz.cli.console import counted, plain, write_json, write_lines, write_table
from ecgviz.errors import ModelError

if TYPE_CHECKING:
    from ecgviz.checkpoint import Model
    from ecgviz.training.compared import GroupScores
    from ecgviz.training.evaluate import Answers
    from ecgviz.training.metrics import Interval

SCORES: Mapping[str, str] = {"auc": "AUC", "auprc": "AUPRC", "accuracy": "accuracy", "ece": "ECE", "brier": "Brier"}
MACRO: Mapping[str, str] = {
    "auc": "macro AUC",
    "accuracy": "mean accuracy at 0.5",
    "fmax": "Fmax by record, 10 thresholds",
    "auprc": "macro AUPRC",
    "ece": "macro ECE, 10 bins of equal width",
    "brier": "macro Brier score",
}
RATES: Mapping[str, tuple[int, ...]] = {"100": (100,), "500": (500,), "both": (100, 500)}

AVERAGE = "average of all"
"""No name of a model, which has no spaces."""

Results = Mapping[str, Mapping[str, "GroupScores | None"]]
"""By group of labels, then by model, the average of several last."""


def evaluate(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Shipped models' names or model folders.")],
    data: Annotated[Path, typer.Option("--data", help="Folder of PTB-XL as PhysioNet publishes it.")],
    fold: Annotated[
        list[int], typer.Option("--fold", min=1, max=10, help="Fold to score; may be given again for others.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write with the reliability plots.")] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Score models and their average side by side on folds of PTB-XL, with 95 % intervals over patients."""
    from ecgviz.checkpoint import load_model
    from ecgviz.training.compared import GROUPS, score_group
    from ecgviz.training.evaluate import ask

    _refuse_unfit(models, out)
    loaded = {name: load_model(name) for name in models}
    folds = sorted(set(fold))
    with counted("recordings") as progress:
        answers = ask(list(loaded.values()), data, folds, progress)
    names = [*loaded, AVERAGE] if len(loaded) > 1 else [*loaded]
    results = {
        group: dict(zip(names, score_group(list(loaded.values()), answers, group, seed=seed), strict=True))
        for group in GROUPS
    }
    sentences = _sentences(loaded, answers, folds)
    if out is not None:
        _write_page(out, results, folds, sentences)
    if as_json:
        return write_json(_described(loaded, results, answers, folds, sentences))
    for group, scored in results.items():
        _write_group(group, folds, {name: scores for name, scores in scored.items() if scores is not None})
    return write_lines(*sentences, *answers.refused, NOTICE)


def fetch_ptbxl(
    out: Annotated[Path, typer.Option("--out", help="Folder to fill; what is there and right stays.")],
    rate: Annotated[Literal["100", "500", "both"], typer.Option("--rate", help="Recordings' rate in Hz.")] = "100",
    as_json: Json = False,
) -> None:
    """Fetch PTB-XL 1.0.3 from PhysioNet, every file held against its checksum; run it again to go on."""
    from ecgviz.training.fetch import fetch_ptbxl as fetched

    with counted("files") as progress:
        found = fetched(out, RATES[rate], progress=progress)
    if as_json:
        return write_json({"folder": out} | plain(found))
    return write_lines(
        f"{out}: {found.n_files} files are those of PTB-XL 1.0.3 ({found.n_present} were there, {found.n_new} came "
        f"anew, {found.n_replaced} took the place of others)."
    )


def _refuse_unfit(models: Sequence[str], out: Path | None) -> None:
    """Refuse before the work what would fail after it."""
    twice = {name for name in models if models.count(name) > 1}
    if twice:
        raise ModelError(f"{', '.join(sorted(twice))} is named twice")
    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise ModelError(f"--out {out}: the plots are written as HTML; name a file that ends in .html")


def _sentences(models: "Mapping[str, Model]", answers: "Answers", folds: Sequence[int]) -> list[str]:
    """Return what must be known beside the scores: what was left out, and whose folds these are."""
    from ecgviz.training.compared import grouped
    from ecgviz.training.evaluate import fold_warning

    bare = sum(not entry.superclasses for entry in answers.entries)
    told = [
        f"{len(answers.entries)} records were scored; left out: {answers.duplicates} duplicates, "
        f"{len(answers.refused)} refused, and {bare} without a superclass from the scores of superclasses."
    ]
    for model in models.values():
        warning = fold_warning(model, folds)
        told += [f"Warning: {warning}."] if warning else []
        unknown = grouped(model.labels, answers.entries)["unknown"]
        told += [f"{model.name}: {', '.join(unknown)} not scored: no such statement is here."] if unknown else []
    return [*told, *_shared([grouped(model.labels, answers.entries) for model in models.values()], [*models])]


def _shared(labels: Sequence[Mapping[str, tuple[str, ...]]], names: Sequence[str]) -> Iterator[str]:
    """Yield, for each group of labels in which models differ, over which of them averages and differences are."""
    from ecgviz.training.compared import GROUPS

    for group in GROUPS:
        some = [each[group] for each in labels]
        if len({frozenset(each) for each in some}) == 1:
            continue
        first = next(name for name, own in zip(names, some, strict=True) if own)
        shared = [label for label in some[0] if all(label in each for each in some)]
        over = f"over those that all have ({', '.join(shared)})" if shared else "not there, since no label is of all"
        yield (
            f"The models have different {group}: the average of all is {over}, each macro score is over a model's own, "
            f"and a difference over those that it has in common with {first}."
        )


def _write_group(group: str, folds: Sequence[int], scored: "Mapping[str, GroupScores]") -> None:
    if not scored:
        return
    one = next(iter(scored.values()))
    where = f"{_named(folds)}, {one.n} records of {one.n_patients} patients, 95 % intervals over patients"
    rows = [(title, *(_cell(scores.macro[name]) for scores in scored.values())) for name, title in MACRO.items()]
    if len(scored) > 1:
        differences = (_cell(s.difference, signed=True) if s.difference else "-" for s in scored.values())
        rows.append((f"macro AUC minus that of {next(iter(scored))}", *differences))
    write_table(f"{group.capitalize()}: {where}", ("score", *scored), rows)
    labels = dict.fromkeys(label.label for scores in scored.values() for label in scores.labels)
    rows = [
        (each.label, str(each.positives), str(each.n), name, *(_cell(each.scores[score]) for score in SCORES))
        for label in labels
        for name, scores in scored.items()
        for each in scores.labels
        if each.label == label
    ]
    write_table(f"{group.capitalize()}, each label", ("label", "positive", "of", "model", *SCORES.values()), rows)


def _write_page(out: Path, results: Results, folds: Sequence[int], sentences: Sequence[str]) -> None:
    """Write the reliability plots; the file appears whole or not at all."""
    from ecgviz.figures.reliability import reliability_page, reliability_panels
    from ecgviz.records.write import written_whole

    curves: dict[str, dict[str, list[tuple[float, float, float, float, int]]]] = {}
    for scored in results.values():
        for name, scores in scored.items():
            for each in scores.labels if scores else ():
                points = [(point.promised, point.found, point.low, point.high, point.n) for point in each.curve]
                curves.setdefault(each.label, {})[name] = points
    if not curves:
        raise ModelError("none of the labels can be scored on these records, so there is nothing to plot")
    page = reliability_page(reliability_panels(curves, title=f"Reliability, {_named(folds)}"), sentences)
    with written_whole(out) as part:
        part.write_text(page, encoding="utf-8")


def _described(
    models: "Mapping[str, Model]", results: Results, answers: "Answers", folds: Sequence[int], sentences: Sequence[str]
) -> dict[str, Any]:
    return {
        "folds": folds,
        "n": len(answers.entries),
        "duplicates": answers.duplicates,
        "refused": answers.refused,
        "sentences": sentences,
        "models": [
            {"model": name, "version": model.version, "digest": model.digest}
            | {group: scored[name] for group, scored in results.items()}
            for name, model in models.items()
        ],
        "average": {group: scored.get(AVERAGE) for group, scored in results.items()},
    }


def _named(folds: Sequence[int]) -> str:
    return f"fold{'s' if len(folds) > 1 else ''} {', '.join(map(str, folds))} of PTB-XL"


def _cell(score: "Interval", *, signed: bool = False) -> str:
    if math.isnan(score.value):
        return "not defined"
    sign = "+" if signed else ""
    if math.isnan(score.low):
        return f"{score.value:{sign}.3f} [no interval]"
    return f"{score.value:{sign}.3f} [{score.low:{sign}.3f}, {score.high:{sign}.3f}]"
