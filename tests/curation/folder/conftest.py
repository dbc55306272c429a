"""A folder of drawn pictures and copies of them, of which the truth is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageOps

from curation.executors import InlineExecutor
from curation.folder.duplicates import find_clusters, stages_for
from curation.folder.pictures import find_pictures, list_pictures, measure


@pytest.fixture(scope="session")
def planted(tmp_path_factory, draw, encode) -> Path:
    """train/ and test/ with classes a and b; what is a copy of what stands in PLANTED of the tests."""
    root = tmp_path_factory.mktemp("planted")
    pictures = [draw(seed, 320, 240) for seed in range(8)]
    bodies = [encode(rgb) for rgb in pictures]
    for number, body in enumerate(bodies):
        put(root / "train" / "ab"[number % 2] / f"{number}.jpg", body)
    images = [Image.fromarray(rgb) for rgb in pictures]
    put(root / "test/a/bytes.jpg", bodies[0])
    as_png = Image.open(root / "train/b/1.jpg")
    (root / "test/b").mkdir()
    as_png.save(root / "test/b/pixels.png")
    images[2].resize((160, 120)).save(root / "test/a/smaller.jpg", quality=80)
    ImageOps.mirror(images[3]).save(root / "test/b/mirrored.jpg", quality=85)
    ImageEnhance.Brightness(images[4]).enhance(1.2).save(root / "train/a/brighter.jpg", quality=85)
    images[5].crop((10, 8, 310, 230)).save(root / "train/a/cropped.jpg", quality=85)  # 5 is of class b
    put(root / "test/a/alone.jpg", encode(draw(50, 320, 240)))
    put(root / "test/b/empty.jpg", b"")
    put(root / "test/b/page.jpg", b"<html><body>not found</body></html>")
    put(root / "test/b/cut.jpg", bodies[6][:2000])
    put(root / "notes.txt", b"no picture")
    put(root / ".hidden.jpg", bodies[7])
    return root


def put(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


@pytest.fixture(scope="session")
def measured(planted, tmp_path_factory):
    work = tmp_path_factory.mktemp("work")
    listed = list_pictures(planted, find_pictures(planted))
    return measure(listed, stages_for(with_embedding=False), work, InlineExecutor())


@pytest.fixture(scope="session")
def clusters(measured):
    return find_clusters(measured)
