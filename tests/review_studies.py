"""Studies for tests: small ones, answers that are complete, and recordings that say who the patient is."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ecgviz.records import load_record
from ecgviz.review import founding, store
from ecgviz.review.answers import Answer
from ecgviz.review.design import ALONE, REFERENCE, Item
from ecgviz.review.study import Study, check_study

LABELS = ("MI", "NORM")
NAMES = ("Mustermann", "Erika", "O'Brien", "Dr_Kowalski", "SanktMarien", "Praxis-Nord", "Ward7B", "GE-MAC5500")
NUMBERS = ("4711081599", "MRN-0099123", "+49-171-5550199", "INS-A123456780", "SN-77120034")
DATES = ("1954-03-17", "17.03.1954", "20240229T1133", "03/17/1954")
FREE = ("pacemaker-2019-Meier", "erika@example.org", "Lindenstrasse-12", "bed-14-window", "referred-by-Huber")
FILES = ("Mueller_Hans_1960", "case-EM-1954", "visit-2024-02-29")
TOKENS = (*NAMES, *NUMBERS, *DATES, *FREE, *FILES)
"""What tells who a patient is: 25 names, numbers, dates, comments and names of files."""


def definition(n_readers: int = 2, n_records: int = 3, **more: Any) -> Study:
    readers = [{"pseudonym": f"R{i}", "qualification": "cardiologist", "years": i} for i in range(1, n_readers + 1)]
    content = {
        "id": "pilot",
        "question": "Do maps change what readers answer?",
        "labels": LABELS,
        "records": [{"source": f"record-{i}.csv"} for i in range(n_records)],
        "models": ["imle_net"],
        "methods": ["saliency"],
        "readers": [*readers, {"pseudonym": "O1", "role": "owner"}],
    }
    return check_study(content | more, "pilot.yaml")


def item(i: int, **more: Any) -> Item:
    made = Item(
        f"item-{i}", f"{i:064d}", f"record-{i}", f"P{i}", "MI", "imle_net", "f" * 64, "MI", "MI", ALONE, ("saliency",)
    )
    return replace(made, **more)


def founded(folder: Path, study: Study) -> dict[str, str]:
    """Make a study's database in a new folder: every reader reads every item in the same order."""
    folder.mkdir(parents=True)
    items = [item(i) for i in range(len(study.records))]
    plain = [replace(each, item_id=f"plain-{i}", arm=REFERENCE) for i, each in enumerate(items)]
    order = {reader.pseudonym: [each.item_id for each in items] for reader in study.readers if reader.role == "reader"}
    order |= {
        reader.pseudonym: [each.item_id for each in plain] for reader in study.readers if reader.role == "adjudicator"
    }
    return founding.found(folder, study, [*items, *plain], order)


BEFORE = Answer(label="MI", confidence=60, cells=(("II", "ST"),), active_seconds=12.0)
AFTER = Answer(
    label="MI", confidence=80, agree_with_prediction=4, explanation_plausible=3, leads_correct=2, active_seconds=8.0
)


def answer(folder: Path, reader_id: str, item_id: str, phase: str, given: Answer, **more: Any) -> str:
    """Open a question and answer it; return the answer's name."""
    draft = replace(store.open_question(folder, reader_id, item_id, phase), answer=given)
    store.submit(folder, reader_id, item_id, phase, draft, **more)
    return draft.review_id


def read_all(folder: Path, reader_id: str, label: str = "MI") -> None:
    """Let a reader answer everything."""
    for turn in store.turns(folder, reader_id):
        answer(folder, reader_id, turn.item.item_id, "before", replace(BEFORE, label=label))
        answer(folder, reader_id, turn.item.item_id, "after", replace(AFTER, label=label))


def planted(folder: Path, names: Sequence[str] = FILES) -> list[Path]:
    """Write one real-looking recording a name, whose headers hold all `TOKENS` that are no names of files."""
    record = load_record("demo:normal")
    comments = [token for token in TOKENS if token not in FILES]
    paths = []
    for n, name in enumerate(names):
        stem = folder / name
        signal = np.round(1000 * record.signal[:, : 500 * 10] + n).astype("<i2").T
        signal.tofile(stem.with_suffix(".dat"))
        lines = [f"{name} {len(record.leads)} {record.fs:g} {len(signal)} 11:33:00 29/02/2024"]
        lines += [
            f"{name}.dat 16 1000/mV 16 0 {signal[0, i]} {int(signal[:, i].sum()) & 0xFFFF} 0 {lead}"
            for i, lead in enumerate(record.leads)
        ]
        lines += [f"# {token}" for token in comments[n :: len(names)]]
        stem.with_suffix(".hea").write_text("\n".join(lines) + "\n")
        paths.append(stem.with_suffix(".hea"))
    return paths
