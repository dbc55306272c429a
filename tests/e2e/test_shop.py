"""`gleanery crawl` of a shop: challenges, a 429 and SIGKILL on the way change nothing in the end."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from catalog import landing
from catalog.config import Config
from catalog.db import Catalog
from catalog.paths import DataRoot
from flows.truth import compare_photos
from sampleweb.cache import RenderCache
from sampleweb.server import load_log, running
from sampleweb.sources import write_sources
from sampleweb.truth import truth_table
from sampleweb.world import World, build_world
from tests.e2e.command_line import CommandLine, command_line

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

CRAWL = ("crawl", "sample-shop", "--category", "skirts", "--pages", "5", "--max-items", "200")


def _world() -> World:
    world = build_world(7, 0.1, 0.35)  # 14 items: two pages of the list
    world.sites = [site for site in world.sites if site.kind == "shop"]
    return world


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> tuple[CommandLine, CommandLine]:
    """Two data roots that see the shop at one address, one after the other."""
    calm = command_line(tmp_path_factory.mktemp("calm"))
    root = tmp_path_factory.mktemp("stormy")
    return calm, CommandLine(root, {**calm.environment, "GLEANERY_ROOT": str(root)})


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@contextmanager
def _served(world: World, line: CommandLine, drawn: Path) -> Iterator[Path]:
    port, log = int(line.environment["GLEANERY_SAMPLEWEB_PORT"]), line.root / "requests.jsonl"
    write_sources(world, line.root / "sources", port)
    with running(world, port, log, drawn):
        yield log


def _facts(line: CommandLine) -> list[str]:
    folder = landing.last_good_run(DataRoot(line.root).landing, "sample-shop-skirts")
    assert folder is not None
    rows = [record.to_json() for record in landing.iter_records(folder)]
    return sorted(repr(sorted((k, v) for k, v in row.items() if k != "fetched_at")) for row in rows)


@pytest.fixture(scope="module")
def calm(lines: tuple[CommandLine, CommandLine], drawn: Path) -> list[str]:
    """What a crawl gives that nothing disturbs."""
    world = _world()
    for served in world.sites[0].files.values():
        served.manner = ""
    with _served(world, lines[0], drawn):
        lines[0].run(*CRAWL)
    return _facts(lines[0])


def test_challenges_a_429_and_kills_change_nothing_in_the_end(
    lines: tuple[CommandLine, CommandLine], calm: list[str], drawn: Path
) -> None:
    _, line = lines
    world = _world()
    files, skirts = world.sites[0].files, [i for i in world.truth["items"] if i["category"] == "skirts"]
    ids = [item["item_id"] for item in skirts]
    challenged = [
        "/category/349/skirts.html?page=2", f"/item/{ids[4]}.html", f"/item/{ids[13]}.html",
        f"/pc/searchEvaluation.do?productId={ids[7]}&page=1",
    ]  # fmt: skip
    busy = [f"/item/{ids[2]}.html", next(iter(skirts[3]["colors"].values()))]
    for path in challenged:
        files[path].manner = "once_challenge"
    for path in busy:
        files[path].manner = "once_429"
    with _served(world, line, drawn) as log:
        details = _crawl_until_ok(line, kill_at=60)
        rows = load_log(log)
    assert _facts(line) == calm
    assert 2 <= len(details) <= len(challenged)
    for detail in details:
        assert detail.startswith("blocked: ")
        assert re.search(r"try again after \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", detail), detail
    pages = [row["path"] for row in rows if row["status"] == 200 and "/item/" in str(row["path"])]
    # What a challenge cut off in flight is fetched again, nothing else.
    assert len(pages) <= len(ids) + 1 + 4 * (len(details) + 1) + len(challenged)


def _crawl_until_ok(line: CommandLine, kill_at: int) -> list[str]:
    """Crawl again after each block, and kill the crawl that first gets to the pictures; gives the blocks' words."""
    details = []
    for _ in range(10):
        process = line.start(*CRAWL)
        while process.poll() is None:
            if kill_at and sum(1 for _ in line.root.glob("blobs/??/*")) >= kill_at:
                kill_at = 0
                process.send_signal(signal.SIGKILL)
            time.sleep(0.005)
        if process.returncode == 0:
            assert not kill_at, "the crawl ended before it could be killed"
            return details
        [last] = [run.detail for run in _runs(line)[-1:]] or [""]
        if process.returncode == 1:
            details.append(last)
    raise AssertionError(f"ten crawls did not end well: {details}")


def _runs(line: CommandLine) -> list[Any]:
    folders = landing.iter_run_folders(DataRoot(line.root).landing, "sample-shop-skirts")
    return [run for folder in folders if (run := landing.load_run(folder)) is not None]


@pytest.mark.browser
def test_the_whole_shop_is_collected(lines: tuple[CommandLine, CommandLine], drawn: Path, tmp_path: Path) -> None:
    """Five categories of forty items: each photo under its item and colour, nothing missing, nothing made up."""
    line = CommandLine(tmp_path, {**lines[0].environment, "GLEANERY_ROOT": str(tmp_path)})
    world = build_world(7, 0.1, 1.0)
    world.sites = [site for site in world.sites if site.kind == "shop"]
    world.truth["photos"] = []
    with _served(world, line, drawn):
        rows = line.json("crawl", "sample-shop")
    assert [(row["source"], row["state"]) for row in rows] == [
        (f"sample-shop-{name}", "ok") for name in ("blouses", "hoodies", "jackets", "skirts", "sweaters")
    ]
    truth = truth_table(world, int(line.environment["GLEANERY_SAMPLEWEB_PORT"]), RenderCache(drawn))
    with Catalog(Config(root=tmp_path).catalog_url) as catalog:
        compared = compare_photos(truth, catalog)
    assert [(row.what, row.found, row.extra) for row in compared] == [(row.what, row.planted, 0) for row in compared]
    assert compared[0].planted == 200
    assert all(row.planted > 60 for row in compared)


def test_a_shop_that_goes_on_blocking_is_left_alone_for_longer_each_time(
    lines: tuple[CommandLine, CommandLine], drawn: Path, tmp_path: Path
) -> None:
    line = CommandLine(tmp_path, {**lines[0].environment, "GLEANERY_ROOT": str(tmp_path)})
    pauses = []
    for _ in range(2):  # a server that has just started challenges again
        world = _world()
        world.sites[0].files["/category/349/skirts.html"].manner = "once_challenge"
        with _served(world, line, drawn):
            [row] = line.json(*CRAWL, code=1)
        assert row["state"] == "blocked"
        run = _runs(line)[-1]
        then = re.search(r"after (\S+)Z$", run.detail)
        assert then is not None
        finished = time.mktime(time.strptime(run.finished_at, "%Y-%m-%dT%H:%M:%SZ"))
        pauses.append(time.mktime(time.strptime(then[1], "%Y-%m-%dT%H:%M:%S")) - finished)
        time.sleep(1.1)  # runs are named by the second in which they began
    assert pauses[1] == pytest.approx(2 * pauses[0], rel=0.05)
