"""12-lead ECGs from a moving heart dipole, with planted findings, healthy twins, and exact truth."""

from ecgviz.simulate.aligned import healthy_at
from ecgviz.simulate.findings import FINDINGS, FindingSpec
from ecgviz.simulate.simulator import Simulation, simulate
from ecgviz.simulate.truth import Cell, Truth

__all__ = ["FINDINGS", "Cell", "FindingSpec", "Simulation", "Truth", "healthy_at", "simulate"]
