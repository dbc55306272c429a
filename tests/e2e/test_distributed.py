"""Spread over processes that share nothing but services: Dask workers, PostgreSQL, an object store.

Workers and the curation itself are killed on the way; the release equals, byte for byte in its manifest, the one that
a single machine makes with SQLite and local folders.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from catalog.manifests import MANIFEST
from catalog.release_format import find_release, verify_release
from flows.supervisor import is_alive, stop_group
from sampleweb.server import free_port, running
from sampleweb.sources import write_sources
from sampleweb.world import build_world
from tests.catalog.conftest import postgres_url  # noqa: F401 - a fixture
from tests.e2e.command_line import REPOSITORY, CommandLine, command_line
from tests.e2e.object_store import BUCKET, object_store, objects  # noqa: F401 - a fixture
from tests.e2e.prefect_server import until

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(900)]

SOURCES = [f"sample-uni1-{field}" for field in ("cs", "econ", "german")]


class Cluster:
    """A Dask scheduler and its workers, each a process group of its own."""

    def __init__(self, stack: ExitStack, environment: dict[str, str], log: Path) -> None:
        self._stack, self._log = stack, log
        self._environment = {**environment, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
        port = free_port()
        self.address = f"tcp://127.0.0.1:{port}"
        self._start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        until(lambda: _listens(port), "the Dask scheduler")

    def add_worker(self) -> int:
        """Start a worker with its nanny; gives the id of the group."""
        return self._start("worker", self.address, "--nworkers", "1", "--nthreads", "1", "--no-dashboard")

    def _start(self, what: str, *arguments: str) -> int:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments],
                env=self._environment, cwd=REPOSITORY, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._stack.callback(process.wait)
        self._stack.callback(stop_group, process.pid, 0.5)
        return process.pid


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def lines(
    tmp_path_factory: pytest.TempPathFactory,
    object_store: dict[str, str],  # noqa: F811
    postgres_url: str,  # noqa: F811
) -> Iterator[tuple[CommandLine, CommandLine, Cluster]]:
    """One machine that does all by itself, and a wide set-up, both before the same sample web."""
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    folder = tmp_path_factory.mktemp("web")
    local = command_line(tmp_path_factory.mktemp("local"))
    objects(object_store, "")  # makes the bucket
    with ExitStack() as stack:
        cluster = Cluster(stack, {**local.environment, **object_store}, folder / "dask.log")
        settings = {
            "GLEANERY_ROOT": str(root := tmp_path_factory.mktemp("wide")),
            "GLEANERY_DATABASE_URL": postgres_url,
            "GLEANERY_BLOBS_URL": f"s3://{BUCKET}/blobs",
            "GLEANERY_DERIVED_URL": f"s3://{BUCKET}/derived",
            "GLEANERY_EXECUTOR": "dask",
            "GLEANERY_DASK_ADDRESS": cluster.address,
        }
        wide = CommandLine(root, {**local.environment, **object_store, **settings})
        world = build_world(scale=0.25)
        with running(world, int(local.environment["GLEANERY_SAMPLEWEB_PORT"]), None, folder) as port:
            for line in (local, wide):
                write_sources(world, line.root / "sources", port)
            yield local, wide, cluster


def _kill_when(process: subprocess.Popen[Any], condition: Callable[[], Any], kill: Callable[[], None]) -> bool:
    """Kill something once a condition holds; tells whether the process was still at work then."""
    until(lambda: condition() or process.poll() is not None, "the moment to kill")
    was_running = process.poll() is None
    kill()
    return was_running


def test_the_wide_set_up_makes_the_same_release(
    lines: tuple[CommandLine, CommandLine, Cluster],
    object_store: dict[str, str],  # noqa: F811
) -> None:
    local, wide, cluster = lines
    local.run("crawl", *SOURCES)
    local.run("release", "build", "majors")

    wide.run("crawl", *SOURCES)
    assert objects(object_store, "blobs/")
    assert not list(wide.root.glob("blobs/*"))
    workers = [cluster.add_worker(), cluster.add_worker()]

    def parts() -> list[str]:
        return [key for key in objects(object_store, "derived/") if "/part-" in key]

    curation = wide.start("curate", "majors")
    was_running = _kill_when(curation, parts, lambda: os.killpg(workers[0], signal.SIGKILL))
    assert was_running, "the worker was killed too late to matter"
    assert curation.wait() == 0, "one worker's death ended the curation"
    until(lambda: not is_alive(workers[0]), "the end of the worker")

    wide.run("release", "build", "majors")
    one, other = (find_release(line.root / "releases", "majors") for line in (local, wide))
    assert (one.folder / MANIFEST).read_bytes() == (other.folder / MANIFEST).read_bytes()
    assert verify_release(other) == []
    assert not (wide.root / "derived").exists()
    assert not (wide.root / "catalog.db").exists()
