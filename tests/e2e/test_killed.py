"""SIGKILL in the middle of the crawl, of the measuring and of the release changes nothing in the end."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog.manifests import MANIFEST
from catalog.release_format import find_release, verify_release
from sampleweb.server import running
from sampleweb.sources import write_sources
from sampleweb.world import build_world
from tests.e2e.command_line import CommandLine, command_line

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SOURCES = [f"sample-uni{number}-{field}" for number in (1, 2) for field in ("cs", "econ", "german", "mechanical")]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CommandLine, CommandLine]]:
    """Two data roots on one sample web: one is left in peace, the other is killed again and again."""
    folder = tmp_path_factory.mktemp("web")
    calm = command_line(tmp_path_factory.mktemp("calm"))
    killed = CommandLine(root := tmp_path_factory.mktemp("killed"), {**calm.environment, "GLEANERY_ROOT": str(root)})
    world = build_world(scale=0.25)
    with running(world, int(calm.environment["GLEANERY_SAMPLEWEB_PORT"]), None, folder) as port:
        for line in (calm, killed):
            write_sources(world, line.root / "sources", port)
        yield calm, killed


def _kill_when(process: subprocess.Popen[bytes], condition: Callable[[], bool]) -> bool:
    """Kill a command as soon as something is so; tells whether it was still running then."""
    deadline = time.monotonic() + 120
    while process.poll() is None and not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    was_running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return was_running


def _count(folder: Path, pattern: str) -> int:
    return sum(1 for _ in folder.glob(pattern))


def test_a_run_killed_at_every_step_ends_like_one_that_was_not(lines: tuple[CommandLine, CommandLine]) -> None:
    calm, killed = lines
    calm.run("crawl", *SOURCES)
    calm.run("release", "build", "majors")

    def blobs_reach(wanted: int) -> Callable[[], bool]:
        return lambda: _count(killed.root, "blobs/??/*") >= wanted

    crawl_kills = [_kill_when(killed.start("crawl", *SOURCES), blobs_reach(wanted)) for wanted in (6, 20, 36)]
    assert any(crawl_kills), "no crawl was killed in the middle"
    killed.run("crawl", *SOURCES)

    parts = "derived/*/*/part-*.parquet"
    assert _kill_when(killed.start("curate", "majors"), lambda: _count(killed.root, parts) >= 1)
    killed.run("curate", "majors")

    pictures = "releases/majors/*/train/*/*.jpg"
    assert _kill_when(killed.start("release", "build", "majors"), lambda: _count(killed.root, pictures) >= 5)
    assert not list(killed.root.glob(f"releases/majors/*/{MANIFEST}")), "a half-built release counts as one"
    killed.run("release", "build", "majors")

    one, other = (find_release(line.root / "releases", "majors") for line in (calm, killed))
    assert (one.folder / MANIFEST).read_bytes() == (other.folder / MANIFEST).read_bytes()
    assert verify_release(other) == []
    leftovers = [path for path in killed.root.rglob("*.part") if "derived" not in path.parts]
    assert len(leftovers) <= 4, "half-written files pile up"


def test_the_measures_can_be_thrown_away_and_made_again(lines: tuple[CommandLine, CommandLine]) -> None:
    calm, _ = lines
    before = find_release(calm.root / "releases", "majors")
    shutil.rmtree(calm.root / "derived")
    calm.run("release", "build", "majors")
    after = find_release(calm.root / "releases", "majors")
    assert after.folder == before.folder, "the same content became another release"
