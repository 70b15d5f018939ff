"""From a study's file to a study's folder: recordings are read, maps made, readers enrolled; whole or not at all."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecgviz.checkpoint import Model, load_model, predict
from ecgviz.checkpoint.folder import EXPORTED
from ecgviz.errors import EcgvizError, ReviewError
from ecgviz.explain import find_method
from ecgviz.records import load_record
from ecgviz.records.demo import PREFIX
from ecgviz.review import material
from ecgviz.review.design import REFERENCE, Condition, Item, conditions, item_id, lettered, turns
from ecgviz.review.founding import found
from ecgviz.review.material import Reading
from ecgviz.review.study import NONE, Study, StudyRecord
from ecgviz.types import Record

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Created:
    """A new study: its folder, the code of each reader (kept nowhere), and how many items and maps it has."""

    folder: Path
    codes: Mapping[str, str]
    n_items: int
    n_maps: int


def create(study: Study, base: Path, studies: Path, progress: Progress = lambda done, total: None) -> Created:
    """Make the folder of a study; every map that some reader will see is made now, with its controls.

    Parameters
    ----------
    study : Study
    base : Path
        What relative sources of recordings are relative to.
    studies : Path
        The folder of all studies; the new one is its subfolder named by the study's id.
    progress : callable
        Told how many maps are made, of how many.

    Raises
    ------
    EcgvizError
        When the study exists, a recording is refused or given twice, or a model lacks a label or cannot be asked by a
        method. Nothing is left behind.
    """
    folder = studies / study.id
    if folder.exists():
        raise ReviewError(f"there is a study {study.id} already; a new study needs a new id")
    models = {name: load_model(name) for name in study.models}
    choices = _conditions(study, models)
    readings = _readings(study, base)
    studies.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=studies, prefix=".new-") as scratch:
        made = Path(scratch) / study.id
        made.mkdir()
        items, order = _items(study, readings, models, choices)
        codes = found(made, _without_sources(study), items, order)
        n_maps = _keep_material(made, study, items, readings, models, progress)
        made.rename(folder)
    return Created(folder, codes, len(items), n_maps)


def _without_sources(study: Study) -> Study:
    """Return what is kept of a study: names of files can tell who somebody is."""
    records = [each.model_copy(update={"source": f"recording {n}"}) for n, each in enumerate(study.records, start=1)]
    return study.model_copy(update={"records": tuple(records)})


def _conditions(study: Study, models: Mapping[str, Model]) -> tuple[Condition, ...]:
    for model in models.values():
        strange = [label for label in study.labels if label not in model.labels]
        if strange:
            raise ReviewError(f"{model.name} knows no label {strange[0]!r}; it knows {', '.join(model.labels)}")
        for name in study.methods:
            why = find_method(name).why_not(model)
            if why:
                raise ReviewError(why)
        if "randomised" in study.arms and model.net_name == EXPORTED:
            raise ReviewError(f"{model.name} is an exported program, which has no random twin to show")
    attention = frozenset(name for name in study.methods if find_method(name).family == "attention")
    choices = conditions(study, attention)
    empty = [arm for arm in study.arms if arm not in {choice.arm for choice in choices}]
    if empty:
        raise ReviewError(f"none of the methods can fill the arm {empty[0]!r}")
    if study.rounds > len(choices):
        raise ReviewError(
            f"{study.rounds} rounds show each recording under {study.rounds} conditions, and there are {len(choices)}"
        )
    return choices


def _readings(study: Study, base: Path) -> list[Reading]:
    readings: list[Reading] = []
    for number, entry in enumerate(study.records, start=1):
        try:
            reading = material.reading_of(_loaded(entry, base))
        except EcgvizError as refusal:
            raise ReviewError(f"recording {number} of the study: {refusal}") from refusal
        if not len(reading.beats):
            raise ReviewError(f"recording {number} of the study has no beats: {reading.beats.reason}")
        if reading.record.key in {each.record.key for each in readings}:
            raise ReviewError(f"recording {number} of the study is the same as one before it")
        readings.append(reading)
    return readings


def _loaded(entry: StudyRecord, base: Path) -> Record:
    source = entry.source if entry.source.startswith(PREFIX) else str(base / entry.source)
    return load_record(source, fs=entry.fs, unit=entry.unit, age_years=entry.age_years, sex=entry.sex)


def _items(
    study: Study, readings: Sequence[Reading], models: Mapping[str, Model], choices: Sequence[Condition]
) -> tuple[list[Item], dict[str, list[str]]]:
    """Return every item that somebody reads, and each reader's order."""
    items: dict[str, Item] = {}
    order: dict[str, list[str]] = {}
    for name, places in turns(study, len(readings), len(choices)).items():
        made = [_item(study, n, readings[n], models, choices[choice]) for n, choice in places]
        items |= {item.item_id: item for item in made}
        order[name] = [item.item_id for item in made]
    open_to = [n for n, entry in enumerate(study.records) if entry.reference is None]
    plain = [_plain(study, n, readings[n]) for n in open_to]
    for reader in study.readers:
        if reader.role == "adjudicator":
            items |= {item.item_id: item for item in plain}
            order[reader.pseudonym] = [item.item_id for item in plain]
    return list(items.values()), order


def _item(study: Study, n: int, reading: Reading, models: Mapping[str, Model], choice: Condition) -> Item:
    model, record = models[choice.model], reading.record
    prediction = predict(model, record, reading.beats)
    top = study.labels[int(np.argmax([prediction.probability(each) for each in study.labels]))]
    label = top if choice.explained is None else study.labels[choice.explained]
    name = item_id(record.key, model.digest, label, choice.arm, choice.methods)
    return Item(
        name,
        record.key,
        record.id,
        _patient(study, n, record),
        study.records[n].reference,
        model.name,
        model.digest,
        top if prediction.positive(top) else NONE,
        label,
        choice.arm,
        lettered(name, choice.methods),
    )


def _plain(study: Study, n: int, reading: Reading) -> Item:
    """Return a recording as an adjudicator meets it: without a model."""
    record = reading.record
    name = item_id(record.key, "", "", REFERENCE, ())
    return Item(name, record.key, record.id, _patient(study, n, record), None, "", "", "", "", REFERENCE, ())


def _patient(study: Study, n: int, record: Record) -> str:
    return study.records[n].patient or f"record-{record.key[:12]}"


def _keep_material(
    folder: Path,
    study: Study,
    items: Sequence[Item],
    readings: Sequence[Reading],
    models: Mapping[str, Model],
    progress: Progress,
) -> int:
    """Write recordings and maps; return how many maps there are."""
    by_key = {reading.record.key: reading for reading in readings}
    for key, reading in by_key.items():
        material.keep(reading, folder, material.RECORDS, key[:16])
    asked = dict.fromkeys(
        (item.record_sha256, item.model, item.label, method) for item in items for method in item.methods
    )
    for done, (key, name, label, method) in enumerate(asked):
        progress(done, len(asked))
        model = models[name]
        controlled = model.net_name != EXPORTED
        shown = material.shown_by(model, by_key[key], label, method, controlled=controlled, seed=study.seed)
        material.keep(shown, folder, material.MAPS, material.map_id(key, model.digest, label, method))
    return len(asked)
