"""The format of a release: what its files are called, what their columns mean, how it is read and verified.

A release folder is written by `curation.release` and read by training and by other people's programs:

    manifest.json      what is in it, sha256 of every file; written last, its own sha256 names the release
    samples.parquet    one row per sample, columns SAMPLE_COLUMNS
    splits.parquet     sample_id, group_id, cluster_id (copies share it), split; also `fold` where folds were made
    pairs.parquet      split, sample_id_a, sample_id_b, is_same; also `fold` where published pairs have folds
                       (only where the recipe draws or reads pairs)
    retrieval.parquet  sample_id, role (query: a buyer's photo; gallery: every seller's, train's too), split, label,
                       is_clean, matches_count (gallery pictures of the label); only where there are both kinds
    embeddings.parquet sample_id, embedding (127 x the vector of length 1, as whole numbers); of items, where measured
    train/...          <split>/<class>/<sample_id>.jpg, or <split>/<2 hex>/<sample_id>.jpg without class folders
    certificate.json   what was checked across splits, and the verdict; CERTIFICATE.md and certificate.html show it
    CARD.md            the datasheet;  index.csv  id, category, image_url, name;  croissant.json  Croissant metadata
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import CatalogCorrupt, UsageError
from catalog.manifests import MANIFEST

if TYPE_CHECKING:
    import pandas as pd

FORMAT_VERSION = 1
SAMPLES, SPLITS, PAIRS = "samples.parquet", "splits.parquet", "pairs.parquet"
RETRIEVAL, EMBEDDINGS = "retrieval.parquet", "embeddings.parquet"
CERTIFICATE, CERTIFICATE_PAGE, CERTIFICATE_HTML = "certificate.json", "CERTIFICATE.md", "certificate.html"
CARD, INDEX, CROISSANT = "CARD.md", "index.csv", "croissant.json"
TOMBSTONE = "TOMBSTONE.json"
"""Stands in place of a release that a takedown ended."""

SAMPLE_COLUMNS: dict[str, str] = {
    "sample_id": "64 hex: sha256 of image id, box and subject",
    "image_id": "64 hex: sha256 of the original bytes",
    "subject_id": "the person or item-colour shown",
    "group_id": "no split parts a group",
    "split": "train, validation or test",
    "label": "class, or empty",
    "target": "float, for regression; NaN where there is none",
    "path": "of the picture, relative to the release folder",
    "slot": "portrait, seller, buyer or gallery",
    "source": "name of the source of the best sighting",
    "image_url": "address of the original",
    "page_url": "address of the page it stood on",
    "box_x0": "px of the original; box is half-open; all four -1 for the whole image",
    "box_y0": "px",
    "box_x1": "px",
    "box_y1": "px",
    "width_px": "of the released picture",
    "height_px": "of the released picture",
    "is_clean": "False where the picture is kept although it is or may be noise (a recipe may ask for both test sets)",
    "is_leaking_copy": "True where a published split puts a copy of it on another side",
    "attributes": "JSON object of the subject's further facts",
}
"""Columns of samples.parquet, in order; rows are sorted by sample_id."""

NAME_COLUMN = "name"
"""Further column of samples.parquet, only where the recipe says release.names = true."""


@dataclass(frozen=True, slots=True)
class Release:
    """A whole release on disk."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def recipe(self) -> str:
        """Name of the recipe it was made by."""
        return str(self.manifest["recipe"])

    @property
    def version(self) -> str:
        """Folder name: date and counter."""
        return self.folder.name

    def samples(self) -> pd.DataFrame:
        """Read samples.parquet."""
        import pandas as pd

        return pd.read_parquet(self.folder / SAMPLES)

    def splits(self) -> pd.DataFrame:
        """Read splits.parquet."""
        import pandas as pd

        return pd.read_parquet(self.folder / SPLITS)

    def pairs(self) -> pd.DataFrame | None:
        """Read pairs.parquet; None where the recipe draws none."""
        return self._optional(PAIRS)

    def retrieval(self) -> pd.DataFrame | None:
        """Read retrieval.parquet: who asks and who answers; None where there are no buyers' and sellers' photos."""
        return self._optional(RETRIEVAL)

    def embeddings(self) -> pd.DataFrame | None:
        """Read embeddings.parquet; None where the release holds none."""
        return self._optional(EMBEDDINGS)

    def _optional(self, name: str) -> pd.DataFrame | None:
        import pandas as pd

        path = self.folder / name
        return pd.read_parquet(path) if path.exists() else None

    def certificate(self) -> dict[str, Any]:
        """Read certificate.json."""
        content: dict[str, Any] = json.loads((self.folder / CERTIFICATE).read_text(encoding="utf-8"))
        return content


def file_sha256(path: Path) -> str:
    """Hash a file, 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_release(folder: Path) -> Release:
    """Open a release.

    Raises:
        UsageError: the folder holds none, an unfinished one, or one that a takedown ended.
        CatalogCorrupt: its manifest cannot be read.
    """
    if (folder / TOMBSTONE).exists():
        raise UsageError(f"{folder}: a takedown ended this release; use a later version")
    path = folder / MANIFEST
    if not path.exists():
        raise UsageError(f"{folder}: no {MANIFEST}: not a release, or one that was never finished")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CatalogCorrupt(f"{path}: {error}") from error
    if manifest.get("format_version") != FORMAT_VERSION:
        raise CatalogCorrupt(f"{path}: format_version {manifest.get('format_version')}, expected {FORMAT_VERSION}")
    return Release(folder, manifest)


def version_order(version: str) -> tuple[str, int]:
    """Sort key of versions: `2026-11-21.10` comes after `2026-11-21.9`."""
    date, _, counter = version.partition(".")
    return date, int(counter) if counter.isdigit() else 0


def find_release(releases: Path, name: str) -> Release:
    """Open `recipe@version`, or the latest whole release of `recipe`.

    Raises:
        UsageError: there is none; says what there is.
    """
    recipe, _, version = name.partition("@")
    if version:
        return open_release(releases / recipe / version)
    whole = [
        folder
        for folder in (releases / recipe).glob("*")
        if (folder / MANIFEST).exists() and not (folder / TOMBSTONE).exists()
    ]
    if not whole:
        found = sorted(path.name for path in releases.glob("*") if path.is_dir())
        raise UsageError(f"no release of {recipe!r}; releases exist of: {', '.join(found) or '(none)'}")
    return open_release(max(whole, key=lambda folder: version_order(folder.name)))


def verify_release(release: Release) -> list[str]:
    """Compare every file with the manifest; returns a line per difference, none if it is whole."""
    listed: dict[str, dict[str, Any]] = release.manifest["files"]
    problems = []
    for name, facts in sorted(listed.items()):
        path = release.folder / name
        if not path.is_file():
            problems.append(f"{name}: missing")
        elif file_sha256(path) != facts["sha256"]:
            problems.append(f"{name}: sha256 is {file_sha256(path)}, the manifest says {facts['sha256']}")
    present = {str(path.relative_to(release.folder)) for path in release.folder.rglob("*") if path.is_file()}
    problems.extend(f"{name}: not in the manifest" for name in sorted(present - listed.keys() - {MANIFEST}))
    return problems
