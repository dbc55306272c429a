"""Locks on files between processes of one machine; the kernel gives them back when their process ends, however."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def lock_file(path: Path) -> Iterator[int]:
    """Open a lock's file, made with its folder where it is missing; yields the handle, at whose end the lock falls."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield handle
    finally:
        os.close(handle)


def try_lock(handle: int, *, is_shared: bool = False) -> bool:
    """Take the lock alone, or with others who share it; False where somebody holds it otherwise. Never waits."""
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_lock(handle: int) -> None:
    """Take the lock alone, once nobody else holds it."""
    fcntl.flock(handle, fcntl.LOCK_EX)


def lock_within(handle: int, patience_s: float, *, every_s: float = 0.05) -> bool:
    """Take the lock alone once nobody else holds it; False where somebody still does after `patience_s`."""
    deadline_s = time.monotonic() + patience_s
    while not try_lock(handle):
        if time.monotonic() > deadline_s:
            return False
        time.sleep(every_s)
    return True
