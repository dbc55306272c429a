"""Transactions of the Prefect server wait for their turn: a deferred one that writes late is refused at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prefect.server.database.configurations import SQLITE_BEGIN_MODE, AioSqliteConfiguration

from flows.prefect_server import wait_for_turns


class Session:
    """Notes in which mode it is begun."""

    def __init__(self) -> None:
        self.modes: list[str | None] = []

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[None]:
        self.modes.append(SQLITE_BEGIN_MODE.get())
        yield


def test_every_transaction_is_immediate(monkeypatch: pytest.MonkeyPatch) -> None:
    async def begun(for_update: bool) -> list[str | None]:
        session = Session()
        configuration = AioSqliteConfiguration.__new__(AioSqliteConfiguration)
        async with configuration.begin_transaction(session, with_for_update=for_update):  # type: ignore[arg-type]
            pass
        return session.modes

    assert asyncio.run(begun(False)) == ["DEFERRED"], (
        "the library does it by itself now: flows/prefect_server.py can go"
    )
    # So that it is put back when the test ends.
    monkeypatch.setattr(AioSqliteConfiguration, "begin_transaction", AioSqliteConfiguration.begin_transaction)
    wait_for_turns()
    assert asyncio.run(begun(False)) == asyncio.run(begun(True)) == ["IMMEDIATE"]
