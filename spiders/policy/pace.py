"""How fast a host may be asked, and when to stop asking."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

PUBLIC_DELAY_S = 1.0
"""Least time between two requests to one host; no source may undercut it."""

LOOPBACK_DELAY_S = 0.01
"""The same for loopback, where `allow_loopback` is set."""

MAX_WAIT_S = 120.0
"""A host that asks us to wait longer (Retry-After, Crawl-delay) is left alone for this run."""

MAX_TRIES = 4
"""Requests for one address, the first included."""

MAX_BROKEN = 12
"""Requests in a row that a host answers with an error, or not at all, tries included; then it is left alone."""

MAX_FAILURES = 10
"""Failed fetches in a row after which a crawl gives up: the site is down, or does not want us."""


BLOCK_PAUSE_S = 1800.0
"""How long to stay away after a challenge; doubled for each further one in a row. Ours: no shop says its own time."""

MAX_BLOCK_PAUSE_S = 24 * 3600.0
"""A day is the longest pause that is advised."""


def floor_s(allow_loopback: bool) -> float:
    """The least delay a source may ask for."""
    return LOOPBACK_DELAY_S if allow_loopback else PUBLIC_DELAY_S


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Read a Retry-After header: seconds from `now`, at least 0; None where it is absent or unreadable."""
    if not value or not value.strip():
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 10 else float("inf")
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())


def block_pause_s(blocked_before: int) -> float:
    """Advise a pause after a challenge.

    Args:
        blocked_before: runs in a row that ended so before this one.
    """
    return min(MAX_BLOCK_PAUSE_S, BLOCK_PAUSE_S * 2.0 ** min(blocked_before, 16))


def back_off_s(tries: int, delay_s: float) -> float:
    """Wait before the next try where the server names no time: doubles from four delays on."""
    return min(MAX_WAIT_S, delay_s * 4 * 2.0 ** max(0, tries - 1))
