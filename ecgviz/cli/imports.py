"""``models import``: a model folder from a checkpoint or an exported program that somebody else trained."""

from pathlib import Path
from typing import Annotated

import typer

from ecgviz.cli.arguments import Json, Settings, settings_of, words
from ecgviz.cli.console import plain, write_json, write_lines
from ecgviz.errors import ModelError


def import_model(
    file: Annotated[Path, typer.Argument(help="PyTorch checkpoint (.pt) or exported program (.pt2).")],
    out: Annotated[Path, typer.Option("--out", help="Model folder to write; must not exist.")],
    labels: Annotated[str, typer.Option("--labels", help="What the outputs mean, in their order: MI,NORM.")],
    fs: Annotated[float, typer.Option("--fs", min=1, help="Sampling rate in Hz that the network was trained at.")],
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Length of its input.")],
    mean_mv: Annotated[float, typer.Option("--mean-mv", help="Mean that its input was standardised with, in mV.")],
    std_mv: Annotated[float, typer.Option("--std-mv", help="Deviation that its input was divided by, in mV.")],
    net: Annotated[str | None, typer.Option("--net", help="Architecture of a checkpoint.")] = None,
    config: Settings = None,
    leads: Annotated[
        str | None, typer.Option("--leads", help="Order of its leads; I,II,III,aVR,aVL,aVF,V1 to V6 if not given.")
    ] = None,
    thresholds: Annotated[
        str | None, typer.Option("--thresholds", help="A probability for each label; if not given, 0.5, not fitted.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a model folder of somebody else's network, after checking that it fits.

    Nothing in the file is run: a checkpoint is read as tensors in a child process, a program as a list of operators.
    """
    from ecgviz.checkpoint import load_model
    from ecgviz.checkpoint.convert import import_checkpoint, import_program
    from ecgviz.records.leads import STANDARD_LEADS
    from ecgviz.types import InputSpec

    if std_mv <= 0:
        raise ModelError(f"--std-mv is {std_mv:g}; samples are divided by it, so it is above 0")
    order = STANDARD_LEADS if leads is None else words(leads)
    spec = InputSpec(order, fs, seconds, mean_mv, std_mv)
    chosen = None if thresholds is None else tuple(_number(word, "--thresholds") for word in words(thresholds))
    folder = out.resolve()
    if file.suffix.lower() == ".pt2":
        if net is not None or config:
            raise ModelError(f"{file.name} is a program, which is its own architecture: leave out --net and --config")
        import_program(file, folder, labels=words(labels), spec=spec, thresholds=chosen)
    elif net is None:
        raise ModelError(f"{file.name} holds weights alone: name their architecture with --net")
    else:
        settings = settings_of(config)
        import_checkpoint(
            file, folder, net_name=net, config=settings, labels=words(labels), spec=spec, thresholds=chosen
        )
    model = load_model(folder)
    if as_json:
        told = {name: plain(getattr(model, name)) for name in ("name", "net_name", "n_parameters", "labels", "digest")}
        return write_json({"folder": folder, **told})
    return write_lines(*model.card.splitlines(), f"Written to {out}.")


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ModelError(f"{option}: {text!r} is no number") from error
