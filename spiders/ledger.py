"""What earlier runs of a source, and the unfinished one that is resumed, have landed already."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from catalog import landing
from catalog.schema import ImageRecord, PageRecord


@dataclass(slots=True)
class Landed:
    """Pages and pictures by address."""

    pages: dict[tuple[str, str], PageRecord] = field(default_factory=dict)
    """By (address as requested, via)."""
    images: dict[str, ImageRecord] = field(default_factory=dict)

    def add(self, folder: Path) -> None:
        """Take in a run; its records replace earlier ones of the same address."""
        for record in landing.iter_records(folder):
            if isinstance(record, PageRecord):
                self.pages[record.url, record.via] = record
            elif isinstance(record, ImageRecord):
                self.images[record.url] = record


@dataclass(slots=True)
class Ledger:
    """The memory of one crawl."""

    current: Landed = field(default_factory=Landed)
    """Of the run itself: replayed, never fetched again."""
    earlier: Landed = field(default_factory=Landed)
    """Of the last run and the last good one: asked for conditionally."""


def open_ledger(landing_folder: Path, source: str, run_folder: Path) -> Ledger:
    """Read what was landed.

    Args:
        landing_folder: of the data root.
        source: its name.
        run_folder: the run that begins or goes on; it may not exist yet.
    """
    ledger = Ledger()
    ledger.current.add(run_folder)
    others = [folder for folder in landing.iter_run_folders(landing_folder, source) if folder != run_folder]
    good = [folder for folder in reversed(others) if (run := landing.load_run(folder)) and run.state == "ok"][:1]
    for folder in [*good, *(folder for folder in others[-1:] if folder not in good)]:
        ledger.earlier.add(folder)
    return ledger
