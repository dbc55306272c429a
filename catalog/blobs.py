"""Raw bytes by content: `aa/<sha256>` under a local folder or any fsspec URL.

Bytes go in exactly as they were served and never change. A blob appears by one rename (local) or one put (object
store), so a half-written one is never seen under its name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from catalog import files
from catalog.errors import CatalogCorrupt
from catalog.ids import is_image_id, sha256_hex


class BlobStore:
    """A content-addressed store.

    Args:
        location: local folder, or fsspec URL such as s3://bucket/prefix.
    """

    def __init__(self, location: Path | str) -> None:
        self._local: Path | None = None
        self._remote: Any = None
        self._prefix = PurePosixPath()
        if isinstance(location, Path) or "://" not in location:
            self._local = Path(location)
        else:
            import fsspec

            self._remote, prefix = fsspec.core.url_to_fs(location)
            self._prefix = PurePosixPath(prefix)

    def put(self, body: bytes) -> str:
        """Keep bytes; returns their sha256. Bytes that are there already are not written again."""
        sha256 = sha256_hex(body)
        if self._local is not None:
            path = self._path(sha256)
            if not path.exists():
                files.write_bytes(path, body)
        else:
            key = self._key(sha256)
            if not self._remote.exists(key):
                self._remote.pipe_file(key, body)
        return sha256

    def get(self, sha256: str, *, is_verified: bool = True) -> bytes:
        """Read bytes back.

        Raises:
            KeyError: there is no such blob.
            CatalogCorrupt: the stored bytes do not match the name (only with `is_verified`).
        """
        try:
            if self._local is not None:
                # Text and no buffer: a path object and a second copy cost as much as reading a small file.
                with open(f"{self._local}/{_relative(sha256)}", "rb", buffering=0) as file:  # noqa: PTH123
                    body = file.readall()
            else:
                body = bytes(self._remote.cat_file(self._key(sha256)))
        except FileNotFoundError:
            raise KeyError(sha256) from None
        if is_verified and sha256_hex(body) != sha256:
            raise CatalogCorrupt(f"blob {sha256}: its bytes have sha256 {sha256_hex(body)}")
        return body

    def __contains__(self, sha256: str) -> bool:
        if self._local is not None:
            return self._path(sha256).exists()
        return bool(self._remote.exists(self._key(sha256)))

    def local_path(self, sha256: str) -> Path | None:
        """Path of a blob in a local store (it may be missing); None for a remote store."""
        return self._path(sha256) if self._local is not None else None

    def delete(self, sha256: str) -> bool:
        """Remove a blob for ever; only a takedown or garbage collection calls this. Tells whether it was there."""
        if sha256 not in self:
            return False
        if self._local is not None:
            self._path(sha256).unlink()
        else:
            self._remote.rm_file(self._key(sha256))
        return True

    def size_and_time(self, sha256: str) -> tuple[int, float]:
        """Bytes of a blob, and when it was written (seconds since 1970).

        Raises:
            FileNotFoundError: there is no such blob.
        """
        if self._local is not None:
            facts = self._path(sha256).stat()
            return facts.st_size, facts.st_mtime
        key = self._key(sha256)
        return int(self._remote.size(key)), float(self._remote.modified(key).timestamp())

    def iter_ids(self) -> Iterator[str]:
        """Yield the sha256 of every blob, sorted."""
        if self._local is not None:
            names = [entry.name for folder in sorted(self._local.glob("??")) for entry in os.scandir(folder)]
        else:
            names = [PurePosixPath(key).name for key in self._remote.find(str(self._prefix))]
        yield from sorted(name for name in names if is_image_id(name))

    def verify(self) -> list[str]:
        """Read every blob and list those whose bytes do not match their name."""
        return [sha256 for sha256 in self.iter_ids() if sha256_hex(self.get(sha256, is_verified=False)) != sha256]

    def _path(self, sha256: str) -> Path:
        assert self._local is not None
        return self._local / _relative(sha256)

    def _key(self, sha256: str) -> str:
        return str(self._prefix / _relative(sha256))


def _relative(sha256: str) -> str:
    if not is_image_id(sha256):
        raise KeyError(sha256)
    return f"{sha256[:2]}/{sha256}"
