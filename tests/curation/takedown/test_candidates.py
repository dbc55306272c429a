"""What of the catalog curation starts from, on both databases."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from catalog import tables
from catalog.db import Catalog, upsert
from catalog.recipe import Recipe
from catalog.suppressions import Suppressions, add_suppression
from curation.candidates import load_sightings
from curation.contract import SIGHTING_COLUMNS

RUN = {"first_run_id": "r", "last_run_id": "r"}
PAGE = {
    "page_id": "p", "source": "uni-cs", "url": "http://127.0.0.2/staff", "final_url": "", "status": 200,
    "via": "http", "content_type": "", "fetched_at": "", "permission": {}, **RUN,
}  # fmt: skip
RECIPE = Recipe(name="people", title="", purpose="", sources=("uni-*",), subject_kind="person", slots=("portrait",))


def subject(name: str, **others: Any) -> dict[str, Any]:
    row = {"source": "uni-cs", "kind": "person", "label": "cs", "name": name, "is_former": False, "attributes": {}}
    return {"subject_id": name, **row, **RUN, **others}


def sighting(number: int, of: str, **others: Any) -> dict[str, Any]:
    row = {
        "source": "uni-cs",
        "page_id": "p",
        "slot": "portrait",
        "rank": number,
        "image_url": f"http://127.0.0.2/{number}",
    }
    return {"sighting_id": f"s{number}", "subject_id": of, "image_id": f"i{number}", **row, **RUN, **others}


def test_sightings_are_read_with_their_subjects_and_pages(catalog: Catalog) -> None:
    subjects = [
        subject("Berta", is_former=True, attributes={"b": 1, "a": "ä"}, role="docent"),
        subject("Cleo", label=None),
        subject("thing", kind="item"),
        subject("Dora", source="shop"),
    ]
    sightings = [
        sighting(5, "Cleo", page_id="gone"),
        sighting(4, "Berta"),
        sighting(3, "Berta", image_id=None),
        sighting(2, "Berta", slot="gallery"),
        sighting(1, "thing"),
        sighting(0, "Dora", source="shop"),
    ]
    with catalog.begin() as connection:
        upsert(connection, tables.pages, [PAGE])
        for row in subjects:
            upsert(connection, tables.subjects, [row])
        upsert(connection, tables.sightings, sightings)
    frame = load_sightings(catalog, RECIPE, Suppressions.load(catalog)).frame
    assert tuple(frame.columns) == SIGHTING_COLUMNS
    assert frame["sighting_id"].to_list() == ["s4", "s5"]
    berta, cleo = frame.to_dict("records")
    assert (berta["is_former"], berta["rank"], berta["role"], berta["page_url"]) == (True, 4, "docent", PAGE["url"])
    assert json.loads(berta["attributes"]) == {"a": "ä", "b": 1}
    assert (cleo["is_former"], cleo["label"], cleo["page_url"], cleo["attributes"]) == (False, "", "", "{}")
    assert frame["is_former"].dtype == bool
    nothing = load_sightings(catalog, dataclasses.replace(RECIPE, sources=("none",)), Suppressions.load(catalog)).frame
    assert tuple(nothing.columns) == SIGHTING_COLUMNS
    assert nothing.empty


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("image", "i4"),
        ("subject", "Berta"),
        ("name", "berta"),
        ("url", "http://127.0.0.2/4"),
        ("url", "http://127.0.0.2/staff"),
        ("url", "http://127.0.0.2/~berta"),
    ],
)
def test_what_a_takedown_covers_is_left_out(catalog: Catalog, kind: str, value: str) -> None:
    with catalog.begin() as connection:
        upsert(connection, tables.pages, [PAGE])
        upsert(connection, tables.subjects, [subject("Berta", profile_url="http://127.0.0.2/~berta")])
        upsert(connection, tables.subjects, [subject("Cleo")])
        upsert(connection, tables.sightings, [sighting(4, "Berta"), sighting(5, "Cleo", page_id="other")])
    whole = load_sightings(catalog, RECIPE, Suppressions.load(catalog))
    assert whole.image_ids.to_pylist() == ["i4", "i5"]
    add_suppression(catalog, kind, value, "asked", "2026-01-01T00:00:00Z")
    rest = load_sightings(catalog, RECIPE, Suppressions.load(catalog))
    assert rest.image_ids.to_pylist() == ["i5"]
    assert rest.subjects["subject_id"].to_pylist() == ["Cleo"]
    assert rest.digest == whole.with_images(["i5"]).digest != whole.digest
