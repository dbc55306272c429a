from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.errors import CatalogCorrupt, UsageError
from catalog.manifests import MANIFEST, read_manifest, stage_key, write_manifest
from catalog.release_format import FORMAT_VERSION, TOMBSTONE, file_sha256, find_release, open_release, verify_release


def _release(folder: Path) -> Path:
    (folder / "train").mkdir(parents=True)
    (folder / "train" / "a.jpg").write_bytes(b"picture")
    facts = {"sha256": file_sha256(folder / "train" / "a.jpg"), "size_bytes": 7}
    write_manifest(folder, {"format_version": FORMAT_VERSION, "recipe": "r", "files": {"train/a.jpg": facts}})
    return folder


def test_a_whole_release_verifies(tmp_path: Path) -> None:
    assert verify_release(open_release(_release(tmp_path))) == []


def test_every_kind_of_damage_is_told(tmp_path: Path) -> None:
    release = open_release(_release(tmp_path))
    (tmp_path / "extra").write_text("x")
    (tmp_path / "train" / "a.jpg").write_bytes(b"p1cture")
    problems = verify_release(release)
    assert len(problems) == 2
    assert "not in the manifest" in problems[1]
    (tmp_path / "train" / "a.jpg").unlink()
    assert "missing" in verify_release(release)[0]


def test_the_latest_is_by_number_not_by_letters(tmp_path: Path) -> None:
    for version in ("2026-11-21.9", "2026-11-21.10", "2026-10-30.11"):
        _release(tmp_path / "r" / version)
    assert find_release(tmp_path, "r").version == "2026-11-21.10"
    assert find_release(tmp_path, "r@2026-10-30.11").version == "2026-10-30.11"
    (tmp_path / "r" / "2026-11-21.10" / TOMBSTONE).write_text("{}")
    assert find_release(tmp_path, "r").version == "2026-11-21.9"
    with pytest.raises(UsageError, match="takedown"):
        find_release(tmp_path, "r@2026-11-21.10")


def test_unfinished_and_foreign_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="never finished"):
        open_release(tmp_path)
    (tmp_path / MANIFEST).write_text(json.dumps({"format_version": 99}))
    with pytest.raises(CatalogCorrupt, match="99"):
        open_release(tmp_path)
    with pytest.raises(UsageError, match="no release of 'x'"):
        find_release(tmp_path, "x")


def test_manifests_are_the_same_bytes_for_equal_content(tmp_path: Path) -> None:
    write_manifest(tmp_path / "a", {"b": 1, "a": ["ü"]})
    write_manifest(tmp_path / "b", {"a": ["ü"], "b": 1})
    assert (tmp_path / "a" / MANIFEST).read_bytes() == (tmp_path / "b" / MANIFEST).read_bytes()
    assert read_manifest(tmp_path / "c") is None
    assert stage_key("s", 1, {"x": 1}, {}) != stage_key("s", 1, {"x": 2}, {}) != stage_key("s", 2, {"x": 2}, {})
