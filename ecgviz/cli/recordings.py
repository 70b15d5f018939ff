"""``info``, ``beats``, ``measure`` and ``simulate``: what concerns a recording and no network."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgviz import NOTICE
from ecgviz.cli.arguments import Age, Fs, Json, Marks, Seed, Sex, Source, Unit, measured_on, read
from ecgviz.cli.console import number, plain, write_json, write_lines, write_table
from ecgviz.cli.trust import trust, write_trust
from ecgviz.errors import EditError

if TYPE_CHECKING:
    from ecgviz.simulate import Truth
    from ecgviz.types import Beats, Record


def info(
    record: Source, fs: Fs = None, unit: Unit = None, age: Age = None, sex: Sex = None, as_json: Json = False
) -> None:
    """Show what a recording holds: leads, rate, length, age, sex, quality, and all that was assumed."""
    from ecgviz.records.quality import assess

    loaded = read(record, fs, unit, age, sex)
    quality = assess(loaded)
    if as_json:
        return write_json(_described(loaded) | {"quality": plain(quality)})
    write_table(loaded.id, ("what", "value"), _facts(loaded))
    write_table("Quality", ("lead", "verdict", "why"), [(q.lead, q.verdict, "; ".join(q.reasons)) for q in quality])
    return write_lines(*(f"Assumed: {sentence}." for sentence in loaded.assumptions))


def measure(
    record: Source,
    marks: Marks = None,
    fs: Fs = None,
    unit: Unit = None,
    age: Age = None,
    sex: Sex = None,
    as_json: Json = False,
) -> None:
    """Measure rate, intervals, axis and, lead by lead, the waves of the median beat, each with a grade."""
    from ecgviz.measure.grades import grade
    from ecgviz.records.quality import assess

    loaded = read(record, fs, unit, age, sex)
    beats, measured = measured_on(loaded, marks)
    if as_json:
        return write_json(
            {
                "record": loaded.id,
                "edited_marks": beats.edits,
                "n_beats": len(beats),
                "no_beats_because": beats.reason or None,
                "values": measured.values,
                "grades": {name: grade(name, measured.fs) for name in (*measured.values, *measured.per_lead)},
                "reasons": measured.reasons,
                "patterns": dict(zip(measured.leads, measured.patterns, strict=False)),
                "per_lead": {
                    name: dict(zip(measured.leads, plain(row), strict=True)) for name, row in measured.per_lead.items()
                },
            }
            | trust(loaded, assess(loaded))
        )
    rows = [
        (name, number(value), grade(name, measured.fs).word, measured.why(name) if math.isnan(value) else "")
        for name, value in measured.values.items()
    ]
    write_table(f"{loaded.id}: {len(beats)} beats", ("measurement", "value", "grade", "why"), rows)
    by_lead = [
        (name, grade(name, measured.fs).word, *(number(value, 3).replace("not measurable", "-") for value in row))
        for name, row in measured.per_lead.items()
    ]
    patterns = [("pattern", "", *measured.patterns)] if measured.patterns else []
    write_table("Lead by lead (- = not measurable)", ("measurement", "grade", *measured.leads), [*patterns, *by_lead])
    none = [f"No beats: {beats.reason}."] if beats.reason else []
    write_lines(*none, *(f"{told}." for told in (*measured.remarks, *beats.edits)))
    return write_trust(loaded, assess(loaded))


def beats(
    record: Source,
    out: Annotated[
        Path | None, typer.Option("--out", help="New CSV to write: a row a mark; change it, and give it to --marks.")
    ] = None,
    marks: Marks = None,
    fs: Fs = None,
    unit: Unit = None,
    age: Age = None,
    sex: Sex = None,
    as_json: Json = False,
) -> None:
    """List the beats: kind, R peak, onset and offset of each wave in seconds; write them as a CSV to be changed."""
    from ecgviz.beats import delineate
    from ecgviz.edit import edited, marks_table, read_table, to_csv
    from ecgviz.records.write import written_whole
    from ecgviz.signal import condition

    if out is not None and out.exists():
        raise EditError(f"{out} exists already, and may hold marks that a reader changed; name a new file")
    loaded = read(record, fs, unit, age, sex)
    automatic = delineate(condition(loaded))
    table = marks_table(automatic) if marks is None else read_table(marks, automatic, loaded.key)
    found = edited(automatic, table)
    if out is not None:
        with written_whole(out) as part:
            part.write_text(to_csv(table), encoding="utf-8")
    if as_json:
        told = {"no_beats_because": found.reason or None, "edited_marks": found.edits, "extra_p_s": found.extra_p_s}
        return write_json({"record": loaded.id, "file": out, "beats": _listed(found)} | told)
    columns, rows = marks_table(found).columns, [_shown(row) for row in _listed(found)]
    write_table(f"{loaded.id}: {len(found)} beats, times in s (- = not there)", (*columns, "why no P"), rows)
    write_lines(*([f"No beats: {found.reason}."] if found.reason else []), *(f"{told}." for told in found.edits))
    return write_lines(*([f"Written to {out}."] if out is not None else []), NOTICE)


def simulate(
    finding: Annotated[str, typer.Argument(metavar="FINDING", help="What to plant; an unknown name lists all.")],
    fs: Annotated[float, typer.Option("--fs", help="Sampling rate in Hz.")],
    out: Annotated[Path, typer.Option("--out", help="File to write, .npz or .csv; one that is there is replaced.")],
    seed: Seed = 0,
    duration: Annotated[float, typer.Option("--duration", help="Length in seconds.")] = 10.0,
    severity: Annotated[float, typer.Option("--severity", help="1 is clearly past the criterion.")] = 1.0,
    as_json: Json = False,
) -> None:
    """Simulate a 12-lead ECG with a planted finding, and tell what was planted."""
    from ecgviz.records.write import save_record
    from ecgviz.simulate import simulate as simulated

    made = simulated(finding, seed=seed, fs=fs, duration_s=duration, severity=severity)
    save_record(made.record, out)
    truth = made.truth
    if as_json:
        return write_json({"file": out, "record": _described(made.record), "truth": _truth(truth)})
    rows = [
        (name, number(value), number(truth.twin_values.get(name, math.nan))) for name, value in truth.values.items()
    ]
    write_table(f"{finding}, seed {seed}, severity {severity:g}", ("planted", "value", "in the healthy twin"), rows)
    share_percent = 100 * truth.share_in(truth.guideline_leads) if truth.guideline_leads else math.nan
    if math.isfinite(share_percent):
        share = number(share_percent, 3)
        write_lines(f"Part of the planted difference in {', '.join(truth.guideline_leads)}: {share} %.")
    if not truth.meets:
        write_lines(f"At this severity the record stays below the published limits of {finding}.")
    return write_lines(f"Written to {out}.", NOTICE)


def _listed(beats: "Beats") -> list[dict[str, Any]]:
    """Return a row a beat: its number and kind, its marks in seconds, whether it is cut, why it has no P wave."""
    from ecgviz.edit import marks_table

    reasons = beats.why_no_p or ("",) * len(beats)
    rows = zip(marks_table(beats).to_dict("records"), beats.edge, reasons, strict=True)
    return [
        {str(name): value for name, value in row.items()} | {"edge": bool(cut), "why_no_p": why or None}
        for row, cut, why in rows
    ]


def _shown(row: dict[str, Any]) -> tuple[str, ...]:
    kind = row["kind"].replace("_", " ") + (", cut" if row["edge"] else "")
    times = [value for name, value in row.items() if name not in ("beat", "kind", "edge", "why_no_p")]
    return (str(row["beat"]), kind, *(f"{at:.3f}" if math.isfinite(at) else "-" for at in times), row["why_no_p"] or "")


def _described(record: "Record") -> dict[str, Any]:
    names = ("id", "key", "leads", "fs", "duration_s", "age_years", "sex", "codes", "simulated", "altered")
    return {name: plain(getattr(record, name)) for name in (*names, "assumptions")}


def _facts(record: "Record") -> list[tuple[str, str]]:
    age = "not stated" if record.age_years is None else f"{record.age_years:g} years"
    return [
        ("leads", ", ".join(record.leads)),
        ("rate", f"{record.fs:g} Hz"),
        ("length", f"{record.duration_s:g} s"),
        ("age, sex", f"{age}, {record.sex or 'not stated'}"),
        ("statements that came with it", ", ".join(record.codes) or "none"),
        ("simulated", "yes" if record.simulated else "no"),
        ("digest", record.key[:16]),
    ]


def _truth(truth: "Truth") -> dict[str, Any]:
    """Return what was planted for JSON: numbers, wave times and named cells, without the sample-wise maps."""
    from ecgviz.types import MARKS

    by_lead = {
        name: {key: dict(zip(truth.leads, plain(row), strict=True)) for key, row in getattr(truth, name).items()}
        for name in ("per_lead", "twin_per_lead")
    }
    names = ("finding", "severity", "seed", "values", "twin_values", "cells", "meets", "guideline_leads")
    marks = {name: plain(getattr(truth.beats, name)) for name in ("r_s", *MARKS)}
    share = plain(truth.share_in(truth.guideline_leads))
    plainly = {name: plain(getattr(truth, name)) for name in names}
    return plainly | by_lead | {"beats": marks, "share_in_guideline_leads": share}
