"""Locks between processes: one crawl per source, and one crawl at a time per host, so that the pace of a host holds.

A lock is an advisory one on a file; the kernel gives it back when its process ends, however that happens.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import UsageError
from catalog.file_locks import lock_file, lock_within, wait_for_lock
from catalog.ids import digest

_PATIENCE_S = 2.0
"""A process that was just killed needs a moment to be gone."""


@contextmanager
def source_lock(folder: Path, source: str) -> Iterator[None]:
    """Hold a source.

    Raises:
        UsageError: another crawl or import of it is running.
    """
    with lock_file(folder / f"source-{source}.lock") as handle:
        if not lock_within(handle, _PATIENCE_S):
            raise UsageError(f"source {source!r} is being collected by another process; wait for it to end")
        yield


@contextmanager
def host_lock(folder: Path, host: str, delay_s: float) -> Iterator[None]:
    """Hold a host: wait for other crawls of it, and for the pause that it is owed after them."""
    path = folder / f"host-{digest(host, 16)}.lock"
    is_new = not path.exists()
    with lock_file(path) as handle:
        wait_for_lock(handle)
        since_s = time.time() - os.fstat(handle).st_mtime
        if not is_new and 0 <= since_s < delay_s:
            time.sleep(delay_s - since_s)
        try:
            yield
        finally:
            os.utime(handle)
