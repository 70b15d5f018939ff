"""The two tables of a store, column by column: their Arrow types, and what each column holds.

``records`` has one row a recording, ``rows`` one row a recording x model x label x method. The view ``cohort`` of
`Cohort.sql` joins them. Matrices are lists of 108 numbers, lead by lead in the order of `LEADS`, nine atoms each in the
order of `ATOMS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from ecgviz import NOTICE, __version__
from ecgviz.measure import PER_LEAD
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import ATOMS

FORMAT = 4
"""Raised whenever a column changes its meaning; a store of another format is refused."""
LEADS = STANDARD_LEADS
N_CELLS = len(LEADS) * len(ATOMS)

TEXT, NUMBER, SMALL, FLAG = pa.string(), pa.float64(), pa.float32(), pa.bool_()
MATRIX, OF_LEADS, OF_ATOMS = pa.list_(SMALL, N_CELLS), pa.list_(SMALL, len(LEADS)), pa.list_(SMALL, len(ATOMS))

VALUES: Mapping[str, str] = {
    "n_beats": "beats found",
    "n_ectopic": "premature beats",
    "n_measured": "beats in the median beat",
    "rate_bpm": "heart rate",
    "rr_mean_ms": "mean RR interval",
    "rr_sd_ms": "standard deviation of RR intervals",
    "rr_cv": "coefficient of variation of RR intervals",
    "rr_range_fraction": "range of RR intervals over their mean",
    "nrmssd": "normalised root mean square of successive differences",
    "prr50": "part of successive RR differences above 50 ms",
    "coupling_ms": "coupling interval of premature beats",
    "p_fraction": "part of beats with a P wave",
    "f_rate_hz": "rate of atrial activity without P waves",
    "f_regularity": "regularity of that activity",
    "f_mv": "size of that activity",
    "p_ms": "P duration",
    "pr_ms": "PR interval",
    "qrs_ms": "QRS duration",
    "qt_ms": "QT interval",
    "qtc_bazett_ms": "QT corrected by Bazett",
    "qtc_fridericia_ms": "QT corrected by Fridericia",
    "qtc_framingham_ms": "QT corrected by the Framingham formula",
    "qtc_hodges_ms": "QT corrected by Hodges",
    "jt_ms": "JT interval",
    "jtc_bazett_ms": "JT corrected by Bazett",
    "qrs_axis_deg": "frontal QRS axis",
    "p_axis_deg": "frontal P axis",
    "t_axis_deg": "frontal T axis",
    "ptf_v1_mv_ms": "P terminal force in V1",
}
"""Measurements of a recording that are one number; null where not measurable."""


@dataclass(frozen=True)
class Column:
    """One column of a table: its name, its type, and what it holds."""

    name: str
    type: pa.DataType
    holds: str


RECORDS: tuple[Column, ...] = (
    Column("record", TEXT, "the recording: ptbxl-00001, ludb-001, or file- and a digest of its path in the folder"),
    Column("record_key", TEXT, "SHA-256 of samples, rate, leads, age and sex; null where it could not be read"),
    Column("record_failure", TEXT, "the sentence with which reading or delineating failed; null where it did not"),
    Column("patient", TEXT, "the patient; the recording itself where nobody tells patients apart"),
    Column("age_years", NUMBER, "age; PTB-XL's ages above 89 are 90"),
    Column("sex", TEXT, "male or female"),
    Column("device", TEXT, "recorder, as its table names it"),
    Column("site", TEXT, "site, as its table numbers it"),
    Column("fold", pa.int32(), "fold of PTB-XL, by patient"),
    Column("statements", pa.list_(TEXT), "what readers stated and the superclasses of it; null where nothing is known"),
    Column("stages", pa.list_(TEXT), "stages of an infarct, among I, II and III, where readers named them"),
    Column("simulated", FLAG, "whether it was computed, not measured"),
    Column("fs", NUMBER, "sampling rate, Hz"),
    Column("duration_s", NUMBER, "length, s"),
    Column("r_s", pa.list_(SMALL), "R peaks, s"),
    Column("beat_kinds", pa.list_(TEXT), "kind of each beat"),
    Column("n_doubtful", pa.int32(), "leads of doubtful quality"),
    Column("n_unusable", pa.int32(), "unusable leads"),
    Column("examine_seconds", NUMBER, "time to read, delineate, measure and assess it"),
    *(Column(name, NUMBER, text) for name, text in VALUES.items()),
    *(Column(name, OF_LEADS, f"of each lead: {text}") for name, text in PER_LEAD.items()),
)
"""One row a recording."""

SCORE = pa.struct([("name", TEXT), *((name, NUMBER) for name in ("share", "excess", "excess_low", "excess_high"))])
HELD = pa.struct([("name", TEXT), ("share", NUMBER)])
FINDING = pa.struct(
    [
        *((name, TEXT) for name in ("criterion", "definition", "state")),
        *((name, NUMBER) for name in ("share", "area")),
        ("controls", pa.list_(HELD)),
    ]
)

ROWS: tuple[Column, ...] = (
    Column("record", TEXT, "the recording"),
    Column("label", TEXT, "what was explained"),
    Column("settings", TEXT, "digest of network, method, parameters, seeds and version; cohort.json spells it out"),
    Column("failure", TEXT, "the sentence with which this row failed; null where it did not"),
    Column("failure_reason", TEXT, "the same without names and numbers, to be counted"),
    Column("logit", NUMBER, "output for the label"),
    Column("probability", NUMBER, "its probability"),
    Column("threshold", NUMBER, "the network's threshold for the label"),
    Column("called", FLAG, "probability at or above the threshold"),
    Column("stated", FLAG, "whether readers stated the label; null where nobody knows"),
    Column("correct", FLAG, "called and stated, or neither; null where stated is"),
    Column("signed", FLAG, "whether the map tells supporting from opposing mass"),
    Column("resolution_ms", NUMBER, "width below which the map tells nothing about time"),
    Column("completeness_error", NUMBER, "by how much the map misses the change of the logit, where it promises that"),
    Column("explain_seconds", NUMBER, "time of map and controls; 0 where another label's map is the same"),
    Column("support", NUMBER, "supporting mass on the grid"),
    Column("oppose", NUMBER, "opposing mass on the grid"),
    Column("outside", NUMBER, "signed mass off the grid: support - oppose + outside is the sum of the map"),
    Column("outside_abs", NUMBER, "unsigned mass off the grid"),
    Column("pos", MATRIX, "supporting mass, lead x atom; null for a map without lead or time axis"),
    Column("neg", MATRIX, "opposing mass, lead x atom"),
    Column("atom_s", OF_ATOMS, "seconds of each atom within the map's window, all beats together"),
    Column("by_lead", OF_LEADS, "supporting share of each lead; null for a map without lead axis"),
    Column("by_atom", OF_ATOMS, "supporting share of each atom; null for a map without time axis"),
    Column("by_beat", pa.list_(SMALL), "supporting share of each beat"),
    Column("amplitude", MATRIX, "the control |x|: share of its mass, lead x atom"),
    Column("slope", MATRIX, "the control |dx/dt|: share of its mass, lead x atom"),
    Column("random", MATRIX, "the control of networks with random weights: mean share, lead x atom"),
    Column("n_random", pa.int32(), "random networks that this row was held against"),
    Column("region", MATRIX, "part of each cell in the guideline's primary region; null where it points nowhere"),
    Column("who", TEXT, "who calls the label: both, model only, criteria only, neither, not assessable"),
    Column("evidence", TEXT, "agrees, partly, disagrees, or not assessable"),
    Column("why", TEXT, "the sentence behind it"),
    Column("share", NUMBER, "supporting mass inside the region"),
    Column("area", NUMBER, "lead-seconds that the region covers: what an even spread would get"),
    Column("density", NUMBER, "share over area"),
    Column("support_share", NUMBER, "mass inside the supporting region, where it is no place of another criterion"),
    Column("contra_share", NUMBER, "mass where evidence would hint at a shortcut, in cells of no stronger region"),
    Column("best_control", TEXT, "the control with the largest share"),
    Column("excess", NUMBER, "share above that control"),
    Column("excess_low", NUMBER, "lower end of its 95 % interval over beats"),
    Column("excess_high", NUMBER, "upper end"),
    Column("p_time", NUMBER, "null test of time, over shifts against the beats"),
    Column("p_phase", NUMBER, "null test of time, over all shifts: at any phase of the beats"),
    Column("p_place", NUMBER, "null test of place"),
    Column("controls", pa.list_(SCORE), "share of each control, and the excess over it with its interval"),
    Column(
        "findings",
        pa.list_(FINDING),
        "each definition of the criteria; where met, the shares of map and controls in its own primary region",
    ),
)
"""One row a recording x model x label x method; model and method are in the names of the folders, as Hive has it."""


def schema(columns: tuple[Column, ...]) -> pa.Schema:
    """Return the Arrow schema of a table, which says what wrote it and what it is not for."""
    about = {"ecgviz": __version__, "format": str(FORMAT), "notice": NOTICE}
    return pa.schema([pa.field(each.name, each.type) for each in columns], metadata=about)
