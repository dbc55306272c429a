"""Crawl sources: each in a child process that dies with us, and can be cancelled.

crawl_source(source, root, config, started_at, on_progress=print)
"""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from catalog.config import Config
from catalog.errors import GleaneryError, UsageError
from catalog.paths import DataRoot
from catalog.schema import RunRecord
from catalog.suppressions import Suppressions
from spiders.order import Order, kill_session, run_child
from spiders.policy.agent import user_agent
from spiders.sources import Source

Progress = Callable[[dict[str, int]], None]
"""Takes counts so far: see `spiders.work.Work.on_progress`."""

_LOG = logging.getLogger(__name__)
_POLL_S = 0.2


class CrawlCancelled(GleaneryError):
    """Somebody stopped the crawl; the next one goes on from there."""


def crawl_source(
    source: Source,
    root: DataRoot,
    config: Config,
    started_at: str,
    on_progress: Progress | None = None,
    *,
    suppressions: Suppressions | None = None,
    cancelled: threading.Event | None = None,
    locks: Path | None = None,
    max_images: int | None = None,
) -> RunRecord:
    """Crawl one source; an unfinished run of it goes on. May be called from any thread.

    Args:
        source: what to crawl.
        root: where runs and blobs go.
        config: `contact`, `blobs_url` and the browser's place are used.
        started_at: UTC ISO 8601 with Z; names a new run.
        on_progress: called in this thread.
        suppressions: takedowns that hold; None for none.
        cancelled: when it is set, the child and its browsers are killed.
        locks: folder of the locks of sources and hosts; None for the root's own.
        max_images: fetch only the first so many pictures; None for all.

    Raises:
        UsageError: no contact, a bad hint, or another crawl of the source is running.
        CrawlCancelled: `cancelled` was set.
        GleaneryError: the child died or made a mistake; the run stays unfinished.
    """
    user_agent(config.contact, source.is_on_loopback)
    order = Order(
        source=source, root=root.root.absolute(), config=config, started_at=started_at,
        suppressions=suppressions or Suppressions(), locks=locks, max_images=max_images,
    )  # fmt: skip
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["spiders.child"])
    ours, theirs = context.Pipe()
    child = context.Process(target=run_child, args=(theirs, order), name=f"crawl-{source.name}", daemon=True)
    child.start()
    theirs.close()
    try:
        return _listen(ours, child, source, on_progress or (lambda counts: None), cancelled)
    finally:
        if child.pid is not None:
            kill_session(child.pid)
        child.join()
        ours.close()


def crawl_many(
    sources: Sequence[Source],
    root: DataRoot,
    config: Config,
    started_at: str,
    on_progress: Callable[[str, dict[str, int]], None] | None = None,
    *,
    jobs: int = 2,
    suppressions: Suppressions | None = None,
    on_done: Callable[[RunRecord], None] | None = None,
) -> list[RunRecord]:
    """Crawl several sources, `jobs` at a time; sources of one host wait for each other.

    Args:
        sources: what to crawl.
        root: where runs and blobs go.
        config: as for one.
        started_at: the same for all.
        on_progress: called from several threads, with the source's name and counts.
        jobs: children at a time.
        suppressions: takedowns that hold.
        on_done: called from several threads as each source ends.

    Returns:
        Runs in the order of `sources`.

    Raises:
        GleaneryError: the first one that a source raised; the others were crawled all the same.
    """
    cancelled = threading.Event()

    def one(source: Source) -> RunRecord:
        tell = (lambda counts: on_progress(source.name, counts)) if on_progress else None
        run = crawl_source(source, root, config, started_at, tell, suppressions=suppressions, cancelled=cancelled)
        if on_done is not None:
            on_done(run)
        return run

    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        futures = [pool.submit(one, source) for source in sources]
        try:
            errors = [future.exception() for future in futures]
        except BaseException:
            cancelled.set()
            pool.shutdown(cancel_futures=True)
            raise
    for error in errors:
        if error is not None:
            raise error
    return [future.result() for future in futures]


def _listen(
    ours: Connection, child: BaseProcess, source: Source, tell: Progress, cancelled: threading.Event | None
) -> RunRecord:
    while True:
        if cancelled is not None and cancelled.is_set():
            raise CrawlCancelled(f"crawl of {source.name!r} was cancelled; the next one goes on from there")
        try:
            if not ours.poll(_POLL_S):
                continue
            message: tuple[Any, ...] = ours.recv()
        except (EOFError, OSError):
            child.join()
            text = f"crawl of {source.name!r} died (exit code {child.exitcode}); run it again and it goes on"
            raise GleaneryError(text) from None
        match message:
            case ("progress", counts):
                tell(counts)
            case ("log", level, facts):
                _LOG.log(
                    level,
                    "crawler source=%s %s",
                    source.name,
                    " ".join(f"{key}={value!r}" for key, value in facts.items() if value),
                )
            case ("done", run):
                return RunRecord.from_json(run)
            case ("error", "UsageError", text):
                raise UsageError(text)
            case ("error" | "crash", *_, text):
                raise GleaneryError(f"crawl of {source.name!r}: {text}")
