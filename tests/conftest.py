"""Fixtures shared by all tests; the real recordings are found through the variable ECGVIZ_DATA."""

import functools
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ecgviz import registry
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import InputSpec

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

    from ecgviz.checkpoint import Model

# As `ecgviz.cli` does, and before PyTorch is imported, which reads it once: where a test asks for two threads, they
# wait for one another in loops that cost more than all that they compute.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

ROOT = Path(__file__).resolve().parents[1]
SUPERCLASSES = ("CD", "HYP", "MI", "NORM", "STTC")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real recordings: skip when ECGVIZ_DATA is unset, fail when it names nothing."""
    name = os.environ.get("ECGVIZ_DATA")
    if not name:
        pytest.skip("ECGVIZ_DATA is not set: no real recordings to test on")
    folder = Path(name)
    if not folder.is_dir():
        pytest.fail(f"ECGVIZ_DATA names {folder}, which is no folder")
    return folder.resolve()


@pytest.fixture(scope="session")
def narrow_model(tmp_path_factory: pytest.TempPathFactory) -> "Model":
    """Return a narrow network of fixed random weights: fast, and good enough to follow the path of the data."""
    from ecgviz.checkpoint import load_model, save_model
    from ecgviz.nets import build

    folder = tmp_path_factory.mktemp("models") / "narrow"
    save_model(
        folder,
        build("imle_net", len(SUPERCLASSES), seed=1, config={"width": 0.25}),
        net_name="imle_net",
        config={"width": 0.25},
        name="narrow",
        version="1",
        spec=InputSpec(STANDARD_LEADS, 100.0, 10.0, 0.0, 0.23),
        labels=SUPERCLASSES,
        thresholds=(0.5,) * len(SUPERCLASSES),
        metrics={},
        training={},
        card="# narrow\n",
    )
    return load_model(folder)


@pytest.fixture(autouse=True)
def no_page_failed(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test in which a page had a fault that it told in a sentence; a test of such faults clears the log."""
    yield
    assert not [each.getMessage() for each in caplog.records if each.name == "ecgviz.dashboard"]


@pytest.fixture(scope="session", autouse=True)
def pages_start_quickly() -> Iterator[None]:
    """Do once what each `AppTest` of a page would do anew, or in a thread of its own.

    Installed packages are searched for components, which takes a second, and pages are compiled, which a server keeps
    for all its sessions. What `ahead` imports in a thread is imported before: a test that ends meanwhile takes back
    the filters of warnings which that thread has set.
    """
    if "streamlit.testing.v1" not in sys.modules:  # no test here opens a page
        yield
        return
    from streamlit.components.v2 import manifest_scanner
    from streamlit.runtime.scriptrunner.script_cache import ScriptCache
    from streamlit.testing.v1 import app_test

    from ecgviz.ui import ahead

    ahead.import_rest()
    with pytest.MonkeyPatch.context() as patched:
        found = functools.cache(manifest_scanner.scan_component_manifests)
        patched.setattr(manifest_scanner, "scan_component_manifests", found)
        patched.setattr(app_test, "ScriptCache", functools.cache(ScriptCache))
        yield


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with one small network of random weights: pages must work whatever a network says."""
    from ecgviz.checkpoint import save_model
    from ecgviz.nets import build

    folder = tmp_path_factory.mktemp("models")
    config = {"width": 0.25}
    score = {"value": 0.5, "low": 0.4, "high": 0.6}
    report = {"n": 0, "n_patients": 0, "macro_auc": score, "auc": dict.fromkeys(SUPERCLASSES, score)}
    metrics = {"none": {"superclasses": report}}
    save_model(
        folder / "random_weights",
        build("imle_net", len(SUPERCLASSES), seed=3, config=config),
        net_name="imle_net",
        config=config,
        name="random_weights",
        version="1",
        spec=InputSpec(STANDARD_LEADS, 100.0, 10.0, 0.0, 0.25),
        labels=SUPERCLASSES,
        thresholds=(0.5,) * len(SUPERCLASSES),
        metrics=metrics,
        training={},
        card="# random_weights\n\nNot trained; for tests.\n",
    )
    return folder


def clear_caches() -> None:
    """Let go of all that pages keep for every session: recordings, networks, what was found and drawn."""
    import streamlit as st

    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="module")
def fresh_server() -> None:
    """Start a file of tests with nothing cached; what one of its sessions computes, the next ones are served."""
    clear_caches()


@pytest.fixture
def nothing_cached(fresh_server: None) -> None:
    """Start a test with nothing cached: for one that looks at what is computed."""
    clear_caches()


@pytest.fixture
def app(models_folder: Path, fresh_server: None, monkeypatch: pytest.MonkeyPatch) -> "AppTest":
    """Open the dashboard in a session of its own, with nothing chosen."""
    from streamlit.testing.v1 import AppTest

    monkeypatch.setattr(registry, "models_folder", lambda: models_folder)
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=240).run()


@pytest.fixture(scope="session")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a folder in memory where there is one: what is tested with it is not how fast a disk is."""
    shared = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else tmp_path_factory.mktemp("disk")) as made:
        yield Path(made)


@pytest.fixture
def memory(in_memory: Path) -> Path:
    """Return an empty folder of one test in memory."""
    return Path(tempfile.mkdtemp(dir=in_memory))
