"""Fixtures shared by all tests; the real recordings are found through the variable ECGVIZ_DATA."""

import os
from pathlib import Path

import pytest


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
