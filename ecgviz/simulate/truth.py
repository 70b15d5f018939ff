"""What is known of a simulated record because it was planted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ecgviz.records.leads import STANDARD_LEADS as LEADS
from ecgviz.types import Beats
from ecgviz.types.arrays import BoolArray, FloatArray, frozen


@dataclass(frozen=True)
class Cell:
    """One named place of planted evidence: what happens (``role``), in which leads, atoms and beats of `Truth.beats`.

    Roles: "absent_p", "f_waves", "interval", "ectopic", "coupling", "pause", "delayed_t", "delta".
    """

    role: str
    leads: tuple[str, ...]
    atoms: tuple[str, ...]
    beats: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Truth:
    """The truth of one simulated record.

    ``beats`` and ``twin_beats`` hold exact wave times. ``values`` and ``per_lead`` (each (12,), order of ``leads``)
    are the planted intervals and amplitudes of the noise-free beat, named as in `Measurements`; ``twin_values`` and
    ``twin_per_lead`` the healthy twin's. ``evidence`` (12, N) is the |difference| of the noise-free pair in mV, 0
    for a rate finding; ``layers`` the signed differences it is the sum of. ``mask`` (12, N) is the smallest set
    with 90 % of its energy, None for findings whose truth is ``cells``. ``meets`` tells whether the finding's own
    published numbers hold on the planted beat, ``redraws`` how many patients were drawn and discarded before this one.
    """

    finding: str
    severity: float
    seed: int
    leads: tuple[str, ...]
    beats: Beats
    twin_beats: Beats
    values: Mapping[str, float]
    per_lead: Mapping[str, FloatArray]
    twin_values: Mapping[str, float]
    twin_per_lead: Mapping[str, FloatArray]
    evidence: FloatArray
    layers: Mapping[str, FloatArray]
    mask: BoolArray | None
    cells: tuple[Cell, ...]
    meets: bool
    redraws: int
    guideline_leads: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "evidence", frozen(self.evidence))
        if self.mask is not None:
            object.__setattr__(self, "mask", frozen(self.mask, np.bool_))

    def share_in(self, leads: tuple[str, ...]) -> float:
        """Share of the planted evidence that lies in ``leads``; NaN when nothing was planted at a place."""
        total = float(self.evidence.sum())
        rows = [LEADS.index(lead) for lead in leads]
        return float(self.evidence[rows].sum()) / total if total > 0 else float("nan")


OF_P = ("p_ms", "pr_ms", "p_axis_deg", "ptf_v1_mv_ms")
"""Values that a record whose beats have no P wave does not have."""


def rhythm_values(planted: Mapping[str, float], beats: Beats) -> dict[str, float]:
    """Return the planted values with what the beats inside the record add; `OF_P` are NaN where no beat has a P wave.

    ``pr_ms``, ``qrs_ms`` and ``qt_ms`` stay those of the dominant beat at the mean rate; QTc is that QT at the record's
    own mean RR interval.
    """
    rr = 1000 * beats.rr_s
    has_p = ~np.isnan(beats.p_on)
    values = dict(planted)
    if rr.size:
        mean, sd = float(rr.mean()), float(rr.std())
        values |= {"rr_mean_ms": mean, "rate_bpm": 60000 / mean, "rr_sd_ms": sd, "rr_cv": sd / mean}
        values["rr_range_fraction"] = float(np.ptp(rr)) / mean
        values["qtc_bazett_ms"] = float(planted["qt_ms"] / np.sqrt(mean / 1000))
        values["qtc_fridericia_ms"] = float(planted["qt_ms"] / np.cbrt(mean / 1000))
    if not has_p.any():
        values |= dict.fromkeys(OF_P, np.nan)
    values["p_fraction"] = float(has_p.mean()) if has_p.size else float("nan")
    return values | {"n_beats": float(len(beats)), "n_ectopic": float(beats.ectopic.sum())}


def rhythm_per_lead(planted: Mapping[str, FloatArray], beats: Beats) -> dict[str, FloatArray]:
    """Return the planted amplitudes; that of P is NaN in every lead where no beat has a P wave."""
    no_p = np.isnan(beats.p_on).all()
    return dict(planted) | ({"p_mv": np.full(len(LEADS), np.nan)} if no_p else {})


def smallest_mask(evidence: FloatArray, energy: float = 0.90) -> BoolArray:
    """Return the smallest set of samples that holds ``energy`` of the sum of squares of ``evidence`` (L, N)."""
    flat = np.square(evidence).ravel()
    order = np.argsort(flat)[::-1]
    kept = np.cumsum(flat[order])
    count = int(np.searchsorted(kept, energy * kept[-1])) + 1 if kept[-1] > 0 else 0
    mask = np.zeros(flat.size, dtype=bool)
    mask[order[:count]] = True
    return mask.reshape(evidence.shape)


def named_cells(finding: str, beats: Beats) -> tuple[Cell, ...]:
    """Return where the evidence of a timing finding lies, as cells of the evidence grid."""
    every = tuple(range(len(beats)))
    atrial = ("II", "III", "aVF", "V1")
    if finding == "af":
        return (Cell("absent_p", LEADS, ("P",), every), Cell("f_waves", atrial, ("P", "TP"), every))
    if finding == "first_degree_av_block":
        return (Cell("interval", LEADS, ("P", "PR"), every),)
    if finding == "long_qt":
        return (Cell("delayed_t", LEADS, ("ST", "T1", "T2"), every),)
    if finding == "wpw":
        return (Cell("interval", LEADS, ("PR",), every), Cell("delta", LEADS, ("QRSi",), every))
    if finding != "pvc":
        return ()
    early = tuple(b for b in every if beats.ectopic[b])
    before = tuple(b - 1 for b in early if b > 0)
    waves = ("QRSi", "QRSm", "QRSt", "ST", "T1", "T2")
    return (
        Cell("ectopic", LEADS, waves, early),
        Cell("coupling", LEADS, ("TP",), before),
        Cell("pause", LEADS, ("TP",), early),
    )
