from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sqlalchemy import select

from catalog import tables
from catalog.errors import CatalogCorrupt, GateFailed, LeakFound, ReviewNeeded, UsageError
from catalog.release_format import SAMPLE_COLUMNS, file_sha256, find_release, open_release, verify_release
from catalog.suppressions import add_suppression
from curation.release.build import build_release
from curation.release.diff import diff_releases
from curation.release.pictures import fit_jpeg
from curation.release.verify import verify_release_folder
from curation.review.answers import answer_cards
from curation.review.exchange import export_verdicts, import_verdicts
from curation.review.progress import build_queue
from tests.curation.handmade import draw_jpeg, make_world

NOW = "2026-11-21T08:00:00Z"
REPOSITORY = Path(__file__).resolve().parents[3]


def build(world, now=NOW, **options):
    return build_release(world.curated, world.catalog, world.blobs, world.root, now, **options)


def test_release_is_whole_and_readable(world):
    release = build(world)
    assert release.version == "2026-11-21.1"
    assert verify_release_folder(release.folder) == []
    samples = release.samples()
    assert list(samples.columns) == list(SAMPLE_COLUMNS)
    assert samples["sample_id"].is_monotonic_increasing
    assert samples["split"].value_counts().to_dict() == {"train": 18, "validation": 6, "test": 6}
    for row in samples.itertuples():
        assert row.path == f"{row.split}/{row.label}/{row.sample_id}.jpg"
        with Image.open(release.folder / row.path) as image:
            assert image.size == (row.width_px, row.height_px)
            assert max(image.size) <= 64
    assert release.manifest["counts"]["samples_count"] == 30
    assert find_release(world.root.releases, "garments").version == release.version


def test_index_csv_names_nobody_unless_asked(world):
    def names(release):
        with (release.folder / "index.csv").open(newline="") as stream:
            return {row["name"] for row in csv.DictReader(stream)}

    assert names(build(world)) == {""}
    named = build(world.with_recipe(release={**world.curated.recipe.release, "names": True}))
    assert "Garment 3" in names(named)
    assert "name" in named.samples().columns


def test_nothing_changed_gives_the_same_release(world):
    first = build(world)
    again = build(world, "2026-11-25T08:00:00Z")
    assert again.version == first.version
    assert sorted(path.name for path in first.folder.parent.iterdir()) == [".lock", "2026-11-21.1"]


def test_two_roots_give_equal_bytes(tmp_path):
    manifests = []
    for name in ("a", "b"):
        world = make_world(tmp_path / name)
        manifests.append((build(world).folder / "manifest.json").read_bytes())
        world.catalog.close()
    assert manifests[0] == manifests[1]
    assert b"2026" not in manifests[0]


def test_changed_release_links_what_stayed(world):
    first = build(world)
    samples = world.curated.tables["samples"]
    gone = samples["sample_id"].iloc[0]
    splits = world.curated.tables["splits"]
    second = build(world.with_table("splits", splits[splits["sample_id"] != gone]))
    assert second.version == "2026-11-21.2"
    kept = second.samples()["path"].iloc[0]
    assert (first.folder / kept).stat().st_ino == (second.folder / kept).stat().st_ino
    assert diff_releases(first, second)["counts"] == {
        "added": 0, "removed": 1, "moved": 0, "relabelled": 0, "redrawn": 0,
    }  # fmt: skip
    assert diff_releases(first, second)["removed"] == [gone]


def test_row_and_sides_are_kept_in_the_catalog(world):
    release = build(world)
    with world.catalog.engine.connect() as connection:
        row = connection.execute(select(tables.releases)).one()
    assert (row.recipe, row.version, row.state) == ("garments", "2026-11-21.1", "whole")
    assert world.catalog.assignments("garments") == dict(
        zip(release.samples()["sample_id"], release.samples()["split"], strict=True)
    )


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.curation.handmade import make_world
from curation.release.build import build_release
world = make_world(Path(sys.argv[1]))
def die(done, total):
    if done == 17:
        os.kill(os.getpid(), signal.SIGKILL)
build_release(world.curated, world.catalog, world.blobs, world.root, "2026-11-21T08:00:00Z", on_progress=die)
"""


def test_killed_build_ends_in_the_same_manifest(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    child = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "killed")], env=environment, check=False)
    assert child.returncode == -signal.SIGKILL
    half = tmp_path / "killed/releases/garments/2026-11-21.1"
    assert half.is_dir()
    with pytest.raises(UsageError, match="never finished"):
        open_release(half)
    manifests = []
    for name in ("killed", "whole"):
        world = make_world(tmp_path / name)
        release = build(world)
        assert release.version == "2026-11-21.1"
        assert verify_release(release) == []
        manifests.append((release.folder / "manifest.json").read_bytes())
        world.catalog.close()
    assert manifests[0] == manifests[1]


def test_a_flipped_byte_is_found(world):
    release = build(world)
    path = release.folder / release.samples()["path"].iloc[3]
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))
    assert [line.split(":")[0] for line in verify_release_folder(release.folder)] == [
        release.samples()["path"].iloc[3]
    ]


def test_a_false_certificate_is_found(world):
    """Somebody moves a sample to another side and mends the manifest: counting again shows it."""
    release = build(world)
    for name in ("samples", "splits"):
        frame = pd.read_parquet(release.folder / f"{name}.parquet")
        frame.loc[frame.index[0], "split"] = "test" if frame["split"].iloc[0] != "test" else "train"
        frame.to_parquet(release.folder / f"{name}.parquet")
    manifest = json.loads((release.folder / "manifest.json").read_text())
    for name in ("samples.parquet", "splits.parquet"):
        manifest["files"][name]["sha256"] = file_sha256(release.folder / name)
    (release.folder / "manifest.json").write_text(json.dumps(manifest))
    assert any("leak-free" in line for line in verify_release_folder(release.folder))


def test_a_leak_is_refused_and_leaves_nothing(world):
    splits = world.curated.tables["splits"].copy()
    is_item_0 = world.curated.tables["samples"]["attributes"].str.contains('"0"')
    splits.loc[splits.index[is_item_0][:1], "split"] = "test"
    with pytest.raises(LeakFound, match="1 groups"):
        build(world.with_table("splits", splits))
    assert [path.name for path in (world.root.releases / "garments").iterdir()] == [".lock"]


def test_published_splits_are_taken_with_their_leaks(world):
    splits = world.curated.tables["splits"].copy()
    is_item_0 = world.curated.tables["samples"]["attributes"].str.contains('"0"')
    splits.loc[splits.index[is_item_0][:1], "split"] = "test"
    images = world.curated.tables["samples"].loc[is_item_0, "image_id"].tolist()
    duplicates = pd.DataFrame(
        {
            "pair_id": ["pair_1"],
            "image_id_a": images[:1],
            "image_id_b": images[1:2],
            "is_copy": [True],
            "cluster_id": ["c"],
        }
    )
    leaky = world.with_table("splits", splits).with_table("duplicates", duplicates)
    release = build(leaky.with_recipe(splits={"kind": "published"}))
    assert not release.certificate()["is_leak_free"]
    assert release.certificate()["leaks"]["duplicates"] == 1
    assert set(release.samples().query("is_leaking_copy")["image_id"]) == set(images[:2])
    assert verify_release_folder(release.folder) == []


def test_hostile_labels_stay_inside_the_release(tmp_path):
    labels = ["../../escape", "/etc/passwd", "CON", "con", "a\x00b", "<script>", "", "..", "Ärmel|x", "é" * 400]
    world = make_world(tmp_path / "root", label_of=lambda item: labels[item])
    release = build(world)
    assert verify_release_folder(release.folder) == []
    samples = release.samples()
    assert samples.groupby("label")["path"].apply(lambda paths: {p.split("/")[1] for p in paths}).map(len).eq(1).all()
    assert samples["path"].map(lambda path: path.split("/")[1]).nunique() == len(labels)
    inside = {path.resolve() for path in release.folder.rglob("*")}
    assert all(str(path).startswith(str(release.folder.resolve())) for path in inside)
    assert "<script>" not in (release.folder / "CARD.md").read_text()
    world.catalog.close()


def test_taken_down_samples_stay_out(world):
    samples = world.curated.tables["samples"]
    add_suppression(world.catalog, "image", samples["image_id"].iloc[0], "asked", NOW)
    add_suppression(world.catalog, "subject", samples["subject_id"].iloc[5], "asked", NOW)
    released = build(world).samples()
    assert samples["image_id"].iloc[0] not in set(released["image_id"])
    assert samples["subject_id"].iloc[5] not in set(released["subject_id"])


def test_noise_gate_waits_for_answers(world):
    gated = world.with_recipe(gates={"noise_cards": 6})
    with pytest.raises(ReviewNeeded, match="6 more") as waiting:
        build(gated)
    assert waiting.value.queue == "noise"
    cards = build_queue(gated.curated, gated.catalog)
    answer_cards(gated.catalog, cards[:5], lambda card: "good", "ana", NOW)
    with pytest.raises(ReviewNeeded, match="1 more"):
        build(gated)
    answer_cards(gated.catalog, cards[5:6], lambda card: "noise", "ana", NOW)
    release = build(gated)
    assert "Reviewers: 1" in (release.folder / "CARD.md").read_text()
    # Every answer tells which releases it went into.
    path = gated.root.root / "verdicts.jsonl"
    export_verdicts(gated.catalog, path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["releases"] for row in rows] == [[f"{release.recipe}@{release.version}"]] * 6
    assert import_verdicts(gated.catalog, path) == 0


def test_a_turned_face_is_released_upright(world):
    samples = world.curated.tables["samples"].assign(face_index=0)
    jpegs = world.curated.signals["thumbnails"].assign(face_indexes=[[0]] * 30)
    signals = {**world.curated.signals, "crops": jpegs.assign(jpegs=[[body] for body in jpegs["jpeg"]])}
    recipe = {"release": {"image": "crop"}}
    turned = samples.assign(turn_deg=[90, *[0] * (len(samples) - 1)])
    made = [
        build(world.but(signals=signals).with_table("samples", frame).with_recipe(**recipe))
        for frame in (samples, turned)
    ]
    name = samples["sample_id"].iloc[0]
    paths = [one.folder / one.samples().set_index("sample_id")["path"][name] for one in made]
    plain, upright = (Image.open(path).size for path in paths)
    assert plain == upright[::-1]
    assert paths[1].read_bytes() != paths[0].read_bytes()


def test_conflicts_wait_until_somebody_settles_them(world):
    sample = world.curated.tables["samples"]["sample_id"]
    labels = pd.DataFrame(
        {"sample_id": sample, "conflict_id": ["conflict_1", "conflict_1", *[""] * (len(sample) - 2)]}
    )
    gated = world.with_table("labels", labels).with_recipe(gates={"conflicts": True})
    with pytest.raises(ReviewNeeded) as waiting:
        build(gated)
    assert (waiting.value.queue, waiting.value.missing_count) == ("labels", 1)
    (card,) = build_queue(gated.curated, gated.catalog, "labels")
    answer_cards(gated.catalog, [card], lambda card: "reject", "ana", NOW)
    assert build(gated).version


def test_empty_data_is_never_released(world):
    with pytest.raises(GateFailed):
        build(world.with_table("samples", world.curated.tables["samples"].iloc[:0]))


@pytest.mark.parametrize("wish", [{"gates": {"wishes": 3}}, {"release": {"exports": ["floppy"]}}])
def test_unknown_wishes_are_refused(world, wish):
    with pytest.raises(UsageError, match="expected one of"):
        build(world.with_recipe(**wish))


def test_crops_are_released_as_they_are(world):
    samples = world.curated.tables["samples"].assign(face_index=2)
    crops = {image: draw_jpeg(number + 7000, (32, 32)) for number, image in enumerate(samples["image_id"])}
    signal_frame = pd.DataFrame(
        {
            "image_id": list(crops),
            "face_indexes": [[0, 2]] * len(crops),
            "jpegs": [[b"no", jpeg] for jpeg in crops.values()],
        }
    )
    ready = world.with_table("samples", samples).with_recipe(release={"image": "crop"})
    ready = ready.but(signals={"crops": signal_frame})
    release = build(ready)
    for row in release.samples().itertuples():
        assert (release.folder / row.path).read_bytes() == crops[row.image_id]
        assert row.path.split("/")[1] == row.sample_id[:2]
    with pytest.raises(CatalogCorrupt, match="no crop of face 9"):
        build(ready.with_table("samples", samples.assign(face_index=9)))


def test_fit_jpeg_keeps_fitting_bytes_and_turns_sideways_ones():
    image = Image.fromarray(np.zeros((40, 80, 3), dtype=np.uint8))
    image.paste((255, 0, 0), (0, 0, 40, 40))
    out = BytesIO()
    image.save(out, "JPEG")
    assert fit_jpeg(out.getvalue(), 80) == out.getvalue()
    exif = image.getexif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    turned = BytesIO()
    image.save(turned, "JPEG", exif=exif)
    with Image.open(BytesIO(fit_jpeg(turned.getvalue(), 60))) as upright:
        assert upright.size == (30, 60)
        assert upright.getpixel((15, 10))[0] > 200  # the red left half is now the top
        assert 0x0112 not in upright.getexif()


def test_folds_are_the_parts_of_cross_validation(world):
    splits = world.curated.tables["splits"]
    item = world.curated.tables["samples"]["attributes"].str.extract(r"(\d+)")[0].astype(int)
    folded = splits.assign(split="train", fold=item % 3)
    release = build(world.with_table("splits", folded).with_recipe(splits={"kind": "kfold"}))
    assert list(release.certificate()["parts"]) == ["fold 0", "fold 1", "fold 2"]
    assert verify_release_folder(release.folder) == []
    folded.loc[folded.index[0], "fold"] = (folded["fold"].iloc[0] + 1) % 3
    with pytest.raises(LeakFound):
        build(world.with_table("splits", folded).with_recipe(splits={"kind": "kfold"}))
