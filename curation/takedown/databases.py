"""Taking a trace out of databases, so that no page of the file, in use or free, holds its bytes any more.

Works on the catalog and on any other database that can be reflected (Prefect's own), SQLite or PostgreSQL. Rows are
found by their text and JSON columns; what goes and what is only scrubbed is for the caller to say.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    and_,
    cast,
    delete,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import OperationalError, ProgrammingError

from catalog.errors import GleaneryError
from curation.takedown.landed import scrubbed_value
from curation.takedown.trace import Trace

Fate = Callable[[str, Mapping[str, Any]], str]
"""(table, row) -> `delete` or `scrub`, for a row that holds a trace."""
_PATIENCE_S = 60.0
_CHUNK = 400


def clear_tables(
    engine: Engine,
    tables: Iterable[Table],
    trace: Trace,
    fate: Fate,
    *,
    write: bool,
    also: Callable[[str], bool] | None = None,
) -> int:
    """Delete or scrub every row that holds a trace; returns how many.

    Args:
        engine: of the database.
        tables: to be searched; those without a primary key cannot be changed row by row and raise.
        trace: what to look for, in every column that holds text or JSON.
        fate: says what becomes of such a row.
        write: False only counts.
        also: tells of further texts that make a row one of them, whatever they hold.
    """
    count = 0
    is_hit = trace.needles.found_in if also is None else lambda text: also(text) or trace.needles.found_in(text)
    for table in tables:
        with engine.connect() as connection:
            found = list(_rows_with(connection, table, is_hit))
        count += len(found)
        for start in range(0, len(found) if write else 0, _CHUNK):
            with engine.begin() as connection:
                for row in found[start : start + _CHUNK]:
                    _apply(connection, table, row, trace, fate(table.name, row))
    return count


def _rows_with(connection: Connection, table: Table, is_hit: Callable[[str], bool]) -> Iterator[dict[str, Any]]:
    columns = [column for column in table.columns if _holds_text(column)]
    if not columns:
        return
    # As text: a reflected JSON column may hold what its type would not read.
    shown = [cast(column, String).label(f"text_{number}") for number, column in enumerate(columns)]
    keys = list(table.primary_key.columns)
    query = select(*keys, *shown).execution_options(stream_results=True)
    for row in connection.execute(query):
        texts = [value for value in row[len(keys) :] if value]
        if any(is_hit(value) for value in texts):
            named = dict(zip((key.name for key in keys), row, strict=False))
            yield {**dict(zip((c.name for c in columns), row[len(keys) :], strict=True)), **named}


def _holds_text(column: Column[Any]) -> bool:
    return not isinstance(column.type, (Boolean, Date, DateTime, LargeBinary, Numeric, Integer))


def _apply(connection: Connection, table: Table, row: Mapping[str, Any], trace: Trace, fate: str) -> None:
    keys = list(table.primary_key.columns)
    if not keys:
        raise GleaneryError(f"table {table.name}: no primary key, a row of it cannot be taken out")
    here = and_(*(key == row[key.name] for key in keys))
    if fate == "delete":
        connection.execute(delete(table).where(here))
        return
    changed = {
        column: _scrubbed(column, row[column.name], trace)
        for column in table.columns
        if column.name in row and column not in keys and isinstance(row[column.name], str)
        and trace.needles.found_in(row[column.name])
    }  # fmt: skip
    if changed:
        connection.execute(update(table).where(here).values({column.name: value for column, value in changed.items()}))


def _scrubbed(column: Column[Any], value: str, trace: Trace) -> Any:
    """Give what may stay of a text: of JSON the other values, of other text nothing."""
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict | list):
        kept = scrubbed_value(parsed, trace)
        return kept if isinstance(column.type, JSON) else json.dumps(kept)
    return None if column.nullable else ""


def reflected_tables(engine: Engine) -> list[Table]:
    """Read the tables of a database that is not ours: names, columns and primary keys."""
    inspector = inspect(engine)
    described = MetaData()
    tables = []
    for name in inspector.get_table_names():
        keys = set(inspector.get_pk_constraint(name)["constrained_columns"])
        columns = [
            Column(column["name"], column["type"], primary_key=column["name"] in keys, nullable=column["nullable"])
            for column in inspector.get_columns(name)
        ]
        tables.append(Table(name, described, *columns))
    return tables


def compact(engine: Engine) -> None:
    """Make sure that nothing deleted can be read from the files: rewrite them and empty the write-ahead log.

    SQLite: VACUUM, then a truncating checkpoint; both wait for readers. PostgreSQL: VACUUM FULL, then a checkpoint,
    as only then the files that it replaced go; the server's own log keeps the bytes until it is recycled.

    Raises:
        GleaneryError: another process keeps the file busy for a minute; run the takedown again.
    """
    sqlite, postgresql = ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"), ("VACUUM FULL", "CHECKPOINT")
    statements = postgresql if engine.dialect.name == "postgresql" else sqlite
    deadline_s = time.monotonic() + _PATIENCE_S
    for statement in statements:
        while not _did(engine, statement):
            if time.monotonic() > deadline_s:
                raise GleaneryError(f"the database {engine.url.database} stays busy: run the takedown again")
            time.sleep(0.2)


def _did(engine: Engine, statement: str) -> bool:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            if engine.dialect.name == "sqlite":
                connection.execute(text("PRAGMA secure_delete=ON"))
            row = connection.execute(text(statement))
            # A checkpoint that readers hold up says so in its first column instead of raising.
            return not (row.returns_rows and (first := row.first()) is not None and first[0])
        except ProgrammingError:
            return statement == "CHECKPOINT"  # not every user may; the server makes one within minutes
        except OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                return False
            raise
