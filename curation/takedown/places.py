"""Where traces may stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from catalog.blobs import BlobStore
from catalog.config import Config
from catalog.db import Catalog
from catalog.errors import CatalogCorrupt
from catalog.manifests import MANIFEST
from catalog.paths import DataRoot
from catalog.release_format import TOMBSTONE, Release, open_release, version_order
from curation.takedown.derived_files import DerivedFiles


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

    def sample_tables(self) -> Iterator[pd.DataFrame]:
        """Yield every table that says which sample is of which picture and subject, of derived results."""
        for folder in self.derived.folders():
            if folder.stage == "samples" and folder.read_manifest() is not None:
                yield folder.read_table("table.parquet", ["sample_id", "image_id", "subject_id"]).to_pandas()

    def pair_tables(self) -> Iterator[pd.DataFrame]:
        """Yield every table of looked-at pairs of pictures."""
        for folder in self.derived.folders():
            if folder.stage == "duplicates" and folder.read_manifest() is not None:
                try:
                    table = folder.read_table("table.parquet", ["pair_id", "image_id_a", "image_id_b"])
                except CatalogCorrupt:
                    continue  # of another version of the stage
                yield table.to_pandas()
