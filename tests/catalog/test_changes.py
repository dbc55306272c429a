from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from catalog import tables
from catalog.changes import Changes, run_changes
from catalog.db import Catalog
from catalog.ids import image_id
from catalog.ingest import ingest_run
from catalog.landing import RECORDS

LandRun = Callable[..., Path]


def test_who_is_new_and_who_is_gone(catalog: Catalog, land_run: LandRun) -> None:
    runs = [land_run(names, hour=hour) for hour, names in ((1, ["Ada", "Bea"]), (2, ["Bea", "Cem", "Dor"]))]
    for folder in runs:
        ingest_run(catalog, folder)
    assert run_changes(catalog, "uni-cs", runs[0].name) == Changes(2, 0, 0)
    # Bea's photo moved to another address: the same picture, a new sighting.
    assert run_changes(catalog, "uni-cs", runs[1].name) == Changes(2, 1, 1)


def test_a_replaced_photo_is_a_change(catalog: Catalog, land_run: LandRun) -> None:
    first, second = (land_run(["Ada"], hour=hour) for hour in (1, 2))
    path = second / RECORDS
    path.write_text(path.read_text().replace(image_id(b"Ada"), image_id(b"Ada, older")).replace("sight_", "sight2_"))
    for folder in (first, second):
        ingest_run(catalog, folder)
    assert run_changes(catalog, "uni-cs", second.name) == Changes(0, 1, 0)


def test_a_rejected_run_between_two_good_ones_takes_nobody_away(catalog: Catalog, land_run: LandRun) -> None:
    folders = [land_run(["Ada"], hour=1), land_run([], hour=2, state="rejected"), land_run(["Ada"], hour=3)]
    for folder in folders:
        ingest_run(catalog, folder)
    assert run_changes(catalog, "uni-cs", folders[2].name) == Changes(0, 0, 0)
    assert len(catalog.frame(tables.runs)) == 3
