"""YAML as text: tables of the program itself, and files of a user; and what is wrong with a field, in words."""

from collections.abc import Mapping
from typing import Any

import yaml

WANTED = {
    "model_type": "fields with their values are wanted here",
    "dict_type": "names with their values are wanted here",
}
"""What pydantic says with names of its own classes."""


def ours(text: str) -> Any:
    """Return what a table that ships with ecgviz holds, read by libyaml where PyYAML has it: in an eighth of the time.

    For nothing else: text that is nested some ten thousand deep ends the process there.
    """
    return yaml.load(text, Loader=yaml.CSafeLoader) if yaml.__with_libyaml__ else yaml.safe_load(text)


def theirs(text: str) -> Any:
    """Return what a user's text holds.

    Raises
    ------
    yaml.YAMLError
        When it is no YAML, gives a name twice in one place, or is nested too deep to be read.
    """
    try:
        return yaml.load(text, Loader=_Once)  # noqa: S506 - a safe loader
    except RecursionError as fault:
        raise yaml.YAMLError("it is nested too deep") from fault


class _Once(yaml.SafeLoader):
    """PyYAML's safe loader, but a name that is given twice is refused: the first would be lost without a word."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.composer.ComposerError(None, None, f"{key.value!r} is given twice", key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
        return node


def wrong_with(fault: Mapping[str, Any]) -> str:
    """Return what one of pydantic's faults says, in a user's words."""
    return WANTED.get(fault["type"]) or str(fault["msg"]).removeprefix("Value error, ")
