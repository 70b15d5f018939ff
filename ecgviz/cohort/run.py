"""Explain a folder of recordings into a store: on the cores of this machine, or on a Dask cluster."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ecgviz.checkpoint import Model, load_model, on_device
from ecgviz.cohort.files import done_rows, held_keys, opened_to_write
from ecgviz.cohort.folder import Recording, place_of_ids, rate_of, recordings
from ecgviz.cohort.settings import Settings, labels_of, read_method, settings_of, try_params, why_not
from ecgviz.cohort.store import Cohort
from ecgviz.cohort.work import Ask, Chunk, Done
from ecgviz.cohort.workplaces import workplace
from ecgviz.errors import CohortError
from ecgviz.registry import model_folders, models_folder

FEWEST, MOST = 32, 1000
"""Recordings a task, at least and at most: what a killed run loses for each worker."""
FILES = 64
"""Files of a network and method that a store is meant to have: each costs every question half a millisecond."""


def run_cohort(
    data: str | Path,
    out: str | Path,
    *,
    models: Sequence[str],
    methods: Sequence[str],
    labels: Sequence[str] = (),
    fs: int | None = None,
    limit: int | None = None,
    chunk: int | None = None,
    random_networks: int = 1,
    seed: int = 0,
    device: str = "cpu",
    jobs: int = -1,
    scheduler: str | None = None,
    resources: Mapping[str, float] | None = None,
    progress: Callable[[Done, int], None] = lambda done, total: None,
) -> Done:
    """Explain every recording of a folder with every network and method, and keep the answers in a store.

    What the store holds already is not worked out again, so a run that was cut off goes on, and one that asks for
    another method, network, label or more recordings works out only these. A recording, network or method that fails
    is a row with its reason, and counts as done. So does a recording of which the store has a row, and whose file is
    another one now.

    Parameters
    ----------
    data, out : str or Path
        Folder of recordings, and the store, made when it is not there. Workers of a cluster must see both.
    models : names of shipped models, or model folders
    methods : str
        ``NAME`` or ``NAME:key=value,...``; see `read_method`.
    labels : str
        Labels to explain; of each network those that it has. Its superclasses when none is named.
    fs : int or None
        Which of PTB-XL's files: 100 or 500.
    limit : int or None
        Only so many recordings, the first by id.
    chunk : int or None
        Recordings a task; by their number (`chunk_of`) when none is given.
    random_networks : int
        Random networks that each map is held against; `analyse` takes five.
    seed : int
        Of the null tests and whatever a method draws.
    device : str
        Where each worker has its networks, "cpu" or "cuda"; recordings are read and examined on its CPU.
    jobs : int
        Processes on this machine, -1 for all cores.
    scheduler : str or None
        Address of a Dask scheduler, which then takes the place of processes on this machine.
    resources : mapping or None
        What a worker of the cluster must offer to be given a task, such as {"GPU": 1}.
    progress : called with what is done, and the number of recordings that are open

    Returns
    -------
    Done
        What this run worked out.

    Raises
    ------
    EcgvizError
        For a folder, model, method, parameter, label or store that cannot be what is asked; nothing is written then.
        When a worker is ended from outside, or the scheduler goes; what was written stays.
    """
    data, out = Path(data), Path(out)
    if (chunk is not None and chunk < 1) or (limit is not None and limit < 1):
        raise CohortError("--chunk and --limit are 1 or more")
    if jobs == 0 or jobs < -1:
        raise CohortError(f"--jobs is 1 or more, or -1 for one a core, not {jobs}")
    if resources and scheduler is None:
        raise CohortError("--resource is what a worker of a cluster must offer: name its --scheduler, or leave it out")
    loaded = {name: load_model(name) for name in dict.fromkeys(models)}
    if scheduler is None and device != "cpu":
        for model in loaded.values():
            on_device(model, device)
    asked, left_out = _asked(loaded, methods, labels, random_networks, seed, device, rate_of(data, fs))
    found = recordings(data, fs)[:limit]
    with (
        workplace(jobs, scheduler, resources) as worked_out,
        opened_to_write(out, [settings for settings, _, _ in asked], place_of_ids(data)),
    ):
        owner = os.getpid() if scheduler is None else None
        chunks = list(_open_chunks(data, out, found, asked, chunk or chunk_of(len(found)), owner))
        total, done = sum(len(each.recordings) for each in chunks), Done(left_out=left_out)
        progress(done, total)
        for each in worked_out(chunks):
            done.add(each)
            progress(done, total)
        done.in_store = Cohort(out).failed()
    return done


def chunk_of(n_recordings: int) -> int:
    """Return how many recordings a task has: a 64th of all, at least 32 and at most 1000."""
    return min(max(FEWEST, -(-n_recordings // FILES)), MOST)


def _asked(
    models: Mapping[str, Model],
    methods: Sequence[str],
    labels: Sequence[str],
    random_networks: int,
    seed: int,
    device: str = "cpu",
    fs: int | None = None,
) -> tuple[list[tuple[Settings, str, tuple[str, ...]]], tuple[str, ...]]:
    """Return settings, source and labels of every network with every method that applies, and why others do not.

    Raises
    ------
    CohortError
        When nothing is asked or nothing applies, a label is of no network, or two models have one name.
    """
    if not (models and methods):
        raise CohortError("name at least one --model and one --method")
    if len({model.name for model in models.values()}) < len(models):
        raise CohortError("two of the models have the same name, by which the store keeps them apart")
    if unknown := [label for label in labels if not any(label in model.labels for model in models.values())]:
        raise CohortError(f"none of the models predicts {unknown[0]!r}")
    named = [read_method(text) for text in methods]
    if len({each.method for each in named}) < len(named):
        raise CohortError("a method is named twice; a store holds each with one set of parameters")
    asked, left_out = [], []
    for name, model in models.items():
        if not (told := labels_of(model, labels)):
            left_out.append(f"{model.name} predicts none of {', '.join(labels)}")
            continue
        for each in named:
            if reason := why_not(model, each):
                left_out.append(reason)
                continue
            settings = settings_of(model, each, random_networks=random_networks, seed=seed, device=device, fs=fs)
            try_params(model, each)
            asked.append((settings, _source(name), told))
    if not asked:
        raise CohortError(f"nothing is left to ask: {'; '.join(left_out)}")
    return asked, tuple(left_out)


def _source(name: str) -> str:
    """Return a model's folder as every worker can find it; a shipped model keeps its name."""
    folder = model_folders().get(name, Path(name)).resolve()
    return name if folder.parent == models_folder().resolve() else str(folder)


def _open_chunks(
    data: Path,
    out: Path,
    found: Sequence[Recording],
    asked: Sequence[tuple[Settings, str, tuple[str, ...]]],
    size: int,
    owner: int | None,
) -> Iterator[Chunk]:
    """Yield recordings in chunks by their id, with what is not done of them."""
    slices = [found[start : start + size] for start in range(0, len(found), size)]
    held = held_keys(out)
    done = [
        done_rows(out, settings, [[(each.id, label) for each in some for label in labels] for some in slices])
        for settings, _, labels in asked
    ]
    for some in slices:
        asks = []
        for (settings, source, labels), answered in zip(asked, done, strict=True):
            missing = {
                each.id: tuple(label for label in labels if label not in answered.get(each.id, ())) for each in some
            }
            asks.append(Ask(settings, source, {name: left for name, left in missing.items() if left}))
        asks = [ask for ask in asks if ask.labels]
        left = tuple(each for each in some if each.id not in held or any(each.id in ask.labels for ask in asks))
        if left:
            keys = {each.id: held[each.id] for each in left if each.id in held}
            yield Chunk(str(out.resolve()), str(data.resolve()), left, tuple(asks), keys, owner)
