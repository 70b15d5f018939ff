"""``models``, ``predict`` and ``train``: trained networks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgviz.cli.arguments import Age, Fs, Json, ModelName, Seed, Sex, Source, Unit, read
from ecgviz.cli.console import number, plain, write_json, write_lines, write_table
from ecgviz.errors import ModelError

if TYPE_CHECKING:
    from ecgviz.checkpoint import Model


def chosen(name: str | None) -> "Model":
    """Load the model a command names; without a name the first shipped one.

    Raises
    ------
    ModelError
        When none is named and none is shipped.
    """
    from ecgviz.checkpoint import available_models, load_model

    names = available_models()
    if name is None and not names:
        raise ModelError("no trained model is shipped here; name a model folder with --model")
    return load_model(name or names[0])


def models(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show this model's card.")] = None,
    as_json: Json = False,
) -> None:
    """List the trained models, or show one model's card."""
    from ecgviz.checkpoint import available_models, load_model

    if name is not None:
        model = load_model(name)
        return write_json(_described(model)) if as_json else write_lines(*model.card.splitlines())
    loaded = [load_model(known) for known in available_models()]
    if as_json:
        return write_json([_described(model) for model in loaded])
    rows = [
        (model.name, model.version, model.net_name, f"{model.n_parameters:,}", ", ".join(model.labels), _fed(model))
        for model in loaded
    ]
    return write_table("Trained models", ("name", "version", "network", "parameters", "labels", "is fed"), rows)


def predict(
    record: Source,
    model: ModelName = None,
    fs: Fs = None,
    unit: Unit = None,
    age: Age = None,
    sex: Sex = None,
    as_json: Json = False,
) -> None:
    """Show what a network makes of a recording: a probability for each label, beside its threshold."""
    from ecgviz.beats import delineate
    from ecgviz.checkpoint import predict as predicted
    from ecgviz.signal import condition

    loaded = read(record, fs, unit, age, sex)
    network = chosen(model)
    answer = predicted(network, loaded, delineate(condition(loaded)))
    outcome = [
        {
            "label": label,
            "probability": answer.probability(label),
            "threshold": float(answer.thresholds[n]),
            "logit": float(answer.logits[n]),
            "positive": answer.positive(label),
        }
        for n, label in enumerate(answer.labels)
    ]
    if as_json:
        return write_json({"record": loaded.id, "model": network.name, "digest": network.digest, "outcome": outcome})
    rows = [
        (
            label,
            number(answer.probability(label), 3),
            number(float(answer.thresholds[n]), 3),
            number(float(answer.logits[n]), 3),
            "yes" if answer.positive(label) else "no",
        )
        for n, label in enumerate(answer.labels)
    ]
    title = f"{loaded.id}, {network.name} version {network.version}"
    return write_table(title, ("label", "probability", "threshold", "logit", "model calls it"), rows)


def train(
    data: Annotated[Path, typer.Option("--data", help="Folder of PTB-XL as PhysioNet publishes it.")],
    out: Annotated[Path, typer.Option("--out", help="Model folder to write; must not exist.")],
    net: Annotated[str, typer.Option("--net", help="Architecture.")] = "imle_net",
    width: Annotated[float, typer.Option("--width", help="Width of the network; 1 is the published one.")] = 0.5,
    simulated: Annotated[int, typer.Option("--simulated", min=1, help="Number of simulated training records.")] = 1500,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Epochs on real and simulated records.")] = 24,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train a network on PTB-XL folds 1 to 8 and simulated records, early-stopped on fold 9."""
    from ecgviz.checkpoint import load_model
    from ecgviz.training import default_plan
    from ecgviz.training import train as trained

    plan = default_plan(net, {"width": width}, seed=seed, n_simulated=simulated, epochs=epochs)
    trained(plan, data, out, progress=lambda line: typer.echo(line, err=True))
    model = load_model(out.resolve())
    if as_json:
        return write_json(_described(model))
    return write_lines(*model.card.splitlines())


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


def _described(model: "Model") -> dict[str, Any]:
    names = ("name", "version", "net_name", "n_parameters", "labels", "thresholds", "digest", "spec", "metrics")
    return {name: plain(getattr(model, name)) for name in (*names, "training")}


def _fed(model: "Model") -> str:
    return f"{len(model.spec.leads)} leads, {model.spec.duration_s:g} s at {model.spec.fs:g} Hz"
