"""Waiting for people costs nothing: a flow that needs answers writes a row and ends.

The poller (`flows.pipeline.continue_waiting`) looks now and then whether a waited-for queue is done and starts the
continuation. The rows stand in the catalog, so that a restart of everything loses nothing. A continuation is started
under a key of its own before its row is marked: a kill in between starts it again under the same key, which is once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from catalog import tables
from catalog.db import Catalog, upsert
from catalog.ids import short_id


@dataclass(frozen=True, slots=True)
class Wait:
    """One gate that waits."""

    wait_id: str
    recipe: str
    queue: str
    continuation: dict[str, Any]
    """Parameters of the pipeline that goes on when the queue is done."""
    created_at: str
    continued_at: str | None
    """When the wait before this one, for the same queue, went on."""

    @property
    def continuation_key(self) -> str:
        """Tells this wait's continuation from those of earlier waits for the same queue."""
        return f"{self.wait_id}/{self.continued_at or 'first'}"


def record_wait(catalog: Catalog, recipe: str, queue: str, continuation: dict[str, Any], now: str) -> None:
    """Write down that a recipe waits for a queue; waiting twice for the same is one row."""
    row = {
        "wait_id": short_id("wait", recipe, queue),
        "recipe": recipe,
        "queue": queue,
        "state": "waiting",
        "continuation": continuation,
        "created_at": now,
        "continued_at": None,
    }
    with catalog.begin() as connection:
        upsert(connection, tables.waits, [row], keep=("created_at", "continued_at"))


def open_waits(catalog: Catalog) -> list[Wait]:
    """List what waits, oldest first."""
    table = tables.waits
    query = select(table).where(table.c.state == "waiting").order_by(table.c.created_at, table.c.wait_id)
    with catalog.engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
    return [Wait(**{name: value for name, value in row.items() if name != "state"}) for row in rows]


def mark_continued(catalog: Catalog, wait: Wait, now: str) -> None:
    """Say that the continuation of a wait was started."""
    table = tables.waits
    of_this_wait = (table.c.wait_id == wait.wait_id, table.c.state == "waiting")
    with catalog.begin() as connection:
        connection.execute(update(table).where(*of_this_wait).values(state="continued", continued_at=now))
