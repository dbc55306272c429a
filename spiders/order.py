"""What a child is asked to do, and how it is ended. Light: whoever starts a crawl does not load Scrapy."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from catalog.config import Config
from catalog.suppressions import Suppressions
from spiders.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a child is asked to do."""

    source: Source
    root: Path
    config: Config
    started_at: str
    suppressions: Suppressions
    locks: Path | None = None
    """Where the locks of sources and hosts stand; None for the root's own."""
    max_images: int | None = None
    """Fetch only the first so many pictures; None for all."""


def run_child(connection: Connection, order: Order) -> None:
    """Begin a child; the fork server has loaded what is imported here."""
    from spiders import child

    child.main(connection, order)


def kill_session(leader: int) -> None:
    """Kill a child and all that it started: browsers make process groups of their own, but stay in its session."""
    for process in [*(p for p in _session_members(leader) if p != leader), leader]:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _session_members(leader: int) -> list[int]:
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[3]) == leader:
            members.append(int(stat.parent.name))
    return members
