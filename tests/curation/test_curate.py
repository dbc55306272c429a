from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps

from catalog.config import Config
from catalog.db import Catalog
from catalog.errors import CatalogCorrupt, UsageError
from catalog.ids import pair_key
from catalog.recipe import Recipe
from catalog.schema import Verdict
from catalog.suppressions import add_suppression
from catalog.tables import runs, stage_runs
from curation.contract import SAMPLE_COLUMNS, SIGHTING_COLUMNS
from curation.curate import curate
from curation.decisions import records
from curation.funnel import funnel, reason_counts, since_run
from curation.stages import duplicates

RECIPE = Recipe(
    name="planted", title="", purpose="", sources=("sample-*",), subject_kind="person", slots=("portrait",),
    role_classes=("professor",), with_former=False,
    stages={
        "quality": {}, "hashes": {}, "thumbnails": {}, "samples": {"min_side_px": 40}, "duplicates": {}, "labels": {},
        "groups": {"same_name": "all"},
    },
    splits={"ratios": {"train": 0.6, "validation": 0.2, "test": 0.2}, "stratify": ["label"], "seed": 1},
)  # fmt: skip


def run(world, recipe=RECIPE, **kwargs):
    return curate(recipe, world.catalog, world.root, world.config, **kwargs)


@pytest.fixture
def planted(world, draw, encode):
    """Twenty people of two labels with a picture each, and what the web does to pictures: image ids by name."""
    pictures = [draw(seed, 320, 240) for seed in range(20)]
    rows = [{"body": encode(rgb), "subject": f"p{n}", "label": "xy"[n % 2]} for n, rgb in enumerate(pictures)]
    small = Image.fromarray(pictures[0]).resize((200, 150))
    mirrored = ImageOps.mirror(Image.fromarray(pictures[2]).crop((10, 5, 310, 235)))
    solid = np.full((120, 120, 3), 200, np.uint8)
    extra = {
        "smaller": {"body": encode(np.asarray(small)), "subject": "q0", "label": "x"},
        "mirrored": {"body": encode(np.asarray(mirrored)), "subject": "q2", "label": "x"},
        "conflict": {"body": encode(pictures[5], quality=60), "subject": "q5", "label": "x"},
        "blank": {"body": encode(solid), "subject": "q6", "label": "x"},
        "html": {"body": b"<html></html>", "subject": "q7", "label": "x"},
        "tiny": {"body": encode(draw(50, 30, 30)), "subject": "q8", "label": "x"},
        "secretary": {"body": encode(draw(51)), "subject": "q9", "label": "x", "role_class": "administration"},
        "former": {"body": encode(draw(52)), "subject": "q10", "label": "x", "is_former": True},
        "unlabelled": {"body": encode(draw(53)), "subject": "q11", "label": None},
    }
    ids = world.add(rows + list(extra.values()))
    return dict(zip([f"p{n}" for n in range(20)] + list(extra), ids, strict=True))


def test_every_planted_spoil_has_its_reason_and_nothing_else_is_lost(world, planted):
    outcome = run(world)
    assert tuple(outcome.sightings.frame.columns) == SIGHTING_COLUMNS
    assert tuple(outcome.tables["samples"].columns) == SAMPLE_COLUMNS
    names = {image: name for name, image in planted.items()}
    found = {names[row["image_id"]]: row["reason"] for row in records(outcome.decisions)}
    assert found == {
        "smaller": "duplicate_of", "mirrored": "duplicate_of", "p5": "labels_conflict", "conflict": "labels_conflict",
        "blank": "quality_blank", "html": "decode_not_an_image", "tiny": "quality_too_small",
        "secretary": "labels_role", "former": "labels_former", "unlabelled": "labels_missing",
    }  # fmt: skip
    assert {names[image] for image in outcome.kept()["image_id"]} == {f"p{n}" for n in range(20)} - {"p5"}
    splits = outcome.tables["splits"]
    assert splits["sample_id"].tolist() == outcome.kept()["sample_id"].tolist()
    groups = outcome.tables["groups"].set_index("sample_id")["group_id"]
    samples = outcome.tables["samples"].set_index("image_id")["sample_id"]
    assert groups[samples[planted["p0"]]] == groups[samples[planted["smaller"]]]


def test_a_second_call_only_reads(world, planted):
    first = run(world)
    before = {path: path.stat().st_mtime_ns for path in world.root.derived.rglob("*") if path.is_file()}
    runs = len(world.catalog.frame(stage_runs))
    again = run(world)
    assert again.counts["images_new_count"] == 0
    assert first.counts["images_new_count"] == len(set(planted.values()))
    assert again.stage_keys == first.stage_keys
    assert {path: path.stat().st_mtime_ns for path in world.root.derived.rglob("*") if path.is_file()} == before
    assert len(world.catalog.frame(stage_runs)) == runs
    for name, table in first.tables.items():
        assert table.equals(again.tables[name])


def test_what_nobody_asks_for_is_not_read(world, planted):
    first = run(world)
    table = world.root.stage_folder("duplicates", first.stage_keys["duplicates"]) / "table.parquet"
    table.write_bytes(b"broken")
    again = run(world)
    assert again.counts | {"images_new_count": 0} == first.counts | {"images_new_count": 0}
    assert again.tables["samples"].equals(first.tables["samples"])
    with pytest.raises(CatalogCorrupt, match=r"duplicates.*table.parquet.*delete it and manifest.json"):
        again.tables["duplicates"]
    table.unlink()
    table.with_name("manifest.json").unlink()
    assert run(world).tables["duplicates"].equals(first.tables["duplicates"])


def tables_digest(world, outcome) -> dict[str, str]:
    found = {}
    for name in outcome.tables:
        folder = world.root.stage_folder(name, outcome.stage_keys[name])
        data = b"".join(
            (folder / file).read_bytes() for file in ("table.parquet", "decisions.parquet", "manifest.json")
        )
        found[name] = hashlib.sha256(data).hexdigest()
    return found


def test_arrival_order_changes_no_byte(world, planted, tmp_path, draw, encode):
    other = Config(root=tmp_path / "other", executor="processes", workers=2)
    rows = [
        {"body": encode(draw(seed, 320, 240)), "subject": f"p{seed}", "label": "xy"[seed % 2], "rank": seed}
        for seed in range(60, 75)
    ]
    world.add(rows)
    with Catalog(other.catalog_url) as catalog:
        second = replace(world, root=other.data_root, catalog=catalog, config=other)
        second.add(rows[::-1])
        mine = run(world, replace(RECIPE, slots=("portrait",)))
        theirs = curate(RECIPE, catalog, other.data_root, other)
        assert len(theirs.sightings) == 15
        assert len(mine.sightings) == 15 + len(planted)
    third_config = Config(root=tmp_path / "third", executor="inline")
    with Catalog(third_config.catalog_url) as catalog:
        third = replace(world, root=third_config.data_root, catalog=catalog, config=third_config)
        third.add(rows)
        again = curate(RECIPE, catalog, third_config.data_root, third_config)
    assert tables_digest(second, theirs) == tables_digest(third, again)


def test_new_pictures_join_without_measuring_the_old_again_and_keep_their_sides(world, planted, draw, encode):
    first = run(world)
    world.catalog.save_assignments(
        RECIPE.name, first.tables["splits"][["sample_id", "split"]].itertuples(index=False, name=None)
    )
    world.add(
        [{"body": encode(draw(seed, 320, 240)), "subject": f"n{seed}", "label": "x"} for seed in range(100, 110)]
    )
    second = run(world)
    assert second.counts["images_new_count"] == 10
    before = dict(zip(first.tables["splits"]["sample_id"], first.tables["splits"]["split"], strict=True))
    after = dict(zip(second.tables["splits"]["sample_id"], second.tables["splits"]["split"], strict=True))
    assert {sample: after[sample] for sample in before} == before
    assert len(after) == len(before) + 10


def test_different_is_never_asked_again_and_same_is_believed(world, planted):
    pair = pair_key([planted["p0"], planted["smaller"]])

    def say(answer: str, number: int) -> None:
        world.catalog.add_verdicts(
            [
                Verdict(
                    verdict_id=f"v{number}", queue="duplicates", target_id=pair, answer=answer, reviewer="r",
                    answered_at="2026-11-21T05:00:00Z",
                )
            ]
        )  # fmt: skip

    say("different", 1)
    outcome = run(world)
    row = outcome.tables["duplicates"].set_index("pair_id").loc[pair]
    assert (row["verdict"], row["is_copy"]) == ("different", False)
    assert planted["smaller"] in set(outcome.kept()["image_id"])
    say("undone", 2)
    assert planted["smaller"] not in set(run(world).kept()["image_id"])


def test_a_takedown_holds_also_for_a_copy(world, planted):
    phash = run(world).signals["hashes"].set_index("image_id").loc[planted["p0"], "phash"]
    add_suppression(world.catalog, "phash", f"{int(phash):016x}", "asked", "2026-11-21T05:00:00Z")
    add_suppression(world.catalog, "image", planted["p1"], "asked", "2026-11-21T05:00:00Z")
    images = set(run(world).sightings.image_ids.to_pylist())
    assert not images & {planted["p0"], planted["smaller"], planted["p1"]}
    assert planted["p3"] in images


def test_the_funnel_adds_up(world, planted):
    outcome = run(world)
    rows = {row["step"]: row for row in records(funnel(outcome, world.catalog))}
    assert rows["pages"]["count"] == 1
    assert rows["images"]["count"] == len(set(planted.values()))
    assert rows["readable"]["dropped_count"] == 1
    assert rows["unique"]["dropped_count"] == 2
    assert rows["kept"]["count"] == 19 == sum(rows[split]["count"] for split in ("train", "validation", "test"))
    kept = outcome.kept()
    assert len(kept) == outcome.counts["kept_count"]
    assert kept["subject_id"].nunique() == outcome.counts["kept_subjects_count"]
    assert outcome.sightings.frame["subject_id"].nunique() == outcome.counts["subjects_count"]
    assert outcome.counts["kept_subjects_count"] < outcome.counts["subjects_count"]  # one has only a broken picture
    counts = reason_counts(outcome)
    assert counts["count"].sum() == len(outcome.decisions)
    assert (counts["meaning"].str.len() > 5).all()


def test_wrong_recipes_are_refused(world):
    with pytest.raises(UsageError, match="unknown stage sharpen"):
        run(world, replace(RECIPE, stages={"sharpen": {}}))
    world.add([])
    with pytest.raises(UsageError, match=r"needs the stages hashes, thumbnails"):
        run(world, replace(RECIPE, stages={"duplicates": {}}))


def test_a_recipe_without_pictures_gives_empty_tables(world):
    outcome = run(world)
    assert outcome.counts["samples_count"] == 0
    assert {len(table) for table in outcome.tables.values()} == {0}


def test_new_pictures_join_old_clusters_and_only_new_pairs_are_compared(world, planted, draw, encode, monkeypatch):
    first = run(world)
    looked = []
    real = duplicates.compare
    monkeypatch.setattr(duplicates, "compare", lambda *pair, **view: looked.append(pair) or real(*pair, **view))
    copy = encode(np.asarray(Image.fromarray(draw(0, 320, 240)).resize((220, 165))))
    (image,) = world.add([{"body": copy, "subject": "late", "label": "x"}])
    second = run(world)
    table = second.tables["duplicates"]
    joined = table[table["is_copy"] & (table[["image_id_a", "image_id_b"]] == image).any(axis=1)]
    old = first.tables["duplicates"]
    assert {planted["p0"], planted["smaller"]} <= {*joined["image_id_a"], *joined["image_id_b"]}
    # Each pair of the new picture is looked at, and none of the others again.
    assert 0 < len(looked) < len(table)
    assert set(old["pair_id"]) < set(table["pair_id"])
    assert old.set_index("pair_id")["copy_prob"].equals(
        table.set_index("pair_id")["copy_prob"].reindex(old["pair_id"])
    )
    looked.clear()
    again = run(world, replace(RECIPE, stages={**RECIPE.stages, "duplicates": {"copy_prob": 0.6}}))
    assert not looked
    assert len(again.tables["duplicates"]) == len(table)


def test_since_shows_what_a_run_brought(world, planted, draw, encode):
    run(world)
    (image,) = world.add([{"body": encode(draw(77, 320, 240)), "subject": "late", "label": "x"}])
    run_id = world.catalog.frame(runs)["run_id"].max()
    shown = since_run(run(world), world.catalog, run_id)
    counts = funnel(shown).set_index("step")["count"]
    assert shown.sightings.image_ids.to_pylist() == [image]
    assert counts[["images", "samples", "kept"]].tolist() == [1, 1, 1]
    with pytest.raises(UsageError, match="not in the catalog"):
        since_run(run(world), world.catalog, "no-such-run")
