"""Locks between processes: one crawl per source, and one crawl at a time per host, so that the pace of a host holds.

A lock is an advisory one on a file; the kernel gives it back when its process ends, however that happens.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import UsageError
from catalog.ids import digest
from catalog.paths import DataRoot

_PATIENCE_S = 2.0
"""A process that was just killed needs a moment to be gone."""


def locks_of(root: DataRoot) -> Path:
    """Where the locks of a data root stand."""
    return root.services / "locks"


@contextmanager
def source_lock(folder: Path, source: str) -> Iterator[None]:
    """Hold a source.

    Raises:
        UsageError: another crawl or import of it is running.
    """
    with _opened(folder / f"source-{source}.lock") as handle:
        deadline = time.monotonic() + _PATIENCE_S
        while not _try_lock(handle):
            if time.monotonic() > deadline:
                raise UsageError(f"source {source!r} is being collected by another process; wait for it to end")
            time.sleep(0.05)
        yield


@contextmanager
def host_lock(folder: Path, host: str, delay_s: float) -> Iterator[None]:
    """Hold a host: wait for other crawls of it, and for the pause that it is owed after them."""
    path = folder / f"host-{digest(host, 16)}.lock"
    is_new = not path.exists()
    with _opened(path) as handle:
        while not _try_lock(handle):
            time.sleep(0.1)
        since_s = time.time() - os.fstat(handle).st_mtime
        if not is_new and 0 <= since_s < delay_s:
            time.sleep(delay_s - since_s)
        try:
            yield
        finally:
            os.utime(handle)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield handle
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
