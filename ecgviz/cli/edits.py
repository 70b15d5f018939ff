"""``edits``: what a network's answer does when rhythm, rate, P waves or PR interval are changed."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgviz.cli.arguments import Age, Fs, Json, Marks, ModelName, Seed, Sex, Source, Unit, marked, read
from ecgviz.cli.console import number, plain, write_json, write_lines, write_table
from ecgviz.cli.networks import chosen

if TYPE_CHECKING:
    from ecgviz.explain.edits import EditEvidence

COLUMNS = ("edit", "speaks for", "change of the logit", "by sham edits", "shams as large", "samples changed (shams)")


def edits(
    record: Source,
    model: ModelName = None,
    label: Annotated[
        str | None, typer.Option("--label", help="Label to ask about; by default the one found most probable.")
    ] = None,
    shams: Annotated[int, typer.Option("--shams", help="Sham edits beside each edit, 8 or more.")] = 10,
    edit: Annotated[
        list[str] | None, typer.Option("--edit", help="Only this edit, by its name in --json; repeatable.")
    ] = None,
    marks: Marks = None,
    seed: Seed = 0,
    fs: Fs = None,
    unit: Unit = None,
    age: Age = None,
    sex: Sex = None,
    as_json: Json = False,
) -> None:
    """Change rhythm, rate, P waves and PR: what each does to a logit, beside sham edits that leave these alone."""
    from ecgviz.checkpoint import predict
    from ecgviz.explain.edits import EDITS, edit_evidence

    loaded = read(record, fs, unit, age, sex)
    network = chosen(model)
    beats = marked(loaded, marks)
    if label is None:
        answer = predict(network, loaded, beats)
        label = answer.labels[int(answer.probabilities.argmax())]
    found = edit_evidence(network, loaded, beats, label, seed=seed, n_shams=shams, edits=edit or tuple(EDITS))
    if as_json:
        head = {"record": loaded.id, "model": network.name, "digest": network.digest, "label": label, "seed": seed}
        return write_json(head | {"edits": [_entry(each) for each in found]})
    title = f"{loaded.id}, {network.name} version {network.version}: logit of {label} {number(found[0].before, 3)}"
    write_table(title, COLUMNS, [_row(each) for each in found])
    return write_lines(*(f"{each.title}: {each.done or 'not possible, ' + each.why}" for each in found))


def _row(each: "EditEvidence") -> tuple[str, ...]:
    from ecgviz.explain.edits import EDITS

    asked = each.title, ", ".join(EDITS[each.edit].criteria)
    if each.why:
        return (*asked, "not possible", "", "", "")
    return (
        *asked,
        f"{each.change:+.2f}",
        f"{each.sham_mean:+.2f} +- {each.sham_sd:.2f} ({each.sham})",
        f"{each.n_as_large} of {len(each.sham_changes)}",
        f"{each.size_mv:.3f} mV ({each.sham_size_mv:.3f} mV)",
    )


def _entry(each: "EditEvidence") -> dict[str, Any]:
    """Return what JSON shows of one edit; numbers of one that is not possible are null."""
    from ecgviz.explain.edits import EDITS

    names = ("change", "sham_mean", "sham_sd", "n_as_large", "sentence")
    derived = {name: getattr(each, name) for name in names}
    if each.why:
        derived["n_as_large"] = None
    found: dict[str, Any] = plain(asdict(each) | {"speaks_for": EDITS[each.edit].criteria} | derived)
    return found
