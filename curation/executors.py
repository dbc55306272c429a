"""Where shards run: inline, in a pool of processes, or on a Dask cluster.

An executor takes picklable jobs and gives each one's result, or `None` where the worker died twice on it. The order
of results is any; what is made of them must not depend on it.
"""

from __future__ import annotations

import atexit
import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeVar

from threadpoolctl import threadpool_limits

from catalog.config import Config
from catalog.errors import UsageError

J = TypeVar("J")
R = TypeVar("R")

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}
"""A worker is one core: the libraries' own threads would only wait for each other."""


class Executor(Protocol):
    """Runs a function over jobs."""

    workers_count: int

    def run(self, function: Callable[[J], R], jobs: Iterable[J]) -> Generator[tuple[J, R | None]]:
        """Yield every job with its result, or with None where its worker died, tried alone a second time too.

        An exception that the function raises is raised here.
        """
        ...


class InlineExecutor:
    """Runs in this process; for tests, and to step through with a debugger."""

    workers_count = 1

    def run(self, function: Callable[[J], R], jobs: Iterable[J]) -> Generator[tuple[J, R | None]]:
        """See `Executor.run`; a job that kills its worker kills the caller."""
        # On one thread, as workers are: how a product is shared among threads may change its last bit.
        with threadpool_limits(1):
            for job in jobs:
                yield job, function(job)


class ProcessExecutor:
    """Runs in worker processes of this machine, each on one thread.

    Args:
        workers_count: processes; 0 means the cores this process may use.
    """

    def __init__(self, workers_count: int = 0) -> None:
        self.workers_count = workers_count or len(os.sched_getaffinity(0))

    def run(self, function: Callable[[J], R], jobs: Iterable[J]) -> Generator[tuple[J, R | None]]:
        """See `Executor.run`. When a worker dies, the jobs that ran then are suspects and run alone afterwards."""
        waiting = list(jobs)
        suspects: list[J] = []
        with _environment(ONE_THREAD):
            while waiting:
                yield from self._run_together(function, waiting, suspects)
            for job in suspects:
                yield job, self._run_alone(function, job)

    def _run_together(
        self, function: Callable[[J], R], waiting: list[J], suspects: list[J]
    ) -> Iterator[tuple[J, R | None]]:
        """Work `waiting` off until it is empty or the pool breaks."""
        running: dict[Future[R], J] = {}
        with _pool(min(self.workers_count, len(waiting))) as pool:
            try:
                while waiting or running:
                    # Few more than there are workers: a broken pool makes suspects of all that it held.
                    while waiting and len(running) < self.workers_count + 1:
                        running[pool.submit(function, waiting[0])] = waiting[0]
                        waiting.pop(0)
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        result = future.result()
                        yield running.pop(future), result
            except BrokenProcessPool:
                suspects.extend(running.values())

    def _run_alone(self, function: Callable[[J], R], job: J) -> R | None:
        # Twice: it may have become a suspect by running beside the one that died, or by a kill from outside.
        for _ in range(2):
            with _pool(1) as pool:
                try:
                    return pool.submit(function, job).result()
                except BrokenProcessPool:
                    continue
        return None


@contextmanager
def _pool(workers_count: int) -> Iterator[ProcessPoolExecutor]:
    """Keep worker processes while the block runs; where it is stopped (a signal, a caller that left) nobody waits."""
    # A fresh interpreter per worker: forking a process that has threads (torch, ORT, Arrow) may hang.
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    with (
        reader,
        writer,
        ProcessPoolExecutor(workers_count, mp_context=context, initializer=_begin_worker, initargs=(reader,)) as pool,
    ):
        try:
            yield pool
        except Exception:
            raise
        except BaseException:
            writer.close()
            raise


def _begin_worker(stopped: Connection) -> None:
    _end_with_parent(stopped)
    _leave_out_pandas()
    # When it ends all its results are handed over: to take NumPy, Arrow and OpenCV apart costs a tenth of a second.
    atexit.register(os._exit, 0)


class _NoPandas:
    """A finder of modules that finds no pandas."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Give None, so that the next finder is asked, for every other module."""
        if name == "pandas":
            raise ModuleNotFoundError(name, name=name)


def _leave_out_pandas() -> None:
    """Keep Arrow from importing pandas, which it does with its first array, to know a Series if it is given one.

    Workers make their tables of rows; this is half of the processor time in which one starts (0.25 of 0.5 s). Where
    pandas is asked for later (`to_pandas`), it is imported then.
    """
    import pyarrow as pa

    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(_NoPandas)


def _end_with_parent(stopped: Connection) -> None:
    """Let a worker end when its pool is stopped, or when the process that started it is killed.

    Otherwise it would finish its job, or wait for the next one for ever.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel, stopped])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class DaskExecutor:
    """Runs on a Dask cluster, which must see the same blobs and derived folder.

    Args:
        address: of the scheduler; empty starts a cluster on this machine, for this call.
        workers_count: of the local cluster; 0 means the cores this process may use.
    """

    def __init__(self, address: str = "", workers_count: int = 0) -> None:
        self.address = address
        self.workers_count = workers_count or len(os.sched_getaffinity(0))

    def run(self, function: Callable[[J], R], jobs: Iterable[J]) -> Generator[tuple[J, R | None]]:
        """See `Executor.run`; the scheduler tries a job again whose worker died."""
        from distributed import Client, as_completed
        from distributed.scheduler import KilledWorker

        with self._cluster() as cluster, Client(cluster) as client:
            if self.address:
                self.workers_count = max(1, len(client.scheduler_info()["workers"]))
            # Not pure: a job writes files, and must run although an equal one ran before.
            futures = {client.submit(function, job, pure=False): job for job in jobs}
            killed = []
            for future in as_completed(list(futures)):
                try:
                    yield futures[future], future.result()
                except KilledWorker:
                    killed.append(futures[future])
            for job in killed:  # alone: a worker takes all jobs that wait at it along, also those that did no harm
                try:
                    yield job, client.submit(function, job, pure=False).result()
                except KilledWorker:
                    yield job, None

    @contextmanager
    def _cluster(self) -> Iterator[Any]:
        if self.address:
            yield self.address
            return
        import dask
        from distributed import LocalCluster

        settings = {"distributed.scheduler.allowed-failures": 1, "distributed.nanny.pre-spawn-environ": ONE_THREAD}
        with (
            dask.config.set(settings),
            LocalCluster(
                n_workers=self.workers_count,
                threads_per_worker=1,
                # No dashboard; its server of health and metrics takes any port, not the one of another cluster here.
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                host="127.0.0.1",
            ) as cluster,
        ):
            yield cluster


def executor_for(config: Config) -> Executor:
    """Make the executor that the settings ask for.

    Raises:
        UsageError: a kind that is none of inline, processes and dask.
    """
    if config.executor == "inline":
        return InlineExecutor()
    if config.executor == "processes":
        return ProcessExecutor(config.workers)
    if config.executor == "dask":
        return DaskExecutor(config.dask_address, config.workers)
    raise UsageError(f"executor {config.executor!r}, expected one of: inline, processes, dask")


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables that children inherit: theirs must stand before they import numpy."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
