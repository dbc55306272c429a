"""An open data root as takedowns and housekeeping walk it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from catalog.blobs import BlobStore
from catalog.config import Config
from catalog.db import Catalog
from catalog.errors import CatalogCorrupt
from catalog.manifests import MANIFEST, stage_key
from catalog.paths import DataRoot
from catalog.release_format import TOMBSTONE, Release, file_sha256, open_release, version_order
from curation.derived import DerivedFolder
from curation.derived_files import DerivedFiles
from curation.results import TABLE

TRAINING, FIND = "training", "find"
"""Stages under which training keeps decoded releases and embedded galleries; it may not be imported here."""


def is_decoded_release(folder: DerivedFolder, manifest_shas: Iterable[str]) -> bool:
    """Tell whether a folder holds the decoded or embedded pictures of one of some releases.

    Its key says so, or its manifest. One that was never finished does not tell, and counts as such.
    """
    if folder.stage not in (TRAINING, FIND):
        return False
    manifest = folder.read_manifest()
    if manifest is None:
        return True
    if folder.stage == FIND:
        return manifest["inputs"]["release"] in set(manifest_shas)
    inputs = ({"release": sha} for sha in manifest_shas)
    return folder.key in {stage_key(TRAINING, manifest["version"], manifest["params"], one) for one in inputs}


@dataclass(frozen=True)
class Places:
    """An open data root."""

    config: Config
    catalog: Catalog

    @property
    def root(self) -> DataRoot:
        """Its folders."""
        return self.config.data_root

    @cached_property
    def blobs(self) -> BlobStore:
        """Raw bytes."""
        return BlobStore(self.config.blobs_url or self.root.blobs)

    @cached_property
    def derived(self) -> DerivedFiles:
        """What stages computed."""
        return DerivedFiles(self.config.derived_url or str(self.root.derived.absolute()))

    def releases(self) -> Iterator[Release]:
        """Yield the whole releases, oldest first within a recipe."""
        folders = [
            folder
            for folder in self.root.releases.glob("*/*")
            if (folder / MANIFEST).exists() and not (folder / TOMBSTONE).exists()
        ]
        for folder in sorted(folders, key=lambda one: (one.parent.name, version_order(one.name))):
            yield open_release(folder)

    def manifest_shas(self, names: Iterable[tuple[str, str]] | None = None) -> list[str]:
        """Name whole releases by the sha256 of their manifests: those of some (recipe, version), or all."""
        wanted = None if names is None else set(names)
        found = (one for one in self.releases() if wanted is None or (one.recipe, one.version) in wanted)
        return [file_sha256(release.folder / MANIFEST) for release in found]

    def sample_tables(self) -> Iterator[pd.DataFrame]:
        """Yield every table that says which sample is of which picture and subject, of derived results."""
        for folder in self.derived.folders():
            if folder.stage == "samples" and folder.read_manifest() is not None:
                yield folder.read_table(TABLE, ["sample_id", "image_id", "subject_id"]).to_pandas()

    def pair_tables(self) -> Iterator[pd.DataFrame]:
        """Yield every table of looked-at pairs of pictures."""
        for folder in self.derived.folders():
            if folder.stage == "duplicates" and folder.read_manifest() is not None:
                try:
                    table = folder.read_table(TABLE, ["pair_id", "image_id_a", "image_id_b"])
                except CatalogCorrupt:
                    continue  # of another version of the stage
                yield table.to_pandas()
