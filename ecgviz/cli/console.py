"""How results are written: JSON for programs, tables for people, and a bar while they wait."""

import dataclasses
import datetime
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from ecgviz import NOTICE

WIDTH_WITHOUT_TERMINAL = 160
_AS_TEXT = (Path, UUID, datetime.date, datetime.time, datetime.timedelta)
"""Written in JSON as Python writes them."""


def plain(value: Any) -> Any:
    """Return ``value`` as what JSON can hold: arrays become lists, what is not a finite number becomes None.

    Dates, times, spans and UUIDs become text (None where missing), bytes their digits in base 16.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if hasattr(value, "tolist"):
        kind = getattr(getattr(value, "dtype", None), "kind", None)
        if kind in ("m", "M"):  # dates and spans; those of nanoseconds would become bare numbers
            value = value.astype(f"{kind}8[us]")
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, bytes | bytearray):
        return value.hex()
    # A date that is missing (pandas.NaT) is a date of its kind, and is not even itself.
    return (str(value) if value == value else None) if isinstance(value, _AS_TEXT) else value


def write_json(value: Any) -> None:
    """Print ``value`` as JSON on standard output, an object with the notice in it; a list stays what its rows are."""
    told = plain(value)
    if isinstance(told, dict):
        told |= {"notice": NOTICE}
    sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def number(value: float | None, digits: int = 4) -> str:
    """Return a number for a table, or "not measurable"."""
    return "not measurable" if value is None or not math.isfinite(value) else f"{value:.{digits}g}"


def write_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; every cell is shown as it stands, never read as markup."""
    from rich.table import Table

    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    _console().print(table)


def write_lines(*lines: str) -> None:
    """Print sentences, one a line."""
    console = _console()
    for line in lines:
        console.print(line, soft_wrap=True)


class Tell(Protocol):
    """How a bar is told how far it is."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Show so much of the total, and a note beside it."""


@contextmanager
def counted(what: str) -> Iterator[Tell]:
    """Draw a bar on standard error while something is counted, with the time that is left; nothing where nobody looks.

    A note is shown as it stands, never read as markup.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        *(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()),
        *(TextColumn("left"), TimeRemainingColumn(), TextColumn("{task.fields[note]}", markup=False)),
    )
    console = Console(stderr=True, markup=False, highlight=False)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None, note="")

        def tell(done: int, total: int, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield tell


def _console() -> Any:
    from rich.console import Console

    width = None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL
    return Console(markup=False, highlight=False, emoji=False, width=width)
