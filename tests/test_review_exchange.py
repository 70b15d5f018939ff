"""Export and import: identical rows both ways, no formula in any cell, no change unseen."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from review_studies import AFTER, BEFORE, answer, definition, founded

from ecgviz import NOTICE
from ecgviz.errors import ReviewError
from ecgviz.review import exchange, store
from ecgviz.review.answers import JudgedSpan
from ecgviz.review.dictionary import COLUMNS
from ecgviz.review.marks import Span
from ecgviz.review.tables import EXPORTED

HOSTILE = (
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'", "''", "'=1", "", " =1", '"=1"', "a,b;c"),
    *("line\nbreak\u2028end", "ä 心 \U0001fac0", '=HYPERLINK("http://evil.example")', "null", "None", "0012", "1e5"),
)


@pytest.fixture
def folder(memory: Path) -> Path:
    """Return a study with corrections, comments that spreadsheets would run, and empty answers."""
    folder = memory / "pilot"
    founded(
        folder,
        definition(
            2,
            len(HOSTILE),
            protocol={"revise": True},
            readers=[{"pseudonym": "R1", "years": 3}, {"pseudonym": "R2"}, {"pseudonym": "O1", "role": "owner"}],
        ),
    )
    for i, comment in enumerate(HOSTILE):
        answer(folder, "R1", f"item-{i}", "before", replace(BEFORE, spans=(Span("V1", 0.1, 0.30000000000000004),)))
        after = replace(
            AFTER, comment=comment, span_verdicts=(JudgedSpan("V2", 1.0, 1.5, "unsure"),), active_seconds=0.1
        )
        first = answer(folder, "R1", f"item-{i}", "after", after)
    answer(folder, "R1", f"item-{i}", "after", AFTER, supersedes=first)
    answer(folder, "R2", "item-0", "before", replace(BEFORE, label="none of these", cells=()))
    return folder


@pytest.mark.parametrize("form", ["json", "csv"])
def test_what_is_imported_is_what_was_exported(folder: Path, tmp_path: Path, form: exchange.Form):
    head = exchange.export(folder, tmp_path / "out")
    back = exchange.restore(tmp_path / "out", tmp_path / "elsewhere", form=form)
    for table in EXPORTED:
        assert store.rows(back, table) == store.rows(folder, table)
    assert store.verify(back) == store.verify(folder)
    assert store.verify(back).head == head
    assert store.current(back) == store.current(folder)


def test_a_study_of_many_recordings_comes_back_from_its_csv(memory: Path, tmp_path: Path):
    folder = memory / "large"
    founded(folder, definition(1, 2, question="Why? " * 40_000))  # one cell of more than csv's usual 131,072 letters
    exchange.export(folder, tmp_path / "out")
    back = exchange.restore(tmp_path / "out", tmp_path / "elsewhere", form="csv")
    assert store.rows(back, "study") == store.rows(folder, "study")


def test_no_cell_of_the_csv_is_a_formula_and_all_have_a_meaning(folder: Path, tmp_path: Path):
    exchange.export(folder, tmp_path / "out")
    dictionary = json.loads((tmp_path / "out" / "dictionary.json").read_text())
    for table in EXPORTED:
        with (tmp_path / "out" / f"{table}.csv").open(newline="") as file:
            columns, *rows = csv.reader(file)
        assert columns == list(dictionary[table]) == list(COLUMNS[table])
        assert all(each["meaning"] and each["kind"] for each in dictionary[table].values())
        assert rows
        risky = [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
        assert risky == []
    about = json.loads((tmp_path / "out" / "about.json").read_text())
    assert about["notice"] == NOTICE
    assert about["audit_head_sha256"] == store.verify(folder).head


def test_an_export_leaves_a_row_in_the_audit_trail(folder: Path, tmp_path: Path):
    exchange.export(folder, tmp_path / "out", actor="O1")
    last = store.rows(folder, "audit")[-1]
    assert (last["actor"], last["action"], last["subject"]) == ("O1", "export", "pilot")
    with pytest.raises(ReviewError, match="exists already"):
        exchange.export(folder, tmp_path / "out")


def test_a_changed_or_missing_file_is_refused_and_nothing_is_left(folder: Path, tmp_path: Path):
    exchange.export(folder, tmp_path / "out")
    path = tmp_path / "out" / "answers.csv"
    genuine = path.read_bytes()
    path.write_bytes(genuine.replace(b"MI", b"NORM", 1))
    with pytest.raises(ReviewError, match=r"answers\.csv of the export was changed after it was written"):
        exchange.restore(tmp_path / "out", tmp_path / "elsewhere")
    path.write_bytes(genuine)
    (tmp_path / "out" / "items.jsonl").unlink()
    with pytest.raises(ReviewError, match=r"is no export of a study: it has no items\.jsonl"):
        exchange.restore(tmp_path / "out", tmp_path / "elsewhere")
    assert not list(tmp_path.glob("elsewhere/*"))


def test_changed_answers_with_fitting_checksums_fail_the_audit_trail(folder: Path, tmp_path: Path):
    out = tmp_path / "out"
    exchange.export(folder, out)
    lines = (out / "answers.jsonl").read_text()
    (out / "answers.jsonl").write_text(lines.replace('"confidence": 60', '"confidence": 61', 1))
    (out / "SHA256SUMS").unlink()
    (out / "SHA256SUMS").write_text(exchange._sums(out))
    with pytest.raises(ReviewError, match=r"not imported: answer \w+ was changed"):
        exchange.restore(out, tmp_path / "elsewhere")


def test_a_study_is_not_imported_over_another(folder: Path, tmp_path: Path):
    exchange.export(folder, tmp_path / "out")
    with pytest.raises(ReviewError, match="there is a study 'pilot' already"):
        exchange.restore(tmp_path / "out", folder.parent)


def test_checksums_that_name_files_outside_are_refused(folder: Path, tmp_path: Path):
    exchange.export(folder, tmp_path / "out")
    with (tmp_path / "out" / "SHA256SUMS").open("a") as sums:
        sums.write("0" * 64 + "  ../../etc/passwd\n")
    with pytest.raises(ReviewError, match="outside the export"):
        exchange.restore(tmp_path / "out", tmp_path / "elsewhere")


def test_reading_goes_on_after_an_import(folder: Path, tmp_path: Path):
    exchange.export(folder, tmp_path / "out")
    back = exchange.restore(tmp_path / "out", tmp_path / "elsewhere")
    answer(back, "R2", "item-0", "after", AFTER)
    assert store.verify(back).faults == ()
    assert len(store.rows(back, "answers")) == len(store.rows(folder, "answers")) + 1
