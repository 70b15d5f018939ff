"""Training of the delineating networks: those fitted to every record, and those of each fold of a cross-validation."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save

from ecgviz.beats.network import ALL
from ecgviz.errors import RecordError
from ecgviz.records.write import written_whole
from ecgviz.training.delineator.examples import Example, from_ludb, from_ptbxl, simulated
from ecgviz.training.delineator.fit import PLANS, Examples, Plan, fit

__all__ = ["PLANS", "Examples", "Plan", "fit", "train_delineator"]

N_FOLDS = 5
PER_FINDING = 20
"""Simulated recordings of each finding."""


def train_delineator(
    ludb: Path,
    ptbxl: Path,
    out: Path,
    seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
    device: str = "cpu",
) -> None:
    """Fit the networks to all of LUDB, and once without each fold, and write the weights that `delineate` uses.

    Every fifth recording, by number, is one fold; simulated recordings and PTB-XL's rhythm statements are in every fit.
    About 45 minutes for the two networks of a fit on one core.

    Parameters
    ----------
    ludb, ptbxl : Path
        The folders as PhysioNet publishes them.
    out : Path
        File to write, safetensors. The networks of the folds are written beside it, with "_folds" after its name;
        which has not seen which recording stands in that file's metadata.
    seed : int
        Of the first weights, the order of examples and their variation.
    say : callable
        Hears what is going on, a sentence at a time.
    device : str
        "cpu" or "cuda".

    Raises
    ------
    RecordError
        When a folder is not what it should be.
    """
    torch.set_num_threads(1)  # sums of one order: the same weights again
    numbers = sorted(int(path.stem) for path in (ludb / "data").glob("*.hea"))
    if not numbers:
        raise RecordError(f"{ludb}: this is no folder of LUDB: it has no recordings in data/")
    say(f"reading {len(numbers)} recordings of LUDB, PTB-XL's rhythms, and simulating")
    marked = {number: from_ludb(ludb, number) for number in numbers}
    with_p, without_p = from_ptbxl(ptbxl)
    others = Examples([], list(simulated(PER_FINDING)), with_p, without_p)
    held_out = {ALL: [], **{f"fold {k}": numbers[k::N_FOLDS] for k in range(N_FOLDS)}}
    tensors: dict[bool, dict[str, torch.Tensor]] = {True: {}, False: {}}
    for part, held in held_out.items():
        seen: list[Example] = [marked[number] for number in numbers if number not in held]
        for number, plan in enumerate(PLANS):
            net = fit(replace(others, marked=seen), plan, seed, _every(100, f"{part}, {number}", say), device=device)
            named = {f"{part}.{number}.{name}": tensor.contiguous() for name, tensor in net.state_dict().items()}
            tensors[part == ALL] |= named
    unseen = {part: [f"ludb-{number:03d}" for number in held] for part, held in held_out.items() if held}
    by_fold = save(tensors[False], {"held_out": json.dumps(unseen)})
    for path, stored in ((out.with_stem(f"{out.stem}_folds"), by_fold), (out, save(tensors[True]))):
        with written_whole(path) as unfinished:
            unfinished.write_bytes(stored)


def _every(steps: int, part: str, say: Callable[[str], None]) -> Callable[[int, float], None]:
    def heard(step: int, loss: float) -> None:
        if (step + 1) % steps == 0:
            say(f"{part}: step {step + 1}, loss {loss:.2f}")

    return heard
