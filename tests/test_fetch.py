"""Fetching: what arrives is what was published, nothing half-written has its final name, and a break costs nothing."""

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ecgviz import NOTICE
from ecgviz.cli import main
from ecgviz.errors import RecordError
from ecgviz.training.fetch import Fetched, fetch_ptbxl

TREE = {
    "ptbxl_database.csv": b"ecg_id,patient_id\n" * 400,
    "scp_statements.csv": b",description\n",
    "records100/00000/00001_lr.dat": bytes(range(256)) * 90,
    "records100/00000/00001_lr.hea": b"00001_lr 12 100 1000\n",
    "records500/00000/00001_hr.dat": bytes(range(256)) * 400,
}
LOW = {name for name in TREE if not name.startswith("records500")}


def sums(files: dict[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in files.items()).encode()


class Server(ThreadingHTTPServer):
    """A tiny PhysioNet: ``files`` by path, ``breaks`` how many bytes of a path are sent before the line goes dead."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = TREE | {"SHA256SUMS.txt": sums(TREE)}
        self.breaks: dict[str, int] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.base = f"http://127.0.0.1:{self.server_address[1]}/files/ptb-xl/1.0.3/"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        name = self.path.removeprefix("/files/ptb-xl/1.0.3/")
        self.server.asked.append((name, self.headers["Range"]))
        content = self.server.files.get(name)
        if content is None:
            return self.send_error(404)
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if start >= len(content) and start:
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = self.server.breaks.pop(name, len(content))
        self.wfile.write(content[start:end])
        if end < len(content):
            self.close_connection = True
        return None

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield running
        running.shutdown()


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_tables_and_the_rate_that_is_asked_for_arrive(server: Server, tmp_path: Path) -> None:
    counted: list[tuple[int, int]] = []
    found = fetch_ptbxl(tmp_path / "a", base=server.base, progress=lambda done, total: counted.append((done, total)))
    assert found == Fetched(n_files=4, n_present=0, n_new=4, n_replaced=0)
    assert files(tmp_path / "a") == {name: server.files[name] for name in LOW | {"SHA256SUMS.txt"}}
    assert counted == [(1, 4), (2, 4), (3, 4), (4, 4)]
    fetch_ptbxl(tmp_path / "b", (100, 500), base=server.base)
    assert files(tmp_path / "b") == server.files


def test_what_is_there_and_right_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    fetch_ptbxl(tmp_path, base=server.base)
    server.asked.clear()
    assert fetch_ptbxl(tmp_path, (100, 500), base=server.base) == Fetched(5, 4, 1, 0)
    assert {name for name, _ in server.asked} == {"SHA256SUMS.txt", "records500/00000/00001_hr.dat"}


def test_after_a_break_it_goes_on_in_the_middle_of_the_file(server: Server, tmp_path: Path) -> None:
    name = "records100/00000/00001_lr.dat"
    server.breaks[name] = 5000
    with pytest.raises(RecordError, match=r"00001_lr\.dat broke off .* goes on"):
        fetch_ptbxl(tmp_path, base=server.base)
    there = files(tmp_path)
    assert name not in there
    assert there[f"{name}.part"] == TREE[name][:4096]
    server.asked.clear()
    fetch_ptbxl(tmp_path, base=server.base)
    assert (name, "bytes=4096-") in server.asked
    assert files(tmp_path) == {each: server.files[each] for each in LOW | {"SHA256SUMS.txt"}}


@pytest.mark.parametrize("left", [b"of something else", TREE["ptbxl_database.csv"], b"x" * 9000])
def test_a_part_that_does_not_fit_is_started_over(server: Server, tmp_path: Path, left: bytes) -> None:
    (tmp_path / "ptbxl_database.csv.part").write_bytes(left)
    fetch_ptbxl(tmp_path, base=server.base)
    assert files(tmp_path) == {each: server.files[each] for each in LOW | {"SHA256SUMS.txt"}}


def test_what_a_broken_download_left_under_a_final_name_is_replaced_and_counted(server: Server, tmp_path: Path) -> None:
    (tmp_path / "ptbxl_database.csv").write_bytes(TREE["ptbxl_database.csv"][:100])
    assert fetch_ptbxl(tmp_path, base=server.base) == Fetched(4, 0, 3, 1)
    assert (tmp_path / "ptbxl_database.csv").read_bytes() == TREE["ptbxl_database.csv"]


def test_a_file_with_another_checksum_never_gets_its_name(server: Server, tmp_path: Path) -> None:
    server.files["scp_statements.csv"] = b",descriptiom\n"
    with pytest.raises(RecordError, match=r"scp_statements\.csv arrived with SHA-256 .* altered"):
        fetch_ptbxl(tmp_path, base=server.base)
    assert not [name for name in files(tmp_path) if name.startswith("scp_statements")]


def test_a_file_that_the_server_lacks_is_named(server: Server, tmp_path: Path) -> None:
    del server.files["scp_statements.csv"]
    with pytest.raises(RecordError, match=r"scp_statements\.csv cannot be fetched: the server says 404"):
        fetch_ptbxl(tmp_path, base=server.base)


@pytest.mark.parametrize(
    "text", ["<html>Log in</html>", "f" * 64 + " ../../escaped.csv", "f" * 64 + " /etc/escaped", "f" * 64 + " a/.b"]
)
def test_a_list_that_is_none_is_refused(server: Server, tmp_path: Path, text: str) -> None:
    server.files["SHA256SUMS.txt"] = text.encode()
    with pytest.raises(RecordError, match="no list of checksums"):
        fetch_ptbxl(tmp_path, base=server.base)
    assert files(tmp_path) == {}


@pytest.fixture
def nowhere() -> str:
    """Return an address at which nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def test_without_internet_one_sentence_says_so(nowhere: str, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"127\.0\.0\.1:\d+ cannot be reached: is there internet"):
        fetch_ptbxl(tmp_path / "new", base=nowhere, retries=0)
    assert list(tmp_path.iterdir()) == []


def test_the_command_tells_what_came(
    server: Server, nowhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ecgviz.training.fetch.fetch_ptbxl", partial(fetch_ptbxl, base=server.base))
    assert main(["fetch", "ptb-xl", "--out", str(tmp_path), "--rate", "500", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    counts = {"n_files": 3, "n_present": 0, "n_new": 3, "n_replaced": 0}
    assert told == {"folder": str(tmp_path), **counts, "notice": NOTICE}
    assert main(["fetch", "ptb-xl", "--out", str(tmp_path), "--rate", "both"]) == 0
    assert "5 files are those of PTB-XL 1.0.3 (3 were there, 2 came anew" in capsys.readouterr().out
    monkeypatch.setattr("ecgviz.training.fetch.fetch_ptbxl", partial(fetch_ptbxl, base=nowhere, retries=0))
    assert main(["fetch", "ptb-xl", "--out", str(tmp_path)]) == 2
    refusal = capsys.readouterr().err
    assert refusal.startswith("ecgviz: 127.0.0.1:")
    assert refusal.count("\n") == 1
