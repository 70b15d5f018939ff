"""Figures are drawn once for equal data, and never shown for other data."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from ecgviz import figures
from ecgviz.figures.focus import Focus
from ecgviz.figures.sheet import PaperFormat
from ecgviz.records import load_record
from ecgviz.types import Record
from ecgviz.ui.state import drawing


@pytest.fixture(scope="module")
def record() -> Record:
    return load_record("demo:af")


def test_equal_data_are_drawn_once(record: Record) -> None:
    first = drawing.figure(figures.paper, record, start_s=0.0, form=PaperFormat())
    again = replace(record, signal=np.array(record.signal))
    assert drawing.figure(figures.paper, again, form=PaperFormat(), start_s=0.0) is first
    assert first == figures.paper(record, start_s=0.0, form=PaperFormat())


def test_other_data_are_drawn_anew(record: Record) -> None:
    first = drawing.figure(figures.paper, record, start_s=0.0)
    sample = np.array(record.signal)
    sample[0, 0] += 1e-6
    others = (
        drawing.figure(figures.paper, replace(record, signal=sample), start_s=0.0),
        drawing.figure(figures.paper, record, start_s=1.0),
        drawing.figure(figures.paper, record, start_s=0.0, focus=Focus(lead="V1")),
        drawing.figure(_other, record, start_s=0.0),
    )
    assert all(other is not first for other in others)
    assert len({id(other) for other in others}) == len(others)


def _other(record: Record, *, start_s: float) -> go.Figure:
    return figures.paper(record, start_s=start_s)
