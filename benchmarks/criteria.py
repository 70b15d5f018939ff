"""How fast the whole catalogue is held against one recording, beside asking each of its rules by itself.

Run it from the repository with one thread, on a machine that does nothing else::

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/criteria.py
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/criteria.py --finding lbbb --rounds 200

Three sides run in one process by turns, so that a busy machine slows all of them; times are of the processor, the
shortest of all rounds.

1. `ecgviz.criteria.evaluate_all`: the state of every definition. Rules that ask the same are asked once, and no more
   of a definition's rules than its state needs.
2. The same, and then every sentence, number and region of every finding, as a report of everything would.
3. Every rule of every definition by itself, with its sentence at once: what `evaluate_all` did before it shared
   answers between rules and left sentences to whoever reads them.
"""

import argparse
from collections.abc import Callable, Sequence
from time import process_time

from ecgviz.beats import delineate
from ecgviz.criteria import evaluate_all, load
from ecgviz.criteria.judged import Patient
from ecgviz.criteria.rules import evaluate_rule
from ecgviz.measure import measure
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.types import Beats, Measurements

TARGET_MS = 5.0
"""What we want the first to take at most."""


def read_all(measured: Measurements, beats: Beats, age: float | None, sex: str | None) -> int:
    """Evaluate every definition and read all there is to read; return how many characters that is."""
    found = evaluate_all(measured, beats, age_years=age, sex=sex)
    return sum(len(one.why) + len(one.rules) + len(one.regions) for one in found)


def rule_by_rule(measured: Measurements, beats: Beats, age: float | None, sex: str | None) -> int:
    """Evaluate every rule of every definition by itself; return how many there are."""
    rules = [rule for entry in load().entries.values() for one in entry.definitions for rule in one.resolved]
    patient = Patient(measured, age, sex, beats)
    for rule in rules:
        evaluate_rule(rule, patient, "", lambda _: "not_met")
    return len(rules)


def milliseconds(run: Callable[[], object]) -> float:
    """Return how long a call keeps the processor, in milliseconds."""
    start = process_time()
    run()
    return 1000 * (process_time() - start)


def main(argv: Sequence[str] | None = None) -> None:
    """Print the three times, and the first beside its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finding", default="inferior_stemi", help="what the simulated recording shows")
    parser.add_argument("--rounds", type=int, default=100, help="turns of the three sides")
    options = parser.parse_args(argv)
    record = simulate(options.finding, seed=1, fs=500.0, duration_s=10.0).record
    clean = condition(record)
    beats = delineate(clean)
    measured, age, sex = measure(clean, beats), record.age_years, record.sex
    entries = load().entries.values()
    definitions = [one for entry in entries for one in entry.definitions]
    print(f"{len(entries)} entries, {len(definitions)} definitions, {sum(len(d.rules) for d in definitions)} rules")
    sides: dict[str, Callable[[], object]] = {
        "states of all definitions": lambda: evaluate_all(measured, beats, age_years=age, sex=sex),
        "with every sentence and region": lambda: read_all(measured, beats, age, sex),
        "rule by rule": lambda: rule_by_rule(measured, beats, age, sex),
    }
    taken = {name: [milliseconds(run) for run in (side,) * 2][1:] for name, side in sides.items()}
    for _ in range(options.rounds):
        for name, side in sides.items():
            taken[name].append(milliseconds(side))
    for name, times in taken.items():
        print(f"{name}: {min(times):.1f} ms")
    first, _, last = (min(times) for times in taken.values())
    print(f"rule by rule over states: {last / first:.1f}; target at most {TARGET_MS:g} ms: {first <= TARGET_MS}")


if __name__ == "__main__":
    main()
