"""``validate verdicts``: what the words *agrees*, *partly* and *disagrees* are worth."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecgviz import NOTICE
from ecgviz.cli.arguments import Json, Seed
from ecgviz.cli.console import counted, write_json, write_lines, write_table
from ecgviz.errors import ExplanationError

if TYPE_CHECKING:
    from ecgviz.validate.verdicts import Verdicts, WordRow


def verdicts(
    task: Annotated[list[str] | None, typer.Option("--task", help="Only this planted finding; repeatable.")] = None,
    method: Annotated[list[str] | None, typer.Option("--method", help="Only this method; repeatable.")] = None,
    pooling: Annotated[
        list[str] | None, typer.Option("--pooling", help='Only "mean" or "mean and maximum" networks; repeatable.')
    ] = None,
    records: Annotated[int, typer.Option("--records", min=1, help="Records to explain of each finding.")] = 200,
    out: Annotated[Path | None, typer.Option("--out", help="New CSV file: every word said, with its numbers.")] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train networks whose reason is known, and count what the comparison says of their maps."""
    from ecgviz.validate.verdicts import measure_words
    from ecgviz.validate.verdicts.networks import POOLINGS
    from ecgviz.validate.verdicts.table import METHODS, save_words

    if out is not None and out.exists():
        raise ExplanationError(f"{out} exists already; name a new file")
    with counted("records") as progress:
        found = measure_words(
            task or (),
            seed=seed,
            n_records=records,
            methods=method or tuple(METHODS),
            poolings=pooling or tuple(POOLINGS),
            progress=progress,
        )
    if out is not None:
        save_words(found, out)
    if as_json:
        told = ("kind", "pooling", "auc", "whole_auc", "finding_drop", "cue_drop", "valid")
        networks = [
            {"task": one.name, "label": one.label, "finding": one.finding.text, "cue": one.cue.text}
            | {name: getattr(each, name) for name in told}
            for one, each in found.networks
        ]
        return write_json({"networks": networks, "rows": found.rows, "seed": seed})
    _write_networks(found)
    for scored in (False, True):
        rows = [row for row in found.rows if row.scored == scored]
        if rows:
            _write_words("findings that score the words" if scored else "findings that fix their limits", rows)
    return write_lines(*([f"{out} is written."] if out else []), NOTICE)


def _write_networks(found: "Verdicts") -> None:
    rows = [
        (
            *(task.name, task.label, each.pooling, each.kind, task.finding.text, task.cue.text, task.cue_kind),
            *(f"{each.auc:.3f}", f"{each.whole_auc:.3f}", f"{each.finding_drop:+.1f}", f"{each.cue_drop:+.1f}"),
            "yes" if each.valid else "no",
        )
        for task, each in found.networks
    ]
    columns = (
        "task",
        "criterion",
        "pooling",
        "network",
        "finding",
        "cue",
        "cue is",
        "AUC",
        "AUC, whole",
        "without finding",
        "without cue",
        "valid",
    )
    write_table("Networks on unseen patients: AUC, and the fall of the logit", columns, rows)


def _write_words(title: str, rows: "list[WordRow]") -> None:
    columns = (
        "task",
        "pooling",
        "network",
        "method",
        "n",
        "agrees %",
        "partly %",
        "disagrees %",
        "n. a. %",
        "share",
        "area",
        "target",
    )
    shown = [
        (
            *(row.task, row.pooling, row.network, row.method, str(row.n)),
            *(
                f"{100 * p:.1f} ({100 * a:.1f} to {100 * b:.1f})"
                for p, a, b in zip(row.part, row.low, row.high, strict=True)
            ),
            *("-" if math.isnan(value) else f"{value:.2f}" for value in (row.share, row.area)),
            {True: "met", False: "missed", None: "-"}[row.met],
        )
        for row in rows
    ]
    write_table(f"What was said of maps, {title}", columns, shown)
