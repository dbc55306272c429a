"""One crawl in a process of its own: reactors do not restart, and a process can be killed.

The process is forked from a server that has imported this module (and so Scrapy and the readers), but no reactor.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from scrapy.crawler import AsyncCrawlerProcess

from catalog import files
from catalog.blobs import BlobStore
from catalog.clock import utc_now
from catalog.config import Config
from catalog.errors import GleaneryError
from catalog.landing import LandingWriter
from catalog.schema import RunRecord
from spiders.gleaning_spider import GleaningSpider
from spiders.ledger import open_ledger, run_to_write
from spiders.locks import host_lock, source_lock
from spiders.order import Order, kill_session
from spiders.settings import components, scrapy_settings
from spiders.shop_spider import ShopSpider
from spiders.staff_spider import StaffSpider
from spiders.work import Work

for _name in (*components(), "scrapy.core.engine", "scrapy.core.scraper", "scrapy.core.scheduler", "tldextract"):
    importlib.import_module(_name)  # so that the fork server has them; none of them installs a reactor

SPIDERS: dict[str, type[GleaningSpider]] = {"staff": StaffSpider, "shop": ShopSpider}
"""By kind of source."""

BEGUN = "begun.json"
"""Written first: when the run began, so that a resumed one says so too, and since when it held its source."""

_TELL_EVERY_S = 0.2


def main(pipe: Connection, order: Order) -> None:
    """Crawl, and send `("progress", counts)`, then `("done", run)`, `("error", kind, text)` or `("crash", text)`.

    Warnings of libraries are sent as `("log", level, facts)`.
    """
    os.setsid()
    connection = _Shared(pipe)
    # What happened stands in the run and its issues; records that nobody reads cost time.
    logging.disable(logging.INFO)
    logging.getLogger().addHandler(_Forwarder(connection))
    threading.Thread(target=_die_with_parent, args=(pipe,), daemon=True).start()
    try:
        run = crawl(order, lambda counts: connection.send(("progress", counts)))
    except GleaneryError as error:
        connection.send(("error", type(error).__name__, str(error)))
    except BaseException:
        connection.send(("crash", traceback.format_exc()))
    else:
        connection.send(("done", run.to_json()))


class _Shared:
    """A connection that several threads may send on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, message: tuple[Any, ...]) -> None:
        with self._lock:
            self._connection.send(message)


class _Forwarder(logging.Handler):
    """Sends warnings on, without what was filled into them: addresses and texts may name people."""

    def __init__(self, connection: _Shared) -> None:
        super().__init__(logging.WARNING)
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        """Send logger, line, the message's pattern and the error's type."""
        error = record.exc_info[0] if record.exc_info else None
        facts = {
            "logger": record.name,
            "at": f"{record.module}:{record.lineno}",
            # Without arguments the text may have been filled in already.
            "event": str(record.msg) if record.args else "",
            "error": error.__name__ if error else "",
        }
        with contextlib.suppress(OSError):  # the parent is gone: so are we, in a moment
            self._connection.send(("log", record.levelno, facts))


def crawl(order: Order, tell: Callable[[dict[str, int]], None]) -> RunRecord:
    """Crawl one source in this process, once; an unfinished run goes on.

    Raises:
        UsageError: the source is being crawled by another process, or has hints that do not exist.
    """
    root = Config(root=order.root).data_root
    source = order.source
    SPIDERS[source.kind].check(source)
    with ExitStack() as stack:
        locks = order.locks or root.locks
        stack.enter_context(source_lock(locks, source.name))
        stack.enter_context(host_lock(locks, source.host, source.delay_s))
        folder, began_at = run_to_write(root, source.name, order.started_at)
        started_at = _begin(folder, began_at)
        work = Work(
            source=source,
            ledger=open_ledger(root.landing, source.name, folder, started_at),
            writer=stack.enter_context(LandingWriter(folder)),
            blobs=BlobStore(order.config.blobs_url or root.blobs),
            suppressions=order.suppressions,
            max_images=order.max_images,
            now=utc_now,
            on_progress=_at_times(tell),
        )
        spider = _run_spider(work, order.config)
        run = RunRecord(
            run_id=folder.name, source=source.name, kind="crawl", state=spider.state, started_at=started_at,
            finished_at=utc_now(), detail=spider.detail, counts=spider.counts, source_facts=source.facts(),
        )  # fmt: skip
        work.writer.finish(run)
    return run


def _run_spider(work: Work, config: Config) -> GleaningSpider:
    process = AsyncCrawlerProcess(scrapy_settings(work.source, config))
    crawler = process.create_crawler(SPIDERS[work.source.kind])
    process.crawl(crawler, work=work)
    process.start(install_signal_handlers=False)
    spider: Any = crawler.spider
    if spider is None:
        raise RuntimeError("Scrapy could not start the spider")
    if spider.error is not None:
        raise spider.error
    if not spider.is_complete:
        raise RuntimeError("Scrapy stopped before the spider was done")
    return spider


def _begin(folder: Path, began_at: str) -> str:
    """Give the time at which the run began, which a resumed run takes from its folder."""
    path = folder / BEGUN
    if path.exists():
        return str(json.loads(path.read_text(encoding="utf-8"))["started_at"])
    files.write_text(path, json.dumps({"started_at": began_at, "held_at": utc_now()}) + "\n")
    return began_at


def _at_times(tell: Callable[[dict[str, int]], None]) -> Callable[[dict[str, int]], None]:
    last = 0.0

    def sometimes(counts: dict[str, int]) -> None:
        nonlocal last
        if time.monotonic() - last >= _TELL_EVERY_S:
            last = time.monotonic()
            tell(counts)

    return sometimes


def _die_with_parent(connection: Connection) -> None:
    """Wait for the pipe to close: the parent, which never sends, is gone."""
    try:
        connection.recv()
    except (EOFError, OSError):
        kill_session(os.getpid())
