"""How states combine: three-valued logic with an unknown."""

from collections.abc import Sequence


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
    unknown = states.count("not_evaluable")
    worst, best = _ranked(states, needed, 0), _ranked(states, needed, unknown)
    return worst if worst == best else "not_evaluable"


def _ranked(states: Sequence[str], needed: int, unknown_met: int) -> str:
    """Return the ``needed``-th highest state, when so many of the unknown ones are met and the others not."""
    met = states.count("met") + unknown_met
    if met >= needed:
        return "met"
    return "borderline" if met + states.count("borderline") >= needed else "not_met"


def every(states: Sequence[str]) -> str:
    """Return the state of "all of these hold": the lowest, where what is unknown may be as low as not_met."""
    return next((state for state in ("not_met", "not_evaluable", "borderline") if state in states), "met")


def some(states: Sequence[str]) -> str:
    """Return the state of "one of these holds": the highest, where what is unknown may be as high as met."""
    return next((state for state in ("met", "not_evaluable", "borderline") if state in states), "not_met")


def negated(state: str) -> str:
    """Return the state of "this does not hold"; borderline and not_evaluable stay what they are."""
    return {"met": "not_met", "not_met": "met"}.get(state, state)


def definition_state(
    roles: Sequence[str], states: Sequence[str], alternatives_needed: int = 1, points: Sequence[int] = ()
) -> str:
    """Return the state of a published definition from the roles and states of its rules.

    All required rules hold, and alternatives (when there are any) of at least ``alternatives_needed`` points, and no
    excluding rule holds. Supporting rules never decide. ``points`` gives those of each rule; left out, each has one,
    so that alternatives are counted.
    """
    by_role = {role: [s for r, s in zip(roles, states, strict=True) if r == role] for role in set(roles)}
    parts = [*by_role.get("required", []), *(negated(state) for state in by_role.get("excluding", []))]
    if "alternative" in by_role:
        worth = zip(roles, states, points or (1,) * len(roles), strict=True)
        scored = [state for role, state, point in worth if role == "alternative" for _ in range(point)]
        parts.append(at_least(scored, alternatives_needed))
    return every(parts)
