"""Building a release: gates, samples, pictures, certificate, card; the manifest last.

A folder without a manifest is no release. The same data gives the same manifest, byte for byte; when nothing changed
since the latest release, that one is returned and nothing new is left on disk.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from catalog import tables
from catalog.blobs import BlobStore
from catalog.db import Catalog, upsert
from catalog.errors import GateFailed, UsageError
from catalog.file_locks import lock_file, wait_for_lock
from catalog.manifests import MANIFEST, write_manifest
from catalog.paths import DataRoot
from catalog.release_format import TOMBSTONE, Release, file_sha256, find_release, version_order
from catalog.suppressions import Suppressions
from curation.contract import Curated
from curation.release.contents import Progress, write_contents
from curation.release.exports import check_exports
from curation.release.frames import released_samples, sides_to_keep
from curation.release.gates import check_gates
from curation.release.judged import used_verdicts

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}\.\d+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def build_release(
    curated: Curated,
    catalog: Catalog,
    blobs: BlobStore,
    root: DataRoot,
    now: str,
    on_progress: Progress | None = None,
) -> Release:
    """Freeze a curated data set as `releases/<recipe>/<date>.<counter>`.

    Args:
        curated: what the stages made.
        catalog: asked for answers and takedowns; keeps the release's row and the sides of its samples.
        blobs: the original pictures.
        root: its `releases` folder is written.
        now: UTC ISO 8601 with Z; its date becomes the version's.
        on_progress: called after each picture.

    Returns:
        The new release, or the latest one where nothing changed since.

    Raises:
        ReviewNeeded: a gate waits for people.
        GateFailed: a gate does not hold, or nothing is left to release.
        LeakFound: a split of our own leaks; nothing is released.
        UsageError: the recipe asks for what cannot be.
    """
    check_exports(curated.recipe)
    check_gates(curated, catalog)
    if not _DATE.match(now):
        raise UsageError(f"now: expected an ISO 8601 time, found {now!r}")
    samples = released_samples(curated, Suppressions.load(catalog))
    if samples.empty:
        raise GateFailed(f"recipe {curated.recipe.name}: no sample is left for a release")
    home = root.releases / curated.recipe.name
    with _only_builder(home):
        _remove_unfinished(home)
        latest = _latest(root, curated.recipe.name)
        folder = home / _next_version(catalog, home, now[:10])
        try:
            manifest = write_contents(folder, curated, catalog, blobs, samples, latest, on_progress or _no_progress)
            if latest is not None and latest.manifest == manifest:
                shutil.rmtree(folder)
                release = latest
            else:
                write_manifest(folder, manifest)
                release = Release(folder, manifest)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _record(catalog, release, curated, now)
    return release


def _latest(root: DataRoot, recipe: str) -> Release | None:
    try:
        return find_release(root.releases, recipe)
    except UsageError:
        return None


def _next_version(catalog: Catalog, home: Path, date: str) -> str:
    """Count on from every version of the day that was ever given, also those that are gone from disk."""
    query = select(tables.releases.c.version).where(tables.releases.c.recipe == home.name)
    with catalog.engine.connect() as connection:
        known = {row.version for row in connection.execute(query)}
    known |= {path.name for path in home.iterdir() if path.is_dir()}
    counters = [version_order(version)[1] for version in known if version.startswith(f"{date}.")]
    return f"{date}.{max(counters, default=0) + 1}"


def _remove_unfinished(home: Path) -> None:
    for folder in home.iterdir():
        is_version = folder.is_dir() and _VERSION.fullmatch(folder.name)
        if is_version and not (folder / MANIFEST).exists() and not (folder / TOMBSTONE).exists():
            shutil.rmtree(folder)


def _record(catalog: Catalog, release: Release, curated: Curated, now: str) -> None:
    """Keep the release's row and the sides of its samples; a second time changes nothing."""
    row: dict[str, Any] = {
        "recipe": release.recipe,
        "version": release.version,
        "manifest_sha256": file_sha256(release.folder / MANIFEST),
        "state": "whole",
        "created_at": now,
        "summary": {**_summary(release.manifest), "stage_keys": dict(curated.stage_keys)},
    }
    key = {"recipe": release.recipe, "version": release.version}
    used = [{"verdict_id": name, **key} for name in used_verdicts(curated, catalog)]
    with catalog.begin() as connection:
        upsert(connection, tables.releases, [row], keep=("created_at", "summary"))
        upsert(connection, tables.verdict_releases, used)
    catalog.save_assignments(release.recipe, sides_to_keep(release.splits(), curated.recipe))


def _summary(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: manifest[key] for key in ("recipe_sha256", "counts")}


@contextmanager
def _only_builder(home: Path) -> Iterator[None]:
    """Let one process at a time build releases of a recipe; the lock falls with the process."""
    with lock_file(home / ".lock") as handle:
        wait_for_lock(handle)
        yield


def _no_progress(_done: int, _total: int) -> None:
    return
