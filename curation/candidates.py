"""What curation starts from is read here: what the catalog saw that a recipe wants and no takedown covers."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Sequence
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
from curation.columns import TEXT, read_columns
from curation.contract import SIGHTING_COLUMNS
from curation.sightings import Sightings

_SCHEMA = pa.schema(
    [(name, {"rank": pa.int64(), "is_former": pa.bool_()}.get(name, TEXT)) for name in SIGHTING_COLUMNS]
)


def load_sightings(catalog: Catalog, recipe: Recipe, suppressions: Suppressions) -> Sightings:
    """Read what the catalog saw for a recipe.

    Left out: sightings without an image, other sources, slots or kinds than the recipe's, and what a takedown covers
    by image, subject, name or address.
    """
    with catalog.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # or each statement would see another state of the catalog
        # Two reads and a join here take half the time of a join there, which tells every subject once per picture.
        seen, subjects = (_uncovered(_read(connection, query), suppressions) for query in _queries(connection, recipe))
    return Sightings.of(seen, _with_canonical_attributes(subjects))


def _read(connection: Connection, query: Select[Any]) -> pa.Table:
    schema = pa.schema([_SCHEMA.field(column.name) for column in query.selected_columns])
    return _filled(read_columns(connection, query, schema))


def _queries(connection: Connection, recipe: Recipe) -> tuple[Select[Any], Select[Any]]:
    """Ask for the sightings and for the subjects of a recipe, which tell the source of both: it is in their ids."""
    sightings, subjects, pages = tables.sightings.c, tables.subjects.c, tables.pages.c
    sources = connection.execute(select(subjects.source).distinct()).scalars().all()
    wanted = [source for source in sources if recipe.matches_source(source)]
    seen = (
        select(
            sightings.sighting_id, sightings.image_id, sightings.subject_id, sightings.slot, sightings.rank,
            sightings.image_url, pages.url.label("page_url"),
        )
        .outerjoin(tables.pages, pages.page_id == sightings.page_id)
        .where(sightings.image_id.is_not(None), sightings.slot.in_(recipe.slots))
    )  # fmt: skip
    shown = select(
        subjects.subject_id, subjects.source, subjects.organisation, subjects.label, subjects.kind, subjects.name,
        subjects.role, subjects.role_class, subjects.profile_url,
        cast(subjects.is_former, Integer()).label("is_former"),
        cast(subjects.attributes, Text()).label("attributes"),
    ).where(subjects.kind == recipe.subject_kind)  # fmt: skip
    if len(wanted) < len(sources):  # where all are wanted, an index on them would only be in the way
        seen, shown = seen.where(sightings.source.in_(wanted)), shown.where(subjects.source.in_(wanted))
    return seen, shown


def _with_canonical_attributes(of_subjects: pa.Table) -> pa.Table:
    """Write the JSON of `attributes` in one way, whatever the database made of it."""
    texts = of_subjects["attributes"].combine_chunks().dictionary_encode()
    written = pa.array([canonical_json(json.loads(text or "{}") or {}) for text in texts.dictionary.to_pylist()], TEXT)
    place = of_subjects.column_names.index("attributes")
    return of_subjects.set_column(place, "attributes", written.take(texts.indices))


def _uncovered(table: pa.Table, suppressions: Suppressions) -> pa.Table:
    """Leave out the rows that a takedown covers."""
    checks: list[tuple[str, Callable[[str], bool]]] = []
    if suppressions.images:
        checks.append(("image_id", suppressions.blocks_image))
    if suppressions.subjects:
        checks.append(("subject_id", suppressions.blocks_subject))
    if suppressions.names:
        checks.append(("name", suppressions.blocks_name))
    if suppressions.urls or suppressions.names:  # an address may spell a name
        checks += [(name, suppressions.blocks_url) for name in ("image_url", "page_url", "profile_url")]
    for name, blocks in checks:
        if name in table.column_names:
            covered = [value for value in pc.unique(table[name]).to_pylist() if value and blocks(value)]
            table = table.filter(pc.invert(pc.is_in(table[name], pa.array(covered, TEXT))))
    return table


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
    """List the pictures that look like one that was taken down, also mirrored or within a frame.

    Args:
        hashes: the signal `hashes`.
        suppressions: its looks are compared.
    """
    rich = hashes[~hashes["is_low_information"].astype(bool)]
    views = [rich[["image_id", f"phash{view}", f"dhash{view}"]] for view in ("", "_mirror", "_content")]
    return {
        str(image)
        for view in views
        for image, phash, dhash in view.itertuples(index=False)
        if suppressions.blocks_look(Look(int(phash), int(dhash)))
    }


def _filled(table: pa.Table) -> pa.Table:
    """Fill what is missing."""
    empty: dict[str, Any] = {"rank": 0, "is_former": False}
    filled = {name: pc.fill_null(table[name], empty.get(name, "")) for name in table.column_names}
    return pa.table(filled)
