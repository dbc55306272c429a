"""Taking a trace out of what was made of it: derived results, runs, models, exports, fixture cases, logs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import CatalogCorrupt
from catalog.ids import digest
from catalog.naming import text_of
from curation.derived import DerivedFolder
from curation.derived_files import is_part
from curation.places import Places, is_decoded_release
from curation.release.export import EXPORT
from curation.takedown.databases import clear_tables, compact, reflected_tables
from curation.takedown.landed import clear_json
from curation.takedown.trace import Trace

_OWN_FOLDERS = ("blobs", "landing", "derived", "releases", "takedowns", "sampleweb")
"""Of the data root: cleared by steps of their own, or (the sample web) no data of ours but a web that is served."""
_TEXT_SUFFIXES = (".log", ".txt", ".jsonl", ".out", ".err")
_OF_SQLITE = ("-wal", "-shm", "-journal")
"""They belong to the database beside them, and are emptied with it."""
_SQLITE_MAGIC = b"SQLite format 3\0"


def clear_derived(places: Places, trace: Trace, *, write: bool) -> int:
    """Rewrite parts of measures without the pictures; remove results of table stages and caches that hold any of it.

    Both are made again when they are needed. Returns how many files and folders there were.
    """
    shas = places.manifest_shas(trace.releases)
    count = 0
    for folder in places.derived.folders():
        names = places.derived.names(folder)
        if any(is_part(name) for name in names):
            count += _clear_parts(places, folder, trace, write=write)
        elif is_decoded_release(folder, shas) or _shows(folder, names, trace):
            count += 1
            if write:
                places.derived.remove(folder)
    return count


def _clear_parts(places: Places, folder: DerivedFolder, trace: Trace, *, write: bool) -> int:
    """Take rows out of the parts of a measure, or of a memory of comparisons, then say so in its manifest."""
    gone = pa.array(sorted(trace.images), pa.string())
    touched = 0
    images: list[str] = []
    for name in folder.part_names():
        table = folder.read_table(name)
        of_images = [column for column in table.column_names if column.startswith("image_id")]
        rest = table
        for column in of_images:
            rest = rest.filter(pc.invert(pc.is_in(rest[column], gone)))
        images += rest[of_images[0]].to_pylist() if of_images else []
        if rest.num_rows == table.num_rows:
            continue
        touched += 1
        if write and rest.num_rows:
            folder.write_table(name, rest)
        elif write:
            places.derived.remove(folder, name)
    manifest = folder.read_manifest()
    if write and manifest is not None and "images_sha256" in manifest:
        # Also where no part was touched: a kill may have come between the parts and their manifest.
        unique = sorted(set(images))
        folder.write_manifest({**manifest, "images_count": len(unique), "images_sha256": digest(unique)})
    return touched


def _shows(folder: DerivedFolder, names: list[str], trace: Trace) -> bool:
    return any(_file_shows(folder, name, trace) for name in names)


def _file_shows(folder: DerivedFolder, name: str, trace: Trace) -> bool:
    if name.endswith(".parquet"):
        try:
            return table_shows(folder.read_table(name), trace)
        except CatalogCorrupt:
            return True  # broken: it will be made again anyhow
    body = folder.read(name)
    return body is not None and name.endswith((".json", ".csv", ".txt")) and trace.needles.found_in(text_of(body))


def table_shows(table: pa.Table, trace: Trace) -> bool:
    """Tell whether a table holds any of a trace, in its texts, also nested ones."""
    return any(trace.needles.found_in(text) for column in table.columns for text in _texts(column))


def _texts(column: pa.ChunkedArray) -> Iterator[str]:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield from (text for text in pc.unique(column).to_pylist() if text)
    elif pa.types.is_nested(kind) and "string" in str(kind):
        yield from (json.dumps(value, default=str, ensure_ascii=False) for value in column.to_pylist() if value)


def clear_runs(places: Places, trace: Trace, *, write: bool) -> int:
    """Remove training runs on the affected releases, their models, and whatever else of both shows the trace.

    A model has seen its training pictures; a run shows them in figures. Both can be made again from the new release.
    """
    count = 0
    for home in (places.root.runs, places.root.models):
        for folder in sorted(path for path in home.glob("*/*") if path.is_dir()):
            if _is_run_on(folder, trace) or _folder_shows(folder, trace):
                count += 1
                if write:
                    shutil.rmtree(folder)
    return count


def _is_run_on(folder: Path, trace: Trace) -> bool:
    for name in ("run.json", "config.json"):
        try:
            release = json.loads((folder / name).read_text(encoding="utf-8"))["release"]
            return (release["recipe"], release["version"]) in trace.releases
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return False


def clear_exports(places: Places, trace: Trace, *, write: bool) -> int:
    """Remove exports of the affected recipes that stand anywhere under the data root; they can be written again.

    They may be hard links to the pictures of a release that ends.
    """
    found = [folder for folder in _export_folders(places.root.root) if _is_export_of(folder, trace)]
    for folder in found if write else ():
        shutil.rmtree(folder)
    return len(found)


def _export_folders(root: Path) -> list[Path]:
    homes = [path for path in sorted(root.iterdir()) if path.is_dir() and path.name not in _OWN_FOLDERS]
    return [path.parent for home in homes for path in sorted(home.rglob(EXPORT))]


def _is_export_of(folder: Path, trace: Trace) -> bool:
    try:
        recipe = json.loads((folder / EXPORT).read_text(encoding="utf-8"))["recipe"]
    except (ValueError, KeyError, TypeError):
        return _folder_shows(folder, trace)
    return recipe in trace.recipes or _folder_shows(folder, trace)


def _folder_shows(folder: Path, trace: Trace) -> bool:
    return any(file_shows(path, trace) for path in sorted(folder.rglob("*")) if path.is_file())


def file_shows(path: Path, trace: Trace) -> bool:
    """Tell whether a file holds any of a trace: Parquet is decoded, all else is read as text."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        try:
            return table_shows(pq.read_table(path), trace)
        except (pa.ArrowException, OSError):
            pass  # no Parquet: as text
    return trace.needles.found_in(text_of(path.read_bytes()))


def clear_cases(places: Places, trace: Trace, *, write: bool) -> int:
    """Remove fixture cases (a page and what was read from it) that show the trace."""
    shown = [
        path for path in sorted((places.root.root / "cases").glob("*")) if path.is_dir() and _folder_shows(path, trace)
    ]
    for folder in shown if write else ():
        shutil.rmtree(folder)
    return len(shown)


def clear_services(places: Places, trace: Trace, *, write: bool) -> int:
    """Clear logs, stored results and databases of the services: Prefect's artifacts, logs, states and parameters."""
    count = 0
    for path in _other_files(places.root.root):
        if _is_sqlite(path):
            count += _clear_database(path, trace, write=write)
        elif not path.exists() or not file_shows(path, trace):
            continue
        else:
            count += 1
            if write:
                _clear_file(path, trace)
    return count


def _other_files(root: Path) -> list[Path]:
    folders = [path for path in sorted(root.iterdir()) if path.is_dir() and path.name not in _OWN_FOLDERS]
    cleared = {"runs", "models", "cases", "exports", "sources", "recipes"}
    return [
        path
        for folder in folders
        if folder.name not in cleared
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(_OF_SQLITE)
    ]


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC


def _clear_database(path: Path, trace: Trace, *, write: bool) -> int:
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{path.absolute()}", connect_args={"timeout": 60})
    try:
        own = reflected_tables(engine)
        count = clear_tables(engine, own, trace, _fate_of_service_row, write=write, also=_embeds_a_picture)
        if write:
            compact(engine)
    finally:
        engine.dispose()
    return count


def _embeds_a_picture(text: str) -> bool:
    """Contact sheets: nobody can tell whom they show, and the next run makes them again."""
    return "data:image/" in text


def _fate_of_service_row(table: str, _row: Any) -> str:
    """Rows that only show something go; those that Prefect counts on are scrubbed."""
    return "delete" if table in ("log", "artifact", "artifact_collection", "events", "event_resources") else "scrub"


def _clear_file(path: Path, trace: Trace) -> None:
    """Mask lines of a log that is still being written, scrub JSON, remove anything else."""
    if path.suffix in _TEXT_SUFFIXES:
        _mask_lines(path, trace)
        return
    try:
        clear_json(path, trace, write=True)
    except ValueError:
        path.unlink(missing_ok=True)


def _mask_lines(path: Path, trace: Trace) -> None:
    """Overwrite lines in place, so that a process which appends to the file is not disturbed."""
    with path.open("r+b") as stream:
        position = 0
        for line in stream.read().splitlines(keepends=True):
            body = line.rstrip(b"\r\n")
            if trace.needles.found_in(text_of(body)):
                stream.seek(position)
                stream.write(b"-" * len(body))
            position += len(line)
