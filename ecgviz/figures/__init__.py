"""All drawing: functions from ecgviz's types to Plotly figures, and to the table that says the same in numbers.

Each figure carries its description in words in ``figure.layout.meta["alt"]``.
"""

from ecgviz.figures.agreement import agreement_figure
from ecgviz.figures.channels import channel_bars
from ecgviz.figures.curve import training_curve
from ecgviz.figures.header import footer, header
from ecgviz.figures.heat import Heat, from_attention, from_explanation
from ecgviz.figures.matrix import (
    colour_end,
    framed_cells,
    region_cells,
    signed_matrix,
    wave_durations,
    wave_matrix,
)
from ecgviz.figures.median import lead_ticks, median_sheet
from ecgviz.figures.paper import paper
from ecgviz.figures.rhythm import rhythm_strip
from ecgviz.figures.strip import beat_strip

__all__ = [
    "Heat",
    "agreement_figure",
    "beat_strip",
    "channel_bars",
    "colour_end",
    "footer",
    "framed_cells",
    "from_attention",
    "from_explanation",
    "header",
    "lead_ticks",
    "median_sheet",
    "paper",
    "region_cells",
    "rhythm_strip",
    "signed_matrix",
    "training_curve",
    "wave_durations",
    "wave_matrix",
]
