from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog import tables
from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ids import image_id, subject_id
from catalog.ingest import ingest_run, rebuild
from catalog.looks import Look
from catalog.suppressions import Suppressions, add_suppression, catalog_salt, salted

LandRun = Callable[..., Path]
NOW = "2026-11-21T12:00:00Z"


def _snapshot(catalog: Catalog) -> dict[str, list[Any]]:
    return {table.name: sorted(map(repr, catalog.frame(table).to_dict("records"))) for table in tables.LANDED_TABLES}


def test_twice_the_same_run_changes_nothing(catalog: Catalog, land_run: LandRun) -> None:
    folder = land_run(["Ada", "Bea"])
    assert ingest_run(catalog, folder).records_count == 7  # 1 page, 2 subjects, 2 fetches, 2 sightings
    before = _snapshot(catalog)
    assert ingest_run(catalog, folder).records_count == 0
    assert _snapshot(catalog) == before


def test_a_later_run_keeps_the_first_sight_and_moves_the_last(catalog: Catalog, land_run: LandRun) -> None:
    first, second = land_run(["Ada", "Bea"], hour=1), land_run(["Ada"], hour=2)
    ingest_run(catalog, first)
    ingest_run(catalog, second)
    subjects = catalog.frame(tables.subjects).set_index("name")
    assert subjects.loc["Ada", "first_run_id"] == first.name
    assert subjects.loc["Ada", "last_run_id"] == second.name
    assert subjects.loc["Bea", "last_run_id"] == first.name  # gone since the first run, but not forgotten


def test_a_rejected_run_brings_its_issues_and_nothing_else(catalog: Catalog, land_run: LandRun) -> None:
    ingest_run(catalog, land_run(["Ada"], state="rejected"))
    assert len(catalog.frame(tables.subjects)) == 0
    assert len(catalog.frame(tables.issues)) == 1
    assert catalog.frame(tables.runs)["state"].tolist() == ["rejected"]


def test_an_unfinished_run_is_refused(catalog: Catalog, land_run: LandRun) -> None:
    with pytest.raises(UsageError, match="unfinished"):
        ingest_run(catalog, land_run(["Ada"], is_finished=False))


def test_crawl_tables_rebuild_from_landing_and_answers_stay(
    catalog: Catalog, land_run: LandRun, tmp_path: Path
) -> None:
    for hour, names in ((1, ["Ada", "Bea"]), (2, ["Bea", "Cem"])):
        ingest_run(catalog, land_run(names, hour=hour))
    catalog.save_assignments("majors", [("sample", "test")])
    before = _snapshot(catalog)
    rebuild(catalog, tmp_path / "landing")
    assert _snapshot(catalog) == before
    assert catalog.assignments("majors") == {"sample": "test"}


@pytest.mark.parametrize("kind", ["subject", "name", "image", "url"])
def test_what_was_taken_down_does_not_come_back(catalog: Catalog, land_run: LandRun, kind: str) -> None:
    value = {
        "subject": subject_id("uni-cs", "Ada Ümlaut"),
        "name": "ADA  umlaut",
        "image": image_id("Ada Ümlaut".encode()),
        "url": "http://127.0.0.1/staff/0.jpg",
    }[kind]
    add_suppression(catalog, kind, value, "asked", NOW)
    summary = ingest_run(catalog, land_run(["Ada Ümlaut", "Bea"]))
    assert summary.suppressed_count >= 2
    assert catalog.frame(tables.sightings)["subject_id"].tolist() == [subject_id("uni-cs", "Bea")]


def test_hashed_names_differ_between_catalogs_and_show_no_name(tmp_path: Path) -> None:
    salts = []
    for name in ("a", "b"):
        with Catalog(f"sqlite:///{tmp_path / name}") as catalog:
            salts.append(catalog_salt(catalog))
    assert salted("name", "ada", salts[0]) != salted("name", "ada", salts[1])


def test_a_look_close_to_a_taken_down_one_is_blocked() -> None:
    guard = Suppressions(looks=(Look(0xFF00FF00FF00FF00, 0xFF00FF00FF00FF00),))
    assert guard.blocks_look(Look(0xFF00FF00FF00FF03, 0xFF00FF00FF00FF03))
    assert not guard.blocks_look(Look(0xFF00FF00FF00FF00, 0x00FF00FF00FF00FF))
    assert not guard.blocks_look(Look(0x00FF00FF00FF00FF))


def test_an_unknown_kind_of_takedown_is_refused(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="expected one of"):
        add_suppression(catalog, "face", "x", "asked", NOW)
