"""Derived results: folders of Parquet parts under one key, local or behind an fsspec URL.

A part appears by one rename (or one put), so it is whole or absent; the manifest is written last.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog import files
from catalog.errors import CatalogCorrupt
from catalog.manifests import MANIFEST

PART = "part-"


@dataclass(frozen=True, slots=True)
class DerivedFolder:
    """The folder of one stage under one key; plain text, so that it travels to any worker."""

    location: str
    """Local folder or fsspec URL of all derived results."""
    stage: str
    key: str

    def write(self, name: str, data: bytes) -> None:
        """Write one file, whole or not at all."""
        if self._is_local:
            files.write_bytes(Path(self._path(name)), data)
        else:
            system, path = self._remote(name)
            system.pipe_file(path, data)

    def read(self, name: str) -> bytes | None:
        """Read one file; None where there is none."""
        try:
            if self._is_local:
                return Path(self._path(name)).read_bytes()
            system, path = self._remote(name)
            return bytes(system.cat_file(path))
        except FileNotFoundError:
            return None

    def part_names(self) -> list[str]:
        """Names of the parts, sorted; files that a killed writer left are none."""
        return self.names(PART, ".parquet")

    def names(self, prefix: str, suffix: str = "") -> list[str]:
        """Names of the files that begin and end so, sorted."""
        if self._is_local:
            return sorted(path.name for path in Path(self._path("")).glob(f"{prefix}*{suffix}"))
        system, path = self._remote("")
        system.invalidate_cache()  # other machines write parts too
        return sorted(PurePosixPath(key).name for key in system.glob(f"{path.rstrip('/')}/{prefix}*{suffix}"))

    def write_manifest(self, content: dict[str, Any]) -> None:
        """Write the manifest, unless the same stands there."""
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        if self.read(MANIFEST) != text.encode():
            self.write(MANIFEST, text.encode())

    def read_manifest(self) -> dict[str, Any] | None:
        """Read the manifest; None where the work is not done.

        Raises:
            CatalogCorrupt: it is no JSON object.
        """
        data = self.read(MANIFEST)
        if data is None:
            return None
        try:
            content = json.loads(data)
        except ValueError as error:
            raise CatalogCorrupt(f"{self._path(MANIFEST)}: {error}") from error
        if not isinstance(content, dict):
            raise CatalogCorrupt(f"{self._path(MANIFEST)}: expected a JSON object")
        return content

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write an Arrow table as Parquet; equal tables give equal bytes."""
        stream = io.BytesIO()
        pq.write_table(table, stream, compression="zstd", write_statistics=False)
        self.write(name, stream.getvalue())

    def read_table(self, name: str, columns: Iterable[str] | None = None) -> pa.Table:
        """Read a Parquet file.

        Raises:
            CatalogCorrupt: it is missing or broken.
        """
        wanted = None if columns is None else list(columns)
        try:
            if self._is_local:  # a few columns of many: the others are not even read
                return pq.read_table(self._path(name), columns=wanted, partitioning=None)
            data = self.read(name)
            if data is None:
                raise FileNotFoundError(name)
            return pq.read_table(pa.BufferReader(data), columns=wanted)
        except (pa.ArrowException, OSError) as error:
            advice = f"delete it and {MANIFEST} beside it, they will be made again"
            raise CatalogCorrupt(f"{self._path(name)}: {error}; {advice}") from error

    @property
    def _is_local(self) -> bool:
        return "://" not in self.location

    def _path(self, name: str) -> str:
        return "/".join(part for part in (self.location.rstrip("/"), self.stage, self.key, name) if part)

    def _remote(self, name: str) -> tuple[Any, str]:
        import fsspec

        system, path = fsspec.core.url_to_fs(self._path(name))
        return system, path
