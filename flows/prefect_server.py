"""The Prefect server as `gleanery up` starts it: `prefect server start`, with patience for its SQLite database.

Prefect 3.8 reads and then writes in deferred transactions. Where another one wrote in between, SQLite refuses the
write at once, however long the server would wait; after four tries the event that it was about is dropped, and an
alert never comes. A transaction that is immediate from its beginning waits for its turn instead.
"""

from __future__ import annotations

import functools
import sys
from typing import Any


def wait_for_turns() -> None:
    """Let all transactions on SQLite be immediate; PostgreSQL is not touched."""
    from prefect.server.database.configurations import AioSqliteConfiguration

    begin = AioSqliteConfiguration.begin_transaction

    @functools.wraps(begin)
    def begin_immediate(self: Any, session: Any, with_for_update: bool = False) -> Any:
        return begin(self, session, with_for_update=True)

    AioSqliteConfiguration.begin_transaction = begin_immediate  # type: ignore[method-assign]


def main() -> None:
    """Run the server in this process until it is stopped."""
    from prefect.cli import app

    wait_for_turns()
    sys.argv = ["prefect", "server", "start"]
    app()


if __name__ == "__main__":
    main()
