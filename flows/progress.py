"""How far things are, shown where the work was started.

Flow parameters are stored by Prefect as JSON, so a function that moves bars cannot be one; it travels as a context
variable instead, which Prefect's task threads inherit. In a worker nothing is set and nothing is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Progress = Callable[[str, int, int], None]
"""(what, done, total): called as work goes on."""


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Show nothing."""


_CURRENT: ContextVar[Progress] = ContextVar("progress", default=no_progress)


def current_progress() -> Progress:
    """Give the function that this context set, or one that shows nothing."""
    return _CURRENT.get()


@contextmanager
def showing(progress: Progress) -> Iterator[None]:
    """Let flows that run inside the block report to `progress`."""
    token = _CURRENT.set(progress)
    try:
        yield
    finally:
        _CURRENT.reset(token)
