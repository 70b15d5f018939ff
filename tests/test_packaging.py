"""What is installed works alone, names all that it needs, and says under which licence."""

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import psutil
import pytest
from driver import free_port

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = [*(ROOT / "ecgviz").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(lines: list[str]) -> set[str]:
    return {canonical(re.match(r"[\w.-]+", line)[0]) for line in lines}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path) -> frozenset[str]:
    return frozenset(name for node in ast.walk(parsed(path)) for name in named(node))


def named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (name.name.partition(".")[0] for name in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        yield (node.module or "").partition(".")[0]


def test_everything_imported_is_a_named_dependency() -> None:
    owners = packages_distributions()
    needed = {name for path in SOURCES for name in imported(path)} - sys.stdlib_module_names - {"ecgviz"}
    distributions = {canonical(owner) for name in needed for owner in owners[name][:1]}
    extras = PROJECT["project"]["optional-dependencies"]
    offered = [line for name, lines in extras.items() if name != "dev" for line in lines]
    assert distributions <= requirements(PROJECT["project"]["dependencies"] + offered)


def test_what_an_extra_brings_is_imported_where_it_is_asked_for() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    optional = requirements([line for name, lines in extras.items() if name != "dev" for line in lines])
    for path in SOURCES:
        at_once = {name for node in parsed(path).body for name in named(node)}
        assert not {canonical(name) for name in at_once} & optional, path


def test_every_dependency_is_pinned_by_version_alone() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in pins)
    extras = PROJECT["project"]["optional-dependencies"]["dev"]
    assert requirements(PROJECT["project"]["dependencies"] + extras) <= requirements(pins)
    assert "ecgviz" not in requirements(pins)


def test_make_installs_the_torch_that_is_pinned() -> None:
    pinned = re.search(r"^torch==(.+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert f"TORCH := torch=={pinned}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")


UNPICKLES = ROOT / "ecgviz" / "checkpoint" / "unpickle.py"
"""Other people's checkpoints are read here: in a child process, as plain tensors."""


def test_nothing_is_ever_unpickled() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert "allow_pickle=True" not in text, path
        assert "unsafe_allow_html" not in text, path
        if path != UNPICKLES:
            assert "torch.load" not in text, path
            assert not {"pickle", "dill", "shelve", "marshal"} & imported(path), path
        assert not re.search(r"import joblib|joblib import .*\b(load|dump|Memory)\b|joblib\.(load|dump)", text), path


def test_checkpoints_of_others_are_read_as_plain_tensors() -> None:
    text = UNPICKLES.read_text(encoding="utf-8")
    calls = re.findall(r"torch\.load\(([^)]*)\)", text)
    assert calls
    assert all("weights_only=True" in call for call in calls)
    assert set(re.findall(r"pickle\.\w+", text)) <= {"pickle.UnpicklingError"}


def test_importing_the_package_is_light() -> None:
    script = "import sys, ecgviz; print(*{'torch', 'captum', 'neurokit2', 'plotly', 'streamlit'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds the wheel's content and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def environment(alone: Path) -> dict[str, str]:
    """Return an environment in which ecgviz can only be the unpacked wheel; the dependencies are those of this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ECGVIZ", "STREAMLIT"))}
    dependencies = sysconfig.get_path("purelib")
    return {**kept, "PYTHONPATH": os.pathsep.join([str(alone), dependencies]), "HOME": str(alone)}


@pytest.mark.slow
def test_the_wheel_carries_app_pages_models_demos_and_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert {"ecgviz/_app/app.py", "ecgviz/_app/.streamlit/config.toml"} <= names
    assert {f"ecgviz/_app/pages/{path.name}" for path in (ROOT / "pages").glob("*.py")} <= names
    models = [path.relative_to(ROOT) for path in (ROOT / "models").rglob("*") if path.is_file()]
    assert models
    assert {f"ecgviz/_app/{path.as_posix()}" for path in models} <= names
    for pattern in ("ecgviz/records/demos/*.npz", "ecgviz/criteria/catalogue/*.yaml"):
        files = list(ROOT.glob(pattern))
        assert files
        assert {path.relative_to(ROOT).as_posix() for path in files} <= names
    assert {name.rpartition("/")[2] for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE"}
    assert "License-Expression: Apache-2.0" in metadata
    assert not any(name.startswith(("tests/", "docs/")) for name in names)


@pytest.mark.slow
def test_the_wheel_explains_a_demo_in_an_empty_folder(alone: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "ecgviz",
        "explain",
        "demo:inferior_stemi",
        "--method",
        "attention_joint",
        "--json",
    ]
    done = subprocess.run(command, cwd=tmp_path, env=environment(alone), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (tmp_path / told["folder"] / "case.json").is_file()
    where = [sys.executable, "-c", "import ecgviz; print(ecgviz.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=environment(alone), capture_output=True, text=True, check=True)
    assert Path(found.stdout.strip()).is_relative_to(alone)


@pytest.mark.slow
def test_the_wheel_serves_the_app_to_this_machine_alone(alone: Path, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "ecgviz", "app", "--port", str(port), "--no-browser"]
    log = tmp_path / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            command, cwd=tmp_path, env=environment(alone), stdout=out, stderr=out, stdin=subprocess.DEVNULL
        )
    try:
        assert until_healthy(port, server), log.read_text()
        listening = {
            connection.laddr.ip
            for connection in psutil.Process(server.pid).net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
    finally:
        server.terminate()
        server.wait(timeout=30)
    assert "Traceback" not in log.read_text()


def until_healthy(port: int, server: subprocess.Popen[bytes]) -> bool:
    """Return whether the server answered before it ended or a minute passed."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError):
            if server.poll() is not None:
                return False
            time.sleep(0.1)
    return False


SERVED = """
import gc, os, runpy, socket, sys, threading, time, urllib.request

port = int(sys.argv[1])

def peer(each):
    try:
        return each.getpeername()
    except OSError:
        return None

def answered():
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).status == 200
    except OSError:
        return False

def look():
    while not answered():
        time.sleep(0.1)
    with socket.create_connection(("127.0.0.1", port)) as mine:
        mine.sendall(b"GET /_stcore/health HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n")
        mine.recv(4096)
        held = [each for each in gc.get_objects() if type(each) is socket.socket and each.fileno() >= 0]
        ends = [each for each in held if peer(each) == mine.getsockname()]
        print(*(each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in ends), flush=True)
    os._exit(0)

threading.Thread(target=look, daemon=True).start()
sys.argv = ["serve", "run", "app.py", f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
runpy.run_module("ecgviz.ui.serve", run_name="__main__")
"""


def test_the_server_does_not_wait_for_acknowledgements() -> None:
    """Its end of a connection sends what there is at once, and not when the last words were acknowledged."""
    code = [sys.executable, "-c", SERVED, str(free_port())]
    told = subprocess.run(code, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    assert told.stdout.split()[-1:] == ["1"], told.stdout + told.stderr


def test_what_is_fetched_while_the_browser_starts_is_nothing_of_the_dashboard_itself() -> None:
    """A component that is declared, or a cache that is made, before there is a server is not the server's."""
    code = (
        "import sys; from ecgviz.ui.ahead import import_first, import_rest; before = set(sys.modules); import_first();"
        "print(*set(sys.modules) - before); first = set(sys.modules); import_rest(); print(*set(sys.modules) - first)"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    first, rest = (set(line.split()) for line in told.stdout.splitlines())
    assert "pydantic" in first
    assert {"torch", "pandas", "wfdb", "neurokit2", "captum.attr", "joblib"} <= rest
    assert not [name for name in first | rest if name.startswith(("ecgviz.ui", "streamlit.components"))]


def test_the_first_page_needs_neither_torch_nor_pandas_nor_scipy() -> None:
    """They take seconds to import; a reader without a recording waits for none."""
    code = (
        "import sys; from streamlit.testing.v1 import AppTest; from ecgviz.ui import ahead; ahead.rest = lambda: None;"
        "app = AppTest.from_file('app.py').run(timeout=60); print('Choose a demo recording' in app.info[0].value);"
        "print(*sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    stands, imported = told.stdout.splitlines()
    assert stands == "True"
    assert not {"torch", "pandas", "scipy", "wfdb", "captum", "neurokit2"} & set(imported.split())
