from __future__ import annotations

import imagehash
import numpy as np
import pytest
from PIL import Image

from curation.contract import luma_of
from curation.ops.frame import without_frame
from curation.ops.phash import colour_hash, hash_views


def bits(value: imagehash.ImageHash) -> int:
    return int("".join("01"[int(bit)] for bit in value.hash.ravel()), 2)


def distance(own: int, theirs: imagehash.ImageHash) -> int:
    return (own ^ bits(theirs)).bit_count()


def twentieth(rgb, axis: int) -> int:
    return round(rgb.shape[axis] * 0.05)


@pytest.mark.parametrize("size", [(120, 90), (97, 230), (301, 128), (160, 160), (161, 203), (320, 255)])
def test_within_two_bits_of_imagehash_at_any_size(draw, size):
    distances: dict[str, list[int]] = {"phash": [], "dhash": []}
    for seed in range(12):
        rgb = draw(seed, *size)
        views, image = hash_views(luma_of(rgb))[0], Image.fromarray(rgb)
        distances["phash"].append(distance(views["phash"], imagehash.phash(image)))
        distances["dhash"].append(distance(views["dhash"], imagehash.dhash(image)))
    assert max(distances["phash"]) <= 2
    # Neighbours that are all but equal may be ordered either way.
    assert np.median(distances["dhash"]) <= 1


def test_a_speck_is_hashed_too():
    assert hash_views(np.full((1, 1), 7, np.uint8))[1] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("size", [(120, 96), (180, 220)], ids=["as it is", "halved first"])
@pytest.mark.parametrize(
    ("view", "turned"),
    [
        ("mirror", lambda rgb: rgb[:, ::-1]),
        ("turn90", lambda rgb: np.rot90(rgb)),
        ("turn180", lambda rgb: np.rot90(rgb, 2)),
        ("turn270", lambda rgb: np.rot90(rgb, 3)),
        ("crop", lambda rgb: rgb[twentieth(rgb, 0) : -twentieth(rgb, 0), twentieth(rgb, 1) : -twentieth(rgb, 1)]),
    ],
)
def test_a_view_has_the_hash_of_the_picture_so_turned(draw, view, turned, size):
    for seed in range(20):
        rgb = draw(seed, *size)
        image = Image.fromarray(np.ascontiguousarray(turned(rgb)))
        views = hash_views(luma_of(rgb))[0]
        assert distance(views[f"phash_{view}"], imagehash.phash(image)) <= 2
        if f"dhash_{view}" in views:
            assert distance(views[f"dhash_{view}"], imagehash.dhash(image)) <= 2


def test_a_solid_picture_has_no_spread(draw):
    assert hash_views(np.full((40, 50), 200, np.uint8))[1] == pytest.approx(0, abs=1e-3)
    assert hash_views(luma_of(draw(1)))[1] > 10


def test_colours_hash_as_imagehash_hashes_them(draw):
    distances = [distance(colour_hash(rgb), imagehash.colorhash(Image.fromarray(rgb))) for rgb in map(draw, range(30))]
    assert np.median(distances) == 0
    assert max(distances) <= 3
    gray = np.repeat(np.full((9, 9, 1), 120, np.uint8), 3, axis=2)
    assert distance(colour_hash(gray), imagehash.colorhash(Image.fromarray(gray))) == 0


@pytest.mark.parametrize("level", [0, 130, 255])
@pytest.mark.parametrize("margins", [(30, 30, 30, 30), (0, 0, 50, 51), (7, 0, 0, 0)])
def test_a_frame_is_cut_off(draw, margins, level):
    top, bottom, left, right = margins
    gray = luma_of(draw(3, 120, 96))
    framed = np.pad(gray, ((top, bottom), (left, right)), constant_values=level)
    assert np.array_equal(without_frame(framed), gray)
    assert np.array_equal(without_frame(gray), gray)


def test_what_is_solid_or_hardly_more_stays_whole():
    assert without_frame(np.full((40, 60), 9, np.uint8)).shape == (40, 60)
    assert without_frame(np.full((1, 1), 9, np.uint8)).shape == (1, 1)
    speck = np.full((200, 200), 255, np.uint8)
    speck[90:110, 90:110] = 0
    assert without_frame(speck).shape == (200, 200)
