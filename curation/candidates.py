"""The frame that curation starts from: what the catalog saw that a recipe wants and no takedown covers."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Integer, Select, Text, cast, select

from catalog import tables
from catalog.blobs import BlobStore
from catalog.db import Catalog
from catalog.ids import canonical_json
from catalog.looks import Look
from catalog.recipe import Recipe
from catalog.suppressions import Suppressions
from curation.contract import SIGHTING_COLUMNS
from curation.decisions import no_search_for_cycles, records

_SCHEMA = pa.schema(
    [(name, {"rank": pa.int64(), "is_former": pa.bool_()}.get(name, pa.string())) for name in SIGHTING_COLUMNS]
)
_READ_ROWS = 2000


def load_sightings(catalog: Catalog, recipe: Recipe, suppressions: Suppressions) -> pd.DataFrame:
    """Read SIGHTING_COLUMNS, sorted by sighting_id.

    Left out: sightings without an image, other sources, slots or kinds than the recipe's, and what a takedown covers
    by image, subject, name or address.
    """
    sightings, subjects, pages = tables.sightings.c, tables.subjects.c, tables.pages.c
    seen = (
        select(
            sightings.sighting_id, sightings.image_id, sightings.subject_id, sightings.source, sightings.slot,
            sightings.rank, sightings.image_url, pages.url.label("page_url"),
        )
        .outerjoin(tables.pages, pages.page_id == sightings.page_id)
        .where(sightings.image_id.is_not(None), sightings.slot.in_(recipe.slots))
    )  # fmt: skip
    shown = select(
        subjects.subject_id, subjects.organisation, subjects.label, subjects.kind, subjects.name, subjects.role,
        subjects.role_class, subjects.profile_url,
        cast(subjects.is_former, Integer()).label("is_former"),
        cast(subjects.attributes, Text()).label("attributes"),
    ).where(subjects.kind == recipe.subject_kind)  # fmt: skip
    # Two reads and a join here take half the time of a join there, which tells every subject once per picture.
    with catalog.engine.connect() as connection:
        table, of_subjects = _read(connection, seen), _read(connection, shown)
    wanted = [source for source in pc.unique(table["source"]).to_pylist() if recipe.matches_source(source)]
    rows = pc.index_in(table["subject_id"], value_set=of_subjects["subject_id"])
    is_wanted = pc.and_(pc.is_in(table["source"], pa.array(wanted, pa.string())), pc.is_valid(rows))
    table, of_subjects = table.filter(is_wanted), of_subjects.take(rows.filter(is_wanted))
    for name in of_subjects.column_names[1:]:
        table = table.append_column(name, of_subjects[name])
    frame = _frame(table)
    if suppressions.urls or suppressions.images or suppressions.subjects or suppressions.names:
        frame = frame[[not _is_blocked(row, suppressions) for row in records(frame)]].reset_index(drop=True)
    texts = {text: canonical_json(json.loads(text or "{}") or {}) for text in frame["attributes"].unique()}
    frame["attributes"] = frame["attributes"].map(texts).astype("str")
    return frame


def _read(connection: Connection, query: Select[Any]) -> pa.Table:
    """Read columns of SIGHTING_COLUMNS.

    A few rows at a time, so that Python's objects live but briefly, and from the driver's cursor: SQLAlchemy's rows
    take half as long again.
    """
    schema = pa.schema([_SCHEMA.field(column.name) for column in query.selected_columns])
    stored = pa.schema([field.with_type(pa.int64()) if field.type == pa.bool_() else field for field in schema])
    batches = []
    with connection.execute(query) as result, no_search_for_cycles():
        while rows := result.cursor.fetchmany(_READ_ROWS):
            columns = zip(zip(*rows, strict=True), stored.types, strict=True)
            batches.append(pa.record_batch([pa.array(column, kind) for column, kind in columns], schema=stored))
    return pa.Table.from_batches(batches, stored).cast(schema)


def load_documents(catalog: Catalog, recipe: Recipe, patterns: Sequence[str], blobs: BlobStore) -> dict[str, str]:
    """Read lists that a recipe names: those that imported folders of its sources hold, or files of this machine.

    Args:
        catalog: knows the imported texts as pages.
        recipe: says which sources count.
        patterns: file names such as `pairs*.txt`, or paths.
        blobs: where the texts are.

    Returns:
        Name -> text; a later run of a source stands for an earlier one.
    """
    pages = tables.pages.c
    query = select(pages.source, pages.url, pages.body_sha256).where(pages.via == "file").order_by(pages.last_run_id)
    with catalog.engine.connect() as connection:
        rows = connection.execute(query).all()
    found = {}
    for pattern in patterns:
        if Path(pattern).is_file():
            found[Path(pattern).name] = Path(pattern).read_text(encoding="utf-8-sig")
        for row in rows:
            name = row.url.removeprefix("file:")
            is_named = fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(Path(name).name, pattern)
            if row.body_sha256 and is_named and recipe.matches_source(row.source):
                found[f"{row.source}/{name}"] = blobs.get(row.body_sha256).decode("utf-8-sig", "replace")
    return found


def images_alike(hashes: pd.DataFrame, suppressions: Suppressions) -> set[str]:
    """List the pictures that look like one that was taken down, also mirrored.

    Args:
        hashes: the signal `hashes`.
        suppressions: its looks are compared.
    """
    rich = hashes[~hashes["is_low_information"].astype(bool)]
    views = [rich[["image_id", f"phash{view}", f"dhash{view}"]] for view in ("", "_mirror")]
    return {
        str(image)
        for view in views
        for image, phash, dhash in view.itertuples(index=False)
        if suppressions.blocks_look(Look(int(phash), int(dhash)))
    }


def sightings_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Make the frame of SIGHTING_COLUMNS; texts that are missing are empty, `rank` and `is_former` are typed."""
    return _frame(pa.Table.from_pylist(rows, _SCHEMA))


def _frame(table: pa.Table) -> pd.DataFrame:
    """Fill what is missing, sort by sighting_id."""
    empty: dict[str, Any] = {"rank": 0, "is_former": False, "attributes": "{}"}
    filled = [pc.fill_null(table[name], empty.get(name, "")) for name in SIGHTING_COLUMNS]
    return pa.table(filled, list(SIGHTING_COLUMNS)).sort_by("sighting_id").to_pandas()


def _is_blocked(row: dict[str, Any], suppressions: Suppressions) -> bool:
    addresses = (row["image_url"], row["page_url"], row["profile_url"])
    return (
        suppressions.blocks_image(row["image_id"])
        or suppressions.blocks_subject(row["subject_id"])
        or suppressions.blocks_name(row["name"])
        or any(address and suppressions.blocks_url(address) for address in addresses)
    )
