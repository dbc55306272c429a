"""Locks that hold across machines, where the catalog is PostgreSQL; they fall with their connection.

With SQLite everything runs on one machine, where locks on files do the same work (see `catalog.file_locks`).
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from catalog.db import Catalog

_LOOK_EVERY_S = 0.5


@contextmanager
def shared_lock(
    catalog: Catalog, name: str, patience_s: float = 0.0, cancelled: threading.Event | None = None
) -> Iterator[bool]:
    """Hold a name among all that use this catalog; yields whether it was got.

    Args:
        catalog: on SQLite the name is always free.
        name: what is locked, for example `host:www.example.edu`.
        patience_s: how long to wait for it; 0 tries once.
        cancelled: when it is set, waiting ends.

    Source: session-level advisory locks, PostgreSQL documentation, section 13.3.5.
    """
    if catalog.engine.dialect.name != "postgresql":
        yield True
        return
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    # A connection of its own, outside any transaction: a lock held for hours must not hold one open.
    with catalog.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_held = _take(connection, key, patience_s, cancelled)
        try:
            yield is_held
        finally:
            if is_held:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


def _take(connection: Connection, key: int, patience_s: float, cancelled: threading.Event | None) -> bool:
    deadline_s = time.monotonic() + patience_s
    while True:
        if connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar_one():
            return True
        if time.monotonic() >= deadline_s or (cancelled is not None and cancelled.is_set()):
            return False
        time.sleep(_LOOK_EVERY_S)
