"""Measurements of a record: intervals, axes, amplitudes and rhythm, each NaN with a reason where it cannot be had."""

import numpy as np

from ecgviz.beats.belonging import check_belongs
from ecgviz.beats.peaks import usable_leads
from ecgviz.measure.atrial_activity import atrial_activity
from ecgviz.measure.electrodes import electrode_remark
from ecgviz.measure.grades import COARSE_HZ
from ecgviz.measure.intervals import FROM_QT, axes, intervals
from ecgviz.measure.leads import PER_LEAD as QRS_ST
from ecgviz.measure.leads import lead_measurements
from ecgviz.measure.median_beat import FEWEST_BEATS, MedianBeat, median_beat, median_beats_by_kind, members
from ecgviz.measure.rhythm import coupling, p_fraction, rr_statistics
from ecgviz.measure.waves import PER_LEAD as P_T
from ecgviz.measure.waves import no_p_because, wave_measurements
from ecgviz.types import Beats, Measurements, Record
from ecgviz.types.arrays import BoolArray
from ecgviz.types.beats import MARKS

__all__ = ["PER_LEAD", "MedianBeat", "measure", "median_beats_by_kind"]

FROM_MEDIAN = (
    *("p_ms", "pr_ms", "qrs_ms", "qt_ms", *FROM_QT),
    *("qrs_axis_deg", "p_axis_deg", "t_axis_deg", "ptf_v1_mv_ms"),
)
"""Global measurements that need at least three dominant beats."""
MOST_GAPS = 3
"""So many gaps are named one by one."""
PER_LEAD = {**QRS_ST, **P_T}
"""Measurements of each lead by name, with what they are."""


def measure(record: Record, beats: Beats) -> Measurements:
    """Measure a conditioned record on its beats.

    Intervals are medians over the dominant beats of the global marks. These lie where the median of a reader's marks
    over the leads would, not at the earliest onset and latest offset of any lead: on 70 recordings of LUDB, QRS from
    the cardiologists' second earliest onset to their second latest offset is 19 ms longer (SD 10 ms). The same made of
    the network's marks of each lead differs from it by 8 ms with an SD of 10 ms too; on 84 simulated recordings, whose
    duration is known, it is 10 ms too long (SD 5 ms), and what is given 3 ms (SD 5 ms). It fits the limit of 120 ms:
    of 257 recordings that PTB-XL calls normal none reaches it (mean 90 ms, SD 8 ms), of 14 with a complete bundle
    branch block 13 do. Of the 70, in three of which the cardiologists see such a block, 6 reach it, and by their second
    to second 24.

    Amplitudes and QRS waves are those of the median beat of the dominant beats; their zero is the lead's level at QRS
    onset, as for ST deviations in the Fourth Universal Definition of Myocardial Infarction (Thygesen et al. 2018,
    doi:10.1161/CIR.0000000000000617), not the TP level; that of P is the line between the levels beside it.

    Parameters
    ----------
    record : Record
        Conditioned (wander removed, diagnostic bandwidth kept), mV; any set of leads.
    beats : Beats
        What `ecgviz.beats.delineate` found in it.

    Returns
    -------
    Measurements
        ``values``: of the rhythm ``rate_bpm``, ``rr_mean_ms``, ``rr_sd_ms``, ``rr_cv``, ``rr_range_fraction``,
        ``nrmssd``, ``prr50``, ``coupling_ms``, ``p_fraction``, ``f_rate_hz``, ``f_regularity``, ``f_mv``, ``n_beats``,
        ``n_ectopic``, ``n_measured`` (beats in the median); of the dominant beats `FROM_MEDIAN`. ``per_lead``: see
        `PER_LEAD`. NaN where not measurable; `Measurements.why` tells why. `ecgviz.measure.grades.grade` tells how
        far to trust each.

    Raises
    ------
    EditError
        When ``beats`` belong to another recording, or have times that no beats have.
    """
    check_belongs(record, beats)
    usable = usable_leads(record)
    chosen = members(beats)
    values, reasons = _rhythm(record, beats, usable)
    values["n_measured"] = float(chosen.sum())
    reasons |= {
        lead: f"lead {lead} has no signal: flat or mostly missing"
        for lead, good in zip(record.leads, usable, strict=True)
        if not good
    }
    median = median_beat(record, beats, usable, chosen)
    if median is None:
        return _without_median(record, beats, values, reasons)
    no_p = no_p_because(median, beats, chosen)
    for found, why in (intervals(beats, chosen), axes(median, record.leads, no_p)):
        values |= found
        reasons |= why
    per_lead, patterns, why = lead_measurements(median)
    waves, values["ptf_v1_mv_ms"], why_waves = wave_measurements(median, beats, chosen, record.leads)
    kind = str(beats.kind[int(np.flatnonzero(chosen)[0])])
    electrodes = electrode_remark(median, record.leads, waves["p_mv"], kind=kind)
    return Measurements(
        values=values,
        per_lead=per_lead | waves,
        leads=record.leads,
        fs=record.fs,
        median_mv=median.mv,
        median_s=median.time_s,
        median_marks_s=median.marks_s,
        patterns=patterns,
        reasons=reasons | why | why_waves | _remarks(record, beats, kind, electrodes),
    )


def _rhythm(record: Record, beats: Beats, usable: BoolArray) -> tuple[dict[str, float], dict[str, str]]:
    """Return what is measured over all beats, and reasons for what is NaN."""
    values = {"n_beats": float(len(beats)), "n_ectopic": float(beats.ectopic.sum()), "p_fraction": p_fraction(beats)}
    reasons = {} if np.isfinite(values["p_fraction"]) else {"p_fraction": beats.reason or "no whole beat"}
    for found, why in (rr_statistics(beats), coupling(beats), atrial_activity(record, beats, usable)):
        values |= found
        reasons |= why
    return values, reasons


def _remarks(record: Record, beats: Beats, kind: str, electrodes: str) -> dict[str, str]:
    """Return what a reader should know of all values: how fine a duration is, which beats, and leads, were measured."""
    remarks = {}
    if record.fs < COARSE_HZ:
        remarks["resolution"] = f"at {record.fs:.0f} Hz a duration is known to {1000 / record.fs:.0f} ms"
    if electrodes:
        remarks["electrodes"] = electrodes
    if kind != "normal":
        bridged = ", with the spikes that are seen bridged by straight lines" if kind == "paced" else ""
        remarks["beat_kind"] = f"measured on the {kind.replace('_', ' ')} beats, which most whole beats are{bridged}"
    return remarks | _gaps_remark(beats)


def _gaps_remark(beats: Beats) -> dict[str, str]:
    """Return what a reader should know of spans that no lead recorded, under "gaps"; nothing without any."""
    if not beats.gaps_s.size:
        return {}
    spans = ", ".join(f"{start:.2f} to {end:.2f} s" for start, end in beats.gaps_s[:MOST_GAPS])
    more = f" and {len(beats.gaps_s) - MOST_GAPS} more spans" if len(beats.gaps_s) > MOST_GAPS else ""
    unknown = int(np.isnan(beats.rr_s).sum())
    counted = f", and {unknown} of {beats.rr_s.size} RR intervals are not" if unknown else ""
    return {"gaps": f"no lead recorded {spans}{more}: what the heart did there is not known{counted}"}


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
        reasons=dict.fromkeys((*absent, *PER_LEAD), why) | reasons | _gaps_remark(beats),
    )
