"""``check``: are the maps of some methods faithful to the network, are they robust, and do they agree."""

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgviz.cli.arguments import Age, Fs, Json, Marks, ModelName, Seed, Sex, Source, Unit, marked, read
from ecgviz.cli.console import counted, number, plain, write_json, write_lines, write_table
from ecgviz.cli.networks import chosen
from ecgviz.errors import ExplanationError

if TYPE_CHECKING:
    from ecgviz.explain.checks import AgreementMatrix, Checks

DEFAULT_METHODS = ("integrated_gradients",)
DIRECTION = {True: "higher", False: "lower", None: "neither"}


def check(
    record: Source,
    model: ModelName = None,
    label: Annotated[
        str | None, typer.Option("--label", help="Label to explain; by default the one the model finds most probable.")
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option("--method", help="How to explain; repeatable, side by side.")
    ] = None,
    training: Annotated[
        list[str] | None, typer.Option("--training", help="Another training for the same labels; repeatable.")
    ] = None,
    slow: Annotated[
        bool, typer.Option("--slow", help="Also the checks that explain many times again, as random weights do.")
    ] = False,
    marks: Marks = None,
    seed: Seed = 0,
    fs: Fs = None,
    unit: Unit = None,
    age: Age = None,
    sex: Sex = None,
    as_json: Json = False,
) -> None:
    """Check explanations for faithfulness and robustness, beside what each must beat; plausibility is not asked."""
    from ecgviz.checkpoint import load_model, predict
    from ecgviz.explain import checks, find_method

    methods = list(dict.fromkeys(method or DEFAULT_METHODS))
    loaded = read(record, fs, unit, age, sex)
    network = chosen(model)
    for name in methods:
        if why := find_method(name).why_not(network):
            raise ExplanationError(why)
    trainings = [load_model(name) for name in training or ()]
    beats = marked(loaded, marks)
    if label is None:
        answer = predict(network, loaded, beats)
        label = answer.labels[int(answer.probabilities.argmax())]
    found = []
    with counted("methods") as progress:
        for n, name in enumerate(methods):
            progress(n, len(methods))
            found.append(checks.check(network, loaded, label, name, beats, seed=seed, slow=slow, trainings=trainings))
    agreement = checks.agreement_matrix([each.explanation for each in found], beats)
    if as_json:
        of_methods = {each.explanation.method: _described(each) for each in found}
        told = {"record": loaded.id, "model": network.name, "digest": network.digest, "label": label, "seed": seed}
        return write_json(told | {"methods": of_methods, "agreement": agreement, "left_out": found[0].left_out})
    return _show(f"{loaded.id}, {network.name}, {label}", found, agreement)


def _described(found: "Checks") -> dict[str, Any]:
    """Return the checks of one explanation for JSON, each with its excess, and the curves behind them."""
    results = {each.name: {key: value for key, value in plain(each).items() if key != "name"} for each in found.results}
    return {"checks": results, "removal": plain(found.removal), "randomisation": plain(found.randomisation)}


def _show(title: str, found: "list[Checks]", agreement: "AgreementMatrix") -> None:
    methods = [each.explanation.method for each in found]
    named = {each.name: each for one in found for each in one.results}
    rows = [
        (name, each.family, DIRECTION[each.higher_is_better], *(_cell(one, name) for one in found))
        for name, each in named.items()
    ]
    write_table(f"{title}: value (excess over what it must beat)", ("check", "of", "better", *methods), rows)
    remarks = [(each.name, one.explanation.method, each.remark) for one in found for each in one.results if each.remark]
    write_table("Remarks", ("check", "method", "why, or what"), remarks)
    beside = [
        (each.name, one.explanation.method, ", ".join(f"{name} {number(v, 3)}" for name, v in each.beside.items()))
        for one in found
        for each in one.results
        if each.beside
    ]
    write_table("The same number for what a map must beat", ("check", "method", "beside"), beside)
    if len(methods) > 1:
        compared = {
            "rank correlation of supporting mass per second, lead x wave": agreement.spearman,
            "correlation of signed mass per second, lead x beat x wave": agreement.pearson,
        }
        for name, matrix in compared.items():
            cells = [(one, *(number(value, 2) for value in row)) for one, row in zip(methods, matrix, strict=True)]
            write_table(f"Agreement of methods: {name}", ("method", *methods), cells)
    left_out = found[0].left_out
    write_lines(*([f"Not run without --slow: {', '.join(left_out)}."] if left_out else []))


def _cell(found: "Checks", name: str) -> str:
    """Return value, excess and its spread of one check, "-" where there is no value."""
    each = next((one for one in found.results if one.name == name), None)
    if each is None or math.isnan(each.value):
        return "-"
    if math.isnan(each.excess):
        return number(each.value, 3)
    spread = "" if math.isnan(each.excess_sd) else f" ± {each.excess_sd:.2g}"
    return f"{number(each.value, 3)} ({each.excess:+.2g}{spread})"
