"""``validate explanations`` and ``validate audits``: whether maps find evidence that is known to be there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgviz import NOTICE
from ecgviz.cli.arguments import Json, Seed
from ecgviz.cli.console import counted, plain, write_json, write_lines, write_table
from ecgviz.errors import ExplanationError

if TYPE_CHECKING:
    import pandas as pd

    from ecgviz.validate.explanations.audits import Audit

PAGE, FIGURE = "planted.html", "planted.svg"
HEADLINE = "mass"
"""The score that the terminal and the figure show; the page and the table have all."""


def explanations(
    model: Annotated[list[str], typer.Option("--model", help="A shipped model's name or a model folder; repeatable.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for tables and figure; an interrupted run goes on there.")],
    method: Annotated[list[str] | None, typer.Option("--method", help="Only this method; repeatable.")] = None,
    finding: Annotated[list[str] | None, typer.Option("--finding", help="Only this finding; repeatable.")] = None,
    records: Annotated[int, typer.Option("--records", min=1, help="Records to explain of each finding.")] = 100,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Score methods on simulated records whose evidence is known, beside trivial maps and random networks."""
    from ecgviz.checkpoint import load_model
    from ecgviz.validate.explanations import planted_table, run_bench, save_planted

    if twice := {name for name in model if model.count(name) > 1}:
        raise ExplanationError(f"--model {sorted(twice)[0]} is given twice")
    with counted("explanations") as progress:
        parts, left_out = run_bench(
            [load_model(name) for name in model],
            out,
            methods=method or (),
            findings=finding or (),
            records=records,
            seed=seed,
            progress=progress,
        )
    if not parts:
        raise ExplanationError(f"nothing is left to score: {'; '.join(left_out)}")
    table = planted_table(parts, seed=seed)
    save_planted(table, out)
    _draw(table, left_out, out)
    if as_json:
        return write_json({"rows": table.to_dict("records"), "left_out": left_out})
    _write(table)
    return write_lines(*left_out, f"{out}: planted.csv, {PAGE} and {FIGURE} are written.", NOTICE)


def audits(
    method: Annotated[list[str] | None, typer.Option("--method", help="Only this method; repeatable.")] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train small networks that read one place only, and see whether methods find that place."""
    from ecgviz.validate.explanations.audits import AUDITS

    found = []
    for name, audit in AUDITS.items():
        with counted(f"methods, {name}") as progress:
            found.append(audit(method or (), seed=seed, progress=progress))
    if as_json:
        return write_json({"audits": [plain(each) | {"valid": each.valid} for each in found]})
    for each in found:
        _write_audit(each)
    return write_lines(NOTICE)


def _draw(table: "pd.DataFrame", left_out: list[str], out: Path) -> None:
    from ecgviz.figures.planted import planted_svg
    from ecgviz.records.write import written_whole
    from ecgviz.validate.explanations import planted_page

    svg = planted_svg(table, HEADLINE)
    for name, text in ((FIGURE, svg), (PAGE, planted_page(table, left_out, svg))):
        with written_whole(out / name) as part:
            part.write_text(text, encoding="utf-8")


def _write(table: "pd.DataFrame") -> None:
    shown = []
    columns = ("model", "finding", "label", "method", "n", "retained", "mass", "chance", "best control", "excess")
    for row in table[(table.score == HEADLINE) & (table.group == "counted")].to_dict("records"):
        low, high = _cell(row["excess_low"], "+"), _cell(row["excess_high"], "+")
        shown.append(
            (
                *(row["model"], row["finding"], row["label"], row["method"], str(row["n"])),
                *(f"{100 * row['share_retained']:.0f} %", _cell(row["value"]), _cell(row["chance"])),
                *(row["best_control"] or "-", f"{_cell(row['excess'], '+')} [{low}, {high}]"),
                _cell(row["records_per_s"], digits=1),
            )
        )
    write_table("Supporting mass on planted evidence", (*columns, "records/s"), shown)


def _write_audit(audit: "Audit") -> None:
    learnt = f"{audit.name} ({audit.place}): {audit.measure} {audit.quality:.3f} on unseen patients"
    if not audit.valid:
        return write_lines(f"{learnt}, below {audit.least:g}: this network proves nothing, and no method was asked.")
    columns = ("method", "n", "share", "chance", "|x|", "untrained", "specificity", "lead", "time", "passed", "why not")
    rows = [
        (
            *(row.method, str(row.n)),
            *(_cell(value, digits=3) for value in (row.share, row.chance, row.amplitude, row.untrained)),
            *(_cell(value) for value in (row.specificity, row.lead_hit, row.time_hit)),
            *("yes" if row.passed else "no", row.why),
        )
        for row in audit.rows
    ]
    return write_table(f"Audit, {learnt}", columns, rows)


def _cell(value: Any, sign: str = "", digits: int = 2) -> str:
    return "-" if value != value else f"{value:{sign}.{digits}f}"
