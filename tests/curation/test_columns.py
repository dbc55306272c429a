"""Reading columns in whole ranges gives what reading row by row gives."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, create_engine, select

from curation import columns
from curation.columns import TEXT, read_columns

THINGS = Table("things", MetaData(), Column("name", String), Column("rank", Integer), Column("kind", String))
PLACES = Table("places", THINGS.metadata, Column("kind", String, primary_key=True), Column("url", String))
SCHEMA = pa.schema([("name", TEXT), ("rank", pa.int64()), ("url", TEXT)])
QUERY = (
    select(THINGS.c.name, THINGS.c.rank, PLACES.c.url)
    .outerjoin(PLACES, PLACES.c.kind == THINGS.c.kind)
    .where(THINGS.c.kind.in_(["a", "b"]))
)
texts = st.one_of(st.none(), st.text("a,'ü\n\x1f\x00 ", max_size=3))
rows = st.lists(st.tuples(texts, st.one_of(st.none(), st.integers(-9, 9)), st.sampled_from("abc")), max_size=12)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        THINGS.metadata.create_all(connection)
        connection.execute(PLACES.insert(), [{"kind": "a", "url": "http://127.0.0.2/\x1f"}])
        yield connection
    engine.dispose()


@settings(max_examples=150)
@given(rows, st.integers(1, 4), st.sets(st.integers(0, 11)))
def test_the_same_as_row_by_row(connection, given_rows, range_rows, gone):
    connection.execute(THINGS.delete())
    for place, row in enumerate(given_rows):
        connection.execute(THINGS.insert(), dict(zip(("name", "rank", "kind"), row, strict=True)))
        if place in gone:
            connection.execute(THINGS.delete().where(THINGS.c.name == row[0]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_RANGE_ROWS", range_rows)
        found = read_columns(connection, QUERY, SCHEMA).to_pylist()
    wanted = [
        {"name": row.name or "", "rank": row.rank, "url": row.url or ""} for row in connection.execute(QUERY).all()
    ]
    assert [{**row, "name": row["name"] or "", "url": row["url"] or ""} for row in found] == wanted


def test_numbers_and_truth_have_their_types(connection):
    connection.execute(THINGS.delete())
    connection.execute(THINGS.insert(), [{"name": "x", "rank": 1, "kind": "a"}, {"name": "y", "rank": 0, "kind": "b"}])
    schema = pa.schema([("name", TEXT), ("rank", pa.bool_())])
    query = select(THINGS.c.name, THINGS.c.rank)
    assert read_columns(connection, query, schema).to_pydict() == {"name": ["x", "y"], "rank": [True, False]}
