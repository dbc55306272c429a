"""Stopping what tasks run in threads: a flag that travels with the context, as Prefect's task threads inherit it.

A signal reaches the main thread alone, in which the flow waits for its tasks; a crawl in a task's thread looks at the
flag instead.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_CURRENT: ContextVar[threading.Event | None] = ContextVar("cancelled", default=None)


def cancelled_flag() -> threading.Event | None:
    """Give the flag of this context; None where nothing cancels."""
    return _CURRENT.get()


@contextmanager
def cancelling() -> Iterator[None]:
    """Raise the flag for all tasks of the block when the block ends by an exception, a signal's among them."""
    flag = threading.Event()
    token = _CURRENT.set(flag)
    try:
        yield
    except BaseException:
        flag.set()
        raise
    finally:
        _CURRENT.reset(token)
