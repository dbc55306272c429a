"""Reading a query of the catalog into Arrow columns; a million rows are worth some thought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, Integer, Select, bindparam, func, literal_column, select

from curation.decisions import no_search_for_cycles

TEXT = pa.large_string()
"""As pandas keeps texts, so that columns become its own as they are."""
_RANGE_ROWS = 5000
_CURSOR_ROWS = 2000
_BETWEEN = "\x1f"
"""Unit separator."""


def read_columns(connection: Connection, query: Select[Any], schema: pa.Schema) -> pa.Table:
    """Read a query.

    Args:
        connection: of the catalog.
        query: names columns, the first one of the table whose rows it gives.
        schema: types of the columns (TEXT, int64 or bool), in order.

    Returns:
        The columns; a missing number is null, a missing text null or empty.
    """
    stored = pa.schema([field.with_type(pa.int64()) if field.type == pa.bool_() else field for field in schema])
    read = _by_ranges if connection.dialect.name == "sqlite" else _by_rows
    return pa.Table.from_batches(read(connection, query, stored), stored).cast(schema)


def _by_ranges(connection: Connection, query: Select[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Let SQLite write thousands of values into one text, which Arrow cuts: a third of the time of a text for each.

    Where a value itself holds what stands between them, the rows are read one by one.
    """
    columns = list(query.selected_columns)
    table = columns[0].table
    rowid = literal_column(f"{table.name}.rowid", Integer())
    first, last = (connection.execute(select(end(rowid)).select_from(table)).scalar() for end in (func.min, func.max))
    within = query.where(rowid.between(bindparam("first"), bindparam("last")))
    empty: ColumnElement[str] = literal_column("''")
    between: ColumnElement[str] = literal_column(f"'{_BETWEEN}'")
    texts = [func.group_concat(func.coalesce(column, empty), between) for column in columns]
    joined = within.with_only_columns(func.count(), *texts, maintain_column_froms=True)
    for start in range(first or 0, (last or -1) + 1, _RANGE_ROWS):
        bounds = {"first": start, "last": start + _RANGE_ROWS - 1}
        count, *found = connection.execute(joined, bounds).one()
        if not count:
            continue
        cut = [pc.split_pattern(pa.array([text], TEXT), _BETWEEN).values for text in found]
        if all(len(column) == count for column in cut):
            filled = [_without_empty(column, kind) for column, kind in zip(cut, schema.types, strict=True)]
            yield pa.record_batch(filled, schema=schema)
        else:
            yield from _by_rows(connection, within, schema, bounds)


def _without_empty(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """Give numbers where numbers are wanted; what is missing is empty among texts."""
    return texts if kind == TEXT else pc.if_else(pc.equal(texts, ""), None, texts).cast(kind)


def _by_rows(
    connection: Connection, query: Select[Any], schema: pa.Schema, values: Mapping[str, Any] | None = None
) -> Iterator[pa.RecordBatch]:
    """Read from the driver's cursor, a few rows at a time, so that Python's objects live but briefly.

    SQLAlchemy's rows take half as long again.
    """
    with connection.execute(query, dict(values or {})) as result, no_search_for_cycles():
        while rows := result.cursor.fetchmany(_CURSOR_ROWS):
            columns = zip(zip(*rows, strict=True), schema.types, strict=True)
            yield pa.record_batch([pa.array(column, kind) for column, kind in columns], schema=schema)
