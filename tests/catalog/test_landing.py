from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog import landing
from catalog.errors import CatalogCorrupt
from catalog.landing import LandingWriter
from catalog.schema import SubjectRecord

LandRun = Callable[..., Path]


def _subject(name: str) -> SubjectRecord:
    return SubjectRecord(subject_id=name, source="s", kind="person", label=None)


def test_a_torn_line_is_dropped_and_the_rest_resumed(tmp_path: Path) -> None:
    writer = LandingWriter(tmp_path)
    assert writer.add(_subject("a"))
    assert writer.add(_subject("b"))
    writer.close()
    path = tmp_path / landing.RECORDS
    path.write_bytes(path.read_bytes()[:-7])  # a kill while b was written
    assert [record.subject_id for record in landing.iter_records(tmp_path)] == ["a"]  # type: ignore[attr-defined]
    with LandingWriter(tmp_path) as resumed:
        assert not resumed.add(_subject("a"))
        assert resumed.add(_subject("b"))
    assert [record.subject_id for record in landing.iter_records(tmp_path)] == ["a", "b"]  # type: ignore[attr-defined]


def test_a_finished_run_is_never_added_to(land_run: LandRun) -> None:
    folder = land_run(["Ada"])
    with pytest.raises(CatalogCorrupt, match="finished"):
        LandingWriter(folder)


def test_only_an_unfinished_last_run_is_resumed(land_run: LandRun, tmp_path: Path) -> None:
    first = land_run(["Ada"], hour=1)
    assert landing.unfinished_run(tmp_path / "landing", "uni-cs") is None
    second = land_run(["Ada"], hour=2, is_finished=False)
    assert landing.unfinished_run(tmp_path / "landing", "uni-cs") == second
    assert landing.last_good_run(tmp_path / "landing", "uni-cs") == first


def test_a_line_in_the_middle_that_is_no_json_is_corruption(tmp_path: Path) -> None:
    (tmp_path / landing.RECORDS).write_text('{"type": "subject"\n{}\n')
    with pytest.raises(CatalogCorrupt, match="line 1"):
        list(landing.iter_records(tmp_path))


def test_a_blanked_line_is_skipped(tmp_path: Path) -> None:
    row = _subject("a").to_json()
    (tmp_path / landing.RECORDS).write_text('{"type":"blanked"}\n' + json.dumps(row) + "\n")
    assert len(list(landing.iter_records(tmp_path))) == 1
