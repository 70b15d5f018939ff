"""Measurements of a record: intervals, axes, amplitudes and rhythm, each NaN with a reason where it cannot be had."""

import numpy as np

from ecgviz.beats.peaks import usable_leads
from ecgviz.measure.intervals import axes, intervals
from ecgviz.measure.leads import PER_LEAD, lead_measurements
from ecgviz.measure.median_beat import FEWEST_BEATS, median_beat, members
from ecgviz.measure.rhythm import p_fraction, rr_statistics
from ecgviz.types import Beats, Measurements, Record
from ecgviz.types.beats import MARKS

__all__ = ["measure"]

FROM_MEDIAN = (
    *("p_ms", "pr_ms", "qrs_ms", "qt_ms", "qtc_bazett_ms", "qtc_fridericia_ms"),
    *("qrs_axis_deg", "p_axis_deg", "t_axis_deg"),
)
"""Global measurements that need at least three dominant beats."""
COARSE_HZ = 250.0
"""Below this rate a reader is told how fine a duration is."""


def measure(record: Record, beats: Beats) -> Measurements:
    """Measure a conditioned record on its beats.

    Intervals are medians over the dominant beats of the global marks (early onset, late offset over leads), so they
    are longer by some milliseconds than those of a single lead. Amplitudes and QRS waves are those of the median beat
    of the dominant beats; their zero is the lead's level at QRS onset, as for ST deviations in the Fourth Universal
    Definition of Myocardial Infarction (Thygesen et al. 2018, doi:10.1161/CIR.0000000000000617), not the TP level.

    Parameters
    ----------
    record : Record
        Conditioned (wander removed, diagnostic bandwidth kept), mV; any set of leads.
    beats : Beats
        What `ecgviz.beats.delineate` found in it.

    Returns
    -------
    Measurements
        ``values``: ``rate_bpm``, ``rr_mean_ms``, ``rr_sd_ms``, ``rr_cv``, ``rr_range_fraction``, ``nrmssd``,
        ``p_fraction``, ``p_ms``, ``pr_ms``, ``qrs_ms``, ``qt_ms``, ``qtc_bazett_ms``, ``qtc_fridericia_ms``,
        ``qrs_axis_deg``, ``p_axis_deg``, ``t_axis_deg``, ``n_beats``, ``n_ectopic``. ``per_lead``: see
        `ecgviz.measure.leads.PER_LEAD`. NaN where not measurable; `Measurements.why` tells why.
    """
    usable = usable_leads(record)
    values, reasons = rr_statistics(beats)
    values |= {
        "n_beats": float(len(beats)),
        "n_ectopic": float(beats.ectopic.sum()),
        "p_fraction": p_fraction(beats),
    }
    reasons |= {
        lead: f"lead {lead} has no signal: flat or mostly missing"
        for lead, good in zip(record.leads, usable, strict=True)
        if not good
    }
    median = median_beat(record, beats, usable)
    if median is None:
        return _without_median(record, beats, values, reasons)
    for found, why in (intervals(beats, members(beats)), axes(median, record.leads)):
        values |= found
        reasons |= why
    per_lead, patterns, why = lead_measurements(median)
    if record.fs < COARSE_HZ:
        reasons["resolution"] = f"at {record.fs:.0f} Hz a duration is known to {1000 / record.fs:.0f} ms"
    return Measurements(
        values=values,
        per_lead=per_lead,
        leads=record.leads,
        fs=record.fs,
        median_mv=median.mv,
        median_s=median.time_s,
        median_marks_s=median.marks_s,
        patterns=patterns,
        reasons=reasons | why,
    )


def _without_median(record: Record, beats: Beats, values: dict[str, float], reasons: dict[str, str]) -> Measurements:
    why = beats.reason or f"only {int(members(beats).sum())} dominant beats (at least {FEWEST_BEATS} are needed)"
    absent = [name for name in (*FROM_MEDIAN, *values) if np.isnan(values.get(name, np.nan))]
    nothing = np.full(len(record.leads), np.nan)
    return Measurements(
        values=values | dict.fromkeys(FROM_MEDIAN, float("nan")),
        per_lead=dict.fromkeys(PER_LEAD, nothing),
        leads=record.leads,
        fs=record.fs,
        median_mv=np.empty((len(record.leads), 0)),
        median_s=np.empty(0),
        median_marks_s=dict.fromkeys(MARKS, float("nan")),
        patterns=("",) * len(record.leads),
        reasons=dict.fromkeys((*absent, *PER_LEAD), why) | reasons,
    )
