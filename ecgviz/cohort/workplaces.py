"""Where chunks are worked out: in processes of this machine, or by the workers of a Dask cluster."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import Any

from joblib import Parallel, delayed, parallel_config

from ecgviz.cohort.work import Chunk, Done, run_chunk
from ecgviz.errors import CohortError

ANSWER_S = 5
"""A scheduler that does not answer within this time is not there; so often it is asked whether workers are."""
APPEAR_S = 30
"""A cluster that has no worker for a task after this time will have none: adaptive ones start them when asked."""
LOOK_S = 0.2
ENDED = "was ended from outside, perhaps for want of memory"
STAYS = "what was written stays"
GONE = f"the Dask scheduler is gone: {STAYS}, and the same call goes on once it is back"

Workplace = Callable[[Sequence[Chunk]], Iterator[Done]]
"""Yields what each chunk gave, as it comes; raises `CohortError` when a worker is ended from outside."""


@contextmanager
def workplace(jobs: int, scheduler: str | None, resources: Mapping[str, float] | None) -> Iterator[Workplace]:
    """Open ``jobs`` processes of this machine, or a cluster whose workers offer ``resources``.

    Raises
    ------
    CohortError
        When the extra for clusters is not installed, the scheduler does not answer, or no worker offers these.
    """
    if scheduler is None:
        yield partial(_here, jobs)
        return
    try:
        from distributed import Client
    except ImportError as missing:
        raise CohortError("--scheduler needs Dask: pip install 'ecgviz[cluster]'") from missing
    try:
        client = Client(scheduler, timeout=ANSWER_S)
    except (OSError, ValueError, TimeoutError) as problem:
        raise CohortError(f"no Dask scheduler answers at {scheduler}") from problem
    with client:
        offered = dict(resources or {})
        asks_adaptive_ones = client.submit(os.getpid, pure=False, resources=offered or None)
        _await_worker(client, offered)
        asks_adaptive_ones.release()
        yield partial(_there, client, offered)


def _here(jobs: int, chunks: Sequence[Chunk]) -> Iterator[Done]:
    with parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1):
        try:
            yield from Parallel(return_as="generator_unordered")(delayed(run_chunk)(one) for one in chunks)
        except BrokenProcessPool as ended:
            raise CohortError(
                f"a worker {ENDED}; call again with fewer --jobs or a smaller --chunk: {STAYS}"
            ) from ended


def _there(client: Any, resources: Mapping[str, float], chunks: Sequence[Chunk]) -> Iterator[Done]:
    """Give every chunk to the cluster, however few workers it has: joblib would keep the work of one to itself."""
    from distributed import KilledWorker

    waiting = set(client.map(run_chunk, chunks, pure=False, resources=resources or None))
    try:
        while waiting:
            ready = _first_done(client, waiting, resources)
            waiting -= ready
            yield from (done.result() for done in ready)
    except KilledWorker as ended:
        raise CohortError(
            f"workers of the cluster died over one task; one {ENDED}, and their logs may say why. Call again with a "
            f"smaller --chunk: {STAYS}"
        ) from ended
    except CancelledError as gone:
        raise CohortError(GONE) from gone
    finally:
        client.cancel(list(waiting))


def _first_done(client: Any, waiting: set[Any], resources: Mapping[str, float]) -> set[Any]:
    """Return those of the tasks that are done, once some are.

    Raises
    ------
    CohortError
        When the scheduler goes, or the last worker that they could be given to.
    """
    from distributed import wait

    while True:
        try:
            return set(wait(waiting, timeout=ANSWER_S, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            try:
                _await_worker(client, resources, f"; {STAYS}, and the same call goes on once there are some")
            except OSError as gone:
                raise CohortError(GONE) from gone


def _await_worker(client: Any, resources: Mapping[str, float], comfort: str = "") -> None:
    """Return once a worker offers ``resources``, busy or not.

    Raises
    ------
    CohortError
        When none does after `APPEAR_S`: tasks would wait for ever. ``comfort`` is what it says besides.
    """
    until = time.monotonic() + APPEAR_S
    while True:
        offered = [worker["resources"] for worker in client.scheduler_info(n_workers=-1)["workers"].values()]
        if any(all(each.get(name, 0) >= least for name, least in resources.items()) for each in offered):
            return
        if time.monotonic() > until:
            wanted = " and ".join(f"{name} {least:g}" for name, least in resources.items())
            raise CohortError(
                f"none of the cluster's {len(offered)} workers offers {wanted}{comfort}"
                if offered
                else f"the Dask scheduler has no workers: start some with `dask worker` and its address{comfort}"
            )
        time.sleep(LOOK_S)
