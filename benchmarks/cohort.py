"""How fast a cohort is explained: records a second by what is asked, scaling, memory, and a plain loop beside it.

Run it from the repository with one thread::

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/cohort.py
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/cohort.py --methods
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/cohort.py --records 64 --scaling
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/cohort.py --records 2000 --memory

Ratios are of CPU seconds of one core, which other work on the machine changes little; scaling is wall time and needs a
machine that does nothing else. The plain loop is what a user would write: neurokit2's defaults on each lead, Captum's
defaults on the network, a record at a time.
"""

import argparse
import resource
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import neurokit2 as nk
import numpy as np
import torch
from captum.attr import IntegratedGradients

from ecgviz.checkpoint import Model, available_models, load_model, model_input, predict, predict_many, tensors
from ecgviz.cohort.folder import recordings
from ecgviz.cohort.run import run_cohort
from ecgviz.cohort.work import TOGETHER
from ecgviz.explain import METHODS, applicable, attention, explain, explain_many
from ecgviz.pipeline import examine, findings_of
from ecgviz.records import load_record
from ecgviz.records.write import save_record
from ecgviz.simulate import simulate
from ecgviz.types import Beats, ModelInput, Record

LABEL = "MI"
LABELS = ("CD", "HYP", LABEL, "NORM", "STTC")
WORK = (
    ("attention", ("resnet1d", "imle_net"), ("attention_joint",)),
    ("attention, decomposition", ("imle_net",), ("attention_joint", "decomposition")),
    ("the same, input x gradient", ("imle_net",), ("attention_joint", "decomposition", "input_x_gradient")),
    ("the same, integrated gradients", ("imle_net",), ("attention_joint", "decomposition", "integrated_gradients")),
)


def cpu_s(work: Callable[[Record], object], records: Sequence[Record]) -> float:
    """Return CPU seconds a record; the first record is run once more before, to warm up."""
    work(records[0])
    started = time.process_time()
    for record in records:
        work(record)
    return (time.process_time() - started) / len(records)


def ours(model: Model) -> Callable[[Record], object]:
    """Return delineation, measurements, quality, prediction, attention and criteria of one record."""

    def run(record: Record) -> object:
        examined = examine(record)
        return (
            predict(model, record, examined.beats),
            attention(model, record, examined.beats),
            findings_of(examined, LABEL),
        )

    return run


def without_model(record: Record) -> object:
    """Return what no explained network takes part in: what a GPU for the networks leaves to the CPU."""
    return findings_of(examine(record), LABEL)


def plain(model: Model) -> Callable[[Record], object]:
    """Return the same of a loop with neurokit2's defaults: twelve leads cleaned, searched and delineated."""

    def run(record: Record) -> object:
        for lead in record.signal:
            cleaned = nk.ecg_clean(lead, sampling_rate=int(record.fs))
            peaks = nk.ecg_peaks(cleaned, sampling_rate=int(record.fs))[1]["ECG_R_Peaks"]
            nk.ecg_delineate(cleaned, peaks, sampling_rate=int(record.fs))
        return predict(model, record), attention(model, record, without_beats(record))

    return run


def without_beats(record: Record) -> Beats:
    """Return no beats: the networks that are asked here need none."""
    return Beats.none(record.leads, record.duration_s, "none", "not asked")


def captum_ig(model: Model) -> Callable[[Record], object]:
    """Return integrated gradients by Captum's defaults."""
    index = model.label_index(LABEL)

    def run(record: Record) -> object:
        x, arguments = tensors(model_input(model, record))

        def net(x: torch.Tensor) -> torch.Tensor:
            given = {k: None if v is None else v.expand(len(x), *v.shape[1:]) for k, v in arguments.items()}
            return model.net(x, **given)

        return IntegratedGradients(net).attribute(x, target=index)

    return run


def our_ig(model: Model) -> Callable[[Record], object]:
    """Return integrated gradients as ecgviz takes them, without delineation."""
    return lambda record: explain(model, record, LABEL, "integrated_gradients", without_beats(record))


def per_core(records: Sequence[Record]) -> None:
    """Print CPU seconds a record of ours and of the plain loop, and their ratio."""
    print(f"{'CPU seconds a record':44s} {'ours':>8s} {'plain':>8s} {'ratio':>7s}")
    print(f"{'waves, measurements, criteria alone':44s} {cpu_s(without_model, records):8.3f}")
    for name in ("resnet1d", "imle_net"):
        model = load_model(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            a, b = cpu_s(ours(model), records), cpu_s(plain(model), records)
            print(f"{name + ': predict, attention, waves, criteria':44s} {a:8.3f} {b:8.3f} {b / a:6.1f}x")
            some = records[:2]
            a, b = cpu_s(our_ig(model), some), cpu_s(captum_ig(model), some)
            print(f"{name + ': integrated gradients':44s} {a:8.3f} {b:8.3f} {b / a:6.1f}x")


def by_method(records: Sequence[Record]) -> None:
    """Print records a second and core of each method that explains several at a time, one by one and together."""
    examined = [examine(record) for record in records]
    beats = [each.beats for each in examined]
    print(f"{'records a second, one map each, no controls':44s} {'alone':>8s} {'together':>8s} {'gain':>7s}")
    for name in available_models():
        model = load_model(name)
        inputs = [model_input(model, each.record, each.beats) for each in examined]
        gain(f"{name}: prediction", partial(predict_many, model), inputs)
        for method in applicable(model):
            if METHODS[method].together is not None:
                asked = partial(explained, model, method)
                gain(f"{name}: {method}", asked, inputs, beats)


def explained(model: Model, method: str, inputs: Sequence[ModelInput], beats: Sequence[Beats]) -> object:
    """Return one map of each record."""
    return explain_many(model, inputs, LABEL, method, beats)


def gain(title: str, work: Callable[..., object], *given: Sequence[object]) -> None:
    """Print records a second of ``work`` on lists, one record at a time and all together."""

    def alone() -> None:
        for each in zip(*given, strict=True):
            work(*([one] for one in each))

    def together() -> None:
        work(*given)

    one, many = rate(alone, len(given[0])), rate(together, len(given[0]))
    print(f"{title:44s} {one:8.1f} {many:8.1f} {many / one:6.2f}x", flush=True)


def rate(work: Callable[[], object], n: int) -> float:
    """Return how many of n records a second of CPU time answers, the better of two runs."""
    seconds = []
    for _ in range(2):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return n / min(seconds)


def run_s(
    data: Path,
    out: Path,
    models: Sequence[str],
    methods: Sequence[str],
    labels: Sequence[str] = (LABEL,),
    **more: object,
) -> tuple[float, float]:
    """Return wall and CPU seconds of a run on new stores; CPU counts this process alone."""
    wall, cpu = time.perf_counter(), time.process_time()
    run_cohort(data, out, models=models, methods=methods, labels=list(labels), chunk=TOGETHER, **more)
    return time.perf_counter() - wall, time.process_time() - cpu


def by_work(data: Path, scratch: Path, n: int) -> None:
    """Print records a second and core of whole runs, controls and the store included."""
    heads = f"{'CPU s/rec':>9s} {'rec/s':>7s} {'KiB/row':>8s} {'CPU s/label more':>17s}"
    print(f"\n{'one process, one label, with controls':44s} {heads}")
    for number, (name, models, methods) in enumerate(WORK):
        out = scratch / f"work{number}"
        run_s(data, scratch / f"warm{number}", models, methods, jobs=1, limit=1)
        _, cpu = run_s(data, out, models, methods, jobs=1)
        rows = list(out.glob("rows/*/*/*.parquet"))
        size = sum(path.stat().st_size for path in rows) / 1024 / (n * len(methods))
        _, all_cpu = run_s(data, scratch / f"all{number}", models, methods, LABELS, jobs=1)
        more = (all_cpu - cpu) / (len(LABELS) - 1) / n
        print(f"{name + ', ' + models[-1]:44s} {cpu / n:9.3f} {n / cpu:7.2f} {size:8.1f} {more:17.3f}", flush=True)


def scaling(data: Path, scratch: Path, n: int, rounds: int) -> None:
    """Print records a second, by the clock, of one and two processes of joblib, and of one and two workers of Dask.

    Efficiency is from one to two of the same; Dask's client and scheduler run on the same cores as its workers. Beside
    both stands what the machine gives: two processes that know nothing of each other, on half of the records each. All
    take turns; rates and efficiencies are medians over rounds.
    """
    heads = "".join(f"{head:>9s}" for head in ("joblib 1", "2", "eff.", "Dask 1", "2", "eff.", "machine"))
    print(f"{'records a second by the clock, one label':44s}{heads}")
    for work, _, methods in (WORK[0], WORK[1], WORK[3]):
        found = []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(dir=scratch.parent) as stores:
                found.append(one_round(data, Path(stores), methods, n))
        columns = np.median(found, axis=0)
        print(f"{work:44s}{''.join(f'{value:9.2f}' for value in columns)}", flush=True)


def one_round(data: Path, scratch: Path, methods: Sequence[str], n: int) -> tuple[float, ...]:
    """Return rates with one and two and their efficiency, of joblib and of Dask, and the efficiency of strangers."""
    from distributed import LocalCluster

    def warm_rate(name: str, **how: object) -> float:
        run_s(data, scratch / f"{name} warm", ["imle_net"], methods, limit=2 * TOGETHER, **how)
        return n / run_s(data, scratch / name, ["imle_net"], methods, **how)[0]

    def on_dask(n_workers: int) -> float:
        with LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None) as cluster:
            return warm_rate(f"dask {n_workers}", scheduler=cluster.scheduler_address)

    one, two = (warm_rate(f"jobs {jobs}", jobs=jobs) for jobs in (1, 2))
    dask_one, dask_two = (on_dask(n_workers) for n_workers in (1, 2))
    machine = strangers(data, scratch, methods, n) / one / 2
    return one, two, two / one / 2, dask_one, dask_two, dask_two / dask_one / 2, machine


def strangers(data: Path, scratch: Path, methods: Sequence[str], n: int) -> float:
    """Return records a second of two processes at a time, each with half of the records and a store of its own."""
    halves = [scratch / f"half{part}" for part in range(2)]
    for part, half in enumerate(halves):
        half.mkdir()
        for path in sorted(data.glob("*.npz"))[part::2]:
            shutil.copy(path, half)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:

        def both(name: str, limit: int | None) -> float:
            started = time.perf_counter()
            outs = [scratch / f"{name} {half.name}" for half in halves]
            asked = [pool.submit(alone, half, out, methods, limit) for half, out in zip(halves, outs, strict=True)]
            for each in asked:
                each.result()
            return time.perf_counter() - started

        both("warm", TOGETHER)
        return n / both("strangers", None)


def alone(data: Path, out: Path, methods: Sequence[str], limit: int | None) -> None:
    """Fill a store in this process."""
    run_s(data, out, ["imle_net"], methods, jobs=1, limit=limit)


def memory(data: Path, scratch: Path) -> None:
    """Print the largest memory of this process after a tenth and after all of the records."""
    found = []
    n = len(recordings(data))
    for part in (max(1, n // 10), n):
        run_s(data, scratch / f"memory{part}", ["resnet1d"], ["input_x_gradient"], jobs=1, limit=part)
        found.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(f"\nmemory: {found[0]:.0f} MiB at most over the first tenth, {found[1]:.0f} MiB over all {n} records")


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3, help="of --scaling")
    parser.add_argument("--methods", action="store_true", help="only records a second by network and method")
    parser.add_argument("--scaling", action="store_true", help="only on two processes and two workers of Dask")
    parser.add_argument("--memory", action="store_true", help="only how much memory a worker takes")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        data, scratch = Path(folder) / "data", Path(folder) / "stores"
        for seed in range(asked.records):
            made = simulate(("normal", "lbbb", "inferior_stemi", "af")[seed % 4], seed=seed, fs=100.0, duration_s=10.0)
            save_record(made.record, data / f"{seed:05d}.npz")
        if asked.scaling:
            return scaling(data, scratch, asked.records, asked.rounds)
        if asked.memory:
            return memory(data, scratch)
        records = [load_record(path) for path in sorted(data.glob("*.npz"))]
        if asked.methods:
            return by_method(records)
        per_core(records)
        return by_work(data, scratch, asked.records)


if __name__ == "__main__":
    main()
