from __future__ import annotations

from pathlib import Path

import pytest

from catalog.blobs import BlobStore
from catalog.errors import CatalogCorrupt
from catalog.ids import sha256_hex


@pytest.fixture(params=["folder", "fsspec"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs" if request.param == "folder" else f"memory://{tmp_path.name}/blobs")


def test_bytes_come_back_as_they_went_in(store: BlobStore) -> None:
    bodies = [b"", b"\xff\xd8not really", b"x" * 100_000]
    names = [store.put(body) for body in bodies]
    assert names == [sha256_hex(body) for body in bodies]
    assert [store.get(name) for name in names] == bodies
    assert list(store.iter_ids()) == sorted(names)
    assert store.put(bodies[1]) == names[1]
    assert store.verify() == []


def test_what_is_not_there_is_a_key_error(store: BlobStore) -> None:
    with pytest.raises(KeyError):
        store.get("0" * 64)
    with pytest.raises(KeyError):
        store.get("../../etc/passwd")
    assert not store.delete("0" * 64)


def test_deleted_is_gone(store: BlobStore) -> None:
    name = store.put(b"body")
    assert store.delete(name)
    assert name not in store


def test_changed_bytes_are_found(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    name = store.put(b"body")
    path = store.local_path(name)
    assert path is not None
    path.write_bytes(b"b0dy")
    with pytest.raises(CatalogCorrupt, match=name):
        store.get(name)
    assert store.verify() == [name]
