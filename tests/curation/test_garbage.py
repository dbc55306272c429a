from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from catalog.blobs import BlobStore
from curation.curate import curate
from curation.garbage import DAY_S, find_garbage
from curation.places import Places
from curation.release.build import build_release
from tests.curation.test_curate import RECIPE

NOW = "2026-11-21T12:00:00Z"
RELEASED = replace(
    RECIPE, release={"image": "original", "size_px": 96}, stages={**RECIPE.stages, "duplicates": {"copy_prob": 0.6}}
)


def grow_old(root: Path, days: float = 30) -> None:
    for path in root.rglob("*"):
        then = path.stat().st_mtime - days * DAY_S
        os.utime(path, (then, then))


def garbage(world, recipes, **kwargs):
    places = Places(world.config, world.catalog)
    return list(find_garbage(places, recipes, now_s=time.time(), **kwargs))


def rows(draw, encode, seeds):
    return [{"body": encode(draw(seed)), "subject": f"p{seed}", "label": "xy"[seed % 2]} for seed in seeds]


def test_only_what_nothing_names_goes_and_the_rest_still_stands(world, draw, encode):
    world.add(rows(draw, encode, range(10)))
    first = curate(RECIPE, world.catalog, world.root, world.config)
    released = curate(RELEASED, world.catalog, world.root, world.config)
    build_release(released, world.catalog, BlobStore(world.root.blobs), world.root, NOW)
    world.add(rows(draw, encode, range(10, 14)))
    second = curate(RECIPE, world.catalog, world.root, world.config)
    orphan = BlobStore(world.root.blobs).put(b"nobody's")
    left = world.root.blobs / "aa" / ".x.part"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"half")
    strange = world.root.derived / "of-another-program" / "k"
    strange.mkdir(parents=True)
    (strange / "file").write_bytes(b"")

    assert garbage(world, [RECIPE, RELEASED]) == [], "what is young was to go"
    grow_old(world.root.root)
    found = garbage(world, [RECIPE, RELEASED])
    outdated = {f"derived/{stage}/{key}" for stage, key in first.stage_keys.items() if second.stage_keys[stage] != key}
    outdated -= {f"derived/{stage}/{key}" for stage, key in released.stage_keys.items()}
    assert {item.name for item in found if item.kind == "derived"} == outdated
    assert outdated
    assert [item.name for item in found if item.kind == "blob"] == [orphan]
    assert [item.kind for item in found if item.name.endswith(".part")] == ["partial file"]
    for item in found:
        item.remove()
    assert garbage(world, [RECIPE, RELEASED]) == []
    assert strange.exists()
    before = {path for path in world.root.derived.rglob("*") if path.is_file()}
    assert curate(RECIPE, world.catalog, world.root, world.config).counts["images_new_count"] == 0
    assert {path for path in world.root.derived.rglob("*") if path.is_file()} == before, (
        "something had to be made again"
    )


def test_a_blob_of_a_run_that_goes_on_is_not_an_orphan(world, draw, encode):
    world.add(rows(draw, encode, range(2)))
    (run,) = (path for path in world.root.landing.glob("*/*"))
    (run / "run.json").unlink()  # as if it had been killed
    from catalog import tables

    with world.catalog.begin() as connection:
        for table in tables.LANDED_TABLES:
            connection.execute(table.delete())
    grow_old(world.root.root)
    assert garbage(world, [RECIPE]) == []


def test_old_runs_go_only_when_asked_and_never_the_newest(world):
    for number, (name, is_done) in enumerate((("run_a", True), ("run_b", True), ("run_c", False))):
        folder = world.root.runs / "classification" / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text('{"release": {"recipe": "planted", "version": "1"}}')
        if is_done:
            (folder / "metrics.json").write_text("{}")
        grow_old(folder, 60 - number)
    assert [item.name for item in garbage(world, [])] == ["runs/classification/run_c"]
    asked = [item.name for item in garbage(world, [], runs_age_s=10 * DAY_S)]
    assert asked == ["runs/classification/run_c", "runs/classification/run_a"]
