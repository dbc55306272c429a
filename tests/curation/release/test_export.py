from __future__ import annotations

import csv
import json
import os
import tarfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from catalog.errors import UsageError
from catalog.release_format import file_sha256
from catalog.shards import ShardSet
from curation.release.build import build_release
from curation.release.export import FORMATS, export_release, verify_export
from curation.release.formats.webdataset import member

NOW = "2026-11-21T08:00:00Z"


def build(world):
    return build_release(world.curated, world.catalog, world.blobs, world.root, NOW)


def without_first(world):
    splits = world.curated.tables["splits"]
    gone = world.curated.tables["samples"]["sample_id"].iloc[0]
    return world.with_table("splits", splits[splits["sample_id"] != gone])


def truth_of(release):
    """sample_id -> (split, label, sha256 of the picture)."""
    files = release.manifest["files"]
    return {row.sample_id: (row.split, row.label, files[row.path]["sha256"]) for row in release.samples().itertuples()}


def digest(body):
    from hashlib import sha256

    return sha256(body).hexdigest()


def test_class_folders_are_read_by_torchvision_and_by_walking_as_keras_does(world, tmp_path):
    from torchvision.datasets import ImageFolder

    release = build(world)
    export_release(release, "class-folders", tmp_path / "out")
    with (tmp_path / "out/classes.csv").open() as stream:
        labels = {row["folder"]: row["label"] for row in csv.DictReader(stream)}
    by_torchvision, by_keras = {}, {}
    for split in ("train", "validation", "test"):
        folder = ImageFolder(str(tmp_path / "out" / split))
        for path, index in folder.samples:
            name = os.path.basename(path).removesuffix(".jpg")  # noqa: PTH119
            by_torchvision[name] = (split, labels[folder.classes[index]])
        # flow_from_directory: the sorted sub-folders are the classes, their files the pictures.
        for folder_name in sorted(os.listdir(tmp_path / "out" / split)):  # noqa: PTH208
            for file in os.listdir(tmp_path / "out" / split / folder_name):  # noqa: PTH208
                by_keras[file.removesuffix(".jpg")] = (split, labels[folder_name])
    truth = {name: facts[:2] for name, facts in truth_of(release).items()}
    assert by_torchvision == by_keras == truth


def test_shards_are_read_by_webdataset_and_by_number(world, tmp_path):
    import webdataset

    release = build(world)
    export_release(release, "webdataset", tmp_path / "out", shard_samples=8)
    shards = sorted(str(path) for path in (tmp_path / "out").glob("*.tar"))
    assert len(shards) > 3
    classes = json.loads((tmp_path / "out/classes.json").read_text())
    found = {}
    for sample in webdataset.WebDataset(shards, shardshuffle=False, empty_check=False):
        facts = json.loads(sample["json"])
        assert classes[int(sample["cls"])] == facts["label"]
        found[sample["__key__"]] = (facts["split"], facts["label"], digest(sample["jpg"]))
    assert found == truth_of(release)
    for shard in shards:  # any tar reads them
        with tarfile.open(shard) as archive:
            assert all(entry.isfile() and entry.mode == 0o644 for entry in archive)
    by_number = ShardSet(tmp_path / "out", "train")
    assert {
        name: ("train", classes[label], digest(body))
        for name, (body, label) in zip(by_number.index["sample_id"], by_number, strict=True)
    } == {name: facts for name, facts in found.items() if facts[0] == "train"}


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 70_000])
def test_tar_members_are_what_tarfile_reads(size, tmp_path):
    body = np.random.default_rng(size).bytes(size)
    path = tmp_path / "one.tar"
    path.write_bytes(member("a" * 90 + ".jpg", body) + bytes(1024))
    with tarfile.open(path) as archive:
        (entry,) = archive.getmembers()
        assert archive.extractfile(entry).read() == body


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["parquet", "imagefolder"])
def test_hugging_face_datasets_loads_it_offline(kind, world, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    release = build(world)
    folder = tmp_path / "out"
    export_release(release, kind, folder, shard_samples=8)
    options = {"path": str(folder)} if kind == "parquet" else {"path": "imagefolder", "data_dir": str(folder)}
    loaded = datasets.load_dataset(**options, cache_dir=str(tmp_path / "cache"))
    found = {}
    for split, rows in loaded.items():
        for row in rows.cast_column("image", datasets.Image(decode=False)):
            label = rows.features["label"].int2str(row["label"]) if kind == "parquet" else row["label"]
            body = row["image"]["bytes"] or open(row["image"]["path"], "rb").read()  # noqa: SIM115, PTH123
            found[row["sample_id"]] = (split, label, digest(body))
        assert isinstance(rows[0]["image"], Image.Image)
    assert found == truth_of(release)


def test_index_csv_and_its_pictures(world, tmp_path):
    release = build(world)
    export_release(release, "index-csv", tmp_path / "out")
    with (tmp_path / "out/index.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["id", "category", "image_url", "name"]
    assert {row["name"] for row in rows} == {""}
    truth = truth_of(release)
    assert {row["id"]: row["category"] for row in rows} == {name: facts[1] for name, facts in truth.items()}
    assert all(file_sha256(tmp_path / f"out/images/{row['id']}.jpg") == truth[row["id"]][2] for row in rows)


@pytest.mark.slow
def test_croissant_is_valid_and_gives_the_records(world):
    import mlcroissant

    release = build(world)
    dataset = mlcroissant.Dataset(jsonld=release.folder / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    assert dataset.metadata.data_collection.startswith("Pictures that stood")
    found = {}
    for row in dataset.records(record_set="samples"):
        text = {name.removeprefix("samples/"): value for name, value in row.items()}
        found[text["sample_id"].decode()] = (text["split"].decode(), text["label"].decode())
    assert found == {name: facts[:2] for name, facts in truth_of(release).items()}


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_only_what_changed_is_written_again(kind, world, tmp_path):
    first = export_release(build(world), kind, tmp_path / "out", shard_samples=2)
    again = export_release(build(world), kind, tmp_path / "out", shard_samples=2)
    assert (again.written_count, again.kept_count) == (0, first.written_count)
    smaller = build(without_first(world))
    after = export_release(smaller, kind, tmp_path / "out", shard_samples=2)
    fresh = export_release(smaller, kind, tmp_path / "fresh", shard_samples=2)
    assert after.written_count <= 4  # the card, a table, an index, a shard
    assert after.kept_count > 10
    listings = [json.loads((tmp_path / name / "export.json").read_text()) for name in ("out", "fresh")]
    assert listings[0] == listings[1]
    assert fresh.written_count == len(listings[0]["files"])
    there = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert there == {*listings[0]["files"], "export.json"}
    assert verify_export(tmp_path / "out") == []


def test_pictures_are_linked_or_copied_and_checked(world, tmp_path):
    release = build(world)
    row = release.samples().iloc[0]
    for name, is_copied in (("links", False), ("copies", True)):
        export_release(release, "imagefolder", tmp_path / name, is_copied=is_copied)
        path = tmp_path / name / row["split"] / f"{row['sample_id']}.jpg"
        assert (path.stat().st_ino == (release.folder / row["path"]).stat().st_ino) != is_copied
    path.write_bytes(b"other bytes")
    assert verify_export(tmp_path / "copies") == [
        f"{row['split']}/{row['sample_id']}.jpg: changed since it was written"
    ]


def test_a_cut_short_export_is_finished(world, tmp_path):
    release = build(world)

    class Killed(Exception):
        pass

    def die(done, total):
        if done == 11:
            raise Killed

    with pytest.raises(Killed):
        export_release(release, "parquet", tmp_path / "out", shard_samples=2, on_progress=die)
    assert any("not finished" in line for line in verify_export(tmp_path / "out"))
    export_release(release, "parquet", tmp_path / "out", shard_samples=2)
    assert verify_export(tmp_path / "out") == []


def test_a_folder_of_something_else_is_refused(world, tmp_path):
    release = build(world)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds no export"):
        export_release(release, "parquet", tmp_path / "mine")
    export_release(release, "index-csv", tmp_path / "index")
    with pytest.raises(UsageError, match="expected an export of garments as parquet"):
        export_release(release, "parquet", tmp_path / "index")
    with pytest.raises(UsageError, match="expected one of"):
        export_release(release, "floppy", tmp_path / "disk")


def test_retrieval_lists_queries_of_each_part_and_every_sellers_photo(world):
    release = build(world)
    table, samples = release.retrieval(), release.samples()
    buyers, sellers = samples[samples["slot"] == "buyer"], samples[samples["slot"] == "seller"]
    roles = table.groupby("role")["sample_id"].apply(set).to_dict()
    assert roles == {"query": set(buyers["sample_id"]), "gallery": set(sellers["sample_id"])}
    naive = {row.sample_id: int((sellers["label"] == row.label).sum()) for row in buyers.itertuples()}
    queries = table[table["role"] == "query"]
    assert dict(zip(queries["sample_id"], queries["matches_count"], strict=True)) == naive
    facts = release.certificate()["retrieval"]
    assert facts["gallery_count"] == 10
    assert {part: counts["queries_count"] for part, counts in facts["queries"].items()} == {
        "train": 12, "validation": 4, "test": 4,
    }  # fmt: skip
    assert isinstance(table, pd.DataFrame)
