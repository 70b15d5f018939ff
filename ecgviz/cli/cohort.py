"""``cohort``: a folder of recordings explained into a store, the store queried and summed up."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgviz import NOTICE
from ecgviz.cli.arguments import Json, Seed
from ecgviz.cli.console import counted, plain, write_json, write_lines, write_table
from ecgviz.errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

    from ecgviz.cohort.store import Failed
    from ecgviz.cohort.work import Done

SHOWN_ROWS = 40
"""A table on the terminal has so many rows at most; ``--csv`` and ``--json`` have all."""
FAILED = "SELECT record, failure, count(*) AS n FROM rows WHERE failure IS NOT NULL GROUP BY ALL ORDER BY ALL"
"""What lists the recordings that failed."""

Store = Annotated[Path, typer.Argument(metavar="STORE", help="A store that ecgviz cohort run filled.")]


def run(
    data: Annotated[Path, typer.Option("--data", help="Folder of recordings: PTB-XL, LUDB, or files of known kinds.")],
    model: Annotated[list[str], typer.Option("--model", help="A shipped model's name or a model folder; repeatable.")],
    method: Annotated[list[str], typer.Option("--method", help="A method, as NAME or NAME:key=value,...; repeatable.")],
    out: Annotated[Path, typer.Option("--out", help="The store; what it holds already is not worked out again.")],
    label: Annotated[
        list[str] | None, typer.Option("--label", help="Label to explain; repeatable. Superclasses if not given.")
    ] = None,
    fs: Annotated[
        int | None, typer.Option("--fs", help="Which files of PTB-XL: 100 or 500 Hz; 100 if not given.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only so many recordings, first by id.")] = None,
    chunk: Annotated[
        int | None,
        typer.Option(
            "--chunk", min=1, help="Recordings a task, which a killed run loses; by their number if not given."
        ),
    ] = None,
    random_networks: Annotated[
        int, typer.Option("--random-networks", min=1, help="Random networks that each map is held against.")
    ] = 1,
    device: Annotated[str, typer.Option("--device", help="Where workers have their networks: cpu or cuda.")] = "cpu",
    jobs: Annotated[int, typer.Option("--jobs", help="Processes on this machine; -1 for one a core.")] = -1,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Dask scheduler to work on, as tcp://host:8786.")
    ] = None,
    resource: Annotated[
        list[str] | None, typer.Option("--resource", help="What a Dask worker must offer, as GPU=1; repeatable.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Explain a folder of recordings into a store; run it again to go on, or to add what is missing."""
    from ecgviz.cohort.run import run_cohort

    with counted("recordings") as bar:
        done = run_cohort(
            data,
            out,
            models=model,
            methods=method,
            labels=label or (),
            fs=fs,
            limit=limit,
            chunk=chunk,
            random_networks=random_networks,
            seed=seed,
            device=device,
            jobs=jobs,
            scheduler=scheduler,
            resources=_resources(resource or []),
            progress=lambda done, total: bar(done.n_recordings, total, _told(done, total)),
        )
    if as_json:
        return write_json(done)
    write_lines(*done.left_out, f"{done.n_recordings} recordings, {done.n_rows} rows added to {out}")
    write_lines(*_failed(out, done.in_store))
    if done.failures:
        counts = [(str(n), done.examples[why]) for why, n in done.failures.most_common()]
        write_table("Rows that failed", ("rows", "why, of one of them"), counts)
    few = "" if random_networks >= 5 else " (five on the pages): one row's excess is less sure than the mean of many"
    networks = "a random network" if random_networks == 1 else f"{random_networks} random networks"
    return write_lines(f"Each map was held against {networks}{few}.", NOTICE)


def query(
    store: Store,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT on the tables cohort, rows and records.")],
    csv: Annotated[Path | None, typer.Option("--csv", help="Write all rows to this file instead.")] = None,
    as_json: Json = False,
) -> None:
    """Ask a store with SQL; it is read as it lies, and nothing else can be read or changed."""
    from ecgviz.cohort import Cohort
    from ecgviz.records.write import written_whole

    if csv is not None and not csv.parent.is_dir():
        raise CohortError(f"--csv {csv}: there is no folder {csv.parent} to write it in")
    if csv is not None and csv.exists() and not csv.is_file():
        raise CohortError(f"--csv {csv} is there and is no file; name a file to write")
    found = Cohort(store).sql(sql)
    if csv is not None:
        with written_whole(csv) as part:
            # Columns of numbers stay as they are: as single values those of 32 bits would get digits of 64.
            cells = {name: found[name].map(_cell) for name in found.columns if found[name].dtype == object}
            found.assign(**cells).to_csv(part, index=False)
        return write_lines(f"{csv}: {len(found)} rows are written. {NOTICE}")
    if as_json:
        return write_json(found.to_dict("records"))
    shown = [tuple(str(value) for value in row) for row in found.head(SHOWN_ROWS).itertuples(index=False)]
    more = f", {SHOWN_ROWS} shown" if len(found) > SHOWN_ROWS else ""
    return write_table(f"{len(found)} rows{more}", [str(name) for name in found.columns], shown)


def _cell(value: Any) -> Any:
    """Return a value as a cell of CSV: lists and structs as JSON, which reads back whole."""
    told = plain(value)
    return json.dumps(told) if isinstance(told, list | dict) else told


def summary(
    store: Store,
    model: Annotated[list[str] | None, typer.Option("--model", help="Only this network; repeatable.")] = None,
    method: Annotated[list[str] | None, typer.Option("--method", help="Only this method; repeatable.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", help="Only this label; repeatable.")] = None,
    which: Annotated[
        str, typer.Option("--which", help="Records: called, stated, right, wrong, missed, all, ...")
    ] = "called",
    by: Annotated[
        str | None, typer.Option("--by", help="Divide records by prediction, age, sex, device, site or stage.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Sum a store up: agreement with guidelines, criteria that networks ignore, published findings; with intervals."""
    from ecgviz.cohort import Cohort
    from ecgviz.cohort.density import TOP
    from ecgviz.cohort.overview import overview

    opened = Cohort(store)
    found = overview(
        opened, models=model or (), methods=method or (), labels=label or (), which=which, by=by, seed=seed
    )
    failed = opened.failed()
    if as_json:
        return write_json({name: table.to_dict("records") for name, table in found.items()} | {"in_store": failed})
    write_table(f"Mass in the guideline's place, records {which}", _AGREEMENT, map(_line, _rows(found["agreement"])))
    told = [row for row in _rows(found["criteria"]) if row["used"] != "few"]
    if told:
        write_table("Criteria met in 10 records or more: is their place used?", _CRITERIA, map(_criterion, told))
    if len(found["published"]):
        title = (
            "Published of another network by saliency (Wagner et al. 2024): is it so here? "
            f"Of the up to {TOP} records with the highest output, whatever --which says"
        )
        write_table(title, _PUBLISHED, map(_published, _rows(found["published"])))
    return write_lines(
        *_failed(store, failed),
        "Percent of the map; intervals of 95 % by patient, none for fewer than 5 patients; the best control is chosen "
        "anew in each draw.",
        NOTICE,
    )


_AGREEMENT = (
    *("network", "method", "label", "of", "records", "judged", "share", "area", "above best control", "which"),
    *("p place", "p time", "agrees", "partly", "disagrees"),
)
_CRITERIA = (
    "network",
    "method",
    "label",
    "criterion",
    "definition",
    "n",
    "share",
    "area",
    "above best control",
    "used",
)
_PUBLISHED = ("network", "label", "published", "density there over other leads", "in the 5 densest", "shown")


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        *(row["model"], row["method"], row["label"], row["member"], str(row["n_records"]), str(row["n"])),
        *(_spread(row, "share"), _percent(row["area"]), _spread(row, "excess", "+"), row["best_control"] or "-"),
        *(_p(row["p_place"]), _p(row["p_time"])),
        *(_percent(row[verdict]) for verdict in ("agrees", "partly", "disagrees")),
    )


def _criterion(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        *(row["model"], row["method"], row["label"], row["criterion"], row["definition"], str(row["n"])),
        *(_percent(row["share"]), _percent(row["area"]), _spread(row, "excess", "+"), row["used"]),
    )


def _published(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        *(row["model"], row["label"], row["published"]),
        *(_interval(row["ratio"], row["low"], row["high"], ".2f"), f"{row['in_strongest']} of {row['of']}"),
        "-" if row["passes"] is None else "yes" if row["passes"] else "no",
    )


def _rows(table: "pd.DataFrame") -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _spread(row: dict[str, Any], name: str, sign: str = "") -> str:
    value, low, high = (100 * row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return _interval(value, low, high, f"{sign}.1f")


def _interval(value: float, low: float, high: float, form: str) -> str:
    if value != value:
        return "-"
    return f"{value:{form}}" if low != low else f"{value:{form}} [{low:{form}}, {high:{form}}]"


def _percent(value: float) -> str:
    return "-" if value != value else f"{100 * value:.1f}"


def _p(value: float) -> str:
    return "-" if value != value else f"{value:.2g}"


def _failed(store: Path, failed: "Failed") -> tuple[str, ...]:
    """Return the sentence that tells of recordings that failed, where there are any."""
    if not failed.n_failed:
        return ()
    listed = f'ecgviz cohort query {shlex.quote(str(store))} "{FAILED}"'
    return (f"{failed.n_failed} of {failed.n_recordings} recordings in the store have rows that failed: {listed}",)


def _resources(texts: list[str]) -> dict[str, float]:
    """Return what ``--resource`` names.

    Raises
    ------
    CohortError
        For a text that is not of the form NAME=number.
    """
    found = {}
    for text in texts:
        name, _, amount = text.partition("=")
        try:
            found[name] = float(amount)
        except ValueError as error:
            raise CohortError(f"--resource {text!r} is none; write it as GPU=1") from error
    return found


def _told(done: "Done", total: int) -> str:
    """Return what stands beside the bar: how many recordings, and failures by reason, each as one row tells it."""
    counts = f"{done.n_recordings} of {total}"
    return "; ".join([counts, *(f"{n} x {done.examples[why]}" for why, n in done.failures.most_common(3))])
