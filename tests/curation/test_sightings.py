from __future__ import annotations

from tests.curation.handmade import sightings_of

ROWS = [
    {"sighting_id": "s3", "image_id": "i1", "subject_id": "u2", "source": "b", "name": "Berta", "rank": 1},
    {"sighting_id": "s1", "image_id": "i2", "subject_id": "u1", "source": "a", "name": "Anna", "rank": 0},
    {"sighting_id": "s2", "image_id": "i1", "subject_id": "u1", "source": "a", "name": "Anna", "rank": 2},
]


def test_each_sighting_tells_its_subject_in_order():
    found = sightings_of(ROWS)
    assert found.frame[["sighting_id", "image_id", "name", "rank"]].to_numpy().tolist() == [
        ["s1", "i2", "Anna", 0],
        ["s2", "i1", "Anna", 2],
        ["s3", "i1", "Berta", 1],
    ]
    assert found.sources == {"a", "b"}
    assert found.image_ids.to_pylist() == ["i2", "i1", "i1"]


def test_the_name_covers_every_value_and_no_order_of_arrival():
    name = sightings_of(ROWS).digest
    assert sightings_of(ROWS[::-1]).digest == name
    for place, column, value in ((0, "rank", 7), (1, "image_id", "i9"), (0, "name", "Bertha")):
        changed = [row | {column: value} if number == place else row for number, row in enumerate(ROWS)]
        assert sightings_of(changed).digest != name


def test_of_some_images_their_subjects_stay():
    found = sightings_of(ROWS)
    assert found.with_images(["i2"]).frame["name"].to_list() == ["Anna"]
    rest = found.with_images(["i2"], is_with=False)
    assert rest.frame["sighting_id"].to_list() == ["s2", "s3"]
    assert len(found.with_images([])) == len(found.with_images([]).subjects) == 0
    assert found.with_images(["i1", "i2"]).digest == found.digest
