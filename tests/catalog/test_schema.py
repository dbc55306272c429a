from __future__ import annotations

import json

import pytest

from catalog.schema import REASONS, ImageRecord, Record, Verdict


def _image() -> ImageRecord:
    return ImageRecord(image_id="a" * 64, source="s", url="http://x/", size_bytes=1, fetched_at="2026-01-01T00:00:00Z")


def test_records_survive_json() -> None:
    row = json.loads(json.dumps(_image().to_json()))
    assert ImageRecord.from_json(row) == _image()


@pytest.mark.parametrize(("change", "words"), [({"colour": 1}, "colour"), ({"url": ...}, "url")])
def test_unknown_and_missing_fields_are_named(change: dict[str, object], words: str) -> None:
    row = {**_image().to_json(), **change}
    row = {key: value for key, value in row.items() if value is not ...}
    with pytest.raises(ValueError, match=words):
        ImageRecord.from_json(row)


def test_every_record_type_has_its_own_name() -> None:
    type_of = {cls.__name__: cls.TYPE for cls in Record.__subclasses__()}
    assert len(type_of) == len(set(type_of.values())) == 8
    assert Verdict.TYPE == "verdict"


def test_reasons_are_stage_and_why() -> None:
    assert all("_" in slug or slug == "suppressed" for slug in REASONS)
    assert all(REASONS.values())
