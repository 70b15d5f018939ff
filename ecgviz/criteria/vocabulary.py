"""Words that catalogue files may use: measurements with their units, segments of a beat, groups of leads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from ecgviz.records.leads import CABRERA, CHEST, CONTIGUOUS, GROUPS, STANDARD_LEADS

INVERTED_AVR = "-aVR"
"""aVR turned upside down, which stands between I and II in the frontal plane (Cabrera)."""

FINE_FS = 250.0
"""A Q wave, a notch or a delta wave is not judged below this rate: at 100 Hz one sample is a third of a 30 ms Q wave,
and of the notches seen at 500 Hz in 134 recordings of PTB-XL four in ten are gone. 4 ms a sample still separates the
published limits (30 from 40, 45 from 50 ms); the rate itself is ours. R peak times are judged at any rate, with one
sample as tolerance: at 100 Hz they lie within 10 ms of those at 500 Hz in 98 of 100 leads of the same recordings."""

TOLERANCES: Mapping[str, float] = {
    "ms": 10.0,
    "mV": 0.025,
    "deg": 5.0,
    "bpm": 2.0,
    "mV*ms": 10.0,
    "mV/s": 0.0,
    "Hz": 0.25,
    "1": 0.0,
}
"""Measurement tolerance a unit, where a rule states none of its own: a value this close to its limit is borderline.
About the disagreement of careful readers and programs on one beat (CSE working party: two standard deviations of 6 to
12 ms for QRS onset and offset); a proposal of this project, not a published limit."""


@dataclass(frozen=True)
class Measure:
    """How a measurement is called on screen, its unit, and whether each lead has one.

    ``signed`` measures may be read in `INVERTED_AVR`; ``fine`` ones need `FINE_FS`.
    """

    label: str
    unit: str
    per_lead: bool = False
    signed: bool = False
    fine: bool = False


MEASURES: Mapping[str, Measure] = {
    "rate_bpm": Measure("rate", "bpm"),
    "rr_cv": Measure("RR variation (SD / mean)", "1"),
    "rr_range_fraction": Measure("RR range / mean", "1"),
    "nrmssd": Measure("beat-to-beat RR change (RMSSD / mean)", "1"),
    "prr50": Measure("share of RR changes of 50 ms or more", "1"),
    "rr_mean_ms": Measure("mean RR", "ms"),
    "rr_sd_ms": Measure("RR standard deviation", "ms"),
    "coupling_ms": Measure("coupling interval of premature beats", "ms"),
    "n_beats": Measure("number of beats", "1"),
    "n_measured": Measure("number of beats measured", "1"),
    "n_ectopic": Measure("number of premature beats", "1"),
    "f_rate_hz": Measure("frequency of atrial waves", "Hz"),
    "f_regularity": Measure("regularity of atrial waves", "1"),
    "f_mv": Measure("size of atrial waves", "mV"),
    "p_fraction": Measure("share of beats with a P wave", "1"),
    "p_ms": Measure("P duration", "ms"),
    "pr_ms": Measure("PR", "ms"),
    "qrs_ms": Measure("QRS", "ms"),
    "qt_ms": Measure("QT", "ms"),
    "qtc_bazett_ms": Measure("QTc (Bazett)", "ms"),
    "qtc_fridericia_ms": Measure("QTc (Fridericia)", "ms"),
    "qtc_framingham_ms": Measure("QTc (Framingham)", "ms"),
    "qtc_hodges_ms": Measure("QTc (Hodges)", "ms"),
    "jt_ms": Measure("JT", "ms"),
    "jtc_bazett_ms": Measure("JTc (Bazett)", "ms"),
    "qrs_axis_deg": Measure("QRS axis", "deg"),
    "p_axis_deg": Measure("P axis", "deg"),
    "t_axis_deg": Measure("T axis", "deg"),
    "ptf_v1_mv_ms": Measure("P-terminal force in V1", "mV*ms", fine=True),
    "p_mv": Measure("P", "mV", per_lead=True, signed=True),
    "q_mv": Measure("Q depth", "mV", per_lead=True),
    "r_mv": Measure("R", "mV", per_lead=True),
    "s_mv": Measure("S", "mV", per_lead=True),
    "p_width_ms": Measure("P duration in the lead", "ms", per_lead=True),
    "p_end_mv": Measure("depth of the negative end of P", "mV", per_lead=True, fine=True),
    "p_end_ms": Measure("duration of the negative end of P", "ms", per_lead=True, fine=True),
    "r2_mv": Measure("R'", "mV", per_lead=True),
    "s2_mv": Measure("S'", "mV", per_lead=True),
    "r2_ms": Measure("R' duration", "ms", per_lead=True, fine=True),
    "s2_ms": Measure("S' duration", "ms", per_lead=True, fine=True),
    "qrs_pp_mv": Measure("QRS peak to peak", "mV", per_lead=True),
    "qrs_area_mv_ms": Measure("net QRS area", "mV*ms", per_lead=True, signed=True),
    "q_ms": Measure("Q duration", "ms", per_lead=True, fine=True),
    "r_ms": Measure("R duration", "ms", per_lead=True),
    "s_ms": Measure("S duration", "ms", per_lead=True),
    "qrs_width_ms": Measure("QRS duration in the lead", "ms", per_lead=True),
    "r_peak_ms": Measure("R peak time", "ms", per_lead=True),
    "qs": Measure("QS complex", "1", per_lead=True),
    "notch": Measure("notch or slur", "1", per_lead=True, fine=True),
    "delta_fraction": Measure("slow start of QRS", "1", per_lead=True, fine=True),
    "j_mv": Measure("J point", "mV", per_lead=True, signed=True),
    "st60_mv": Measure("ST at J + 60 ms", "mV", per_lead=True, signed=True),
    "st80_mv": Measure("ST at J + 80 ms", "mV", per_lead=True, signed=True),
    "st_slope_mv_per_s": Measure("ST slope", "mV/s", per_lead=True, signed=True),
    "t_mv": Measure("T", "mV", per_lead=True, signed=True),
    "t_width_ms": Measure("T duration in the lead", "ms", per_lead=True),
    "t_symmetry": Measure("T symmetry (area before / after its peak)", "1", per_lead=True),
}
OF_RHYTHM: Mapping[str, Measure] = {
    "pp_range_ms": Measure("range of PP intervals", "ms"),
    "pr_range_ms": Measure("range of PR from beat to beat", "ms"),
    "longest_rr_ms": Measure("longest RR", "ms"),
    "blocked_p": Measure("P waves without QRS", "1"),
    "blocked_p_run": Measure("P waves in a row without QRS", "1"),
    "conducted_p_run": Measure("P waves in a row that are conducted", "1"),
    "blocked_pr_change_ms": Measure("PR before a blocked P less PR after it", "ms"),
    "p_per_qrs": Measure("P waves a QRS complex", "1"),
    "bigeminy_cycles": Measure("premature beats in a row, each after one beat", "1"),
    "trigeminy_cycles": Measure("premature beats in a row, each after two beats", "1"),
}
"""Numbers of the sequence of beats (`ecgviz.criteria.beatwise.rhythm_numbers`), used like those of `MEASURES`."""
OF_BEATS: Mapping[str, Measure] = {
    "beat_coupling": Measure("RR before / usual RR", "1"),
    "beat_pause": Measure("RR before + RR after, in usual RR", "1"),
    "beat_qrs_ms": Measure("QRS of the beat", "ms"),
    "beat_pr_ms": Measure("PR of the beat", "ms"),
    "beat_p": Measure("P wave before the beat", "1"),
}
"""Numbers of each beat (`ecgviz.criteria.beatwise.beat_numbers`), for rules on single beats."""
FINE = frozenset(name for name, measure in MEASURES.items() if measure.fine)
"""Measures that are not judged below `FINE_FS`."""
FLAGS = ("qs", "notch", "beat_p")
"""Measures that are 1 where the thing is seen and 0 where it is not."""

SEGMENTS: Mapping[str, tuple[str, ...]] = {
    "P": ("P",),
    "PR": ("PR",),
    "QRS": ("QRSi", "QRSm", "QRSt"),
    "Qi": ("QRSi",),
    "QRSm": ("QRSm",),
    "QRSt": ("QRSt",),
    "DELTA": ("QRSi",),
    "J": ("ST",),
    "ST": ("ST",),
    "T": ("T1", "T2"),
    "Tt": ("T2",),
    "TP": ("TP",),
    "absent P": ("P",),
}
"""Segments that a region may name, as atoms of the evidence grid. ``P`` counts in beats that have a P wave,
``absent P`` is the window where one was expected, in beats that have none."""


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """Return leads for a mix of lead names, group names and "all"; raises ValueError for any other word."""
    leads: list[str] = []
    for name in names:
        if name in (*STANDARD_LEADS, INVERTED_AVR):
            leads.append(name)
        elif name in GROUPS:
            leads.extend(GROUPS[name])
        elif name == "all":
            leads.extend(STANDARD_LEADS)
        else:
            raise ValueError(f"{name!r} is no lead or group of leads; groups are {', '.join(GROUPS)}, all")
    return tuple(dict.fromkeys(leads))


@cache
def contiguous_pairs(leads: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of ``leads`` that look at neighbouring myocardium.

    Neighbours in V1 to V6, neighbours in the frontal plane (Cabrera's order, aVR turned upside down), or two leads
    of one limb set of the Fourth Universal Definition of Myocardial Infarction (I and aVL; II, III and aVF).
    """
    pairs = []
    for n, one in enumerate(leads):
        for other in leads[n + 1 :]:
            neighbours = any(
                one in row and other in row and abs(row.index(one) - row.index(other)) == 1 for row in (CHEST, CABRERA)
            )
            if neighbours or any(one in row and other in row for row in CONTIGUOUS if row != CHEST):
                pairs.append((one, other))
    return tuple(pairs)
