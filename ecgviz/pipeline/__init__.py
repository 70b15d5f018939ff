"""From a record to a `Case`, and a case to a folder and back: what the command line, the app and the report share.

Those who ask many networks, labels and methods about one record take the path in its parts.
"""

from ecgviz.pipeline.analyse import analyse
from ecgviz.pipeline.folder import load_case, save_case
from ecgviz.pipeline.parts import (
    Examined,
    Explained,
    examine,
    explain_beside_controls,
    explain_many_beside_controls,
    findings_of,
    hold_against,
)

__all__ = [
    "Examined",
    "Explained",
    "analyse",
    "examine",
    "explain_beside_controls",
    "explain_many_beside_controls",
    "findings_of",
    "hold_against",
    "load_case",
    "save_case",
]
