"""One way to look a thing up by name: ecgviz's own literal table first, then installed entry points.

Third parties add readers, networks and methods from their own package through the entry-point groups
``ecgviz.readers``, ``ecgviz.nets`` and ``ecgviz.methods``.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from ecgviz.errors import EcgvizError, said_by


def find(table: Mapping[str, Any], group: str, name: str) -> Any:
    """Return the entry ``name`` of ``table``, or of the entry-point group ``group`` (loaded only when named).

    Raises
    ------
    EcgvizError
        When neither has it; the message lists every name there is. When the package that offers it cannot be loaded;
        the message names both.
    """
    if name in table:
        return table[name]
    for point in _points(group, entry_points):
        if point.name == name:
            return _loaded(point)
    raise EcgvizError(f"there is no {name!r} here; known are {', '.join(available(table, group))}")


def available(table: Mapping[str, Any], group: str) -> tuple[str, ...]:
    """Return all names: the table's in its order, then those of installed packages."""
    return (*table, *(point.name for point in _points(group, entry_points) if point.name not in table))


@lru_cache(maxsize=16)
def _points(group: str, read: Callable[..., Iterable[EntryPoint]]) -> tuple[EntryPoint, ...]:
    """Return what installed packages offer, read once a process: it takes 20 ms, and every page asks."""
    return tuple(read(group=group))


def _loaded(point: EntryPoint) -> Any:
    """Return what an entry point names; whatever its package raises on the way is one refusal."""
    try:
        return point.load()
    except Exception as fault:
        package = point.dist.name if point.dist is not None else point.module
        raise EcgvizError(
            f"{point.name!r} ({point.group}) of the installed package {package} cannot be loaded "
            f"({said_by(fault)}): mend or uninstall that package"
        ) from fault


DESCRIPTION = "model.json"
"""In the folder of a model: what it is."""
OWN_MODELS = "ECGVIZ_MODELS"
"""The variable in which the dashboard finds folders of models beside the shipped ones, separated as in PATH."""
_DEFAULT_MODEL = "imle_net"


def models_folder() -> Path:
    """Return the folder of the shipped models, which holds one for each."""
    return shipped("models")


def model_folders() -> Mapping[str, Path]:
    """Return the folder of each model by its name: the shipped ones, and those that the dashboard was started with."""
    own = [Path(folder) for folder in os.environ.get(OWN_MODELS, "").split(os.pathsep) if folder]
    found = {folder.name: folder for folder in own}
    return found | {path.parent.name: path.parent for path in models_folder().glob(f"*/{DESCRIPTION}")}


def available_models() -> tuple[str, ...]:
    """Names of the shipped models, and of those that the dashboard was started with, sorted."""
    return tuple(sorted(model_folders()))


def default_model() -> str | None:
    """Return the model to start with: the one that shows attention on all levels, else the first; None without any."""
    names = available_models()
    return _DEFAULT_MODEL if _DEFAULT_MODEL in names else next(iter(names), None)


def shipped(name: str) -> Path:
    """Return the path of a shipped folder or file ("models", "app.py", "pages").

    In a wheel these travel inside the package (``ecgviz/_app``); in a checkout they lie beside it.
    """
    package = Path(__file__).resolve().parent
    inside = package / "_app" / name
    return inside if inside.exists() else package.parent / name
