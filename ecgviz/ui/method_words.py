"""Names of methods, and sentences about their maps: how fine and how complete one is, and what it cannot tell."""

from ecgviz.errors import EcgvizError
from ecgviz.explain import find_method
from ecgviz.explain.attention import cannot_tell
from ecgviz.figures.style import percent
from ecgviz.types import Explanation
from ecgviz.ui.wording import readable
from ecgviz.ui.words import duration


def method_name(method: str) -> str:
    """Return a method's name for readers, also of an installed package; a trivial map has its own."""
    try:
        return find_method(method).title
    except EcgvizError:
        return method


def explanation_facts(explanation: Explanation) -> str:
    """Return what was explained and how, how fine it is in time, its baseline, and whether it adds up."""
    method = find_method(explanation.method)
    name, definition = method.title, method.definition
    whose = "the same for every label" if explanation.label is None else f"logit of {explanation.label}"
    finest = f"Finest time it can tell: {duration(explanation.resolution_s)}." if explanation.has_time else ""
    parts = [f"{name} ({whose}): {definition}.", finest or "It tells leads apart, not times."]
    error = explanation.completeness_error
    if error == error:
        parts.append(
            f"Completeness error {100 * error:.2g} % (how far the map is from adding up to the logit's change)."
        )
    else:
        parts.append("This method does not promise to add up to the logit.")
    if missing := explanation.params.get("not_stated"):
        parts.append(f"The patient's {missing} is not stated: the network's stand-in for an unknown one looked.")
    return " ".join([*parts, *_baseline(explanation)])


def _baseline(explanation: Explanation) -> list[str]:
    """Return against what a map was made, and the network's output there: a baseline that fires is not neutral."""
    said = explanation.params
    if "baseline" not in said or "baseline_logit" not in said:
        return []
    fires = ", ".join(said.get("fires_at_baseline", ()))
    neutral = f"it fires {fires}: not neutral" if fires else "it fires no label"
    return [f"Baseline {readable(str(said['baseline']))}: logit {said['baseline_logit']:+.2f} there, and {neutral}."]


def habit(explanation: Explanation) -> str:
    """Return how much of an attention map the network's habit holds already, and what the rest cannot tell."""
    overlap = explanation.params["prior_overlap"]
    parts = ", ".join(f"{name} {percent(share)}" for name, share in overlap.items())
    return " ".join(
        [f"Orange: more than is its habit. The habit holds of this map: {parts}.", *cannot_tell(explanation)]
    )
