"""How long a 12-lead recording takes to be cleaned, delineated and measured, beside neurokit2's delineation alone.

Run it from the repository with one thread, on a machine that does nothing else::

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/delineation.py
    OMP_NUM_THREADS=1 ECGVIZ_DATA=... .venv/bin/python benchmarks/delineation.py --records 12 --repeats 7

Recordings are LUDB's (10 s, 500 Hz) where ``ECGVIZ_DATA`` names a folder that has them, else the shipped demo ones.
Both sides run in the same process and by turns, so that a busy machine slows both: ours is `condition`, `delineate`
and `measure`; theirs is what a user of neurokit2 takes instead, lead by lead: ``ecg_clean``, ``ecg_peaks`` and
``ecg_delineate(method="dwt")``, its defaults. A lead on which neurokit2 raises counts with the time until it did.
"""

import argparse
import cProfile
import os
import pstats
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import neurokit2 as nk
import numpy as np

from ecgviz.beats import delineate
from ecgviz.measure import measure
from ecgviz.records import demo_names, load_record
from ecgviz.signal import condition
from ecgviz.types import Record
from ecgviz.validate.marked import recordings

TARGET = 4.0
"""neurokit2's time over ours that we want at least."""
STAGES = ("condition", "delineate", "measure")
R_PEAKS = "beats/peaks.py"
"""What of `delineate` is spent in this module is the search for R peaks; the rest goes to waves and kinds."""


def chosen(n_records: int) -> list[Record]:
    """Return recordings spread evenly over what there is."""
    data = os.environ.get("ECGVIZ_DATA")
    folder = Path(data) / "ludb" if data else None
    if folder is not None and folder.is_dir():
        sources: list[str] = [str(path) for path in recordings(folder).values()]
    else:
        sources = [f"demo:{name}" for name in demo_names()]
    spread = np.unique(np.linspace(0, len(sources) - 1, min(n_records, len(sources))).round().astype(int))
    return [load_record(sources[k]) for k in spread]


def ours(record: Record) -> np.ndarray:
    """Return seconds of each of `STAGES` for one recording."""
    times = [perf_counter()]
    clean = condition(record)
    times.append(perf_counter())
    beats = delineate(clean)
    times.append(perf_counter())
    measure(clean, beats)
    times.append(perf_counter())
    return np.diff(times)


def theirs(record: Record) -> float:
    """Return seconds that neurokit2 takes for all leads of one recording."""
    start = perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in record.signal:
            clean = nk.ecg_clean(row, sampling_rate=record.fs)
            try:
                peaks = nk.ecg_peaks(clean, sampling_rate=record.fs)[1]["ECG_R_Peaks"]
                nk.ecg_delineate(clean, peaks, sampling_rate=record.fs, method="dwt")
            except (ArithmeticError, LookupError, TypeError, ValueError):
                continue
    return perf_counter() - start


def profiled(records: Sequence[Record]) -> pstats.Stats:
    """Return the profile of our side over all recordings."""
    profile = cProfile.Profile()
    profile.enable()
    for record in records:
        ours(record)
    profile.disable()
    return pstats.Stats(profile)


def within(stats: pstats.Stats, wanted: Callable[[str, str], bool]) -> float:
    """Return seconds spent in functions that ``wanted(file, name)`` picks, called from others than these."""
    total = 0.0
    for (file, _, name), entry in stats.stats.items():  # type: ignore[attr-defined]
        if wanted(file, name):
            total += sum(time[3] for (caller, _, called_by), time in entry[4].items() if not wanted(caller, called_by))
    return total


def shares(stats: pstats.Stats) -> dict[str, float]:
    """Return seconds of conditioning, R peaks, waves and measuring, in a profile."""

    def stage(name: str) -> float:
        return within(stats, lambda file, function: "ecgviz" in file and function == name)

    r_peaks = within(stats, lambda file, _: file.endswith(R_PEAKS))
    named = {name: stage(name) for name in STAGES}
    return {
        "condition": named["condition"],
        "R peaks": r_peaks,
        "waves and kinds": named["delineate"] - r_peaks,
        "measure": named["measure"],
    }


def main() -> None:
    """Time both sides and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=8, help="how many recordings")
    parser.add_argument("--repeats", type=int, default=5, help="how often each of them is timed")
    parser.add_argument("--top", type=int, default=12, help="how many functions of the profile are shown")
    asked = parser.parse_args()
    records = chosen(asked.records)
    for record in records[:2]:  # what is imported or loaded at the first call is not timed
        ours(record)
        theirs(record)
    mine = np.empty((len(records), asked.repeats, len(STAGES)))
    other = np.empty((len(records), asked.repeats))
    for repeat in range(asked.repeats):
        for k, record in enumerate(records):
            mine[k, repeat] = ours(record)
            other[k, repeat] = theirs(record)
    report(records, 1000 * np.median(mine, axis=1), 1000 * np.median(other, axis=1))
    show_profile(profiled(records), len(records), asked.top)


def report(records: Sequence[Record], mine_ms: np.ndarray, other_ms: np.ndarray) -> None:
    """Print medians over repeats of each recording, and over recordings: stages (R, 3) of ours, and theirs (R,)."""
    print(
        f"{'recording':<24}{'condition':>11}{'delineate':>11}{'measure':>11}{'ours':>11}{'neurokit2':>11}{'ratio':>8}"
    )
    total_ms = mine_ms.sum(axis=1)
    lines = [(record.id, *row) for record, row in zip(records, mine_ms, strict=True)]
    for (name, *stages), total, other in zip(lines, total_ms, other_ms, strict=True):
        print(f"{name:<24}" + "".join(f"{value:11.1f}" for value in (*stages, total, other)) + f"{other / total:8.1f}")
    middle = [*np.median(mine_ms, axis=0), np.median(total_ms), np.median(other_ms)]
    ratio = float(np.median(other_ms / total_ms))
    print(f"{'median, ms':<24}" + "".join(f"{value:11.1f}" for value in middle) + f"{ratio:8.1f}")
    threads = os.environ.get("OMP_NUM_THREADS", "as many as there are cores")
    verdict = "reached" if ratio >= TARGET else "not reached"
    print(f"neurokit2 over ours: {ratio:.1f} x; the target of {TARGET:g} x is {verdict} (threads: {threads})")


def show_profile(stats: pstats.Stats, n_records: int, top: int) -> None:
    """Print where our time goes: by stage, and the functions that take most themselves and with what they call."""
    found = shares(stats)
    whole = sum(found.values())
    print("\nwhere our time goes, under the profiler (which slows many small calls more than few large ones)")
    for name, seconds in found.items():
        print(f"  {name:<18}{1000 * seconds / n_records:8.1f} ms a recording  {100 * seconds / whole:5.1f} %")
    for title, column in (("by own time", 2), ("by time with what they call", 3)):
        print(f"\n{title}, ms and calls a recording")
        rows = sorted(stats.stats.items(), key=lambda item: item[1][column], reverse=True)  # type: ignore[attr-defined]
        for (file, line, name), entry in rows[:top]:
            place = "/".join(Path(file).parts[-2:]) + f":{line}" if line else "built in"
            print(f"  {1000 * entry[column] / n_records:8.2f}{entry[1] / n_records:9.0f}  {name}  {place}")


if __name__ == "__main__":
    main()
