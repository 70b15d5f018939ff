"""When a planted heart is healthy, and when it shows its finding: the published numbers, on the noise-free beat.

Limits: Thygesen et al. 2018 (infarction), Surawicz et al. 2009 (conduction), Rautaharju et al. 2009 (ST-T, QT),
Hancock et al. 2009 (hypertrophy). A small margin is kept so that a measurement with noise still falls on the same side.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise

from ecgviz.records.leads import STANDARD_LEADS as LEADS
from ecgviz.simulate.heart import Heart
from ecgviz.simulate.planted import Planted

CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
CONTIGUOUS = (*pairwise(CHEST), ("aVL", "I"), ("II", "aVF"), ("aVF", "III"), ("II", "III"))
Q_GROUPS = (("I", "aVL"), CHEST, ("II", "III", "aVF"))


def _pair(planted: Planted, test: Callable[[str], bool], leads: tuple[str, ...] = LEADS) -> bool:
    return any(test(a) and test(b) for a, b in CONTIGUOUS if a in leads and b in leads)


def elevation_limit_mv(lead: str, sex: str, age_years: float) -> float:
    """ST elevation limit at the J point: V2 and V3 depend on sex and age, 0.1 mV elsewhere."""
    if lead not in ("V2", "V3"):
        return 0.10
    return 0.15 if sex == "female" else (0.20 if age_years >= 40 else 0.25)


def elevated(planted: Planted, heart: Heart, leads: tuple[str, ...] = LEADS, margin: float = 1.0) -> bool:
    """ST elevation in two contiguous leads of ``leads``; aVR is not used."""

    def up(lead: str) -> bool:
        return bool(planted.lead("j_mv", lead)[0] >= margin * elevation_limit_mv(lead, heart.sex, heart.age_years))

    return _pair(planted, up, leads)


def depressed(planted: Planted, leads: tuple[str, ...] = LEADS, limit_mv: float = 0.05) -> bool:
    """Horizontal or downsloping ST depression in two contiguous leads: at J and not less 60 ms later (to 0.02 mV)."""

    def down(lead: str) -> bool:
        j, later = planted.lead("j_mv", lead)[0], planted.lead("st80_mv", lead)[0]
        return bool(j <= -limit_mv and later <= j + 0.02)

    return _pair(planted, down, leads)


def inverted(planted: Planted, leads: tuple[str, ...] = LEADS, limit_mv: float = 0.10) -> bool:
    """T at least 0.1 mV negative in two contiguous leads with a prominent R or R/S > 1."""

    def down(lead: str) -> bool:
        r = planted.lead("r_mv", lead)[0]
        return bool(planted.lead("t_mv", lead)[0] <= -limit_mv and r > max(planted.lead("s_mv", lead)[0], 0.1))

    return _pair(planted, down, leads)


def q_waves(planted: Planted, leads: tuple[str, ...] = LEADS, share: float = 1.05) -> int:
    """Count leads with a pathological Q in the best contiguous group.

    In V2 and V3 over 20 ms or QS, elsewhere 30 ms and 0.1 mV or QS; V1 is not counted. ``share`` scales both limits.
    """

    def deep(lead: str) -> bool:
        mv, ms, qs = (float(planted.lead(n, lead)[0]) for n in ("q_mv", "q_ms", "qs"))
        limit_ms = 20 if lead in ("V2", "V3") else 30
        return bool(qs) or (ms > share * limit_ms and mv > share * (0.1 if limit_ms == 30 else 0.0))

    return max(sum(deep(lead) for lead in group if lead in leads and lead != "V1") for group in Q_GROUPS)


def sokolow_mv(planted: Planted) -> float:
    """S in V1 plus the larger R of V5 and V6."""
    return float(_negative(planted, "V1") + planted.lead("r_mv", "V5", "V6").max())


def cornell_mv(planted: Planted) -> float:
    """R in aVL plus S in V3."""
    return float(planted.lead("r_mv", "aVL")[0] + _negative(planted, "V3"))


def _negative(planted: Planted, lead: str) -> float:
    """Depth of S, or of QS."""
    return float(planted.lead("s_mv", lead)[0] or planted.lead("q_mv", lead)[0] * planted.lead("qs", lead)[0])


def is_healthy(planted: Planted, heart: Heart) -> bool:
    """Tell whether this is a normal adult ECG: no criterion of any finding is near."""
    v = planted.values
    male = heart.sex == "male"
    r, s, t = planted.per_lead["r_mv"], planted.per_lead["s_mv"], planted.per_lead["t_mv"]
    row = LEADS.index
    tall = r[row("V4")] > r[row("V1")] and r[row("V1")] >= 0.03 and r[row("V2")] >= 0.1
    upright = all(t[row(lead)] >= 0.06 for lead in ("I", "II", "V3", "V4", "V5", "V6"))
    return bool(
        tall
        and upright
        and -25 <= v["qrs_axis_deg"] <= 88
        and s[row("V1")] >= 0.12
        and s[row("V2")] >= 0.25
        and r[row("V1")] < min(0.6, s[row("V1")])
        and sokolow_mv(planted) < 3.3
        and cornell_mv(planted) < (2.6 if male else 1.85)
        and r[row("aVL")] < 1.0
        and s.max() + s[row("V4")] < (2.65 if male else 2.2)
        and r[row("I")] >= 0.15
        and r[row("V5")] > s[row("V5")]
        and r[row("V6")] > max(s[row("V6")], 0.4)
        and max(s[row("V5")], s[row("V6")]) < 0.6
        and 350 <= v["qtc_bazett_ms"] < (440 if male else 450)
        and not elevated(planted, heart, margin=0.85)
        and not depressed(planted, limit_mv=0.03)
        and not inverted(planted, limit_mv=0.07)
        and not q_waves(planted, share=0.75)
        and planted.per_lead["p_mv"][row("II")] >= 0.05
        and planted.per_lead["p_mv"][row("I")] >= 0.03
        and planted.per_lead["p_mv"][row("aVF")] >= 0.03
    )


def _lbbb(p: Planted, h: Heart) -> bool:
    no_q = (p.lead("q_mv", "I", "V5", "V6") < 0.02).all()
    late = (p.lead("r_peak_ms", "V5", "V6") > 62).all()
    down = all(_negative(p, lead) > 3 * p.lead("r_mv", lead)[0] for lead in ("V1", "V2"))
    upright = (p.lead("r_mv", "I", "aVL", "V5", "V6") > 2 * p.lead("s_mv", "I", "aVL", "V5", "V6")).all()
    notched = p.lead("notch", "I", "aVL", "V5", "V6").sum() >= 3 and p.lead("notch", "I", "V6").all()
    return bool(
        no_q and late and down and upright and notched and p.values["qrs_ms"] >= (131 if h.sex == "female" else 141)
    )


def _rbbb(p: Planted, h: Heart) -> bool:
    wide_s = (p.lead("s_ms", "I", "V6") > 42).all() and (p.lead("s_mv", "I", "V6") > 0.1).all()
    v1 = p.lead("r2_mv", "V1")[0] > max(p.lead("r_mv", "V1")[0], 0.2) and p.lead("r_mv", "V1")[0] >= 0.04
    return bool(wide_s and v1 and p.lead("s_mv", "V1")[0] >= 0.05 and p.values["qrs_ms"] >= 138)


def _lafb(p: Planted, h: Heart) -> bool:
    qr = p.lead("q_mv", "aVL")[0] >= 0.05 and p.lead("r_mv", "aVL")[0] > 4 * p.lead("s_mv", "aVL")[0]
    rs = (p.lead("r_mv", "II", "III", "aVF") >= 0.04).all() and (
        p.lead("s_mv", "III", "aVF") > p.lead("r_mv", "III", "aVF")
    ).all()
    axis = -80 <= p.values["qrs_axis_deg"] <= -52
    return bool(qr and rs and axis and p.lead("r_peak_ms", "aVL")[0] >= 47 and p.values["qrs_ms"] < 94)


def _lvh(p: Planted, h: Heart) -> bool:
    strain = (p.lead("t_mv", "V5", "V6") < -0.08).all()
    return bool(strain and sokolow_mv(p) >= 3.65 and p.values["qrs_ms"] < 118 and p.values["qrs_axis_deg"] > -30)


def _rvh(p: Planted, h: Heart) -> bool:
    r1, s1 = p.lead("r_mv", "V1")[0], p.lead("s_mv", "V1")[0]
    return bool(
        r1 >= 0.75 and r1 > 1.2 * s1 and 95 <= p.values["qrs_axis_deg"] <= 150 and p.lead("s_mv", "V5")[0] >= 0.3
    )


def _wpw(p: Planted, h: Heart) -> bool:
    return bool(p.values["pr_ms"] <= 104 and p.values["qrs_ms"] >= 132)


def _long_qt(p: Planted, h: Heart) -> bool:
    over = p.values["qtc_fridericia_ms"] - (450 if h.sex == "male" else 460)
    return bool(over >= 25 and p.values["qtc_bazett_ms"] >= (495 if h.sex == "male" else 505))


def _st_depression(p: Planted, h: Heart) -> bool:
    return depressed(p, ("V4", "V5", "V6"), 0.08) and depressed(p, limit_mv=0.08)


INFERIOR, ANTERIOR, LATERAL = ("II", "III", "aVF"), ("V1", "V2", "V3", "V4"), ("I", "aVL", "V5", "V6")

LIMITS: Mapping[str, Callable[[Planted, Heart], bool]] = {
    "inferior_stemi": lambda p, h: bool(
        (p.lead("j_mv", *INFERIOR) >= 0.14).sum() >= 2 and p.lead("j_mv", "aVL")[0] <= -0.06
    ),
    "anterior_stemi": lambda p, h: elevated(p, h, ("V2", "V3", "V4"), 1.3),
    "lateral_stemi": lambda p, h: bool(
        (p.lead("j_mv", *LATERAL) >= 0.13).sum() >= 3 and (p.lead("j_mv", "I", "aVL") >= 0.14).all()
    ),
    "old_inferior_mi": lambda p, h: q_waves(p, INFERIOR) >= 2,
    "old_anterior_mi": lambda p, h: (
        q_waves(p, ("V2", "V3", "V4")) >= 2 and bool(p.lead("qs", "V2")[0]) and -30 <= p.values["qrs_axis_deg"] <= 95
    ),
    "old_lateral_mi": lambda p, h: (
        q_waves(p, ("I", "aVL")) == 2
        and q_waves(p, ("V5", "V6")) == 2
        and q_waves(p, ("I", "aVL", "V5", "V6"), 1.2) == 2
        and p.values["qrs_axis_deg"] < 95
    ),
    "st_depression": _st_depression,
    "t_inversion": lambda p, h: inverted(p, limit_mv=0.13),
    "lbbb": _lbbb,
    "rbbb": _rbbb,
    "lafb": _lafb,
    "first_degree_av_block": lambda p, h: p.values["pr_ms"] >= 210,
    "lvh": _lvh,
    "rvh": _rvh,
    "long_qt": _long_qt,
    "wpw": _wpw,
    "sinus_tachycardia": lambda p, h: p.values["rate_bpm"] >= 103,
    "sinus_bradycardia": lambda p, h: p.values["rate_bpm"] <= 57,
}
"""What the planted beat must show at severity 1 and above; rhythm findings are checked on their RR intervals."""
