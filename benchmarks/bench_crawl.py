"""What collecting staff sites costs in CPU, beside a bare `requests` loop that fetches the same addresses.

A process of its own serves the sample web. Ours is the whole crawl of each site, in a process forked as a real crawl
is (robots, pace, permissions, reading pages, hashing, storing, records); the loop only fetches and throws away. Sites
that need a browser are left out, as Chromium's cost is its own.

    python -m benchmarks.bench_crawl [--scale 0.5] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import resource
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import requests

from catalog.config import Config
from catalog.suppressions import Suppressions
from sampleweb.server import free_port, load_log, running
from sampleweb.sources import write_sources
from sampleweb.world import build_world
from spiders.order import Order
from spiders.sources import Source, load_sources

RESULTS = Path(__file__).parent / "results" / "crawl.json"
GOAL_MS = 20.0
"""CPU per page and picture fetched."""


def crawl_all(root: Path, sources: list[Source]) -> None:
    """Crawl sites one after the other, each in a forked child."""
    for source in sources:
        order = Order(
            source=source, root=root, config=Config(root=root), started_at="2026-11-21T05:00:00Z",
            suppressions=Suppressions(),
        )  # fmt: skip
        child = multiprocessing.get_context("fork").Process(target=_crawl_one, args=(order,))
        child.start()
        child.join()
        if child.exitcode:
            raise SystemExit(f"the crawl of {source.name} failed")


def _crawl_one(order: Order) -> None:
    from spiders.child import crawl

    logging.disable()  # as a real crawl's process does
    run = crawl(order, lambda counts: None)
    if run.state != "ok":
        raise SystemExit(f"{run.source}: {run.state}: {run.detail}")


def fetch_all(addresses: list[str]) -> None:
    """Fetch addresses one after the other over one session."""
    with requests.Session() as session:
        for url in addresses:
            session.get(url, timeout=30)


def cpu_s_of(task: Callable[..., None], *arguments: Any) -> float:
    """CPU seconds, user and system, of a task in a process of its own, its children included."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measured, args=(theirs, task, arguments))
    process.start()
    theirs.close()
    spent: float = ours.recv()
    process.join()
    return spent


def _measured(connection: Connection, task: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    if task is crawl_all:
        import spiders.child  # noqa: F401 -- the fork server loads it once for all crawls
    before = _cpu_s()
    task(*arguments)
    connection.send(_cpu_s() - before)


def _cpu_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(scale: float, rounds: int, folder: Path) -> dict[str, Any]:
    """Crawl and fetch in turn; the server and its pictures are warm from a first crawl that does not count."""
    world = build_world(7, scale)
    port, log = free_port(), folder / "requests.jsonl"
    plain = {site.name for site in world.sites if site.kind == "staff" and site.structure != "script"}
    ours, bare = [], []
    with running(world, port, log, folder / "pictures"):
        write_sources(world, folder / "sources", port)
        sources = [source for name, source in load_sources([folder / "sources"]).items() if name in plain]
        cpu_s_of(crawl_all, folder / "warm", sources)
        for number in range(rounds):
            known = len(load_log(log))
            ours.append(cpu_s_of(crawl_all, folder / f"store-{number}", sources))
            rows = [row for row in load_log(log)[known:] if row["status"] == 200]
            bare.append(cpu_s_of(fetch_all, [f"http://{row['host']}:{port}{row['path']}" for row in rows]))
            shutil.rmtree(folder / f"store-{number}")
    ms = [1000 * spent / len(rows) for spent in ours]
    bare_ms = [1000 * spent / len(rows) for spent in bare]
    return {
        "scale": scale, "rounds": rounds, "sites": len(sources), "fetched": len(rows),
        "crawl_ms": statistics.median(ms), "bare_loop_ms": statistics.median(bare_ms),
        "ratio": statistics.median(one / other for one, other in zip(ms, bare_ms, strict=True)), "goal_ms": GOAL_MS,
    }  # fmt: skip


def main(arguments: list[str]) -> int:
    """Measure, print the table, and store it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.5, help="size of the sample web")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="gleanery-bench-") as folder:
        found = measure(options.scale, options.rounds, Path(folder))
    print(f"{found['sites']} sites, {found['fetched']} pages and pictures, median of {found['rounds']} rounds")
    print(f"{'':28}{'CPU ms per fetch':>18}")
    print(f"{'Gleanery, whole crawl':28}{found['crawl_ms']:>18.2f}")
    print(f"{'bare requests loop':28}{found['bare_loop_ms']:>18.2f}")
    print(f"ratio {found['ratio']:.2f}; goal under {GOAL_MS:.0f} ms")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(found["crawl_ms"] >= GOAL_MS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
