from __future__ import annotations

import pandas as pd
import pytest

from catalog.errors import UsageError
from catalog.ids import sample_id
from curation.stages.samples import SamplesStage, choose_face, read_label
from tests.curation.handmade import sightings_of
from tests.curation.stages.table_inputs import inputs, recipe

SIZE = {"width_px": 400, "height_px": 300, "size_bytes": 1, "format": "JPEG", "mode": "RGB", "exif_orientation": 1}
GOOD = {"sharpness": 500.0, "entropy_bits": 7.0}


def face(x0, y0, x1, y1, score=0.95, tilt=0.0):
    return {
        "x0": x0, "y0": y0, "x1": x1, "y1": y1, "face_score": score, "size_px": min(x1 - x0, y1 - y0),
        "tilt_deg": tilt, "landmarks": [], "sharpness": 1.0,
    }  # fmt: skip


def sighting(number: int, **facts):
    base = {
        "sighting_id": f"s{number}",
        "image_id": f"i{number}",
        "subject_id": f"u{number}",
        "source": "s",
        "slot": "portrait",
    }
    return (
        base
        | {
            "rank": 0,
            "label": "x",
            "kind": "person",
            "name": f"N{number}",
            "role_class": "professor",
            "attributes": "{}",
        }
        | facts
    )


def run(rows, faces=None, decode=None, quality=None, hashes=None, params=None, **changes):
    sightings = sightings_of(rows).frame
    images = sorted(set(sightings["image_id"]))
    rows = {
        "decode": [{**SIZE, "reason": "", **(decode or {}).get(i, {})} for i in images],
        "quality": [{**GOOD, **(quality or {}).get(i, {})} for i in images],
        "hashes": [{"pixels_digest": (hashes or {}).get(i, i)} for i in images],
    }
    columns = {"decode": [*SIZE, "reason"], "quality": list(GOOD), "hashes": ["pixels_digest"]}
    if faces is not None:
        rows["faces"] = [{"faces_count": 0, "turn_deg": 0, "faces": faces.get(i, [])} for i in images]
        columns["faces"] = ["faces_count", "turn_deg", "faces"]
        params = {"region": "face"} | (params or {})
    signals = {name: pd.DataFrame(rows[name], columns=columns[name]).assign(image_id=images) for name in rows}
    result = SamplesStage().run(inputs({}, signals=signals, sightings=sightings, params=params, **changes))
    reasons = dict(zip(result.decisions["image_id"], result.decisions["reason"], strict=True))
    return result.table, reasons


def test_one_sample_per_image_and_subject_by_the_first_sighting():
    rows = [sighting(1, rank=2, sighting_id="s0"), sighting(1, rank=1), sighting(1, subject_id="other")]
    table, reasons = run(rows)
    assert len(table) == 2
    assert table.loc[table["subject_id"] == "u1", "sighting_id"].tolist() == ["s1"]
    assert set(table["sample_id"]) == {sample_id("i1", None, "u1"), sample_id("i1", None, "other")}
    assert not reasons


def test_bad_small_blank_and_blurred_pictures_have_their_reason():
    _, reasons = run(
        [sighting(n) for n in range(5)],
        decode={"i0": {"reason": "decode_truncated"}, "i1": {"height_px": 20}},
        quality={"i2": {"entropy_bits": 0.2}, "i3": {"sharpness": 5.0}},
        params={"min_sharpness": 20.0},
    )
    assert reasons == {
        "i0": "decode_truncated",
        "i1": "quality_too_small",
        "i2": "quality_blank",
        "i3": "quality_blurred",
    }


def test_a_picture_of_three_names_is_a_placeholder_but_not_of_one_name_three_times():
    same = [sighting(n, image_id=f"p{n}") for n in range(3)]
    person = [sighting(n, image_id="q", name="Ann B.") for n in range(3, 6)]
    _, reasons = run(same + person, hashes={"p0": "d", "p1": "d", "p2": "d"})
    assert reasons == {f"p{n}": "quality_placeholder" for n in range(3)}


def test_roles_that_are_not_wanted():
    rows = [sighting(1, role_class="administration"), sighting(2, is_former=True), sighting(3)]
    _, reasons = run(rows, role_classes=("professor",), with_former=False)
    assert reasons == {"i1": "labels_role", "i2": "labels_former"}
    assert run(rows)[1] == {}


def test_the_subjects_face_is_chosen_or_a_reason_given():
    big, small = face(100, 100, 200, 220), face(300, 50, 340, 100)
    faces = {
        "i0": [small, big],
        "i1": [big, face(220, 100, 310, 210)],
        "i2": [],
        "i3": [face(100, 100, 110, 112)],
        "i4": [face(-40, 50, 60, 170)],
        "i5": [face(10, 10, 90, 110, score=0.4)],
        "i6": [face(100, 100, 200, 220, tilt=50.0)],
    }
    table, reasons = run([sighting(n) for n in range(7)], faces, params={"max_tilt_deg": 40.0})
    assert reasons == {
        "i1": "faces_many", "i2": "faces_none_found", "i3": "faces_small", "i4": "faces_cut_off",
        "i5": "faces_none_found", "i6": "faces_tilted",
    }  # fmt: skip
    chosen = table.set_index("image_id").loc["i0"]
    assert chosen[["face_index", "box_x0", "box_y0", "box_x1", "box_y1"]].tolist() == [1, 100, 100, 200, 220]
    assert chosen["sample_id"] == sample_id("i0", (100, 100, 200, 220), "u0")
    assert table.set_index("image_id").loc["i4", "box_x0"] == 0


def test_the_central_or_largest_face_is_taken_where_asked():
    measured = {"faces": {"faces": [face(0, 0, 130, 150), face(160, 110, 240, 190)]}, "decode": SIZE}
    settings = {"min_face_score": 0.7, "min_face_px": 1, "max_outside_frac": 1.0, "max_tilt_deg": 0, "dominance": 9}
    assert choose_face(measured, settings | {"choose": "central"}) == (1, None)
    assert choose_face(measured, settings | {"choose": "largest"}) == (0, None)
    assert choose_face(measured, settings | {"choose": "dominant"})[0] == -1


def test_labels_and_targets():
    row = {"label": "cs", "attributes": '{"rating": 3.25, "cut": "slim"}'}
    assert read_label("label", row)[0] == "cs"
    assert read_label("attributes.rating", row) == ("", 3.25)
    assert read_label("attributes.cut", row)[0] == "slim"
    assert read_label("attributes.missing", row)[0] == ""


@pytest.mark.parametrize("params", [{"region": "nose"}, {"choose": "best"}, {"min_sidepx": 3}, {"region": "face"}])
def test_wrong_settings_are_refused(params):
    with pytest.raises(UsageError, match=r"\[stages.samples\]"):
        run([sighting(1)], params=params)


def test_no_sightings_give_an_empty_table():
    table, reasons = run([])
    assert len(table) == 0
    assert reasons == {}
    assert recipe().name == "r"
