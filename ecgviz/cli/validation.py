"""``validate``: how right ecgviz is on recordings whose answer is known."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecgviz.cli.arguments import Json
from ecgviz.cli.console import number, write_json, write_lines, write_table

if TYPE_CHECKING:
    from ecgviz.validate.delineation import DelineationScore

WORST = 10
"""So many disagreements of each delineator are listed."""
AGAINST: Mapping[str, str] = {"global": "the median over leads", "per_lead": "each lead's own marks"}

Ludb = Annotated[Path, typer.Argument(metavar="DIR", help="LUDB as PhysioNet publishes it: ludb.csv and data/.")]


def delineation(
    folder: Ludb,
    worst: Annotated[
        bool, typer.Option("--worst", help=f"Also list the {WORST} worst disagreements of each delineator.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Hold our wave marks, and neurokit2's, against those of LUDB's cardiologists."""
    from ecgviz.validate.delineation import score

    with _counted("recordings") as progress:
        found = score(folder, progress=progress)
    if as_json:
        shown = {"n_records": found.n_records, "rows": found.rows, "false_alarms": found.false_alarms}
        return write_json(shown | ({"disagreements": found.disagreements} if worst else {}))
    _write_marks(found)
    return _write_worst(found) if worst else None


@contextmanager
def _counted(what: str) -> Iterator[Callable[[int, int], None]]:
    """Draw a bar on standard error while something is counted; nothing where nobody watches."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _write_marks(found: "DelineationScore") -> None:
    columns = ("wave", "mark", "delineator", "Se %", "PPV %", "mean", "SD", "MAE", "p95", "n", "marked", "extra")
    for table, against in AGAINST.items():
        rows = [
            (
                *(row.wave, row.mark, row.delineator, f"{row.se_percent:.1f}", f"{row.ppv_percent:.1f}"),
                *(f"{value:.1f}" for value in (row.mean_ms, row.sd_ms, row.mae_ms, row.p95_ms)),
                *(str(count) for count in (row.n, row.n_marked, row.n_extra)),
            )
            for row in found.rows
            if row.table == table
        ]
        write_table(f"Against {against}, {found.n_records} recordings; found minus marked in ms", columns, rows)
    write_table(
        "P waves found in recordings in which none is marked",
        ("against", "delineator", "recordings", "P waves", "a recording"),
        [
            (AGAINST[one.table], one.delineator, str(one.n_records), str(one.n_waves), number(one.waves_a_record, 3))
            for one in found.false_alarms
        ],
    )
    write_lines("A wave is paired with a marked one up to 150 ms away; beyond, it is missed and extra.")


def _write_worst(found: "DelineationScore") -> None:
    columns = ("recording", "wave", "marked", "missed", "extra", "largest error", "of", "at")
    for name in dict.fromkeys(row.delineator for row in found.rows if row.table == "global"):
        rows = [one for one in found.disagreements if one.delineator == name][:WORST]
        write_table(
            f"{name}: where it disagrees most with the median over leads",
            columns,
            [
                (
                    one.record,
                    one.wave,
                    *(str(count) for count in (one.n_marked, one.missed, one.extra)),
                    *((f"{one.error_ms:+.0f} ms", one.mark, f"{one.at_s:.2f} s") if one.mark else ("-", "-", "-")),
                )
                for one in rows
            ],
        )
