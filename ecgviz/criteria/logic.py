"""How states combine: three-valued logic with an unknown."""

from collections.abc import Iterable, Mapping, Sequence

_NEGATED: Mapping[str, str] = {"met": "not_met", "not_met": "met"}


def at_least(states: Sequence[str], needed: int) -> str:
    """Return the state of "at least ``needed`` of these hold".

    States are ordered not_met < borderline < met, and the answer is the ``needed``-th highest: two leads are met
    when the second best is. A not_evaluable state may be anything: if the answer is the same whatever it were, that
    is the answer; otherwise the answer is not_evaluable. All must hold is ``needed = len(states)``, one is enough
    is ``needed = 1``; nothing needed is met, and more than there are is not_met.

    Parameters
    ----------
    states
        Each "met", "borderline", "not_met" or "not_evaluable".
    needed
        How many must hold.
    """
    if needed <= 0:
        return "met"
    if needed > len(states):
        return "not_met"
    if states.count(states[0]) == len(states):
        return states[0]
    unknown = states.count("not_evaluable")
    worst, best = _ranked(states, needed, 0), _ranked(states, needed, unknown)
    return worst if worst == best else "not_evaluable"


def densest(states: Sequence[str], times_s: Sequence[float], within_s: float, needed: int) -> list[int]:
    """Return which of the beats at ``times_s`` lie in the stretch of ``within_s`` that holds best, in `at_least`."""
    stretches = [[n for n, at in enumerate(times_s) if start <= at <= start + within_s] for start in times_s]
    order = ("not_met", "not_evaluable", "borderline", "met")
    return max(stretches, key=lambda some: order.index(at_least([states[n] for n in some], needed)), default=[])


def _ranked(states: Sequence[str], needed: int, unknown_met: int) -> str:
    """Return the ``needed``-th highest state, when so many of the unknown ones are met and the others not."""
    met = states.count("met") + unknown_met
    if met >= needed:
        return "met"
    return "borderline" if met + states.count("borderline") >= needed else "not_met"


def every(states: Sequence[str]) -> str:
    """Return the state of "all of these hold": the lowest, where what is unknown may be as low as not_met."""
    if "not_met" in states:
        return "not_met"
    if "not_evaluable" in states:
        return "not_evaluable"
    return "borderline" if "borderline" in states else "met"


def some(states: Sequence[str]) -> str:
    """Return the state of "one of these holds": the highest, where what is unknown may be as high as met."""
    if "met" in states:
        return "met"
    if "not_evaluable" in states:
        return "not_evaluable"
    return "borderline" if "borderline" in states else "not_met"


def negated(state: str) -> str:
    """Return the state of "this does not hold"; borderline and not_evaluable stay what they are."""
    return _NEGATED.get(state, state)


def definition_state(
    roles: Iterable[str], states: Iterable[str], alternatives_needed: int = 1, points: Sequence[int] = ()
) -> str:
    """Return the state of a published definition from the roles and states of its rules.

    All required rules hold, and alternatives (when there are any) of at least ``alternatives_needed`` points, and no
    excluding rule holds. Supporting rules never decide. ``points`` gives those of each rule; left out, each has one,
    so that alternatives are counted. Of ``states`` no more are drawn than the answer needs: one that must hold and does
    not is enough.
    """
    parts, scored = [], []
    for n, (role, state) in enumerate(zip(roles, states, strict=True)):
        if role in ("required", "excluding"):
            part = state if role == "required" else negated(state)
            if part == "not_met":
                return part
            parts.append(part)
        elif role == "alternative":
            scored += [state] * (points[n] if points else 1)
    if scored:
        parts.append(at_least(scored, alternatives_needed))
    return every(parts)
