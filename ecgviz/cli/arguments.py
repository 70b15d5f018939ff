"""Arguments that several commands take, and the one way in which they read a recording."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecgviz.errors import ModelError

if TYPE_CHECKING:
    from ecgviz.types import Beats, Measurements, Record

LARGEST_SEED = 2**31 - 1
"""scikit-learn takes seeds of 32 bits, and some are made of twice this one."""


def _finite(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value:g} is no number")
    return value


def _named(name: str | None) -> str | None:
    if name is not None and not name.strip():
        raise typer.BadParameter("the name is empty; leave the option out, or name a model")
    return name


Source = Annotated[str, typer.Argument(metavar="RECORD", help="Path of a recording, or demo:NAME.")]
Fs = Annotated[
    float | None, typer.Option("--fs", callback=_finite, help="Sampling rate in Hz, where the file states none.")
]
Unit = Annotated[
    str | None, typer.Option("--unit", help="Unit of the samples (mV, uV, V), where the file states none.")
]
Age = Annotated[float | None, typer.Option("--age", callback=_finite, help="Age in years, where the file states none.")]
Sex = Annotated[str | None, typer.Option("--sex", help="male or female, where the file states none.")]
ModelName = Annotated[
    str | None,
    typer.Option("--model", callback=_named, help="A shipped model's name or a model folder; imle_net if not given."),
]
CaseModel = Annotated[
    str | None,
    typer.Option(
        "--model",
        callback=_named,
        help="The model that the case was made with: its folder, where it is not a shipped one; the shipped one that "
        "the case names if not given.",
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=LARGEST_SEED, help="Seed of everything that is drawn at random.")
]
Marks = Annotated[
    Path | None,
    typer.Option(
        "--marks",
        help="CSV of marks a reader changed (beat, mark, time_s), as ecgviz beats writes it: an empty time takes a "
        "mark out, and a mark without a row stays as it was found.",
    ),
]
Criteria = Annotated[
    Path | None, typer.Option("--criteria", help="Folder of your own criteria (*.yaml), used beside ours.")
]
Settings = Annotated[
    list[str] | None, typer.Option("--config", help="Setting of the architecture, as width=0.5; repeatable.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON: what is not measurable is null.")]


def read(source: str, fs: float | None, unit: str | None, age: float | None, sex: str | None) -> "Record":
    """Return the recording that a command names, with what the user stated about it."""
    from ecgviz.records import load_record

    return load_record(source, fs=fs, unit=unit, age_years=age, sex=sex)


def marked(record: "Record", marks: Path | None, clean: "Record | None" = None) -> "Beats":
    """Return the beats of a recording, with the changes of a file of marks when one is named.

    ``clean`` is the recording when it is conditioned already.
    """
    from ecgviz.beats import delineate
    from ecgviz.edit import read_marks
    from ecgviz.signal import condition

    beats = delineate(clean or condition(record))
    return beats if marks is None else read_marks(marks, beats, record.key)


def measured_on(record: "Record", marks: Path | None) -> "tuple[Beats, Measurements]":
    """Return the beats of a recording, with the changes of a file of marks when one is named, and what they measure."""
    from ecgviz.measure import measure
    from ecgviz.signal import condition

    clean = condition(record)
    beats = marked(record, marks, clean)
    return beats, measure(clean, beats)


def words(text: str) -> tuple[str, ...]:
    """Return the words of a list with commas."""
    return tuple(word.strip() for word in text.split(","))


def settings_of(config: list[str] | None) -> dict[str, float | int | str | bool]:
    """Return the settings that ``--config`` names.

    Raises
    ------
    ModelError
        For a text that is not of the form key=value.
    """
    return dict(_setting(text) for text in config or [])


def _setting(text: str) -> tuple[str, float | int | str | bool]:
    """Return a setting's name and value: true and false, whole numbers, numbers, else text."""
    key, equals, value = text.partition("=")
    if not (key.isidentifier() and equals and value):
        raise ModelError(f"--config {text!r} is no setting; write it as width=0.5")
    if value in ("true", "false"):
        return key, value == "true"
    for kind in (int, float):
        try:
            return key, kind(value)
        except ValueError:
            continue
    return key, value
