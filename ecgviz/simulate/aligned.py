"""A healthy ECG with its R peaks at given times: what this recording would look like if every beat were normal."""

import numpy as np

from ecgviz.errors import SimulationError
from ecgviz.simulate.dipole import twelve
from ecgviz.simulate.patient import draw_patient
from ecgviz.simulate.render import r_delay_s, render
from ecgviz.simulate.request import Request
from ecgviz.simulate.rhythm import Rhythm
from ecgviz.types.arrays import FloatArray
from ecgviz.types.beats import steps_s

HEALTHY_BPM = (60.0, 100.0)
"""Hearts of other rates are no normal ECG; at other rates the beats of the nearest healthy heart are placed."""


def healthy_at(
    r_s: FloatArray,
    *,
    seed: int,
    fs: float,
    duration_s: float,
    sex: str | None = None,
    age_years: float | None = None,
    gaps_s: FloatArray | None = None,
) -> FloatArray:
    """Return a healthy patient's beat, placed at given R peaks: (12, N) mV, leads in the standard order.

    No noise, no breathing, no change from beat to beat: only QT follows the RR interval. Where beats lie close, their
    waves add. Each peak gets a P wave and a narrow QRS, whatever the beat there was.

    Parameters
    ----------
    r_s : FloatArray of shape (B,)
        R peaks in seconds, rising; those before 0 or after ``duration_s`` still leave their waves inside.
    seed : int
        Draws the patient; the same for every rate.
    fs, duration_s : float
        Rate in hertz, 100 to 1000, and length in seconds, 2 or more.
    sex, age_years
        Drawn when None.
    gaps_s : FloatArray of shape (G, 2), optional
        Spans of the recording that may hide a beat (`Beats.gaps_s`): no RR interval is counted across them.

    Raises
    ------
    SimulationError
        Without R peaks, or for arguments out of range.
    """
    if not r_s.size:
        raise SimulationError("a healthy beat can be placed at R peaks only, and there are none")
    rr = np.diff(r_s) if gaps_s is None else steps_s(r_s, gaps_s)
    known = rr[np.isfinite(rr)]
    usual_s = float(np.median(known)) if known.size else 60 / HEALTHY_BPM[0]
    rate_bpm = float(np.clip(60 / usual_s, *HEALTHY_BPM))
    request = Request("normal", seed, fs, duration_s, 1.0, rate_bpm, 0.0, sex, age_years)
    heart = draw_patient(request).healthy
    n = r_s.size
    none = np.zeros(n, dtype=bool)
    rhythm = Rhythm(
        qrs_on_s=r_s - r_delay_s(heart),
        rr_s=np.concatenate([[usual_s], np.where(np.isfinite(rr), rr, usual_s)]),
        ectopic=none,
        has_p=~none,
        lone_p_for_s=np.empty(0),
        turn=np.tile(np.eye(3), (n, 1, 1)),
        t_size=np.ones(n),
        t_width=np.ones(n),
    )
    layers = render(heart, rhythm, fs, request.n)
    return twelve(np.sum(list(layers.values()), axis=0))
