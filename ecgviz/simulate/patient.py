"""Draw a patient who is healthy without the finding and shows it with it."""

from dataclasses import dataclass, replace

from ecgviz.simulate.heart import Heart, draw_heart
from ecgviz.simulate.limits import LIMITS, is_healthy
from ecgviz.simulate.planted import Planted, measure_heart
from ecgviz.simulate.request import Request

MAX_REDRAWS = 400


@dataclass(frozen=True, eq=False)
class Patient:
    """One heart ``healthy`` and with the finding (``heart``), what was planted in both, and how many were discarded.

    ``meets`` tells whether the finding's own published limits hold on ``planted``.
    """

    healthy: Heart
    heart: Heart
    planted: Planted
    twin_planted: Planted
    meets: bool
    redraws: int


def draw_patient(request: Request) -> Patient:
    """Return the first patient of the seed that fits.

    At a severity under 1 the finding may stay below its limits (`Patient.meets` tells); the healthy heart is always
    normal.

    Raises
    ------
    SimulationError
        When none of `MAX_REDRAWS` patients fits the rate, sex and age that were asked for.
    """
    for attempt in range(MAX_REDRAWS):
        healthy = _healthy(request, attempt)
        twin_planted = measure_heart(healthy)
        if not is_healthy(twin_planted, healthy):
            continue
        heart = _with_finding(request, healthy, attempt)
        planted = twin_planted if heart is healthy else measure_heart(heart)
        limits = LIMITS.get(request.finding)
        meets = limits is None or bool(limits(planted, heart))
        if meets or request.severity < 1:
            return Patient(healthy, heart, planted, twin_planted, meets, attempt)
    raise request.refusal(
        f"none of {MAX_REDRAWS} patients of this rate, sex and age (seed {request.seed}) is normal without the finding "
        "and meets its limits with it"
    )


def _healthy(request: Request, attempt: int) -> Heart:
    spec = request.spec
    healthy = draw_heart(
        request.stream("patient", attempt),
        request.stream("residual", attempt),
        ages=spec.ages,
        rates=spec.rates,
        alpha=spec.alpha,
        sex=request.sex,
        age_years=request.age_years,
        rate_bpm=None if spec.kind == "rate" else request.rate_bpm,
    )
    return spec.prepare(healthy) if spec.prepare is not None else healthy


def _with_finding(request: Request, healthy: Heart, attempt: int) -> Heart:
    spec = request.spec
    if spec.recipe is None:
        return healthy
    heart = spec.recipe(healthy, request.stream("finding", attempt), request.severity)
    if spec.kind == "rate" and request.rate_bpm is not None:
        heart = replace(heart, rate_bpm=request.rate_bpm)
    return heart
