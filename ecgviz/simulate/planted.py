"""What was planted: intervals and amplitudes of the noise-free beat, measured at 1 kHz with its true wave times."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ecgviz.records.leads import STANDARD_LEADS as LEADS
from ecgviz.simulate.dipole import twelve
from ecgviz.simulate.heart import Heart
from ecgviz.types.arrays import FloatArray

NOTCH_MV = 0.03
SMALLEST_WAVE_MV = 0.02
"""A deflection of the QRS complex below this is no wave of its own."""
PER_LEAD = (
    "p_mv",
    "q_mv",
    "r_mv",
    "s_mv",
    "r2_mv",
    "q_ms",
    "r_ms",
    "s_ms",
    "r_peak_ms",
    "qs",
    "notch",
    "j_mv",
    "st60_mv",
    "st80_mv",
    "t_mv",
)


@dataclass(frozen=True, eq=False)
class Planted:
    """Global ``values`` by name, ``per_lead`` arrays (12,) in the order of `LEADS`; names as in `Measurements`."""

    values: Mapping[str, float]
    per_lead: Mapping[str, FloatArray]

    def lead(self, name: str, *leads: str) -> FloatArray:
        """Return one measurement at ``leads``, shape (len(leads),)."""
        return self.per_lead[name][[LEADS.index(lead) for lead in leads]]


def measure_heart(heart: Heart) -> Planted:
    """Measure the noise-free beat of ``heart`` at its mean rate; amplitudes from the level at QRS onset (zero here)."""
    rr = 60 / heart.rate_bpm
    d, jt = heart.qrs_ms, 1000 * float(heart.jt_s(rr))
    x = np.arange(0.0, d + jt + 1)
    dipole = heart.st.at((x - d) / jt) + heart.t.at((x - d) / jt) + heart.tail.at((x - d) / jt)
    repolarisation = twelve(heart.field @ dipole)
    beat = twelve(heart.field @ heart.qrs.at(x) + heart.residual.at(x / d)) + repolarisation
    p = twelve(heart.atrial_field @ heart.p.at(np.linspace(0, 1, 60)))
    rows = [_qrs_waves(lead[: int(d) + 1]) for lead in beat]
    per_lead = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    j = round(d)
    t_from = int(d + heart.t_start * jt)
    per_lead |= {
        "p_mv": _largest(p),
        "j_mv": beat[:, j],
        "st60_mv": beat[:, j + 60],
        "st80_mv": beat[:, j + 80],
        "t_mv": _largest(beat[:, t_from:]),
        "qrs_pp_mv": np.ptp(beat[:, : int(d) + 1], axis=1),
        "qrs_area_mv_ms": beat[:, : int(d) + 1].sum(axis=1),
    }
    qt = d + jt
    values = {
        "rate_bpm": heart.rate_bpm,
        "rr_mean_ms": 1000 * rr,
        "p_ms": heart.p_ms,
        "pr_ms": heart.pr_ms,
        "qrs_ms": d,
        "qt_ms": qt,
        "qtc_bazett_ms": qt / np.sqrt(rr),
        "qtc_fridericia_ms": qt / np.cbrt(rr),
        "qrs_axis_deg": _axis(beat[:, : int(d) + 1]),
        "p_axis_deg": _axis(p),
        "t_axis_deg": _axis(beat[:, t_from:]),
        "ptf_v1_mv_ms": _terminal_force(p[6]) * heart.p_ms / p.shape[1],
    }
    return Planted(values, per_lead)


def _largest(rows: FloatArray) -> FloatArray:
    """Signed value of largest magnitude in each row."""
    return np.asarray(np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)[:, 0])


def _axis(rows: FloatArray) -> float:
    """Frontal axis in degrees of the net area of a wave (12, K)."""
    net = rows.sum(axis=1)
    return float(np.degrees(np.arctan2(2 / np.sqrt(3) * net[5], net[0])))


def _terminal_force(p: FloatArray) -> float:
    """Depth of the negative end of a P wave (K,) times its length in samples; 0 when it ends upright."""
    upright = np.flatnonzero(p > 0)
    first = int(upright[-1]) + 1 if upright.size else 0
    end = p[first:]
    return float(-end.min() * end.size) if end.size and end.min() <= -SMALLEST_WAVE_MV else 0.0


def _qrs_waves(lead: FloatArray) -> dict[str, float]:
    """Q, R, S and R' of one lead between QRS onset and J (1 kHz): runs of one sign with a peak of their own.

    A run that is largest at the J point is the ST segment, no wave.
    """
    found = dict.fromkeys(PER_LEAD[1:11], 0.0)
    sign = np.sign(lead)
    edges = np.concatenate([[0], np.flatnonzero(np.diff(sign)) + 1, [lead.size]])
    waves = []
    for start, end in pairwise(edges):
        run = np.abs(lead[start:end])
        peak = int(run.argmax())
        if run[peak] >= SMALLEST_WAVE_MV and not (end == lead.size and peak == run.size - 1):
            waves.append((sign[start], float(run[peak]), float(end - start), float(start + peak)))
    names = iter(("r", "s", "r2") if waves and waves[0][0] > 0 else ("q", "r", "s", "r2"))
    for (_, size, length, at), name in zip(waves, names, strict=False):
        found[f"{name}_mv"] = size
        if name != "r2":
            found[f"{name}_ms"] = length
        if name == "r" or (name == "r2" and size > found["r_mv"]):
            found["r_peak_ms"] = at
    found["notch"] = float(_notched(lead))
    found["qs"] = float(bool(waves) and waves[0][0] < 0 and found["r_mv"] == 0)
    return found


def _notched(lead: FloatArray) -> bool:
    """Tell whether the largest deflection has two peaks with a dip of 0.03 mV or more between them."""
    size = np.abs(lead) if np.abs(lead.max()) > np.abs(lead.min()) else -lead
    inner = np.flatnonzero((size[1:-1] < size[:-2]) & (size[1:-1] <= size[2:])) + 1
    return any(
        min(size[:dip].max(), size[dip:].max()) - size[dip] >= NOTCH_MV and size[dip] > 0.4 * size.max()
        for dip in inner
    )
