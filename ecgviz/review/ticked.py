"""Published criteria that a reader can tick as the reasons of a label."""

from collections.abc import Mapping

from ecgviz.criteria import for_label


def criteria_of(label: str) -> Mapping[str, str]:
    """Return the rules that speak for a label by id (ENTRY/definition/number), in words; none for an unknown label."""
    found: dict[str, tuple[str, str]] = {}
    for entry in for_label(label):
        for definition in entry.definitions:
            for number, rule in enumerate(definition.rules, start=1):
                if rule.form != "use" and rule.role in ("required", "alternative"):
                    found.setdefault(rule.text, (f"{entry.id}/{definition.key}/{number}", entry.name))
    return {name: f"{entry}: {text}" for text, (name, entry) in found.items()}
