"""``train`` and ``train-delineator``: networks from records."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ecgviz.cli.arguments import Json, Seed, Settings, settings_of, words
from ecgviz.cli.console import counted, write_json, write_lines
from ecgviz.cli.networks import described
from ecgviz.errors import ModelError

Device = Annotated[str, typer.Option("--device", help="cpu, cuda, or auto: cuda where there is one.")]


def train(
    data: Annotated[Path, typer.Option("--data", help="Folder of PTB-XL as PhysioNet publishes it.")],
    out: Annotated[Path, typer.Option("--out", help="Model folder to write; must not exist.")],
    net: Annotated[str, typer.Option("--net", help="Architecture.")] = "imle_net",
    config: Settings = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            help="Superclasses and SCP statements to predict, as CD,MI,AFIB; 'superclasses' for all five alone. If not "
            "given, these and thirteen statements.",
        ),
    ] = None,
    protocol: Annotated[
        str, typer.Option("--protocol", help="cross-validated (folds 1 to 9), or paper (1 to 8 teach, 9 chooses).")
    ] = "cross-validated",
    simulate: Annotated[
        int, typer.Option("--simulate", min=0, help="Number of simulated records to learn from first, and beside.")
    ] = 16000,
    copies: Annotated[
        int,
        typer.Option(
            "--copies",
            min=0,
            help="Altered copies of each real record, of which trees on measurements are the teacher; 0 for none.",
        ),
    ] = 15,
    epochs: Annotated[
        int, typer.Option("--epochs", min=1, help="Epochs on real records and their copies; without copies take 15.")
    ] = 8,
    device: Device = "auto",
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes that read records; of no influence.")] = 1,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train a network on PTB-XL and simulated records; a call that was cut off goes on when it is made again."""
    from ecgviz.checkpoint import load_model
    from ecgviz.records.ptbxl import SUPERCLASSES
    from ecgviz.training import default_plan
    from ecgviz.training import train as trained
    from ecgviz.training.labels import LABELS

    chosen = LABELS if labels is None else SUPERCLASSES if labels == "superclasses" else words(labels)
    plan = default_plan(
        net,
        settings_of(config),
        labels=chosen,
        protocol=protocol,
        seed=seed,
        n_simulated=simulate,
        copies=copies,
        epochs=epochs,
    )
    with counted("training") as bar:

        def said(line: str, done: float) -> None:
            bar(round(1000 * done), 1000, line)
            if not sys.stderr.isatty():
                typer.echo(f"{100 * done:3.0f} % {line}", err=True)

        trained(plan, data, out.resolve(), device=_device(device), n_jobs=jobs, progress=said)
    model = load_model(out.resolve())
    return write_json(described(model)) if as_json else write_lines(*model.card.splitlines())


def _device(asked: str) -> str:
    import torch

    if asked not in ("auto", "cpu", "cuda"):
        raise ModelError(f"there is no device {asked!r}; known are auto, cpu, cuda")
    if asked == "cuda" and not torch.cuda.is_available():
        raise ModelError("--device cuda: PyTorch finds no GPU on this machine")
    return "cuda" if asked != "cpu" and torch.cuda.is_available() else "cpu"


def train_delineator(
    ludb: Annotated[Path, typer.Option("--ludb", help="Folder of LUDB as PhysioNet publishes it.")],
    ptbxl: Annotated[Path, typer.Option("--ptbxl", help="Folder of PTB-XL as PhysioNet publishes it.")],
    out: Annotated[Path, typer.Option("--out", help="File of weights to write, .safetensors; must not exist.")],
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train the network that delineates, once on all of LUDB and once without each fifth of it."""
    from ecgviz.training.delineator import train_delineator as trained

    if out.exists():
        raise ModelError(f"{out} exists already; name a new file")
    trained(ludb, ptbxl, out, seed, say=lambda line: typer.echo(line, err=True))
    return write_json({"file": out}) if as_json else write_lines(f"Written to {out}.")
