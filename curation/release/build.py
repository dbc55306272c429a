"""Building a release: gates, samples, pictures, certificate, card; the manifest last.

A folder without a manifest is no release. The same data gives the same manifest, byte for byte; when nothing changed
since the latest release, that one is returned and nothing new is left on disk.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from sqlalchemy import select

from catalog import tables
from catalog.blobs import BlobStore
from catalog.db import Catalog, upsert
from catalog.errors import GateFailed, UsageError
from catalog.ids import sha256_hex
from catalog.manifests import MANIFEST, write_manifest
from catalog.paths import DataRoot
from catalog.release_format import (
    CARD,
    CERTIFICATE,
    CERTIFICATE_PAGE,
    FORMAT_VERSION,
    PAIRS,
    SAMPLES,
    SPLITS,
    TOMBSTONE,
    Release,
    file_sha256,
    find_release,
    version_order,
)
from catalog.suppressions import Suppressions
from curation.contract import Curated
from curation.release.card import collect_card_facts, write_card, write_certificate_page
from curation.release.certificate import certify, collect_facts, picture_phash, require_leak_free, rules_of
from curation.release.exports import check_exports, write_exports
from curation.release.frames import (
    released_pairs,
    released_samples,
    released_splits,
    sample_columns,
    write_parquet,
)
from curation.release.gates import check_gates
from curation.release.judged import used_verdicts
from curation.release.pictures import picture_reader

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}\.\d+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Progress = Callable[[int, int], None]
"""(pictures done, pictures in all)."""


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
            manifest = _write_contents(folder, curated, catalog, blobs, samples, latest, on_progress or _no_progress)
            if latest is not None and latest.manifest == manifest:
                shutil.rmtree(folder)
                release = latest
            else:
                write_manifest(folder, manifest)
                release = Release(folder, manifest)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _record(catalog, release, samples, curated, now)
    return release


def _write_contents(
    folder: Path,
    curated: Curated,
    catalog: Catalog,
    blobs: BlobStore,
    samples: pd.DataFrame,
    latest: Release | None,
    on_progress: Progress,
) -> dict[str, Any]:
    """Write every file but the manifest; returns the manifest's content."""
    folder.mkdir(parents=True)
    recipe = curated.recipe
    pictures = _write_pictures(folder, samples, curated, blobs, latest, on_progress)
    samples = samples.assign(width_px=pictures["width_px"], height_px=pictures["height_px"])
    rules = rules_of(recipe)
    splits = released_splits(samples, curated)
    hashes = pictures["phash"].to_numpy(np.uint64)
    facts = collect_facts(samples, splits, pictures["sha256"].tolist(), hashes, rules)
    certificate = certify(facts, rules)
    require_leak_free(certificate, recipe.name)
    columns = sample_columns(has_names=bool(recipe.release.get("names", False)))
    write_parquet(samples[columns], folder / SAMPLES)
    write_parquet(splits, folder / SPLITS)
    pairs = released_pairs(samples, curated)
    if pairs is not None:
        write_parquet(pairs, folder / PAIRS)
    _write_text(folder / CERTIFICATE, json.dumps(certificate, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    _write_text(folder / CERTIFICATE_PAGE, write_certificate_page(recipe, certificate))
    _write_text(folder / CARD, write_card(recipe, samples, collect_card_facts(curated, catalog, samples), certificate))
    exported = write_exports(samples, folder, recipe)
    written = [SAMPLES, SPLITS, CERTIFICATE, CERTIFICATE_PAGE, CARD, *exported]
    written += [PAIRS] if pairs is not None else []
    files = {
        name: {"sha256": file_sha256(folder / name), "size_bytes": (folder / name).stat().st_size} for name in written
    }
    for row in pictures.to_dict("records"):
        files[row["path"]] = {"sha256": row["sha256"], "size_bytes": row["size_bytes"]}
    return {
        "format_version": FORMAT_VERSION,
        "recipe": recipe.name,
        "recipe_sha256": recipe.recipe_sha256,
        "counts": _counts(samples, pairs),
        "files": files,
    }


def _write_pictures(
    folder: Path,
    samples: pd.DataFrame,
    curated: Curated,
    blobs: BlobStore,
    latest: Release | None,
    on_progress: Progress,
) -> pd.DataFrame:
    """Write the pictures, linking those that the latest release already holds; one row per sample."""
    read = picture_reader(curated, blobs)
    rows: list[dict[str, Any]] = []
    for image_id, face_index, name in zip(samples["image_id"], samples["face_index"], samples["path"], strict=True):
        body = read(image_id, int(face_index))
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if latest is None or not _link_same(latest.folder / name, path, body):
            path.write_bytes(body)
        with Image.open(BytesIO(body)) as image:
            width_px, height_px = image.size
        rows.append(
            {
                "path": name,
                "sha256": sha256_hex(body),
                "size_bytes": len(body),
                "width_px": width_px,
                "height_px": height_px,
                "phash": picture_phash(body),
            }
        )
        on_progress(len(rows), len(samples))
    return pd.DataFrame(rows).astype({"phash": "uint64"})


def _link_same(old: Path, new: Path, body: bytes) -> bool:
    """Hard-link a file of the latest release where it holds just these bytes; tells whether it was done."""
    if not old.is_file() or old.stat().st_size != len(body) or old.read_bytes() != body:
        return False
    with suppress(OSError):  # another file system, or too many links: it is written instead
        os.link(old, new)
        return True
    return False


def _counts(samples: pd.DataFrame, pairs: pd.DataFrame | None) -> dict[str, Any]:
    splits = samples["split"].value_counts()
    counts: dict[str, Any] = {
        "samples_count": len(samples),
        "images_count": samples["image_id"].nunique(),
        "subjects_count": samples["subject_id"].nunique(),
        "groups_count": samples["group_id"].nunique(),
        "splits": {str(part): int(count) for part, count in splits.items()},
        "labels": {str(label): int(count) for label, count in samples["label"].value_counts().items()},
    }
    if pairs is not None:
        counts["pairs"] = {str(part): int(count) for part, count in pairs["split"].value_counts().items()}
    return counts


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


def _record(catalog: Catalog, release: Release, samples: pd.DataFrame, curated: Curated, now: str) -> None:
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
    sides = zip(samples["sample_id"], samples["split"], strict=True)
    catalog.save_assignments(release.recipe, sides)


def _summary(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: manifest[key] for key in ("recipe_sha256", "counts")}


@contextmanager
def _only_builder(home: Path) -> Iterator[None]:
    """Let one process at a time build releases of a recipe; the lock falls with the process."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _no_progress(_done: int, _total: int) -> None:
    return
