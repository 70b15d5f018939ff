"""A network on another device says what it says on the CPU, by every method, beside its controls."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ecgviz.checkpoint import available_models, load_model, on_device
from ecgviz.errors import ModelError
from ecgviz.explain.methods import applicable
from tests.two_devices import SLOW, SLOWEST


@pytest.fixture(scope="module")
def apart() -> dict[str, dict[str, float]]:
    """Return how far the answers on another device are from those of the CPU, by network and question."""
    command = [sys.executable, "-m", "tests.two_devices", "compare", *available_models()]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", available_models())
def test_every_answer_on_another_device_is_that_of_the_cpu(name: str, apart: dict[str, dict[str, float]]) -> None:
    assert {"logits", "controls", *applicable(load_model(name))} - {*SLOW, *SLOWEST} <= set(apart[name])
    assert {question: share for question, share in apart[name].items() if not share < 1e-4} == {}


def test_a_device_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="finds no device 'cuda:99'"):
        on_device(load_model("resnet1d"), "cuda:99")
    with pytest.raises(ModelError, match="finds no device 'gpu'"):
        on_device(load_model("resnet1d"), "gpu")
