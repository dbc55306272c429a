from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from curation.ops.agreement import NOTHING
from curation.ops.registration import VIEWS, _laid_over, _shear, compare, look_at


def look(image: Image.Image):
    small = image.convert("RGB").copy()
    small.thumbnail((256, 256), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=92)
    return look_at(stream.getvalue())


def copies(image: Image.Image) -> dict[str, Image.Image]:
    width, height = image.size
    marked = image.copy()
    ImageDraw.Draw(marked).text((width // 8, height // 2), "(c) sample shop", fill="white", font_size=height // 9)
    return {
        "smaller": image.resize((width // 2, height // 2)),
        "brighter": image.point(lambda level: min(255, int(level * 1.2 + 12))),
        "cropped": image.crop((int(0.1 * width), int(0.04 * height), width, int(0.92 * height))),
        "marked": marked,
    }


def test_copies_are_told_from_other_pictures(draw):
    images = [Image.fromarray(draw(seed, 320, 240)) for seed in range(6)]
    for image in images:
        for name, copy in copies(image).items():
            assert compare(look(image), look(copy)).copy_prob > 0.9, name
    for first in range(6):
        for second in range(first):
            assert compare(look(images[first]), look(images[second])).copy_prob < 0.1


def test_mirrored_copies_are_found_when_asked_for(draw):
    image = Image.fromarray(draw(11, 320, 240))
    mirrored = look(ImageOps.mirror(image))
    assert compare(look(image), mirrored, "mirror").copy_prob > 0.9
    assert compare(look(image), mirrored).copy_prob < 0.5


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turned_copies_are_found(draw, turn):
    rgb = draw(12, 320, 240)
    turned = look(Image.fromarray(np.ascontiguousarray(np.rot90(rgb, -turn // 90))))
    assert compare(look(Image.fromarray(rgb)), turned, f"turn{turn}").copy_prob > 0.9
    assert max(compare(look(Image.fromarray(draw(13, 320, 240))), turned, view).copy_prob for view in VIEWS) < 0.1


def test_frames_of_one_camera_are_no_copies(draw):
    scene = draw(13, 320, 240)
    frames = []
    for place in (40, 200):
        frame = scene.copy()
        frame[90:150, place : place + 70] = draw(14, 70, 60)
        frames.append(look(Image.fromarray(frame)))
    assert compare(*frames).copy_prob < 0.5


def test_one_photo_in_another_colour_is_no_copy(draw):
    rgb = draw(15, 320, 240)
    red = rgb.copy()
    red[60:180, 80:240] = red[60:180, 80:240][..., [1, 2, 0]]
    found = compare(look(Image.fromarray(rgb)), look(Image.fromarray(red)))
    assert found.copy_prob < 0.5


def test_frames_around_pictures_say_nothing(draw):
    black = [np.zeros((240, 320, 3), np.uint8) for _ in range(2)]
    for number, canvas in enumerate(black):
        canvas[30:210, 60:260] = draw(20 + number, 200, 180)
    assert compare(*(look(Image.fromarray(canvas)) for canvas in black)).copy_prob < 0.1


def on_a_belt(draw, thing: int, place: tuple[int, int]) -> Image.Image:
    """One thing on a plain belt between two rails that are rich in structure."""
    canvas = np.full((240, 320, 3), 120, np.uint8)
    canvas[:40], canvas[-40:] = draw(5, 320, 40), draw(6, 320, 40)
    x, y = place
    canvas[y : y + 50, x : x + 50] = draw(thing, 50, 50)
    return Image.fromarray(canvas)


def test_a_thing_that_moved_on_a_plain_ground_is_seen(draw):
    first, second = on_a_belt(draw, 30, (30, 75)), on_a_belt(draw, 31, (210, 95))
    assert max(compare(look(first), look(second), view).copy_prob for view in VIEWS) < 0.1
    assert compare(look(first), look(first.resize((200, 150)))).copy_prob > 0.9


def test_a_copy_made_so_bright_that_a_marked_shirt_is_washed_out_is_one(draw):
    rgb = draw(33, 320, 240)
    rgb[175:, :120] = 207 + 12 * (1 + np.sin(np.arange(120) * 0.8))[None, :, None]
    brighter = Image.fromarray(np.clip(rgb * 1.25, 0, 255).astype(np.uint8))
    ImageDraw.Draw(brighter).text((30, 40), "(c) sample shop", fill="white", font_size=32)
    assert compare(look(Image.fromarray(rgb)), look(brighter)).copy_prob > 0.9


def test_a_garment_that_fills_the_picture_is_another_in_another_colour(draw):
    luma = draw(32, 320, 240).astype(np.float32).mean(axis=2, keepdims=True)
    pale, pink = (np.clip(0.5 * luma + tone, 0, 249).astype(np.uint8) for tone in ([90, 90, 84], [110, 50, 70]))
    pale[:40], pink[:40] = (60, 110, 60), (60, 110, 60)
    assert compare(look(Image.fromarray(pale)), look(Image.fromarray(pink))).copy_prob < 0.5


def test_a_sheared_fit_is_none():
    """Two rails fit each other wherever the lower one slides; pictures that are copies are not slid."""
    assert _shear(np.array([[0.9, -0.3, 4], [0.3, 0.9, 2]], np.float32)) < 1e-6  # turned
    assert _shear(np.array([[2, 0, 0], [0, 1, 0]], np.float32)) < 1e-6  # stretched
    slid = np.array([[1, -0.3, 40], [0, 1, 0]], np.float32)
    assert _shear(slid) > 0.25
    rails = np.full((240, 320, 3), 120, np.uint8)
    rails[30:40, ::2], rails[200:210, ::3] = 240, 20
    picture = look(Image.fromarray(rails))
    assert _laid_over(picture, picture, slid) == NOTHING


def test_solid_pictures_do_not_break_it():
    blank = look(Image.new("RGB", (200, 200), "white"))
    assert compare(blank, blank).copy_prob <= 1
    assert compare(blank, look(Image.fromarray(np.zeros((10, 300, 3), np.uint8)))).copy_prob < 0.5


@pytest.mark.shared_data
@pytest.mark.slow
def test_precision_and_recall_on_pairs_judged_by_eye(shared_data):
    found: list[tuple[str, bool]] = []
    for name in ("lfw", "scut"):
        with (shared_data / "near_duplicates" / f"{name}_pairs.csv").open(encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                left, right = (look(Image.open(shared_data / row[side])) for side in ("a", "b"))
                found.append((row["label"], compare(left, right).copy_prob >= 0.5))
    right = sum(is_copy for label, is_copy in found if label == "dup")
    wrong = sum(is_copy for label, is_copy in found if label == "not_dup")
    assert right / sum(label == "dup" for label, _ in found) >= 0.95
    assert right / (right + wrong) >= 0.95
