from __future__ import annotations

import pandas as pd
import pytest

from catalog.errors import UsageError
from curation.decisions import decision, decisions_frame, records
from curation.stages.duplicates import COLUMNS
from curation.stages.groups import GroupsStage
from curation.stages.labels import LabelsStage
from tests.curation.stages.table_inputs import inputs, samples_frame


def copies(*pairs: tuple[str, str]) -> pd.DataFrame:
    """A duplicates table in which the images of the given samples are copies."""
    rows = [
        dict.fromkeys(COLUMNS, "")
        | {"image_id_a": f"i-{a}", "image_id_b": f"i-{b}", "is_copy": True, "cluster_id": f"c-{a}"}
        for a, b in pairs
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"is_copy": bool})


def drops(stage: str, samples: pd.DataFrame, *names: str, reason: str = "duplicate_of") -> pd.DataFrame:
    return decisions_frame(
        decision(stage, row, "drop", reason) for row in records(samples) if row["sample_id"] in names
    )


def labels(rows, pairs=(), params=None, **changes):
    samples = samples_frame(rows)
    result = LabelsStage().run(inputs({"samples": samples, "duplicates": copies(*pairs)}, params=params, **changes))
    return {row["sample_id"]: row["reason"] for row in records(result.decisions)}


def test_missing_labels_are_dropped_but_a_target_is_one():
    assert labels(
        [{"sample_id": "a", "label": ""}, {"sample_id": "b", "label": "x"}, {"sample_id": "c", "target": 2.0}]
    ) == {"a": "labels_missing"}


def test_one_picture_under_two_labels_drops_all_sides():
    rows = [{"sample_id": name, "label": label} for name, label in zip("abcd", "xyxx", strict=True)]
    assert labels(rows, [("a", "b"), ("c", "d")]) == {"a": "labels_conflict", "b": "labels_conflict"}


def test_one_person_under_two_labels_by_scope_of_the_name():
    rows = [
        {"sample_id": "a", "label": "x", "name": "Änne Weiß", "organisation": "o1"},
        {"sample_id": "b", "label": "y", "name": "anne  weiss", "organisation": "o1"},
        {"sample_id": "c", "label": "z", "name": "Anne Weiß", "organisation": "o2"},
        {"sample_id": "d", "label": "z", "name": "", "organisation": "o1"},
        {"sample_id": "e", "label": "x", "name": "", "organisation": "o1"},
    ]
    assert set(labels(rows)) == {"a", "b"}
    assert set(labels(rows, params={"same_name": "all"})) == {"a", "b", "c"}
    assert labels(rows, params={"same_name": "none"}) == {}
    assert labels(rows, subject_kind="item") == {}
    with pytest.raises(UsageError, match="same_name"):
        labels(rows, params={"same_name": "everyone"})


def groups(samples, pairs=(), decisions=None, params=None, **changes) -> list[set[str]]:
    tables = {"samples": samples, "duplicates": copies(*pairs)}
    table = GroupsStage().run(inputs(tables, params=params, decisions=decisions, **changes)).table
    return sorted((set(rows["sample_id"]) for _, rows in table.groupby("group_id")), key=sorted)


def test_subjects_names_copies_and_pictures_join():
    samples = samples_frame(
        [
            {"sample_id": "a", "subject_id": "1", "name": "N", "organisation": "o"},
            {"sample_id": "b", "subject_id": "1"},
            {"sample_id": "c", "subject_id": "2", "name": "n", "organisation": "o"},
            {"sample_id": "d", "subject_id": "3", "name": "N", "organisation": "p"},
            {"sample_id": "e", "subject_id": "4"},
            {"sample_id": "f", "subject_id": "5", "image_id": "i-e"},
        ]
    )
    assert groups(samples) == [{"a", "b", "c"}, {"d"}, {"e", "f"}]
    assert groups(samples, params={"same_name": "all"}) == [{"a", "b", "c", "d"}, {"e", "f"}]
    assert groups(samples, [("d", "e")]) == [{"a", "b", "c"}, {"d", "e", "f"}]


def test_items_join_over_their_colours():
    rows = [{"sample_id": name, "attributes": {"item_id": item}} for name, item in zip("abc", (7, 7, 8), strict=True)]
    assert groups(samples_frame(rows), subject_kind="item") == [{"a", "b"}, {"c"}]
    assert groups(samples_frame(rows), subject_kind="item", params={"same_item": False}) == [{"a"}, {"b"}, {"c"}]


def test_dropped_copies_still_join_and_placeholders_do_not():
    samples = samples_frame(
        [{"sample_id": "a"}, {"sample_id": "b", "subject_id": "1"}, {"sample_id": "c", "subject_id": "1"}]
    )
    assert groups(samples, [("a", "b")], drops("duplicates", samples, "b")) == [{"a", "b", "c"}]
    assert groups(samples, [("a", "b")], drops("samples", samples, "b", reason="quality_placeholder")) == [
        {"a"},
        {"c"},
    ]


def test_the_id_of_a_group_depends_on_its_members_alone():
    samples = samples_frame([{"sample_id": "a"}, {"sample_id": "b"}])
    more = samples_frame([{"sample_id": "0"}, {"sample_id": "a"}, {"sample_id": "b"}])
    first, second = (GroupsStage().run(inputs({"samples": found})).table for found in (samples, more))
    assert set(first["group_id"]) < set(second["group_id"])


def test_near_faces_are_one_person_and_a_picture_without_vector_joins_nobody():
    samples = samples_frame({"sample_id": name} for name in "abcde")
    vectors = {"a": [1, 0, 0], "b": [0.98, 0.199, 0], "c": [0.93, 0.367, 0], "d": [0, 0, 1], "e": None}
    signal = pd.DataFrame({"image_id": [f"i-{n}" for n in vectors], "embedding": list(vectors.values())})
    found = groups(samples, params={"same_face": 0.97}, signals={"embedding": signal})
    assert sorted(map(sorted, found)) == [["a", "b", "c"], ["d"], ["e"]], "b ties a and c together"
    for params, signals in (({"same_face": 0.9}, {}), ({"same_face": 1.5}, {"embedding": signal})):
        with pytest.raises(UsageError, match="same_face"):
            groups(samples, params=params, signals=signals)
