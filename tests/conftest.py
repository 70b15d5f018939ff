"""Fixtures shared by all tests; the real recordings are found through the variable ECGVIZ_DATA."""

import os
from pathlib import Path

import pytest

from ecgviz.checkpoint import Model, load_model, save_model
from ecgviz.nets import build
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import InputSpec

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
