"""Waiting for people costs nothing: a flow that needs answers writes a row and ends.

The poller (`flows.continuing`) looks now and then whether a waited-for queue is done and starts the continuation.
The rows stand in the catalog, so that a restart of everything loses nothing.
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


def record_wait(catalog: Catalog, recipe: str, queue: str, continuation: dict[str, Any], now: str) -> Wait:
    """Write down that a recipe waits for a queue; waiting twice for the same is one row."""
    wait = Wait(short_id("wait", recipe, queue), recipe, queue, continuation, now)
    row = {
        "wait_id": wait.wait_id,
        "recipe": recipe,
        "queue": queue,
        "state": "waiting",
        "continuation": continuation,
        "created_at": now,
        "continued_at": None,
    }
    with catalog.begin() as connection:
        upsert(connection, tables.waits, [row], keep=("created_at",))
    return wait


def open_waits(catalog: Catalog) -> list[Wait]:
    """List what waits, oldest first."""
    table = tables.waits
    query = select(table).where(table.c.state == "waiting").order_by(table.c.created_at, table.c.wait_id)
    with catalog.engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
    return [Wait(row["wait_id"], row["recipe"], row["queue"], row["continuation"], row["created_at"]) for row in rows]


def claim_wait(catalog: Catalog, wait_id: str, now: str) -> bool:
    """Mark a wait as continued; only one caller gets True, so that no continuation starts twice."""
    table = tables.waits
    statement = (
        update(table)
        .where(table.c.wait_id == wait_id, table.c.state == "waiting")
        .values(state="continued", continued_at=now)
    )
    with catalog.begin() as connection:
        return connection.execute(statement).rowcount == 1


def release_claim(catalog: Catalog, wait_id: str) -> None:
    """Put a claimed wait back: its continuation could not be started."""
    table = tables.waits
    with catalog.begin() as connection:
        connection.execute(update(table).where(table.c.wait_id == wait_id).values(state="waiting", continued_at=None))
