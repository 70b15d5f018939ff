"""``models``, ``methods`` and ``predict``: trained networks, and what explains them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgviz.cli.arguments import Age, Fs, Json, ModelName, Sex, Source, Unit, read
from ecgviz.cli.console import number, plain, write_json, write_lines, write_table
from ecgviz.cli.trust import trust_in_scores, write_trust_in_scores
from ecgviz.errors import ModelError

MAPS_ALONE = (
    "Its maps have nothing to be held against, as an exported program has no random networks: explain, report and "
    "cohort run refuse it; the Attributions page shows its maps alone."
)
NOT_OFFERED = (
    "Not offered: Captum's LRP, which has no rule for Conv1d and BatchNorm1d, of which networks for ECGs are made."
)

if TYPE_CHECKING:
    from ecgviz.checkpoint import Model
    from ecgviz.types import ObservedRate


def chosen(name: str | None) -> "Model":
    """Load the model a command names; without a name `ecgviz.checkpoint.default_model`.

    Raises
    ------
    ModelError
        When none is named and none is shipped.
    """
    from ecgviz.checkpoint import default_model, load_model

    name = default_model() if name is None else name
    if name is None:
        raise ModelError("no trained model is shipped here; name a model folder with --model")
    return load_model(name)


def models(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show this model's card.")] = None,
    as_json: Json = False,
) -> None:
    """List the trained models, or show one model's card."""
    from ecgviz.checkpoint import available_models, load_model

    if name is not None:
        model = load_model(name)
        return write_json(described(model)) if as_json else write_lines(*model.card.splitlines())
    loaded = [load_model(known) for known in available_models()]
    if as_json:
        return write_json([described(model) for model in loaded])
    rows = [
        (model.name, model.version, model.net_name, f"{model.n_parameters:,}", ", ".join(model.labels), _fed(model))
        for model in loaded
    ]
    return write_table("Trained models", ("name", "version", "network", "parameters", "labels", "is fed"), rows)


def methods(
    model: Annotated[
        str | None, typer.Option("--model", help="Say of each method whether it is valid for this model.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the methods of explanation, and with --model which are valid for that network and why the others are not."""
    from ecgviz.checkpoint.folder import EXPORTED
    from ecgviz.explain.methods import all_methods

    found, faults = all_methods()
    network = None if model is None else chosen(model)
    alone = MAPS_ALONE if network is not None and network.net_name == EXPORTED else ""
    rows = []
    for name, method in found.items():
        row = {"name": name, "title": method.title, "family": method.family}
        row |= {"definition": method.definition, "source": method.source}
        if network is not None:
            row["why_not"] = method.why_not(network)
        rows.append(row)
    if as_json:
        told = {"model": None if network is None else network.name, "methods": rows, "not_offered": NOT_OFFERED}
        return write_json(told | ({} if network is None else {"maps_alone": alone}))
    columns = ("name", "family", "shows", "source", *(() if network is None else ("for this network",)))
    table = [
        (row["name"], row["family"], row["definition"], row["source"])
        + (() if network is None else (row["why_not"] or ("valid, map alone" if alone else "valid"),))
        for row in rows
    ]
    write_table("Methods of explanation" if network is None else f"What can explain {network.name}", columns, table)
    return write_lines(*([alone] if alone else []), NOT_OFFERED, *faults)


def predict(
    record: Source,
    model: ModelName = None,
    fs: Fs = None,
    unit: Unit = None,
    age: Age = None,
    sex: Sex = None,
    as_json: Json = False,
) -> None:
    """Show what a network makes of a recording, and how often such a score was right on records it had not seen."""
    from ecgviz.beats import delineate
    from ecgviz.checkpoint import past_rate
    from ecgviz.checkpoint import predict as predicted
    from ecgviz.records.quality import assess
    from ecgviz.signal import condition

    loaded = read(record, fs, unit, age, sex)
    network, quality = chosen(model), assess(loaded)
    answer = predicted(network, loaded, delineate(condition(loaded)))
    past = {label: past_rate(network, label, answer.probability(label)) for label in answer.labels}
    outcome = [
        {
            "label": label,
            "probability": answer.probability(label),
            "threshold": float(answer.thresholds[n]),
            "logit": float(answer.logits[n]),
            "positive": answer.positive(label),
            "such_scores": plain(past[label]),
        }
        for n, label in enumerate(answer.labels)
    ]
    if as_json:
        told = {"record": loaded.id, "model": network.name, "digest": network.digest, "outcome": outcome}
        return write_json(told | trust_in_scores(loaded, quality, network.spec.fs, network.spec.duration_s))
    rows = [
        (
            label,
            number(answer.probability(label), 3),
            number(float(answer.thresholds[n]), 3),
            number(float(answer.logits[n]), 3),
            "yes" if answer.positive(label) else "no",
            _past(past[label]),
        )
        for n, label in enumerate(answer.labels)
    ]
    title = f"{loaded.id}, {network.name} version {network.version}"
    write_table(title, ("label", "probability", "threshold", "logit", "model calls it", "had it, of such scores"), rows)
    return write_trust_in_scores(loaded, quality, network.spec.fs, network.spec.duration_s)


def _past(rate: "ObservedRate | None") -> str:
    return (
        "not known"
        if rate is None
        else f"{100 * rate.rate:.0f} % ({100 * rate.low:.0f} to {100 * rate.high:.0f}) of {rate.n}"
    )


def described(model: "Model") -> dict[str, Any]:
    """Return what JSON shows of a model."""
    names = ("name", "version", "net_name", "n_parameters", "labels", "thresholds", "digest", "spec", "metrics")
    return {name: plain(getattr(model, name)) for name in (*names, "training")}


def _fed(model: "Model") -> str:
    return f"{len(model.spec.leads)} leads, {model.spec.duration_s:g} s at {model.spec.fs:g} Hz"
