"""The frame that curation starts from: what the catalog saw that a recipe wants and no takedown covers."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import select

from catalog import tables
from catalog.blobs import BlobStore
from catalog.db import Catalog
from catalog.ids import canonical_json
from catalog.looks import Look
from catalog.recipe import Recipe
from catalog.suppressions import Suppressions
from curation.contract import SIGHTING_COLUMNS
from curation.decisions import records


def load_sightings(catalog: Catalog, recipe: Recipe, suppressions: Suppressions) -> pd.DataFrame:
    """Read SIGHTING_COLUMNS, sorted by sighting_id.

    Left out: sightings without an image, other sources, slots or kinds than the recipe's, and what a takedown covers
    by image, subject, name or address.
    """
    sightings, subjects, pages = tables.sightings.c, tables.subjects.c, tables.pages.c
    query = (
        select(
            sightings.sighting_id, sightings.image_id, sightings.subject_id, sightings.source, subjects.organisation,
            sightings.slot, sightings.rank, sightings.image_url, pages.url.label("page_url"), subjects.label,
            subjects.kind, subjects.name, subjects.role, subjects.role_class, subjects.is_former,
            subjects.profile_url, subjects.attributes,
        )
        .join(tables.subjects, subjects.subject_id == sightings.subject_id)
        .outerjoin(tables.pages, pages.page_id == sightings.page_id)
        .where(
            sightings.image_id.is_not(None),
            sightings.slot.in_(recipe.slots),
            subjects.kind == recipe.subject_kind,
        )
        .order_by(sightings.sighting_id)
    )  # fmt: skip
    with catalog.engine.connect() as connection:
        rows = connection.execute(query).fetchall()
    frame = pd.DataFrame(rows, columns=list(SIGHTING_COLUMNS))
    wanted = {source: recipe.matches_source(source) for source in frame["source"].unique()}
    frame = frame[frame["source"].map(wanted).astype(bool)]
    if suppressions.urls or suppressions.images or suppressions.subjects or suppressions.names:
        frame = frame[[not _is_blocked(row, suppressions) for row in records(frame)]]
    frame["attributes"] = [canonical_json(value) if value else "{}" for value in frame["attributes"]]
    return _typed(frame)


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


_EMPTY: dict[str, Any] = {"rank": 0, "is_former": False, "attributes": "{}"}


def sightings_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Make the frame of SIGHTING_COLUMNS; texts that are missing are empty, `rank` and `is_former` are typed."""
    return _typed(pd.DataFrame(rows, columns=list(SIGHTING_COLUMNS)))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.astype(object)
    for column in SIGHTING_COLUMNS:
        frame[column] = frame[column].where(frame[column].notna(), _EMPTY.get(column, ""))
    types = {column: {"rank": "int64", "is_former": "bool"}.get(column, "str") for column in SIGHTING_COLUMNS}
    return frame.astype(types).sort_values("sighting_id", ignore_index=True)


def _is_blocked(row: dict[str, Any], suppressions: Suppressions) -> bool:
    addresses = (row["image_url"], row["page_url"], row["profile_url"])
    return (
        suppressions.blocks_image(row["image_id"])
        or suppressions.blocks_subject(row["subject_id"])
        or suppressions.blocks_name(row["name"])
        or any(address and suppressions.blocks_url(address) for address in addresses)
    )
