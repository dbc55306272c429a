"""Rows go, and their bytes with them: from the files of SQLite and of a real PostgreSQL server."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import create_engine, text

from catalog import tables
from catalog.config import Config
from catalog.db import Catalog
from catalog.ids import image_id, subject_id
from catalog.ingest import ingest_run
from curation.places import Places
from curation.takedown.carry_out import clear_catalog
from curation.takedown.databases import clear_tables, compact, reflected_tables
from curation.takedown.trace import Trace

LandRun = Callable[..., Path]


def _files(catalog: Catalog) -> list[Path]:
    """The files that hold the tables."""
    if catalog.engine.dialect.name == "sqlite":
        path = Path(str(catalog.engine.url.database))
        return [path, *path.parent.glob(f"{path.name}-*")]
    with catalog.engine.connect() as connection:
        folder = Path(str(connection.execute(text("SHOW data_directory")).scalar_one()))
    return [path for path in (folder / "base").rglob("*") if path.is_file()]


def _holding(catalog: Catalog, needle: str) -> list[str]:
    return [path.name for path in _files(catalog) if path.exists() and needle.encode() in path.read_bytes()]


def test_rows_go_with_their_bytes_and_the_others_stay(catalog: Catalog, land_run: LandRun, tmp_path: Path) -> None:
    ingest_run(catalog, land_run(["Ada Bellwether", "Bo Cart"], hour=1))
    ingest_run(catalog, land_run(["Bo Cart", "Ada Bellwether"], hour=2))
    with catalog.begin() as connection:
        connection.execute(
            tables.subjects.update().where(tables.subjects.c.name == "Bo Cart").values(role="Aide of Ada Bellwether")
        )
    image = image_id(b"Ada Bellwether")
    trace = Trace(
        names=["Ada Bellwether"], subject_ids=[subject_id("uni-cs", "Ada Bellwether")], images={image: "named"},
        urls=["http://127.0.0.1/staff/0.jpg"],
    )  # fmt: skip
    places = Places(Config(root=tmp_path), catalog)
    compact(catalog.engine)
    assert _holding(catalog, "Bellwether")
    with catalog.engine.connect() as reader:  # somebody who looks on must not hold it up for ever
        counted = clear_catalog(places, trace, write=False)
        assert reader.execute(text("SELECT 1")).scalar_one() == 1
    assert clear_catalog(places, trace, write=True) == counted
    assert clear_catalog(places, trace, write=True) == 0
    compact(catalog.engine)
    for needle in ("Bellwether", image):
        assert _holding(catalog, needle) == []
    subjects = catalog.frame(tables.subjects)
    assert subjects[["name", "role"]].to_numpy().tolist() == [["Bo Cart", None]]
    assert len(catalog.frame(tables.pages)) == 1
    assert len(catalog.frame(tables.runs)) == 2


def test_a_database_of_others_is_cleared_while_they_use_it(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("CREATE TABLE log (id INTEGER PRIMARY KEY, message TEXT)")
    other.execute("CREATE TABLE state (id TEXT PRIMARY KEY, data JSON, note TEXT NOT NULL)")
    with other:
        other.executemany("INSERT INTO log (message) VALUES (?)", [("saw Ada Bellwether",), ("saw nobody",)])
        other.execute(
            'INSERT INTO state VALUES (\'s\', \'{"who": ["ada-bellwether", "bo"], "n": 1}\', \'Bellwether, Ada\')'
        )
    engine = create_engine(f"sqlite:///{path}")
    trace = Trace(names=["Ada Bellwether"])
    fates = {"log": "delete", "state": "scrub"}
    assert clear_tables(engine, reflected_tables(engine), trace, lambda name, _: fates[name], write=True) == 2
    compact(engine)
    engine.dispose()
    assert other.execute("SELECT message FROM log").fetchall() == [("saw nobody",)]
    assert other.execute("SELECT data, note FROM state").fetchall() == [('{"who": ["bo"], "n": 1}', "")]
    other.close()
    for each in tmp_path.glob("other.db*"):
        assert b"ellwether" not in each.read_bytes()
