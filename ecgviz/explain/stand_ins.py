"""Leads in which no heart is simulated, and which of the twelve stands in where only the scale of a signal counts.

Nobody is shown such a signal, and no map is held against it: it settles the statistics of networks that know nothing,
and is what a method is tried on.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ecgviz.types import Record

STAND_INS: Mapping[str, str] = {
    **{"MLI": "I", "MLII": "II", "MLIII": "III"},
    **{f"V{n}": "V6" for n in (7, 8, 9)},
    **{f"V{n}R": "V1" for n in (1, 2, 3, 4, 5, 6)},
    **{"vx": "V6", "vy": "aVF", "vz": "V2"},
}
"""The lead of the twelve that stands in for another where a fresh network is scaled; II for one that is not here."""


def standing_in(record: Record, leads: tuple[str, ...]) -> Record:
    """Return a twelve-lead record with a lead under each name that is wanted and is none of its own (`STAND_INS`)."""
    others = tuple(lead for lead in leads if lead not in record.leads)
    if not others:
        return record
    rows = [record.lead(STAND_INS.get(lead, "II")) for lead in others]
    return replace(record, signal=np.concatenate([record.signal, rows]), leads=(*record.leads, *others))
