"""The files of a release, all but the manifest: pictures, tables, certificate, card, metadata."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from catalog.blobs import BlobStore
from catalog.db import Catalog
from catalog.ids import sha256_hex
from catalog.release_format import (
    CARD,
    CERTIFICATE,
    CERTIFICATE_HTML,
    CERTIFICATE_PAGE,
    CROISSANT,
    EMBEDDINGS,
    FORMAT_VERSION,
    PAIRS,
    RETRIEVAL,
    SAMPLES,
    SPLITS,
    Release,
    file_sha256,
)
from curation.contract import Curated
from curation.release.card import collect_card_facts, write_card
from curation.release.certificate import certify, collect_facts, require_leak_free, rules_of
from curation.release.certificate_page import write_certificate_html, write_certificate_page
from curation.release.croissant import croissant_of
from curation.release.exports import write_exports
from curation.release.frames import (
    embedding_rows,
    released_pairs,
    released_splits,
    sample_columns,
    write_embeddings,
    write_parquet,
)
from curation.release.nearest import picture_facts
from curation.release.pictures import picture_reader
from curation.release.retrieval import retrieval_facts, retrieval_table
from curation.release.skew import skew_facts
from curation.stages.duplicates import SETTINGS as DUPLICATES_SETTINGS

Progress = Callable[[int, int], None]
"""(pictures done, pictures in all)."""


def write_contents(
    folder: Path,
    curated: Curated,
    catalog: Catalog,
    blobs: BlobStore,
    samples: pd.DataFrame,
    latest: Release | None,
    on_progress: Progress,
) -> dict[str, Any]:
    """Write every file but the manifest.

    Args:
        folder: new; it is made.
        curated: what the stages made.
        catalog: asked for answers and permissions.
        blobs: the original pictures.
        samples: of `released_samples`.
        latest: pictures that it holds already are linked.
        on_progress: called after each picture.

    Returns:
        The manifest's content.

    Raises:
        LeakFound: a split of our own leaks.
    """
    folder.mkdir(parents=True)
    recipe = curated.recipe
    pictures, levels = _write_pictures(folder, samples, curated, blobs, latest, on_progress)
    samples = samples.assign(width_px=pictures["width_px"], height_px=pictures["height_px"])
    splits = released_splits(samples, curated)
    tables = {SPLITS: splits, PAIRS: released_pairs(samples, curated), RETRIEVAL: retrieval_table(samples)}
    embeddings = embedding_rows(samples, curated)
    certificate = _certificate(curated, samples, tables, pictures, levels, embeddings)
    require_leak_free(certificate, recipe.name)
    columns = sample_columns(has_names=bool(recipe.release.get("names", False)))
    tables = {SAMPLES: samples[columns], **tables}
    for name, table in tables.items():
        if table is not None:
            write_parquet(table, folder / name)
    written = [name for name, table in tables.items() if table is not None]
    if embeddings is not None and recipe.subject_kind == "item":  # those of a face would tell who it is
        write_embeddings(samples, embeddings, folder / EMBEDDINGS)
        written.append(EMBEDDINGS)
    texts = {
        CERTIFICATE: json.dumps(certificate, indent=1, sort_keys=True, ensure_ascii=False) + "\n",
        CERTIFICATE_PAGE: write_certificate_page(recipe, certificate),
        CERTIFICATE_HTML: write_certificate_html(recipe, certificate, samples, folder),
        CARD: write_card(recipe, samples, collect_card_facts(curated, catalog, samples), certificate),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    written += [*texts, *write_exports(samples, folder, recipe)]
    files = _listed(folder, written, pictures)
    croissant = json.dumps(croissant_of(recipe, samples, files), indent=1, ensure_ascii=False) + "\n"
    (folder / CROISSANT).write_text(croissant, encoding="utf-8", newline="\n")
    return {
        "format_version": FORMAT_VERSION,
        "recipe": recipe.name,
        "recipe_sha256": recipe.recipe_sha256,
        "counts": _counts(samples, tables[PAIRS]),
        "files": files | _listed(folder, [CROISSANT]),
    }


def _certificate(
    curated: Curated,
    samples: pd.DataFrame,
    tables: dict[str, Any],
    pictures: pd.DataFrame,
    levels: NDArray[np.uint8],
    embeddings: NDArray[np.int8] | None,
) -> dict[str, Any]:
    """Certify, and add what was checked, with what thresholds, on what data, and what else a reader may ask."""
    recipe, splits, pairs = curated.recipe, tables[SPLITS], tables[PAIRS]
    rules = rules_of(recipe)
    vectors: dict[str, NDArray[Any]] = {"pixels": levels}
    if embeddings is not None:
        vectors["embedding"] = embeddings
    hashes = pictures["phash"].to_numpy(np.uint64)
    facts = collect_facts(samples, splits, pictures["sha256"].tolist(), hashes, rules)
    certificate = certify(facts, rules, vectors)
    is_compared = "duplicates" in curated.tables
    certificate["checked"] = {
        "recipe": recipe.name,
        "sources": sorted(samples["source"].unique().tolist()),
        "samples_count": len(samples),
        "disjoint": recipe.splits.get("disjoint", "group"),
        "grouped_by": dict(recipe.params("groups")),
        "copies": {**DUPLICATES_SETTINGS, **recipe.params("duplicates")} if is_compared else None,
    }
    certificate["conflicts"] = list(curated.facts.get("splits", {}).get("conflicts", ()))
    if pairs is not None:
        certificate["pairs_drawn"] = dict(curated.facts.get("pairs", {}))
        certificate["skew"] = skew_facts(samples, pairs)
    if tables[RETRIEVAL] is not None:
        certificate["retrieval"] = retrieval_facts(tables[RETRIEVAL])
    return certificate


def _write_pictures(
    folder: Path,
    samples: pd.DataFrame,
    curated: Curated,
    blobs: BlobStore,
    latest: Release | None,
    on_progress: Progress,
) -> tuple[pd.DataFrame, NDArray[np.uint8]]:
    """Write the pictures, linking those that the latest release already holds.

    Returns:
        (one row per sample: path, sha256, size, pHash; (N, 256) grey levels).
    """
    read = picture_reader(curated, blobs)
    rows: list[dict[str, Any]] = []
    levels = []
    for image_id, face_index, name in zip(samples["image_id"], samples["face_index"], samples["path"], strict=True):
        body = read(image_id, int(face_index))
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if latest is None or not _link_same(latest.folder / name, path, body):
            path.write_bytes(body)
        with Image.open(BytesIO(body)) as image:
            width_px, height_px = image.size
        phash, grey = picture_facts(body)
        levels.append(grey)
        rows.append(
            {
                "path": name,
                "sha256": sha256_hex(body),
                "size_bytes": len(body),
                "width_px": width_px,
                "height_px": height_px,
                "phash": phash,
            }
        )
        on_progress(len(rows), len(samples))
    return pd.DataFrame(rows).astype({"phash": "uint64"}), np.stack(levels)


def _link_same(old: Path, new: Path, body: bytes) -> bool:
    """Hard-link a file of the latest release where it holds just these bytes; tells whether it was done."""
    if not old.is_file() or old.stat().st_size != len(body) or old.read_bytes() != body:
        return False
    with suppress(OSError):  # another file system, or too many links: it is written instead
        os.link(old, new)
        return True
    return False


def _listed(folder: Path, names: list[str], pictures: pd.DataFrame | None = None) -> dict[str, dict[str, Any]]:
    """Say sha256 and size of every file."""
    files: dict[str, dict[str, Any]] = {
        name: {"sha256": file_sha256(folder / name), "size_bytes": (folder / name).stat().st_size} for name in names
    }
    for row in [] if pictures is None else pictures.to_dict("records"):
        files[str(row["path"])] = {"sha256": row["sha256"], "size_bytes": row["size_bytes"]}
    return files


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
