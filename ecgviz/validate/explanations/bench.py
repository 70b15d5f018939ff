"""The planted-truth bench: every method on every network and finding, with the maps that it must beat beside it.

What is done is kept in the folder, one file for each network, finding and method; a run that was cut off goes on from
there, and gives the table that an unbroken run gives.
"""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import ecgviz
from ecgviz.checkpoint import Model, model_input
from ecgviz.checkpoint.folder import EXPORTED
from ecgviz.errors import EcgvizError, ExplanationError, SimulationError
from ecgviz.explain import METHODS, explain, explain_controls, find_method
from ecgviz.explain.controls import trivial_maps
from ecgviz.simulate import FINDINGS
from ecgviz.types import Explanation
from ecgviz.types.arrays import FloatArray
from ecgviz.validate.explanations.scores import SCORES, chance, score_map
from ecgviz.validate.explanations.screen import PATIENTS_PER_RECORD, Screened, judged, screen
from ecgviz.validate.explanations.truth import PlantedCase, label_of, planted_case, why_not_simulated, without_place

RECORDS = 100
"""Records that count, for each network, finding and method."""
RANDOM_NETWORKS = 2
"""Networks with fresh weights; records take turns, so that a control costs one map a record."""
SHIFTS = 2
"""Circular shifts of a method's own map, a tenth to nine tenths of the record long; their scores are averaged."""
CONTROLS = ("|x|", "|dx/dt|", "random networks", "shifted copies")
MAPS = ("map", *CONTROLS)
FOLDER = "parts"
MEANING = 3
"""Raised whenever stored scores would mean something else: parts of another meaning are made anew."""


@dataclass(frozen=True, eq=False)
class Part:
    """What was found for one network, finding and method: n records explained, M `MAPS`, K `SCORES`.

    ``scores`` (n, M, K) and ``chance`` (n, K) are NaN where a map has no answer; ``seconds`` (n,) is what the map alone
    took, ``resolution_s`` (n,) below which it tells nothing about time. ``refusals`` are the sentences with which the
    method or a control refused a record, each once. ``screened`` are all patients, ``explained`` the numbers of the n.
    """

    model: Model
    finding: str
    label: str
    method: str
    screened: Screened
    explained: tuple[int, ...]
    scores: FloatArray
    chance: FloatArray
    seconds: FloatArray
    resolution_s: FloatArray
    refusals: tuple[str, ...]


def run_bench(
    models: Sequence[Model],
    out: Path,
    *,
    methods: Sequence[str] = (),
    findings: Sequence[str] = (),
    records: int = RECORDS,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Part], list[str]]:
    """Score methods on simulated records of known evidence, for each network and each finding that it speaks of.

    Twice ``records`` patients are simulated for each finding, and the network is asked with and without it. The first
    ``records`` of those that count (`Screened`) are explained, and a few of the others, to be scored apart. R peaks and
    waves are the planted ones throughout. Equal arguments give equal scores.

    Parameters
    ----------
    models : sequence of Model
    out : Path
        Folder of what is done already; made when it is not there.
    methods, findings : names of `METHODS` and `FINDINGS`
        All of them when empty. A method that does not apply to a network, and a finding without a place or without a
        label, is left out with a sentence; so are a network for which no record can be simulated, and a finding that
        cannot be had at its rate and length.
    records : int
        Records to explain of each finding.
    seed : int
        Chooses the patients, and starts whatever a method draws.
    progress : called with the number of records explained and to explain.

    Returns
    -------
    list of Part, list of str
        The results, and a sentence for all that was left out.

    Raises
    ------
    ExplanationError
        For fewer than one record, a seed below 0, or an unknown finding.
    EcgvizError
        For an unknown method.
    """
    if records < 1:
        raise ExplanationError(f"--records {records}: at least one record is needed")
    if seed < 0:
        raise ExplanationError(f"a seed is 0 or more, not {seed}")
    if unknown := sorted(set(findings) - set(FINDINGS)):
        raise ExplanationError(f"there is no finding {unknown[0]!r} to plant; known are {', '.join(FINDINGS)}")
    chosen = [(name, find_method(name)) for name in methods or METHODS]
    wanted = findings or tuple(FINDINGS)
    left_out = [why for finding in wanted if (why := without_place(finding))]
    benches: list[tuple[_Bench, list[str]]] = []
    for model in models:
        if why := why_not_simulated(model):
            left_out.append(why)
            continue
        left_out += [f"{name}: {why}" for name, method in chosen if (why := method.why_not(model))]
        valid = [name for name, method in chosen if not method.why_not(model)]
        for finding in (finding for finding in wanted if not without_place(finding)):
            label = label_of(model, finding)
            if label is None:
                left_out.append(f"{finding}: {model.name} has no label that speaks of it")
                continue
            benches.append((_Bench(model, finding, label, out / FOLDER / model.name, records, seed), valid))
    parts, refused = _parts(benches, progress)
    return parts, list(dict.fromkeys(left_out + refused))


def _parts(
    benches: Sequence[tuple["_Bench", Sequence[str]]], progress: Callable[[int, int], None]
) -> tuple[list[Part], list[str]]:
    """Return the results of each bench and its methods, and a sentence for each finding that cannot be simulated."""
    parts: list[Part] = []
    refused: list[str] = []
    done, total = 0, sum(len(methods) for _, methods in benches)

    def so_far(n: int, of: int) -> None:
        progress(done * of + n, total * of)

    for bench, methods in benches:
        try:
            for method in methods:
                parts.append(bench.part(method, so_far))
                done += 1
        except SimulationError as refusal:
            refused.append(f"{bench.model.name}: {refusal}")
            total -= len(methods)
    return parts, refused


@dataclass(frozen=True, eq=False)
class _Bench:
    """One network and one finding."""

    model: Model
    finding: str
    label: str
    folder: Path
    records: int
    seed: int

    def part(self, method: str, progress: Callable[[int, int], None]) -> Part:
        """Return the results of one method, from the folder where they are there."""
        n = PATIENTS_PER_RECORD * self.records
        numbers = [n * self.seed + k for k in range(n)]
        asked = self._kept("screen", lambda: {"logits": screen(self.model, self.label, self.finding, numbers)})
        screened = judged(self.model, self.label, asked["logits"])
        explained = screened.explained(self.records)
        found = self._kept(method, lambda: self._explained(method, [numbers[k] for k in explained], progress))
        progress(len(explained), len(explained))
        return Part(
            model=self.model,
            finding=self.finding,
            label=self.label,
            method=method,
            screened=screened,
            explained=tuple(explained),
            scores=found["scores"],
            chance=found["chance"],
            seconds=found["seconds"],
            resolution_s=found["resolution_s"],
            refusals=tuple(str(sentence) for sentence in found["refusals"]),
        )

    def _explained(
        self, method: str, numbers: Sequence[int], progress: Callable[[int, int], None]
    ) -> dict[str, np.ndarray]:
        n = len(numbers)
        scores, by_chance = np.full((n, len(MAPS), len(SCORES)), np.nan), np.full((n, len(SCORES)), np.nan)
        seconds, resolution_s = np.full(n, np.nan), np.full(n, np.nan)
        refusals: dict[str, None] = {}
        for row, number in enumerate(numbers):
            progress(row, n)
            case = planted_case(self.finding, number, self.model.spec)
            try:
                started = time.perf_counter()
                found = explain(self.model, case.record, self.label, method, case.beats, seed=self.seed)
                seconds[row] = time.perf_counter() - started
                maps = self._controls(method, case, found, number)
            except EcgvizError as refusal:
                refusals[str(refusal)] = None
                continue
            resolution_s[row] = found.resolution_s
            by_chance[row] = list(chance(found, case).values())
            scores[row, 0] = list(score_map(found, case).values())
            for column, control in enumerate(CONTROLS, start=1):
                several = [list(score_map(each, case).values()) for each in maps.get(control, ())]
                if several:
                    scores[row, column] = np.mean(several, axis=0)
        return {
            "scores": scores,
            "chance": by_chance,
            "seconds": seconds,
            "resolution_s": resolution_s,
            "refusals": np.array(list(refusals), dtype=np.str_),
        }

    def _controls(
        self, method: str, case: PlantedCase, found: Explanation, number: int
    ) -> Mapping[str, Sequence[Explanation]]:
        """Return the maps that ``found`` must beat; an exported program has no random networks."""
        shifted = {"shifted copies": shifted_copies(found, np.random.default_rng([self.seed, number]))}
        if self.model.net_name == EXPORTED:
            trivial = trivial_maps(model_input(self.model, case.record, case.beats), found)
            return {name: (each,) for name, each in trivial.items()} | shifted
        one = (number % RANDOM_NETWORKS,)
        return explain_controls(self.model, case.record, self.label, method, case.beats, seeds=one) | shifted

    def _kept(self, name: str, make: Callable[[], Mapping[str, np.ndarray]]) -> Mapping[str, np.ndarray]:
        """Return arrays from the folder, made and written there when they are not; a file is whole or not there."""
        plan = [MEANING, ecgviz.__version__, self.model.digest, self.finding, self.label, name, self.records, self.seed]
        key = hashlib.sha256(json.dumps(plan).encode()).hexdigest()[:12]
        path = self.folder / f"{self.finding}-{name}-{key}.npz"
        if not path.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".part-") as scratch:
                whole = Path(scratch) / path.name
                np.savez(whole, allow_pickle=False, **make())
                os.replace(whole, path)
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}


def shifted_copies(found: Explanation, rng: np.random.Generator) -> tuple[Explanation, ...]:
    """Return a map moved around its own record, all leads together; none for a map without time axis."""
    n = found.values.shape[1]
    if not found.has_time:
        return ()
    steps = rng.integers(n // 10, n - n // 10, size=SHIFTS)
    return tuple(replace(found, values=np.roll(found.values, int(step), axis=1)) for step in steps)
