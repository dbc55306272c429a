"""The one clock: what runs, requests and releases are dated by. Read at the rim alone; functions take times."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(when: datetime) -> str:
    """Write a time as everything here is dated: UTC, ISO 8601 with Z, whole seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_now() -> str:
    """Tell the time, as `utc_text` writes it."""
    return utc_text(datetime.now(UTC))
