"""Simulated examples of the guideline library: one patient with a finding, and the same patient without it."""

from dataclasses import dataclass

import streamlit as st

from ecgviz.beats import delineate
from ecgviz.criteria import evaluate_all
from ecgviz.measure import measure
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.simulate.demos import DURATION_S, FS, SEEDS
from ecgviz.types import Beats, Finding, Measurements, Record


@dataclass(frozen=True, eq=False)
class Read:
    """A recording cleaned for display, its beats and measurements, and every finding of the catalogue on it."""

    clean: Record
    beats: Beats
    measured: Measurements
    findings: tuple[Finding, ...]

    def of(self, entry: str) -> dict[str, Finding]:
        """Return the findings of one entry by their definition."""
        return {each.definition: each for each in self.findings if each.criterion == entry}

    def met(self) -> tuple[str, ...]:
        """Return the ids of the entries of which a definition is met."""
        return tuple(dict.fromkeys(each.criterion for each in self.findings if each.state == "met"))


@dataclass(frozen=True, eq=False)
class Example:
    """One simulated patient ``shown`` with the finding, and the healthy ``twin``, both read as any recording is."""

    finding: str
    shown: Read
    twin: Read


@st.cache_data(max_entries=32, show_spinner="Simulating the example")
def example(finding: str) -> Example:
    """Return the example of a finding that can be simulated: the patient of the demo recording of that name."""
    made = simulate(finding, seed=SEEDS[finding], fs=FS, duration_s=DURATION_S)
    return Example(finding, _read(made.record), _read(made.twin))


def _read(record: Record) -> Read:
    clean = condition(record)
    beats = delineate(clean)
    measured = measure(clean, beats)
    return Read(clean, beats, measured, evaluate_all(measured, beats, age_years=record.age_years, sex=record.sex))
