"""YAML as text: tables of the program itself, and files of a user."""

from typing import Any

import yaml


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
        When it is no YAML, or nested too deep to be read.
    """
    try:
        return yaml.safe_load(text)
    except RecursionError as fault:
        raise yaml.YAMLError("it is nested too deep") from fault
