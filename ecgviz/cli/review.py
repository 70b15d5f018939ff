"""``review``: reader studies are created, listed, exported, imported, verified and reported."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecgviz.cli.arguments import LARGEST_SEED, Json
from ecgviz.cli.console import counted, write_json, write_lines, write_table
from ecgviz.errors import ReviewError

if TYPE_CHECKING:
    from ecgviz.review.results import Results

REPORT_SUFFIXES = (".md", ".markdown", ".txt")
"""Of a report, which is text that people read as it stands."""
StudyFolder = Annotated[Path, typer.Argument(metavar="STUDY", help="Folder of a study.")]
Studies = Annotated[Path, typer.Option("--out", help="Folder of all studies; the new one becomes a folder in it.")]


def create(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML or JSON file that describes the study.")],
    out: Studies = Path("studies"),
    as_json: Json = False,
) -> None:
    """Create a study: read its recordings, make every map that a reader will see, and give each reader a code."""
    from ecgviz.review.create import create as make
    from ecgviz.review.study import read_study

    study = read_study(file)
    with counted("maps") as progress:
        made = make(study, file.parent, out, progress)
    if as_json:
        told = {"study": str(made.folder), "codes": dict(made.codes), "items": made.n_items, "maps": made.n_maps}
        return write_json(told)
    write_table(f"{made.folder}: {made.n_items} items, {made.n_maps} maps", ("reader", "code"), made.codes.items())
    return write_lines(
        "The codes are kept nowhere: hand each to its reader now. `ecgviz review code` gives a new one.",
        f"Readers read in the dashboard: ecgviz app --studies {out}",
    )


def code(
    study: StudyFolder,
    reader: Annotated[str, typer.Argument(metavar="READER", help="Pseudonym of somebody enrolled.")],
    as_json: Json = False,
) -> None:
    """Give a reader a new code; the old one opens nothing any more."""
    from ecgviz.review.founding import new_code

    made = new_code(study, reader)
    return write_json({"reader": reader, "code": made}) if as_json else write_lines(f"{reader}: {made}")


def listed(
    studies: Annotated[Path, typer.Argument(metavar="STUDIES", help="Folder of all studies.")] = Path("studies"),
    as_json: Json = False,
) -> None:
    """List the studies of a folder, and how far each reader is."""
    from ecgviz.review.progress import overview, studies_in

    found = [overview(folder) for folder in studies_in(studies)]
    if as_json:
        return write_json(found)
    rows = [(each.study, each.question, reader, f"{done} of {of}") for each in found for reader, done, of in each.done]
    write_table(f"{studies}: {len(found)} studies", ("study", "question", "reader", "answers"), rows)
    return None


def export(
    study: StudyFolder,
    out: Annotated[Path, typer.Option("--out", help="New folder to write.")],
    recordings: Annotated[
        bool, typer.Option("--recordings", help="Also recordings and maps, so that an import can be read on.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write all answers as CSV and JSON lines, with data dictionary, audit trail and checksums."""
    from ecgviz.review.exchange import export as write

    head = write(study, out, recordings=recordings)
    if as_json:
        return write_json({"export": str(out), "audit_head_sha256": head})
    return write_lines(f"{out} written; its audit trail ends in {head}: keep that elsewhere to prove it later.")


def import_study(
    source: Annotated[Path, typer.Argument(metavar="EXPORT", help="Folder that `review export` wrote.")],
    out: Studies = Path("studies"),
    form: Annotated[str, typer.Option("--form", help="Which of its files to read: json or csv.")] = "json",
    as_json: Json = False,
) -> None:
    """Make a study from an export: identical rows, or nothing."""
    from ecgviz.review.exchange import restore

    if form not in ("json", "csv"):
        raise ReviewError(f"--form {form!r} is neither json nor csv")
    made = restore(source, out, form="csv" if form == "csv" else "json")
    if as_json:
        return write_json({"study": str(made)})
    return write_lines(f"{made} made; readers need new codes (`ecgviz review code`).")


def verify(
    study: StudyFolder,
    head: Annotated[
        str | None, typer.Option("--head", help="Digest that an export or a report gave: must be in the trail.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check that no answer was changed, added or removed behind the audit trail's back."""
    from ecgviz.review import store

    found = store.verify(study)
    if found.faults:
        raise ReviewError(f"{study} is not what its audit trail tells: {'; '.join(found.faults)}")
    if head is not None and head not in {row["sha256"] for row in store.rows(study, "audit")}:
        raise ReviewError(f"the audit trail of {study} holds no row {head}: it is not the one that was kept then")
    if as_json:
        return write_json({"rows": found.n_rows, "audit_head_sha256": found.head, "faults": []})
    return write_lines(f"{study}: {found.n_rows} rows, each follows from the one before; the last is {found.head}")


def report(
    study: StudyFolder,
    out: Annotated[Path | None, typer.Option("--out", help="Markdown file to write.")] = None,
    draws: Annotated[int, typer.Option("--draws", min=1, help="Resamples of patients behind each interval.")] = 2000,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, max=LARGEST_SEED, help="Of the resamples; the study's own if not given."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Report a study: the fields that DECIDE-AI and CLAIM ask for, and every statistic with its interval."""
    from ecgviz.records.write import written_whole
    from ecgviz.review.reporting import report as described
    from ecgviz.review.reporting import to_markdown
    from ecgviz.review.results import results

    if out is not None and out.suffix.lower() not in REPORT_SUFFIXES:
        raise ReviewError(f"--out {out}: the report is written as Markdown; name a file that ends in .md")
    if out is not None and out.exists():
        raise ReviewError(f"{out} exists already; name a new file")
    found = results(study, draws=draws, seed=seed)
    if out is not None:
        with written_whole(out) as part:
            part.write_text(to_markdown(found), encoding="utf-8")
    if as_json:
        return write_json(described(found))
    return _show(found, out)


def _show(found: "Results", out: Path | None) -> None:
    from ecgviz.review.fields import fields, missing
    from ecgviz.review.reporting import cells

    for topic, some in found.topics().items():
        write_table(
            topic, ("statistic", "of", "value", "95 % interval", "n", "patients"), [cells(each) for each in some]
        )
    asked = fields(found)
    absent = missing(asked)
    write_lines(
        f"{len(asked) - len(absent)} of {len(asked)} fields are filled; not stated: {', '.join(absent) or 'none'}.",
        f"Intervals: {found.draws} resamples of patients, seed {found.seed}. Audit trail: {found.head}",
        *(f"Note: {note}." for note in found.notes),
        *([f"{out} written."] if out else []),
    )
