from __future__ import annotations

import pyarrow as pa
import pytest

from catalog.errors import CatalogCorrupt
from curation.derived import DerivedFolder

TABLE = pa.table({"image_id": ["a", "b"], "value": [1, 2]})


@pytest.fixture(params=["local", "remote"])
def folder(request, tmp_path) -> DerivedFolder:
    location = str(tmp_path) if request.param == "local" else f"memory://{tmp_path.name}"
    return DerivedFolder(location, "hashes", "0" * 16)


def test_parts_come_back_as_they_were(folder):
    assert folder.part_names() == []
    folder.write_table("part-b.parquet", TABLE)
    folder.write_table("part-a.parquet", TABLE)
    assert folder.part_names() == ["part-a.parquet", "part-b.parquet"]
    assert folder.read_table("part-a.parquet").equals(TABLE)
    assert folder.read_table("part-a.parquet", ["value"]).column_names == ["value"]
    assert folder.read("part-a.parquet") == folder.read("part-b.parquet")


def test_no_manifest_means_not_done(folder):
    assert folder.read_manifest() is None
    folder.write_manifest({"images_count": 2})
    assert folder.read_manifest() == {"images_count": 2}


def test_broken_files_are_named(folder):
    folder.write("part-x.parquet", b"half")
    folder.write("manifest.json", b"[]")
    for broken in (
        folder.read_manifest,
        lambda: folder.read_table("part-x.parquet"),
        lambda: folder.read_table("part-y"),
    ):
        with pytest.raises(CatalogCorrupt, match="hashes"):
            broken()
