"""Schema changes, each applied once and in one transaction with the record of its application."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from sqlalchemy import Connection, Engine, func, inspect, select

from catalog.errors import CatalogCorrupt
from catalog.tables import METADATA, facts, schema_version, verdict_releases


def _create_tables(connection: Connection) -> None:
    METADATA.create_all(connection)
    connection.execute(facts.insert().values(name="salt", value=secrets.token_hex(32)))


def _add_verdict_releases(connection: Connection) -> None:
    verdict_releases.create(connection, checkfirst=True)  # a new catalog has it already


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_create_tables, _add_verdict_releases)
"""Position + 1 is the version. Append; never edit one that was shipped."""


def migrate(engine: Engine) -> int:
    """Bring a database to the newest schema; returns its version.

    Raises:
        CatalogCorrupt: the database was written by a newer Gleanery.
    """
    with engine.begin() as connection:
        if inspect(connection).has_table(schema_version.name):
            current = connection.execute(select(func.max(schema_version.c.version))).scalar() or 0
        else:
            current = 0
    if current > len(MIGRATIONS):
        raise CatalogCorrupt(f"catalog has schema {current}, this Gleanery knows up to {len(MIGRATIONS)}: upgrade it")
    for version in range(current + 1, len(MIGRATIONS) + 1):
        with engine.begin() as connection:
            schema_version.create(connection, checkfirst=True)
            MIGRATIONS[version - 1](connection)
            connection.execute(schema_version.insert().values(version=version))
    return len(MIGRATIONS)
