"""What readers are shown, made once when a study is created: recordings, predictions, maps and their controls.

A study then needs no network to be read, shows every reader the same, and can be scored years later. A recording keeps
its samples, leads, age and sex; its file's name, header and comments go nowhere.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from ecgviz.beats import delineate
from ecgviz.checkpoint import Model, predict
from ecgviz.errors import ReviewError
from ecgviz.evidence import evidence
from ecgviz.explain import explain, explain_controls
from ecgviz.pipeline.codec import decode, encode
from ecgviz.records.npz_file import DAMAGED
from ecgviz.review.audit import digest
from ecgviz.review.design import RANDOMISED, Item
from ecgviz.signal import condition
from ecgviz.types import Beats, EvidenceGrid, Explanation, Prediction, Record

RECORDS, MAPS = "records", "maps"
RANDOM = "random networks"
"""The control of `explain_controls` that a randomised arm shows one of."""
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Reading:
    """A recording as readers meet it, and the beats that marks are counted on."""

    record: Record
    beats: Beats


@dataclass(frozen=True, eq=False)
class Shown:
    """One map of one label by one model, what the model said, and what the map must beat.

    ``randomised`` is the same method on the same network with random weights; ``controls`` are those of
    `ecgviz.pipeline.analyse`. An exported program has neither.
    """

    prediction: Prediction
    label: str
    explanation: Explanation
    randomised: Explanation | None
    controls: Mapping[str, tuple[EvidenceGrid, ...]]


def reading_of(record: Record) -> Reading:
    """Return a recording without the statements that came with it, and with its beats."""
    bare = replace(record, codes=(), infarct_stages=())
    return Reading(bare, delineate(condition(bare)))


def shown_by(model: Model, reading: Reading, label: str, method: str, *, controlled: bool, seed: int) -> Shown:
    """Explain one label; raises EcgvizError when recording, label or method do not fit the model."""
    record, beats = reading.record, reading.beats
    explanation = explain(model, record, label, method, beats, seed=seed)
    maps = explain_controls(model, record, label, method, beats) if controlled else {}
    return Shown(
        predict(model, record, beats),
        label,
        explanation,
        maps[RANDOM][0] if RANDOM in maps else None,
        {name: tuple(evidence(each, beats) for each in some) for name, some in maps.items()},
    )


def map_id(record_sha256: str, model_sha256: str, label: str, method: str) -> str:
    """Return the name under which a map is kept."""
    return digest([record_sha256, model_sha256, label, method])[:16]


def maps_of(folder: Path, item: Item) -> tuple[Shown, ...]:
    """Return the maps of an item as its arm shows them: those of a randomised arm are of the random twin.

    That one is then none of the controls. Where it was the only random network, no map is left under that name, and
    its score is NaN.

    Raises
    ------
    ReviewError
        When the folder does not hold them.
    """
    found = [
        _kept(Shown, folder / MAPS / f"{map_id(item.record_sha256, item.model_sha256, item.label, method)}.npz")
        for method in item.methods
    ]
    return tuple(_randomised(each) if item.arm == RANDOMISED else each for each in found)


def _randomised(shown: Shown) -> Shown:
    if shown.randomised is None:
        raise ReviewError("the folder holds no map of a random network for this item")
    others = shown.controls.get(RANDOM, ())[1:]  # the first is the map that is shown now
    return replace(shown, explanation=shown.randomised, controls={**shown.controls, RANDOM: others})


def keep(value: Reading | Shown, folder: Path, kind: str, name: str) -> None:
    """Write a recording or a map into a study's folder."""
    arrays: dict[str, np.ndarray] = {}
    described = json.dumps(encode(value, "it", arrays), allow_nan=False).encode()
    place = folder / kind / f"{name}.npz"
    place.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(place, allow_pickle=False, described=np.frombuffer(described, np.uint8), **arrays)


def reading(folder: Path, record_sha256: str) -> Reading:
    """Return a recording of a study; raises ReviewError when the folder does not hold it."""
    return _kept(Reading, folder / RECORDS / f"{record_sha256[:16]}.npz")


def _kept(kind: type[T], path: Path) -> T:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        value: T = decode(kind, json.loads(arrays.pop("described").tobytes()), arrays)
    except FileNotFoundError as error:
        raise ReviewError(
            f"the study's folder holds answers and not what was read (no {path.parent.name}/{path.name}): it was "
            "imported without its recordings"
        ) from error
    except (KeyError, TypeError, *DAMAGED) as error:
        raise ReviewError(
            f"{path.parent.name}/{path.name} of the study is damaged ({type(error).__name__}: {error})"
        ) from error
    return value
