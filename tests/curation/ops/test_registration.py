from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from curation.ops.registration import VIEWS, compare, look_at


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
