"""Fixtures shared by all tests; the real recordings are found through the variable ECGVIZ_DATA."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ecgviz import registry
from ecgviz.checkpoint import Model, load_model, save_model
from ecgviz.nets import build
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import InputSpec

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

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
def narrow_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Return a narrow network of fixed random weights: fast, and good enough to follow the path of the data."""
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


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with one small network of random weights: pages must work whatever a network says."""
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


@pytest.fixture
def app(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> "AppTest":
    """Open the dashboard with nothing chosen and nothing cached."""
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    monkeypatch.setattr(registry, "models_folder", lambda: models_folder)
    st.cache_data.clear()
    st.cache_resource.clear()
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
