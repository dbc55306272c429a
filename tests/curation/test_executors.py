from __future__ import annotations

import multiprocessing
import os
import socket
import sys
import time

import pyarrow as pa
import pytest

from catalog.config import Config
from catalog.errors import UsageError
from curation.executors import DaskExecutor, InlineExecutor, ProcessExecutor, executor_for


def square(number: int) -> int:
    return number * number


def square_or_die(number: int) -> int:
    if number == 3:
        os._exit(9)
    return number * number


def thread_setting(_: int) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


def pandas_in_tables(_: int) -> tuple[bool, int]:
    table = pa.Table.from_pylist([{"name": "a"}, {"name": "b"}])
    had_pandas = "pandas" in sys.modules
    return had_pandas, int(table.to_pandas()["name"].nunique())


def fail(number: int) -> int:
    raise ValueError(f"job {number}")


@pytest.mark.parametrize("executor", [InlineExecutor(), ProcessExecutor(2)])
def test_every_job_comes_back_with_its_result(executor):
    assert sorted(executor.run(square, range(7))) == [(n, n * n) for n in range(7)]


def test_a_job_that_kills_its_worker_costs_only_itself():
    found = dict(ProcessExecutor(2).run(square_or_die, range(7)))
    assert found == {n: None if n == 3 else n * n for n in range(7)}


def test_workers_run_on_one_thread_and_the_caller_keeps_its_own_setting(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert list(ProcessExecutor(1).run(thread_setting, [0])) == [(0, "1")]
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_workers_start_without_pandas_and_import_it_where_it_is_asked_for():
    assert list(ProcessExecutor(1).run(pandas_in_tables, [0])) == [(0, (False, 2))]


def test_an_error_of_the_function_is_raised():
    with pytest.raises(ValueError, match="job 1"):
        list(ProcessExecutor(1).run(fail, [1]))


@pytest.mark.slow
def test_dask_gives_the_same():
    pytest.importorskip("distributed")
    with socket.create_server(("127.0.0.1", 8787)):  # the port that another cluster of this machine would have
        assert sorted(DaskExecutor(workers_count=1).run(square, range(4))) == [(n, n * n) for n in range(4)]


def test_settings_choose_the_executor():
    assert isinstance(executor_for(Config(executor="inline")), InlineExecutor)
    assert executor_for(Config(executor="processes", workers=3)).workers_count == 3
    with pytest.raises(UsageError, match="expected one of"):
        executor_for(Config(executor="cloud"))


def sleep_after_the_first(number: int) -> int:
    if number:
        time.sleep(60)
    return number


def test_a_caller_that_leaves_waits_for_no_worker():
    others = set(multiprocessing.active_children())  # such as the sample web's server
    results = ProcessExecutor(2).run(sleep_after_the_first, range(3))
    assert next(results) == (0, 0)
    results.close()  # as a stop does
    deadline = time.monotonic() + 10
    while set(multiprocessing.active_children()) - others and time.monotonic() < deadline:
        time.sleep(0.1)  # the kernel takes a moment to report the killed
    assert set(multiprocessing.active_children()) <= others
