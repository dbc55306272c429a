"""The files under `derived/`, local or behind an fsspec URL, as takedown and garbage collection walk them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from curation.derived import PART, DerivedFolder


@dataclass(frozen=True, slots=True)
class DerivedFile:
    """One file of a stage's folder."""

    folder: DerivedFolder
    name: str

    def read(self) -> pa.Table:
        """Read it as Parquet."""
        return self.folder.read_table(self.name)


class DerivedFiles:
    """Everything under one derived location."""

    def __init__(self, location: str) -> None:
        import fsspec

        self.location = location
        self._system, self._base = fsspec.core.url_to_fs(location)

    def folders(self) -> Iterator[DerivedFolder]:
        """Yield every `<stage>/<key>`, sorted."""
        for stage in self._names(self._base):
            for key in self._names(f"{self._base}/{stage}"):
                yield DerivedFolder(self.location, stage, key)

    def parts(self, stage: str) -> Iterator[DerivedFile]:
        """Yield the parts of a measure, under all its keys."""
        for key in self._names(f"{self._base}/{stage}"):
            folder = DerivedFolder(self.location, stage, key)
            yield from (DerivedFile(folder, name) for name in folder.part_names())

    def names(self, folder: DerivedFolder) -> list[str]:
        """Names of all files in a folder, also those that killed writers left."""
        path = f"{self._base}/{folder.stage}/{folder.key}"
        return [name for name in self._names(path, "file") if not name.startswith(".nfs")]

    def age_s(self, folder: DerivedFolder, now_s: float) -> float:
        """Seconds since a file of the folder was last written; 0 where there is none."""
        path = f"{self._base}/{folder.stage}/{folder.key}"
        times = [self._system.modified(f"{path}/{name}").timestamp() for name in self._names(path, "file")]
        return now_s - max(times) if times else 0.0

    def size_bytes(self, folder: DerivedFolder) -> int:
        """Bytes of all its files."""
        path = f"{self._base}/{folder.stage}/{folder.key}"
        return sum(int(self._system.size(f"{path}/{name}") or 0) for name in self._names(path, "file"))

    def remove(self, folder: DerivedFolder, name: str = "") -> None:
        """Remove one file, or the folder with all that it holds; what is gone already is no error."""
        path = f"{self._base}/{folder.stage}/{folder.key}" + (f"/{name}" if name else "")
        if self._system.exists(path):
            self._system.rm(path, recursive=not name)

    def _names(self, path: str, kind: str = "directory") -> list[str]:
        self._system.invalidate_cache()
        if not self._system.exists(path):
            return []
        entries: list[dict[str, Any]] = self._system.ls(path, detail=True)
        return sorted(PurePosixPath(entry["name"]).name for entry in entries if entry["type"] == kind)


def is_part(name: str) -> bool:
    """Tell whether a file is a part of a measure."""
    return name.startswith(PART) and name.endswith(".parquet")
