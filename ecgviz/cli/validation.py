"""``validate``: how right ecgviz is on recordings whose answer is known."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecgviz.cli.arguments import Criteria, Json
from ecgviz.cli.console import counted, number, write_json, write_lines, write_table
from ecgviz.errors import SimulationError

if TYPE_CHECKING:
    from ecgviz.validate.causes import Disagreement
    from ecgviz.validate.delineation import DelineationScore
    from ecgviz.validate.measurements import MeasurementRow

WORST = 10
"""So many disagreements of each delineator are listed."""
AGAINST: Mapping[str, str] = {"global": "the median over leads", "per_lead": "each lead's own marks"}
RATES_HZ = (100.0, 500.0)
"""Simulated recordings are measured at these rates, those of PTB-XL, when none is asked for."""
COLUMNS = (
    *("statement", "definition"),
    *("with", "patients", "open", "sensitivity", "95 %"),
    *("without", "patients", "open", "specificity", "95 %"),
)
"""Of the table of criteria."""

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

    with counted("recordings") as progress:
        found = score(folder, progress=progress)
    if as_json:
        shown = {"n_records": found.n_records, "rows": found.rows, "false_alarms": found.false_alarms}
        return write_json(shown | ({"disagreements": found.disagreements} if worst else {}))
    _write_marks(found)
    return _write_worst(found) if worst else None


def measurements(
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Simulated patients of each finding.")] = 3,
    fs: Annotated[list[float] | None, typer.Option("--fs", help="Rate in Hz; may be given again for others.")] = None,
    ludb: Annotated[
        Path | None, typer.Option("--ludb", help="LUDB's folder: intervals against its marks, too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold our measurements against what was planted in simulated recordings, and against LUDB's cardiologists."""
    from ecgviz.validate.measurements import ludb_interval_errors, simulated_errors

    with counted("recordings of LUDB") as progress:
        marked = ludb_interval_errors(ludb, progress) if ludb is not None else []
    with counted("simulated recordings") as progress:
        planted = simulated_errors(range(seeds), fs or RATES_HZ, progress=progress)
    impossible = sorted(set(fs or RATES_HZ) - {row.fs for row in planted})
    if impossible:
        raise SimulationError(f"no recording can be simulated at {', '.join(f'{rate:g}' for rate in impossible)} Hz")
    if as_json:
        return write_json({"simulated": planted, "ludb": marked})
    for rate in dict.fromkeys(row.fs for row in planted):
        rows = [row for row in planted if row.fs == rate]
        title = f"Simulated recordings at {rate:g} Hz, median signal-to-noise ratio {rows[0].snr_db:.0f} dB"
        _write_errors(f"{title}: found minus planted", rows)
    return _write_errors("LUDB: found minus marked", marked) if marked else None


def criteria(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="PTB-XL, LUDB or both, as PhysioNet publishes them.")
    ],
    folder: Criteria = None,
    disagreements: Annotated[
        bool, typer.Option("--disagreements", help="Also list every recording in which readers and catalogue differ.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Hold the criteria against the statements of PTB-XL's and LUDB's readers, all recordings pooled."""
    from ecgviz.validate.criteria import score

    with counted("recordings") as progress:
        found = score(folders, criteria=folder, progress=progress)
    if as_json:
        shown = {"n_records": found.n_records, "rows": found.rows}
        return write_json(shown | ({"disagreements": found.disagreements} if disagreements else {}))
    write_table(
        f"{found.n_records} recordings; open = could not be evaluated, which is left out of the rates; "
        "- = too few to tell",
        COLUMNS,
        [
            (
                *(row.criterion, row.definition),
                *(str(row.n_positive), str(row.patients_positive), str(row.open_positive)),
                *_rate(row.sensitivity, row.sensitivity_low, row.sensitivity_high),
                *(str(row.n_negative), str(row.patients_negative), str(row.open_negative)),
                *_rate(row.specificity, row.specificity_low, row.specificity_high),
            )
            for row in found.rows
        ],
    )
    if disagreements:
        _write_disagreements(found.disagreements)
    return None


def _write_disagreements(found: Sequence["Disagreement"]) -> None:
    from ecgviz.validate.causes import CAUSES, by_cause

    rows = []
    for name, counts in by_cause(found).items():
        for stated in (True, False):
            each = [counts.get((stated, cause), 0) for cause in CAUSES]
            if sum(each):
                differ = "stated, not met" if stated else "met, not stated"
                rows.append((name, differ, str(sum(each)), *(str(n) if n else "" for n in each)))
    write_table("Where they differ, by likely cause", ("statement", "", "all", *CAUSES), rows)
    write_lines(*(f"{cause}: {meaning}." for cause, meaning in CAUSES.items()), "")
    told = [(d.criterion, d.record, "yes" if d.stated else "no", d.state, d.cause, d.why) for d in found]
    write_table("Where they differ", ("statement", "recording", "stated", "criteria", "cause", "why"), told)


def _rate(rate: float, low: float, high: float) -> tuple[str, str]:
    return ("-", "-") if math.isnan(rate) else (f"{rate:.2f}", f"{low:.2f} to {high:.2f}")


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


def _write_errors(title: str, rows: "list[MeasurementRow]") -> None:
    columns = ("measurement", "unit", "with", "mean", "MAE", "p95", "limit", "n", "missing", "extra", "left out")
    write_table(
        title,
        columns,
        [
            (
                *(row.name, row.unit, row.marks),
                *("-" if math.isnan(value) else number(value, 3) for value in (row.bias, row.mae, row.p95, row.limit)),
                *(str(count) for count in (row.n, row.n_missing, row.n_extra, row.n_left_out)),
            )
            for row in rows
        ],
    )


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
