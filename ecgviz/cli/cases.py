"""``explain`` and ``report``: one recording, one network, one label and one method, held against the guideline."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgviz.cli.arguments import Age, Fs, Json, Marks, ModelName, Seed, Sex, Source, Unit, marked, read
from ecgviz.cli.console import number, plain, write_json, write_lines, write_table
from ecgviz.cli.networks import chosen
from ecgviz.cli.trust import trust_in_scores, write_trust_in_scores
from ecgviz.errors import CaseError

if TYPE_CHECKING:
    from ecgviz.types import Case

Label = Annotated[
    str | None, typer.Option("--label", help="Label to explain; by default the one the model finds most probable.")
]
Method = Annotated[str, typer.Option("--method", help="How to explain; an unknown name lists all.")]
DEFAULT_METHOD = "integrated_gradients"
OF_A_RECORDING = ("model", "label", "method", "marks", "seed", "fs", "unit", "age", "sex")
"""Options of ``report`` that a case has answered already."""


def explain(
    record: Source,
    model: ModelName = None,
    label: Label = None,
    method: Method = DEFAULT_METHOD,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Case folder to write; named after record, label and method by default."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a case folder that is there.")] = False,
    marks: Marks = None,
    seed: Seed = 0,
    fs: Fs = None,
    unit: Unit = None,
    age: Age = None,
    sex: Sex = None,
    as_json: Json = False,
) -> None:
    """Explain a network's answer, hold it against the criteria, and write the case as a folder."""
    if out is not None:
        _check_free(out, force)
    case = _case(record, model, label, method, marks, seed, fs, unit, age, sex)
    folder = out or Path(_folder_name(case))
    _check_free(folder, force)
    _write(case, folder)
    if as_json:
        return write_json({"folder": folder} | _summary(case))
    _show(case)
    return write_lines(f"Written to {folder}.")


def report(
    context: typer.Context,
    record: Annotated[
        str,
        typer.Argument(metavar="RECORD", help="Path of a recording, demo:NAME, or a case folder that explain wrote."),
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write, .html or .pdf; one that is there is replaced.")],
    model: ModelName = None,
    label: Label = None,
    method: Method = DEFAULT_METHOD,
    marks: Marks = None,
    seed: Seed = 0,
    fs: Fs = None,
    unit: Unit = None,
    age: Age = None,
    sex: Sex = None,
    layout: Annotated[str, typer.Option("--layout", help="Layout of the tracing: 3x4, 6x2 or 12x1.")] = "3x4",
    cabrera: Annotated[bool, typer.Option("--cabrera", help="Limb leads in Cabrera order, with -aVR.")] = False,
    as_json: Json = False,
) -> None:
    """Write one file, HTML or PDF: the tracing, three levels of evidence, criteria, verdict and provenance."""
    from ecgviz.report import kind_of, write_report
    from ecgviz.types.paper import PaperFormat

    kind_of(out)
    form = PaperFormat(layout, cabrera)
    from ecgviz.pipeline import load_case  # which takes seconds: what cannot be written is refused before

    if Path(record, "case.json").is_file():
        _refuse_answered(context, record)
        case = load_case(Path(record))
    else:
        case = _case(record, model, label, method, marks, seed, fs, unit, age, sex)
    write_report(case, out, form)
    if as_json:
        return write_json({"file": out} | _summary(case))
    _show(case)
    return write_lines(f"Written to {out}.")


def _case(
    source: str,
    model: str | None,
    label: str | None,
    method: str,
    marks: Path | None,
    seed: int,
    fs: float | None,
    unit: str | None,
    age: float | None,
    sex: str | None,
) -> "Case":
    """Analyse one recording; without ``label`` the most probable one."""
    from ecgviz.checkpoint import predict
    from ecgviz.pipeline import analyse

    loaded = read(source, fs, unit, age, sex)
    network = chosen(model)
    beats = marked(loaded, marks)
    if label is None:
        answer = predict(network, loaded, beats)
        label = answer.labels[int(answer.probabilities.argmax())]
    return analyse(loaded, network, label, method, seed=seed, beats=beats)


def _refuse_answered(context: typer.Context, folder: str) -> None:
    """Refuse options that a case folder has answered already, which a report of it cannot answer anew."""
    given = [name for name in OF_A_RECORDING if str(context.get_parameter_source(name)).endswith("COMMANDLINE")]
    if given:
        raise CaseError(
            f"{folder} is a case already, with its own {given[0]}; give --{given[0]} and the recording to ecgviz "
            "explain, or to ecgviz report without the case"
        )


def _folder_name(case: "Case") -> str:
    return re.sub(r"[^\w.-]+", "-", f"{case.record.id}-{case.label}-{case.explanation.method}")


def _check_free(folder: Path, force: bool) -> None:
    """Refuse a target that holds anything; with ``force``, one that holds anything but a case."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise CaseError(f"{folder} is a file; name a folder")
    held = {path.name for path in folder.iterdir()}
    if held and not force:
        raise CaseError(
            f"{folder} is not empty; name another folder with --out, or replace the case in it with --force"
        )
    if held - {"case.json", "arrays.npz"}:
        raise CaseError(f"{folder} holds more than a case ({min(held - {'case.json', 'arrays.npz'})}); not replaced")


def _write(case: "Case", folder: Path) -> None:
    """Write the case beside its target, then put it in place of what was there: nothing is ever half-written."""
    from ecgviz.pipeline import save_case

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        save_case(case, Path(scratch) / "case")
        if folder.exists():
            shutil.move(folder, Path(scratch) / "replaced")
        (Path(scratch) / "case").rename(folder)


def _summary(case: "Case") -> dict[str, Any]:
    """Return what a program wants to know of a case without opening its folder."""
    channel, rhythm = case.grid.channel(), case.grid.rhythm()
    return {
        "record": case.record.id,
        "model": case.provenance["model"],
        "label": case.label,
        "probability": case.prediction.probability(case.label),
        "threshold": plain(case.prediction.thresholds)[case.prediction.labels.index(case.label)],
        "method": case.explanation.method,
        "completeness_error": plain(case.explanation.completeness_error),
        "agreement": plain(case.agreement),
        "findings": [{"criterion": f.criterion, "definition": f.definition, "state": f.state} for f in case.findings],
        "share_by_lead": None if channel is None else dict(zip(case.grid.leads, plain(channel), strict=True)),
        "share_by_beat": plain(rhythm),
        "provenance": plain(case.provenance),
    } | trust_in_scores(case.record, case.quality, case.explanation.fs, case.explanation.duration_s)


def _show(case: "Case") -> None:
    from ecgviz.edit import notice
    from ecgviz.figures.style import percent

    agreement = case.agreement
    channel = case.grid.channel()
    leads = "no lead axis" if channel is None else "not measurable"
    if channel is not None and case.grid.total > 0:
        order = channel.argsort()[::-1][:3]
        leads = ", ".join(f"{case.grid.leads[n]} {percent(float(channel[n]))}" for n in order)
    rows = [
        ("model", f"{case.provenance['model']} version {case.provenance['model_version']}"),
        (f"probability of {case.label}", number(case.prediction.probability(case.label), 3)),
        ("method", case.explanation.method),
        ("completeness error", number(case.explanation.completeness_error, 2)),
        ("leads with the largest share", leads),
        ("share inside the guideline's region", number(agreement.share, 3)),
        ("share of the grid that the region covers", number(agreement.area, 3)),
        *((f"excess over {c.name}", f"{number(c.excess, 2)} ({number(c.excess_low, 2)} to {number(c.excess_high, 2)})")
          for c in agreement.controls),
        ("p (time), p (place)", f"{number(agreement.p_time, 2)}, {number(agreement.p_place, 2)}"),
        ("who calls it", agreement.label),
        ("evidence", agreement.evidence),
    ]  # fmt: skip
    write_table(f"{case.record.id}, {case.label}", ("what", "value"), rows)
    write_lines(*([notice(case.beats)] if case.beats.edits else []))
    write_lines(agreement.why)
    write_trust_in_scores(case.record, case.quality, case.explanation.fs, case.explanation.duration_s)
    write_lines(case.provenance["notice"])
