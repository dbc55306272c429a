"""Writing a release in another shape. What is there already and did not change is left as it is.

`export.json` in the folder says which release stands there, and sha256 and size of every file; while an export is
going on its state is `writing`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import CatalogCorrupt, UsageError
from catalog.files import replacing, write_text
from catalog.release_format import Release, file_sha256
from curation.release.formats.contract import SHARD_SAMPLES, Format, Planned
from curation.release.formats.folders import class_folders, imagefolder, index_csv
from curation.release.formats.parquet import parquet
from curation.release.formats.webdataset import webdataset

EXPORT = "export.json"
FORMATS: dict[str, Format] = {
    "class-folders": class_folders,
    "imagefolder": imagefolder,
    "index-csv": index_csv,
    "parquet": parquet,
    "webdataset": webdataset,
}
"""By the name that `gleanery release export` takes."""

Progress = Callable[[int, int], None]
Listing = dict[str, dict[str, Any]]
"""Path -> key, sha256, size_bytes."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did."""

    folder: Path
    written_count: int
    kept_count: int
    removed_count: int


def export_release(
    release: Release,
    format_name: str,
    folder: Path,
    *,
    is_copied: bool = False,
    shard_samples: int = SHARD_SAMPLES,
    on_progress: Progress | None = None,
) -> Exported:
    """Write a release in a format; a folder that holds an earlier export is brought up to date.

    Args:
        release: a whole release.
        format_name: one of FORMATS.
        folder: new, empty, or of an earlier export of this recipe and format.
        is_copied: copy pictures; else they are hard links, where the file system allows, and must not be edited.
        shard_samples: samples per shard of formats that have shards.
        on_progress: told of (files done, files in all).

    Raises:
        UsageError: no such format, or the folder holds something else.
        CatalogCorrupt: a picture of the release is not what its manifest says.
    """
    if format_name not in FORMATS:
        raise UsageError(f"format {format_name!r}, expected one of: {', '.join(FORMATS)}")
    before = _earlier(folder, release.recipe, format_name)
    planned = FORMATS[format_name](release, shard_samples)
    facts = {"recipe": release.recipe, "format": format_name, "release": release.version}
    _write_listing(folder, {**facts, "state": "writing"}, before)
    files: Listing = {}
    written = 0
    for number, item in enumerate(planned, start=1):
        known = before.get(item.path)
        if known is None or known["key"] != item.key or not _is_there(folder / item.path, known):
            known = _write(release, item, folder / item.path, is_copied=is_copied)
            written += 1
        files[item.path] = known
        if on_progress is not None:
            on_progress(number, len(planned))
    gone = sorted(before.keys() - files.keys())
    for path in gone:
        _remove(folder, path)
    _write_listing(folder, {**facts, "state": "whole"}, files)
    return Exported(folder, written, len(files) - written, len(gone))


def verify_export(folder: Path) -> list[str]:
    """Hash every file of an export; returns a line per difference, none if it is whole.

    Raises:
        UsageError: the folder holds no export.
    """
    content = _read_listing(folder)
    problems = [] if content["state"] == "whole" else [f"{EXPORT}: the export was not finished"]
    for path, facts in sorted(content["files"].items()):
        if not (folder / path).is_file():
            problems.append(f"{path}: missing")
        elif file_sha256(folder / path) != facts["sha256"]:
            problems.append(f"{path}: changed since it was written")
    return problems


def _earlier(folder: Path, recipe: str, format_name: str) -> Listing:
    """Read what an earlier export wrote; of one that was cut short only files that are what it says."""
    if not folder.exists() or not any(folder.iterdir()):
        return {}
    content = _read_listing(folder)
    if (content["recipe"], content["format"]) != (recipe, format_name):
        found = f"{content['recipe']} as {content['format']}"
        raise UsageError(f"{folder}: holds {found}, expected an export of {recipe} as {format_name}, or nothing")
    files: Listing = content["files"]
    if content["state"] == "whole":
        return files
    return {path: facts for path, facts in files.items() if _is_there(folder / path, facts, is_hashed=True)}


def _read_listing(folder: Path) -> dict[str, Any]:
    path = folder / EXPORT
    if not path.is_file():
        raise UsageError(f"{folder}: is not empty and holds no {EXPORT}; expected an earlier export, or nothing")
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CatalogCorrupt(f"{path}: {error}") from error
    return content


def _write_listing(folder: Path, facts: dict[str, Any], files: Listing) -> None:
    text = json.dumps({**facts, "files": files}, indent=1, sort_keys=True, ensure_ascii=False)
    write_text(folder / EXPORT, text + "\n")


def _is_there(path: Path, facts: dict[str, Any], *, is_hashed: bool = False) -> bool:
    if not path.is_file() or path.stat().st_size != facts["size_bytes"]:
        return False
    return not is_hashed or file_sha256(path) == facts["sha256"]


def _write(release: Release, item: Planned, path: Path, *, is_copied: bool) -> dict[str, Any]:
    """Write one file, and read it back to hash it; a linked or copied one must be what the manifest says."""
    if item.write is not None:
        with replacing(path) as temporary:
            item.write(temporary)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        _link_or_copy(release.folder / item.source, path, is_copied=is_copied)
    found = file_sha256(path)
    if item.write is None and found != release.manifest["files"][item.source]["sha256"]:
        raise CatalogCorrupt(f"{release.folder / item.source}: is not what the manifest says")
    return {"key": item.key, "sha256": found, "size_bytes": path.stat().st_size}


def _link_or_copy(source: Path, path: Path, *, is_copied: bool) -> None:
    if not is_copied:
        try:
            os.link(source, path)
        except OSError:  # another file system, or too many links
            pass
        else:
            return
    shutil.copyfile(source, path)


def _remove(folder: Path, name: str) -> None:
    """Remove a file of ours, and folders that it leaves empty."""
    path = folder / name
    path.unlink(missing_ok=True)
    for parent in path.parents:
        if parent == folder or any(parent.iterdir()):
            break
        parent.rmdir()
