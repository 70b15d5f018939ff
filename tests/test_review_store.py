"""The store of answers: nothing lost, nothing twice, nothing overwritten, no change unseen."""

import os
import sqlite3
import subprocess
import sys
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from review_studies import AFTER, BEFORE, answer, definition, founded, read_all

from ecgviz.errors import ReviewError
from ecgviz.review import database, founding, store
from ecgviz.review.answers import Answer, checked
from ecgviz.review.marks import Span
from ecgviz.review.tables import EXPORTED, MIGRATIONS


@pytest.fixture
def folder(memory: Path) -> Path:
    founded(memory / "pilot", definition())
    return memory / "pilot"


def raw(folder: Path) -> sqlite3.Connection:
    """Open the database as somebody with another program would."""
    return sqlite3.connect(folder / database.DATABASE)


def test_ten_readers_at_once_lose_nothing_and_double_nothing(memory: Path):
    folder = memory / "busy"
    founded(folder, definition(n_readers=10, n_records=25))
    names = [person.reader_id for person in store.people(folder) if person.role == "reader"]
    with ThreadPoolExecutor(len(names)) as together:
        list(together.map(lambda name: read_all(folder, name), names))
    kept = store.rows(folder, "answers")
    assert len(kept) == 10 * 50
    assert len({(row["reader_id"], row["item_id"], row["phase"]) for row in kept}) == 10 * 50
    assert store.verify(folder).faults == ()
    assert store.verify(folder).n_rows == 1 + 11 + 2 * 500  # founding, enrolling, opening and answering


def test_the_same_answer_sent_twice_at_once_is_one_answer(folder: Path):
    draft = replace(store.open_question(folder, "R1", "item-0", "before"), answer=BEFORE)
    with ThreadPoolExecutor(8) as together:
        list(together.map(lambda _: store.submit(folder, "R1", "item-0", "before", draft), range(16)))
    assert len(store.rows(folder, "answers")) == 1


def test_a_second_window_cannot_answer_again(folder: Path):
    store.open_question(folder, "R1", "item-0", "before")
    answer(folder, "R1", "item-0", "before", BEFORE)
    with pytest.raises(ReviewError, match="answered meanwhile, perhaps in another window; the first answer stands"):
        answer(folder, "R1", "item-0", "before", replace(BEFORE, label="NORM"))
    assert [row["label"] for row in store.rows(folder, "answers")] == ["MI"]


WRITE_UNTIL_KILLED = """
import os, random, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from review_studies import AFTER, BEFORE, answer
from ecgviz.review import store

folder, kills = Path(sys.argv[2]), int(sys.argv[3])

def tell(review_id):
    os.write(1, (review_id + "\\n").encode())  # in one call: unbuffered, print makes two, and a kill could fall between

def write(reader):
    for turn in store.turns(folder, reader):
        if turn.waits_for == "before":
            tell(answer(folder, reader, turn.item.item_id, "before", BEFORE))
        tell(answer(folder, reader, turn.item.item_id, "after", AFTER))

draw = random.Random(0)
for i in range(1, kills + 1):
    child = os.fork()
    if child == 0:
        write(f"R{i}")
        os._exit(0)
    time.sleep(draw.uniform(0.02, 0.12))
    os.kill(child, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1]), "written to the end before the kill"
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_twenty_kills_in_the_middle_of_writing_corrupt_nothing(memory: Path):
    folder, kills = memory / "killed", 20
    founded(folder, definition(n_readers=kills, n_records=40))
    command = [sys.executable, "-c", WRITE_UNTIL_KILLED, str(Path(__file__).parent), str(folder), str(kills)]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout.split()
    kept = {row["review_id"] for row in store.rows(folder, "answers")}
    assert len(told) > kills
    assert set(told) <= kept  # what was acknowledged is there
    assert store.verify(folder).faults == ()


def test_the_own_answer_comes_first_and_stays(folder: Path):
    with pytest.raises(ReviewError, match="the own answer comes before the model is shown"):
        answer(folder, "R1", "item-0", "after", AFTER)
    first = answer(folder, "R1", "item-0", "before", BEFORE)
    with pytest.raises(ReviewError, match="allows no corrections"):
        answer(folder, "R1", "item-0", "before", BEFORE, supersedes=first)


def test_a_correction_supersedes_and_keeps_what_it_corrects(memory: Path):
    folder = memory / "revised"
    founded(folder, definition(protocol={"revise": True}))
    own = answer(folder, "R1", "item-0", "before", BEFORE)
    first = answer(folder, "R1", "item-0", "after", AFTER)
    second = answer(folder, "R1", "item-0", "after", replace(AFTER, label="NORM"), supersedes=first)
    assert [row["review_id"] for row in store.rows(folder, "answers")] == [own, first, second]
    assert [row["label"] for row in store.current(folder) if row["phase"] == "after"] == ["NORM"]
    with pytest.raises(ReviewError, match="locked before the model was shown"):
        answer(folder, "R1", "item-0", "before", BEFORE, supersedes=own)
    with pytest.raises(ReviewError, match="answered meanwhile"):  # superseded by two: the second is a conflict
        answer(folder, "R1", "item-0", "after", AFTER, supersedes=first)
    with pytest.raises(ReviewError, match="by the same reader to the same question"):
        answer(folder, "R2", "item-0", "before", BEFORE, supersedes=second)


def test_the_order_is_kept_unless_the_protocol_lets_readers_skip(memory: Path, folder: Path):
    with pytest.raises(ReviewError, match="1 recordings before this one are not answered"):
        answer(folder, "R1", "item-1", "before", BEFORE)
    founded(memory / "free", definition(protocol={"skip": True}))
    answer(memory / "free", "R1", "item-1", "before", BEFORE)
    assert [turn.waits_for for turn in store.turns(memory / "free", "R1")] == ["before", "after", "before"]


def test_adjudicators_answer_once_and_owners_never(memory: Path):
    folder = memory / "adjudicated"
    founded(
        folder,
        definition(
            readers=[
                {"pseudonym": p, "role": r}
                for p, r in zip(("R1", "A1", "O1"), ("reader", "adjudicator", "owner"), strict=True)
            ]
        ),
    )
    answer(folder, "A1", "plain-0", "reference", BEFORE)
    assert [turn.waits_for for turn in store.turns(folder, "A1")] == ["done", "reference", "reference"]
    with pytest.raises(ReviewError, match="role adjudicator gives no answer of phase before"):
        answer(folder, "A1", "plain-1", "before", BEFORE)
    with pytest.raises(ReviewError, match="item-0 is none of O1's"):
        answer(folder, "O1", "item-0", "before", BEFORE)


@pytest.mark.parametrize("table", EXPORTED)
def test_no_row_can_be_changed_or_deleted(folder: Path, table: str):
    read_all(folder, "R1")
    column = next(iter(store.rows(folder, table)[0]))
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):  # noqa: S608
        with closing(raw(folder)) as opened, pytest.raises(sqlite3.IntegrityError, match="rows are only ever added"):
            opened.execute(statement)


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        ("UPDATE answers SET label = 'NORM' WHERE rowid = 2", "was changed"),
        ("DELETE FROM answers WHERE rowid = 3", "is in the audit trail and not among the answers"),
        ("DELETE FROM audit WHERE number = 7", "audit row 7 is missing"),
        ("UPDATE audit SET actor = 'R2' WHERE number = 6", "audit row 6 .* was changed"),
        ("UPDATE items SET reference = 'NORM'", "the study's design"),
        ("UPDATE study SET definition = REPLACE(definition, '\"seed\":0', '\"seed\":1')", "the study's design"),
        ("UPDATE readers SET years = 30 WHERE reader_id = 'R1'", "reader R1 was changed"),
    ],
)
def test_tampering_with_any_row_is_found(folder: Path, tampering: str, said: str):
    read_all(folder, "R1")
    assert store.verify(folder).faults == ()
    with raw(folder) as opened:
        for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            opened.execute(f"DROP TRIGGER {name}")
        opened.execute(tampering)
    with pytest.raises(AssertionError, match=said):
        assert store.verify(folder).faults == ()


def test_a_network_drive_is_refused_with_a_sentence(memory: Path, monkeypatch: pytest.MonkeyPatch):
    drive = namedtuple("drive", "mountpoint fstype opts")
    drives = [drive("/", "ext4", "rw"), drive(str(memory / "share"), "nfs4", "rw,vers=4.2")]
    monkeypatch.setattr(database.psutil, "disk_partitions", lambda all: drives)
    with pytest.raises(ReviewError, match=r"network drive \(nfs4\).*put the study on a disk of this machine"):
        founded(memory / "share" / "pilot", definition())
    founded(memory / "local", definition())
    assert not (memory / "share" / "pilot" / database.DATABASE).exists()


def test_an_older_database_is_brought_up_with_a_copy_kept_and_a_newer_one_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    read_all(folder, "R1")
    before = store.rows(folder, "answers")
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, "ALTER TABLE drafts ADD COLUMN more TEXT;"))
    assert store.rows(folder, "answers") == before
    assert raw(folder).execute("PRAGMA user_version").fetchone() == (2,)
    copy = sqlite3.connect(folder / "review.version-1.sqlite")
    assert copy.execute("SELECT COUNT(*) FROM answers").fetchone() == (len(before),)
    monkeypatch.setattr(database, "MIGRATIONS", MIGRATIONS)
    with pytest.raises(ReviewError, match="written by a newer version of ecgviz"):
        store.rows(folder, "answers")


def test_a_foreign_or_damaged_file_is_refused_and_left_alone(memory: Path, folder: Path):
    other = memory / "other"
    other.mkdir()
    with sqlite3.connect(other / database.DATABASE) as foreign:
        foreign.execute("CREATE TABLE theirs (x)")
    content = (other / database.DATABASE).read_bytes()
    with pytest.raises(ReviewError, match="a database of something else"):
        store.study(other)
    assert (other / database.DATABASE).read_bytes() == content
    (other / database.DATABASE).write_bytes(b"no database at all" * 100)
    with pytest.raises(ReviewError, match="the file is damaged"):
        store.study(other)
    with pytest.raises(ReviewError, match="is no study's folder"):
        store.study(memory / "nowhere")
    with pytest.raises(ReviewError, match="holds a study already"):
        founding.found(folder, definition(), [], {})


def test_a_code_opens_the_study_for_its_reader_until_a_newer_one_does(memory: Path):
    codes = founded(memory / "pilot", definition())
    folder = memory / "pilot"
    assert founding.signed_in(folder, codes["R1"].lower().replace("-", " ")).reader_id == "R1"
    assert founding.signed_in(folder, codes["O1"]).role == "owner"
    newer = founding.new_code(folder, "R1")
    assert founding.signed_in(folder, newer).reader_id == "R1"
    for wrong in (codes["R1"], "", "AAAAA-AAAAA"):
        with pytest.raises(ReviewError, match="this code opens no study here"):
            founding.signed_in(folder, wrong)
    kept = b"".join(path.read_bytes() for path in folder.iterdir())
    assert not any(code.replace("-", "").encode() in kept for code in (*codes.values(), newer))
    assert store.verify(folder).faults == ()


def test_a_draft_is_kept_with_its_opening_and_gone_once_answered(folder: Path):
    opened = store.open_question(folder, "R1", "item-0", "before")
    written = Answer(label="NORM", spans=(Span("V1", 1.0, 1.2),), comment="ST?", active_seconds=7.5)
    store.keep_draft(folder, "R1", "item-0", "before", written)
    again = store.open_question(folder, "R1", "item-0", "before")
    assert again == replace(opened, answer=written)
    store.submit(folder, "R1", "item-0", "before", replace(again, answer=BEFORE))
    store.keep_draft(folder, "R1", "item-0", "before", written)
    (kept,) = store.rows(folder, "answers")
    assert (kept["t_open_utc"], kept["active_seconds"]) == (opened.t_open_utc, 12.0)
    assert raw(folder).execute("SELECT COUNT(*) FROM drafts").fetchone() == (0,)


@pytest.mark.parametrize(
    ("given", "phase", "said"),
    [
        (Answer(), "before", "the answer lacks a label, a confidence"),
        (replace(BEFORE, label="LVH"), "before", "'LVH' is none of MI, NORM, none of these"),
        (replace(BEFORE, confidence=101), "before", "a confidence of 101"),
        (replace(BEFORE, cells=(("V9", "ST"),)), "before", "lead 'V9'"),
        (replace(BEFORE, spans=(Span("V9", 1, 2),)), "before", "a span names lead 'V9'"),
        (BEFORE, "after", "lacks whether you agree with the model, how plausible"),
        (replace(AFTER, leads_correct=6), "after", "leads correct: 6 is not between 1 and 5"),
        (replace(AFTER, comment="x" * 2001), "after", "2001 characters"),
    ],
)
def test_an_incomplete_or_impossible_answer_is_refused(given: Answer, phase: str, said: str):
    with pytest.raises(ReviewError, match=said):
        checked(given, phase, definition(), ("II", "V1"))
