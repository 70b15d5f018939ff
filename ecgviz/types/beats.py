"""Heart beats in seconds, and the wave segments (atoms) that each beat is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ecgviz.errors import InputError
from ecgviz.types.arrays import BoolArray, FloatArray, frozen

ATOMS = ("P", "PR", "QRSi", "QRSm", "QRSt", "ST", "T1", "T2", "TP")
"""The wave segments of one beat, in time order: the last axis of every evidence grid."""

WAVES: Mapping[str, tuple[str, ...]] = {
    "P": ("P",),
    "PR": ("PR",),
    "QRS": ("QRSi", "QRSm", "QRSt"),
    "ST": ("ST",),
    "T": ("T1", "T2"),
    "TP": ("TP",),
}
"""The waves a reader speaks of, as sums of atoms."""

MARKS = ("p_on", "p_off", "qrs_on", "qrs_off", "t_on", "t_off")
KINDS = ("normal", "premature_ventricular", "premature_atrial", "paced", "unsure")
ECTOPIC = ("premature_ventricular", "premature_atrial")
"""Kinds of beats that are no part of the basic rhythm: their RR intervals say nothing of its regularity."""

CUT_S = 0.010
"""A QRS complex that begins or ends this near to an end of the recording is cut by it."""
EXPECTED_P_S = 0.200
"""A beat without P wave keeps this much before its QRS (or less, from the T wave before) as the place of a P."""
QRS_END_S = 0.040
"""First and last part of the QRS complex; shorter complexes (< 80 ms) are cut in thirds."""
ST_LEAST_S = 0.080
"""ST is J to J + 80 ms at least, up to the middle of T: criteria measure it at J + 60 and J + 80 ms, and an elevated ST
runs into a T wave that has no onset of its own. Where no T wave was found, what follows is undelineated."""


def touching(starts_s: FloatArray, ends_s: FloatArray, gaps_s: FloatArray) -> BoolArray:
    """Return True for spans (...,) that one of ``gaps_s`` (G, 2) overlaps; False where a bound is NaN."""
    with np.errstate(invalid="ignore"):
        each = (starts_s[..., None] < gaps_s[:, 1]) & (ends_s[..., None] > gaps_s[:, 0])
    return np.asarray(each.any(axis=-1))


def steps_s(times_s: FloatArray, gaps_s: FloatArray) -> FloatArray:
    """Return the time from each of ``times_s`` (B,) to the next, (B - 1,); NaN where one of ``gaps_s`` lies between."""
    return np.where(touching(times_s[:-1], times_s[1:], gaps_s), np.nan, np.diff(times_s))


def cut_by_ends(on_s: FloatArray, off_s: FloatArray, duration_s: float) -> BoolArray:
    """Return True for QRS complexes (B,) that an end of a recording cuts; False where a bound is NaN."""
    with np.errstate(invalid="ignore"):
        return np.asarray((on_s < CUT_S) | (off_s > duration_s - CUT_S))


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats of one record; NaN = not there, or not found. All times in seconds from the record's start.

    ``r_s`` and the global marks (of the beat over all leads) have shape (B,). ``lead_marks`` holds the
    same six marks per lead, shape (L, B), rows as ``leads``; they serve measurement only. ``kind`` is one of `KINDS`
    a beat, ``edge`` True for beats that the start or the end of the recording, or a gap in it, cuts (none when left
    out). ``why_no_p`` says for each beat why it has no P wave ("" when it has one). ``extra_p_s`` are peaks of P waves
    that no QRS follows. ``gaps_s`` (G, 2) are the spans that no lead recorded and that are long enough to hide a beat:
    what lies in them is not known. ``edits`` tells in sentences which marks a reader moved or deleted. ``reason`` says
    why there are no beats at all ("" when there are some).

    Raises
    ------
    InputError
        For arrays that do not fit one another, or an unknown kind.
    """

    r_s: FloatArray
    p_on: FloatArray
    p_off: FloatArray
    qrs_on: FloatArray
    qrs_off: FloatArray
    t_on: FloatArray
    t_off: FloatArray
    kind: tuple[str, ...]
    duration_s: float
    leads: tuple[str, ...]
    lead_marks: Mapping[str, FloatArray] = field(default_factory=dict)
    why_no_p: tuple[str, ...] = ()
    extra_p_s: FloatArray = field(default_factory=lambda: np.empty(0))
    edge: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    gaps_s: FloatArray = field(default_factory=lambda: np.empty((0, 2)))
    edits: tuple[str, ...] = ()
    method: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        for name in ("r_s", "extra_p_s", "gaps_s", *MARKS):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "lead_marks", {k: frozen(v) for k, v in self.lead_marks.items()})
        edge = self.edge if np.size(self.edge) else np.zeros(self.r_s.size, dtype=bool)
        object.__setattr__(self, "edge", frozen(edge, np.bool_))
        self._check_shapes()

    def _check_shapes(self) -> None:
        if self.gaps_s.ndim != 2 or self.gaps_s.shape[1] != 2:
            raise InputError(f"gaps_s has shape {self.gaps_s.shape}, not (gaps, 2)")
        if self.r_s.ndim != 1 or self.edge.shape != self.r_s.shape:
            raise InputError(f"edge has shape {self.edge.shape}, R peaks {self.r_s.shape}, not (beats,)")
        for name in MARKS:
            if getattr(self, name).shape != self.r_s.shape:
                raise InputError(f"{name} has shape {getattr(self, name).shape}, R peaks {self.r_s.shape}")
        if len(self.kind) != self.r_s.size or not set(self.kind) <= set(KINDS):
            raise InputError(f"kind must hold one of {KINDS} for each of {self.r_s.size} beats")

    @classmethod
    def none(cls, leads: tuple[str, ...], duration_s: float, method: str, reason: str) -> "Beats":
        """Return the beats of a recording that has none, and why."""
        no_marks = {mark: np.empty((len(leads), 0)) for mark in MARKS}
        no = np.empty(0)
        return cls(no, no, no, no, no, no, no, (), duration_s, leads, no_marks, method=method, reason=reason)

    def __len__(self) -> int:
        return int(self.r_s.size)

    @property
    def rr_s(self) -> FloatArray:
        """RR intervals in seconds, shape (B - 1,); NaN across a gap, in which a beat may have been."""
        return steps_s(self.r_s, self.gaps_s)

    @property
    def dominant(self) -> BoolArray:
        """True for whole beats of the kind that most have, shape (B,): of normal ones where these are a third.

        In bigeminy there may be one premature beat more than others, and yet it is not the basic rhythm.
        """
        kinds = np.array(self.kind, dtype=object)
        whole = {kind: (kinds == kind) & ~self.edge for kind in KINDS}
        most = max(KINDS, key=lambda kind: int(whole[kind].sum()))
        if most in ECTOPIC and 3 * whole["normal"].sum() >= (~self.edge).sum():
            most = "normal"
        return whole[most]

    @property
    def ectopic(self) -> BoolArray:
        """True for premature beats, of the ventricles or the atria, shape (B,)."""
        return np.array([kind in ECTOPIC for kind in self.kind], dtype=bool)

    @property
    def cut_qrs(self) -> BoolArray:
        """True where the recording cuts the QRS complex, shape (B,): neither its width nor its R peak is known."""
        return cut_by_ends(self.qrs_on, self.qrs_off, self.duration_s)

    @property
    def p_absent(self) -> BoolArray:
        """True where a QRS was found without a P wave before it, shape (B,)."""
        return np.isnan(self.p_on) & ~np.isnan(self.qrs_on)

    @property
    def fused(self) -> BoolArray:
        """True where the next P begins before this T ends, so that neither can be judged, shape (B,)."""
        meeting = np.zeros(len(self), dtype=bool)
        if len(self) > 1:
            with np.errstate(invalid="ignore"):
                meeting[:-1] = self.t_off[:-1] > self.p_on[1:]
        return meeting

    def starts(self) -> FloatArray:
        """Start of each beat in seconds, shape (B,): its P onset, or where its P would be; NaN without a QRS."""
        starts = np.array(self.p_on)
        for b in np.flatnonzero(self.p_absent):
            before = self.t_off[b - 1] if b > 0 and not np.isnan(self.t_off[b - 1]) else 0.0
            starts[b] = min(max(before, self.qrs_on[b] - EXPECTED_P_S, 0.0), self.qrs_on[b])
        return starts

    def segments(self) -> FloatArray:
        """Start and end of every atom in seconds, shape (B, S, 2); NaN where an atom is absent.

        Claims go QRS, P, T: a T wave ends where the next beat begins. Without P wave the atom ``P`` holds the window
        where it was expected (`p_absent` tells) and ``PR`` is absent. ``ST`` is J to the T onset; where that comes
        within 80 ms, or no T was found, it is J to J + 80 ms (or to the middle of T). The ``TP`` of the last beat has
        no end and is absent. A beat without QRS marks has no atoms; an atom that a gap overlaps is absent.
        """
        spans = np.full((len(self), len(ATOMS), 2), np.nan)
        starts = self.starts()
        for b in np.flatnonzero(~np.isnan(self.qrs_on) & ~np.isnan(self.qrs_off)):
            following = starts[b + 1] if b + 1 < len(self) else np.nan
            edges = self._edges(int(b), float(starts[b]), float(following))
            for s, atom in enumerate(ATOMS):
                start, end = edges.get(atom, (np.nan, np.nan))
                if end > start:
                    spans[b, s] = start, end
        spans[touching(spans[..., 0], spans[..., 1], self.gaps_s)] = np.nan
        return spans

    def _edges(self, b: int, start: float, following: float) -> dict[str, tuple[float, float]]:
        on, off = float(self.qrs_on[b]), float(self.qrs_off[b])
        end = min(QRS_END_S, (off - on) / 3) if off - on < 2 * QRS_END_S else QRS_END_S
        limit = following if np.isfinite(following) else self.duration_s
        edges = {"QRSi": (on, on + end), "QRSm": (on + end, off - end), "QRSt": (off - end, off)}
        if np.isnan(self.p_on[b]):
            edges["P"] = (start, on)
        else:
            p_off = min(float(self.p_off[b]), on)
            edges |= {"P": (start, p_off), "PR": (p_off, on)}
        t_on, t_off = float(self.t_on[b]), min(float(self.t_off[b]), limit)
        if np.isnan(self.t_on[b]) or np.isnan(self.t_off[b]):
            edges["ST"] = (off, min(off + ST_LEAST_S, limit))
        else:
            middle = (t_on + t_off) / 2
            t_start = max(t_on, min(off + ST_LEAST_S, middle))
            edges |= {
                "ST": (off, t_start),
                "T1": (t_start, middle),
                "T2": (middle, t_off),
                "TP": (t_off, following),
            }
        return edges
