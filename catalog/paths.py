"""Where things stand under the data root. Nothing here touches the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DataRoot:
    """The folders of one data root (see docs/data-format.md)."""

    root: Path

    @property
    def landing(self) -> Path:
        """Records as collected, a folder per source and run."""
        return self.root / "landing"

    @property
    def blobs(self) -> Path:
        """Raw bytes by sha256."""
        return self.root / "blobs"

    @property
    def derived(self) -> Path:
        """What stages computed; may be deleted."""
        return self.root / "derived"

    @property
    def releases(self) -> Path:
        """Frozen data sets."""
        return self.root / "releases"

    @property
    def runs(self) -> Path:
        """Training runs."""
        return self.root / "runs"

    @property
    def models(self) -> Path:
        """What finished training runs leave for use."""
        return self.root / "models"

    @property
    def sources(self) -> Path:
        """Source declarations of this root, beside the ones that ship."""
        return self.root / "sources"

    @property
    def recipes(self) -> Path:
        """Recipes of this root, beside the ones that ship."""
        return self.root / "recipes"

    @property
    def locks(self) -> Path:
        """Locks that processes of one machine hold against each other."""
        return self.services / "locks"

    @property
    def services(self) -> Path:
        """Process ids, logs and the Prefect database of `gleanery up`."""
        return self.root / "services"

    @property
    def exports(self) -> Path:
        """Releases in other shapes, `<recipe>/<format>/`; they can be written again, and a takedown removes them."""
        return self.root / "exports"

    @property
    def takedowns(self) -> Path:
        """Open takedowns (private) and their receipts, and which copies of the data left the root."""
        return self.root / "takedowns"

    @property
    def catalog_db(self) -> Path:
        """The SQLite catalog, where no other database is configured."""
        return self.root / "catalog.db"

    def run_folder(self, source: str, run_id: str) -> Path:
        """Landing folder of one run."""
        return self.landing / source / run_id

    def stage_folder(self, stage: str, key: str) -> Path:
        """Derived folder of one stage under one key."""
        return self.derived / stage / key

    def release_folder(self, recipe: str, version: str) -> Path:
        """Folder of one release."""
        return self.releases / recipe / version
