"""Backups of what cannot be made again, and restoring them into an empty place.

One gzipped tar, readable by its owner alone: it holds names. In it:

    tables/<table>.jsonl   all but the crawl tables: verdicts, takedowns, split assignments, releases, the salt, ...
    landing/ releases/ sources/ recipes/ takedowns/   as they stand (open takedowns left out: they are private)
    gleanery.toml          the settings, where there is a file
    blobs/                 pictures and pages, only if asked: they are large, and can be fetched again
    backup.json            sha256 of every file, and when it was made; written last

Crawl tables are filled again from landing, derived results by the next curation.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Table, delete, insert, select

from catalog import files, tables
from catalog.blobs import BlobStore
from catalog.config import CONFIG_NAME, Config
from catalog.copies import Copy, record_copy
from catalog.db import Catalog
from catalog.errors import CatalogCorrupt, UsageError
from catalog.ids import canonical_json, sha256_hex
from catalog.ingest import rebuild

FORMAT_VERSION = 1
MANIFEST = "backup.json"
_FOLDERS = ("landing", "releases", "sources", "recipes", "takedowns")
_PRIVATE = ("takedowns/open", "takedowns/.lock")
_TABLES: tuple[Table, ...] = tuple(
    table
    for table in tables.METADATA.sorted_tables
    if table not in tables.LANDED_TABLES and table is not tables.schema_version
)
"""All that is not a view of landing."""
_CHUNK_ROWS = 500

Progress = Callable[[int], None]
"""(files done)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds."""

    path: Path
    made_at: str
    has_blobs: bool
    files_count: int
    size_bytes: int


def back_up(
    config: Config, target: Path, now: str, *, with_blobs: bool = False, on_progress: Progress | None = None
) -> Backup:
    """Write a backup, whole or not at all, and note that it exists, for the receipts of later takedowns.

    Args:
        config: of the data root.
        target: file to write, or a folder, in which it is named by the time.
        now: UTC ISO 8601 with Z.
        with_blobs: pictures and saved pages too.
        on_progress: told of each file.

    Raises:
        UsageError: the target is there already, or inside the data root.
    """
    path = target / f"gleanery-{now.replace(':', '').replace('-', '')}.tar.gz" if target.is_dir() else target
    if path.exists():
        raise UsageError(f"{path} is there already; a backup is never overwritten")
    if path.resolve().is_relative_to(config.root.resolve()):
        raise UsageError(f"{path} lies in the data root, and would be lost with it")
    what = "with pictures" if with_blobs else "without pictures"
    record_copy(config.data_root, Copy(kind="backup", what=what, where=str(path.absolute()), made_at=now))
    listed: dict[str, str] = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as temporary, tarfile.open(temporary, "w:gz", compresslevel=3) as archive:
        for name, body in _contents(config, with_blobs=with_blobs):
            listed[name] = sha256_hex(body)
            _add(archive, name, body)
            if on_progress is not None:
                on_progress(len(listed))
        facts = {"format_version": FORMAT_VERSION, "made_at": now, "has_blobs": with_blobs, "files": listed}
        _add(archive, MANIFEST, json.dumps(facts, indent=1).encode())
    path.chmod(0o600)
    return Backup(
        path=path, made_at=now, has_blobs=with_blobs, files_count=len(listed), size_bytes=path.stat().st_size
    )


def _contents(config: Config, *, with_blobs: bool) -> Iterator[tuple[str, bytes]]:
    with Catalog(config.catalog_url) as catalog:
        for table in _TABLES:
            yield f"tables/{table.name}.jsonl", _dump(catalog, table)
    root = config.root
    for folder in _FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and not name.startswith(_PRIVATE) and not path.name.endswith((".lock", ".part")):
                yield name, path.read_bytes()
    if Path(CONFIG_NAME).is_file():
        yield CONFIG_NAME, Path(CONFIG_NAME).read_bytes()
    blobs = BlobStore(config.blobs_url or config.data_root.blobs)
    for sha256 in blobs.iter_ids() if with_blobs else ():
        yield f"blobs/{sha256[:2]}/{sha256}", blobs.get(sha256)


def _dump(catalog: Catalog, table: Table) -> bytes:
    with catalog.engine.connect() as connection:
        rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        return "".join(canonical_json(dict(row)) + "\n" for row in rows).encode()


def _add(archive: tarfile.TarFile, name: str, body: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(body), 0o600 if name.startswith(("tables", "takedowns")) else 0o644
    archive.addfile(entry, io.BytesIO(body))


def restore(config: Config, source: Path, on_progress: Progress | None = None) -> Backup:
    """Put a backup into an empty data root and fill the crawl tables again from landing.

    All is prepared beside the root and put in place by one rename, so that a restore that was cut off left nothing.

    Args:
        config: of the data root, which must be missing or empty; with a `database_url` the catalog must be empty.
        source: a file that `back_up` wrote.
        on_progress: told of each file.

    Raises:
        UsageError: the root is not empty, or the file is no backup.
        CatalogCorrupt: a file in it does not match its sha256, or is missing.
    """
    root = config.root.absolute()
    if root.exists() and any(root.iterdir()):
        raise UsageError(f"{root}: not empty; a backup is restored into an empty data root")
    root.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{root.name}.restoring.", dir=root.parent))
    try:
        facts = _unpack(source, staging, on_progress or (lambda _count: None))
        _move_blobs(config, staging)
        _fill_catalog(replace(config, root=staging), staging)
        shutil.rmtree(staging / "tables")
        staging.chmod(0o755)
        if root.exists():
            root.rmdir()
        staging.rename(root)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return Backup(
        path=source, made_at=facts["made_at"], has_blobs=facts["has_blobs"], files_count=len(facts["files"]),
        size_bytes=source.stat().st_size,
    )  # fmt: skip


def _unpack(source: Path, folder: Path, on_progress: Progress) -> dict[str, Any]:
    found: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with tarfile.open(source, "r:gz") as archive:
            for entry in archive:
                body = archive.extractfile(entry)
                if body is None:
                    raise UsageError(f"{source}: {entry.name} is no plain file: not a backup")
                if entry.name == MANIFEST:
                    manifest = json.loads(body.read())
                    continue
                found[entry.name] = _write(folder, entry, body.read())
                on_progress(len(found))
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise UsageError(f"{source}: cannot be read as a backup: {error}") from error
    if manifest is None or manifest.get("format_version") != FORMAT_VERSION:
        raise UsageError(f"{source}: no {MANIFEST} of format {FORMAT_VERSION}: not a backup, or one cut short")
    wrong = sorted(name for name in found.keys() | manifest["files"] if found.get(name) != manifest["files"].get(name))
    if wrong:
        raise CatalogCorrupt(f"{source}: {len(wrong)} files do not match their sha256, the first is {wrong[0]}")
    return manifest


def _write(folder: Path, entry: tarfile.TarInfo, body: bytes) -> str:
    path = (folder / entry.name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise UsageError(f"{entry.name!r} leads out of the data root: not a backup")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    path.chmod(entry.mode & 0o644)
    return hashlib.sha256(body).hexdigest()


def _move_blobs(config: Config, staging: Path) -> None:
    """Bring pictures to the store that the settings name, where that is not the root's own folder."""
    if config.blobs_url:
        store = BlobStore(config.blobs_url)
        for path in (staging / "blobs").glob("??/*"):
            store.put(path.read_bytes())
        shutil.rmtree(staging / "blobs", ignore_errors=True)


def _fill_catalog(config: Config, staging: Path) -> None:
    with Catalog(config.catalog_url) as catalog:
        for table in _TABLES:
            path = staging / "tables" / f"{table.name}.jsonl"
            text = path.read_text(encoding="utf-8") if path.exists() else ""  # a table that came after the backup
            rows = [json.loads(line) for line in text.splitlines()]
            with catalog.begin() as connection:
                if table is tables.facts:
                    connection.execute(delete(table))  # the salt that the new catalog drew fits no hashed name
                elif connection.execute(select(table).limit(1)).first() is not None:
                    raise UsageError(f"the catalog at database_url holds rows in {table.name}: expected an empty one")
                for start in range(0, len(rows), _CHUNK_ROWS):
                    connection.execute(insert(table), rows[start : start + _CHUNK_ROWS])
        rebuild(catalog, staging / "landing")
