"""The catalog: one SQLite file (WAL) or a PostgreSQL database, through SQLAlchemy Core."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, OperationalError, ProgrammingError

from catalog import tables
from catalog.errors import UsageError
from catalog.migrations import migrate
from catalog.schema import Verdict

if TYPE_CHECKING:
    import pandas as pd

_CHUNK_ROWS = 500
"""Rows of one INSERT: SQLite allows 32,766 bound values in a statement."""

_SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "busy_timeout=60000",
    "synchronous=NORMAL",  # with WAL a crash of the process loses nothing
    "foreign_keys=ON",
    "secure_delete=ON",  # a takedown leaves no bytes behind
)


class Catalog:
    """An open catalog. Close it, or use it as a context manager.

    Args:
        url: SQLAlchemy URL, sqlite:///path or postgresql+psycopg://...

    Raises:
        UsageError: the URL cannot be opened; says why.
    """

    def __init__(self, url: str) -> None:
        self.engine = _open_engine(url)
        migrate_with_patience(self.engine)

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()

    def begin(self) -> AbstractContextManager[Connection]:
        """Open a transaction: committed at the end of the block, rolled back on an error."""
        return self.engine.begin()

    def frame(self, table: Table, *conditions: Any) -> pd.DataFrame:
        """Read a table, or the rows that fulfil all conditions, as a frame; columns as in catalog.tables."""
        import pandas as pd

        with self.engine.connect() as connection:
            result = connection.execute(select(table).where(*conditions))
            return pd.DataFrame(result.fetchall(), columns=list(result.keys()))

    def add_verdicts(self, verdicts: Sequence[Verdict]) -> int:
        """Append answers, each verdict_id once; returns how many were new."""
        added = 0
        with self.begin() as connection:
            for verdict in verdicts:
                statement = _insert_for(connection, tables.verdicts).values(**verdict.to_row())
                statement = statement.on_conflict_do_nothing(index_elements=["verdict_id"])
                # rowcount is -1 with some drivers; the returned row tells surely.
                added += len(connection.execute(statement.returning(tables.verdicts.c.verdict_id)).all())
        return added

    def verdicts(self, queue: str | None = None) -> list[Verdict]:
        """List answers in the order they were given."""
        query = select(tables.verdicts).order_by(tables.verdicts.c.position)
        if queue is not None:
            query = query.where(tables.verdicts.c.queue == queue)
        with self.engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [Verdict(**{key: value for key, value in row.items() if key != "position"}) for row in rows]

    def save_assignments(self, recipe: str, assignments: Iterable[tuple[str, str]]) -> None:
        """Remember which side each sample of a recipe stands on; (sample_id, split) rows, later ones win."""
        rows = [{"recipe": recipe, "sample_id": sample, "split": split} for sample, split in assignments]
        with self.begin() as connection:
            upsert(connection, tables.split_assignments, rows)

    def assignments(self, recipe: str) -> dict[str, str]:
        """Map sample_id to the split it stands on."""
        table = tables.split_assignments
        with self.engine.connect() as connection:
            rows = connection.execute(select(table.c.sample_id, table.c.split).where(table.c.recipe == recipe))
            return {row.sample_id: row.split for row in rows}


def migrate_with_patience(engine: Engine, tries: int = 20) -> None:
    """Migrate; when another process migrates the same new database at the same moment, wait for it."""
    for attempt in range(tries):
        try:
            migrate(engine)
            return
        except (OperationalError, ProgrammingError, IntegrityError):
            if attempt == tries - 1:
                raise
            time.sleep(0.1)


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], keep: Sequence[str] = ()) -> None:
    """Insert rows, or update those whose primary key is there.

    Args:
        connection: inside a transaction.
        table: has a primary key.
        rows: all with the same keys; of rows with one primary key the last one wins.
        keep: columns that an update leaves as they are (first_run_id, say).
    """
    keys = [column.name for column in table.primary_key.columns]
    unique = {tuple(row[key] for key in keys): row for row in rows}
    values = list(unique.values())
    for start in range(0, len(values), _CHUNK_ROWS):
        statement = _insert_for(connection, table).values(values[start : start + _CHUNK_ROWS])
        changed = {
            column.name: statement.excluded[column.name]
            for column in table.columns
            if column.name not in keys and column.name not in keep
        }
        if changed:
            statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=keys)
        connection.execute(statement)


def _insert_for(connection: Connection, table: Table) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def _open_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise UsageError(f"catalog: expected a sqlite or postgresql URL, found {parsed.get_backend_name()!r}")
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            from pathlib import Path

            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise UsageError(f"catalog: cannot open the database URL: {error}") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
