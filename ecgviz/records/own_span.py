"""Headers whose gains scale every lead to its own span, as those of LUDB do: such millivolts are none."""

import numpy as np

from ecgviz.errors import RecordError
from ecgviz.records.header import Header
from ecgviz.records.leads import IN_TERMS_OF_I_AND_II, STANDARD_LEADS
from ecgviz.types.arrays import FloatArray

COUNTS_PER_MV = 1000.0
"""Of LUDB's stored integers, whatever its headers say."""
NOTE = (
    "taken for a recording of LUDB, because by the header's gains each lead spans exactly 1 mV: stored integers / 1000 "
    "are taken as mV, because they obey I + III = II and those gains do not"
)
_SPAN = 0.005
"""How far from 1 mV the span of such a lead may be (LUDB: none at all)."""
_ROUNDING = 2.0
"""How far stored integers may be from the limb-lead identities, each being rounded by itself (LUDB: 1)."""


def is_own_span(signal: FloatArray, leads: tuple[str, ...], header: Header) -> bool:
    """Return whether twelve leads in millivolts (L, N) each span 1 mV, by gains that differ: no heart does that."""
    if set(leads) != set(STANDARD_LEADS) or np.isnan(signal).all(axis=1).any():
        return False
    spans = np.nanmax(signal, axis=1) - np.nanmin(signal, axis=1)
    return len({channel.gain for channel in header.channels}) > 1 and bool((np.abs(spans - 1) <= _SPAN).all())


def millivolts(counts: FloatArray, leads: tuple[str, ...], source: str) -> FloatArray:
    """Return the millivolts of stored integers (L, N) whose gains are `is_own_span`.

    Raises
    ------
    RecordError
        When the integers do not obey the limb-lead identities: then nothing in the file tells what a millivolt is.
    """
    rows = dict(zip(leads, counts, strict=True))
    for lead, (of_first, of_second) in IN_TERMS_OF_I_AND_II.items():
        if (np.abs(of_first * rows["I"] + of_second * rows["II"] - rows[lead]) > _ROUNDING).any():
            raise RecordError(
                f"{source}: by the header's gains each lead spans exactly 1 mV, so each was scaled to its span; and "
                f"{lead} does not follow from I and II: the true millivolts are lost; take the recording as published"
            )
    return counts / COUNTS_PER_MV
