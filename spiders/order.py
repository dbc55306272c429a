"""What a child is asked to do, and how it is ended. Light: whoever starts a crawl does not load Scrapy."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
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


def profile_prefix(leader: int) -> str:
    """Give how the names of temporary folders of a child's browsers begin."""
    return f"gleanery-browser-{leader}-"


def kill_session(leader: int) -> None:
    """Kill a child and all that it started: browsers make process groups of their own, but stay in its session.

    What its browsers wrote is removed; they cannot do so any more.
    """
    for process in _session_members(leader):
        if process != leader:
            _kill(process)
    for profile in Path(tempfile.gettempdir()).glob(f"{profile_prefix(leader)}*"):
        shutil.rmtree(profile, ignore_errors=True)
    _kill(leader)  # last: it may be ourselves


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


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
