"""Frozen dataclasses that travel through ecgviz.

Dimension letters, used in every shape of the project:

    L leads    N samples of a record    T steps on a model's own grid    B beats    S atoms (wave segments of a beat)
    C labels   K tokens of an attention map    W samples of a median beat

Times are seconds, amplitudes millivolts, rates hertz; a scalar's name ends in its unit (``fs`` is always hertz).
"""

from ecgviz.types.beats import ATOMS, KINDS, MARKS, WAVES, Beats
from ecgviz.types.calibration import ObservedRate, ScoreTable, how_often
from ecgviz.types.evidence import EvidenceGrid, Region
from ecgviz.types.measure import Measurements
from ecgviz.types.model import LEVELS, AttentionMap, Explanation, Prediction
from ecgviz.types.record import InputSpec, LeadQuality, ModelInput, Record
from ecgviz.types.verdict import STATES, Agreement, Case, ControlScore, CriterionScore, Finding, Held, RuleResult

__all__ = [
    "ATOMS",
    "KINDS",
    "LEVELS",
    "MARKS",
    "STATES",
    "WAVES",
    "Agreement",
    "AttentionMap",
    "Beats",
    "Case",
    "ControlScore",
    "CriterionScore",
    "EvidenceGrid",
    "Explanation",
    "Finding",
    "Held",
    "InputSpec",
    "LeadQuality",
    "Measurements",
    "ModelInput",
    "ObservedRate",
    "Prediction",
    "Record",
    "Region",
    "RuleResult",
    "ScoreTable",
    "how_often",
]
