"""The frame that curation starts from: what the catalog saw that a recipe wants and no takedown covers."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy import select

from catalog import tables
from catalog.db import Catalog
from catalog.ids import canonical_json
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
            subjects.kind, subjects.name, subjects.role_class, subjects.is_former, subjects.profile_url,
            subjects.attributes,
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
