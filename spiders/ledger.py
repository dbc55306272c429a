"""What earlier runs of a source, and the unfinished one that is resumed, have landed already.

A run that met a challenge ended, but what it had read stays good for a while: the next run takes it from there, so
that a source that blocks now and then is read whole in the end, and no page of it twice.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from catalog import landing
from catalog.clock import utc_now
from catalog.ids import run_id
from catalog.paths import DataRoot
from catalog.schema import ImageRecord, PageRecord

_BLOCKED_STANDS = timedelta(days=3)
"""How old a blocked run may be for the next one to go on from it."""


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
    blocked_before: int = 0
    """Runs in a row, up to the last one, that ended blocked."""


def open_ledger(landing_folder: Path, source: str, run_folder: Path, started_at: str = "") -> Ledger:
    """Read what was landed.

    Args:
        landing_folder: of the data root.
        source: its name.
        run_folder: the run that begins or goes on; it may not exist yet.
        started_at: when it began, UTC ISO 8601 with Z; without it no blocked run is gone on from.
    """
    ledger = Ledger()
    others = [folder for folder in landing.iter_run_folders(landing_folder, source) if folder != run_folder]
    for folder in reversed(others):
        run = landing.load_run(folder)
        if run is None or run.state != "blocked":
            break
        if ledger.blocked_before == 0 and started_at and _age(run.finished_at, started_at) <= _BLOCKED_STANDS:
            ledger.current.add(folder)
        ledger.blocked_before += 1
    ledger.current.add(run_folder)
    good = [folder for folder in reversed(others) if (run := landing.load_run(folder)) and run.state == "ok"][:1]
    for folder in [*good, *(folder for folder in others[-1:] if folder not in good)]:
        ledger.earlier.add(folder)
    return ledger


def run_to_write(root: DataRoot, source: str, ordered_at: str) -> tuple[Path, str]:
    """Give the folder of the unfinished run, which goes on, or of a new one; and the time at which it begins.

    The caller holds the source.
    """
    folder = landing.unfinished_run(root.landing, source)
    if folder is not None:
        return folder, ordered_at
    began_at = _after_the_last(root.landing, source, ordered_at)
    return root.run_folder(source, run_id(began_at, source)), began_at


def _after_the_last(landing_folder: Path, source: str, ordered_at: str) -> str:
    """Give the time by which a new run is named: when it was ordered or, where another was begun since, now.

    Runs must sort as they follow each other: what is gone on from, and what holds, is the last one.
    """
    folders = list(landing.iter_run_folders(landing_folder, source))
    last = landing.load_run(folders[-1]) if folders else None
    if last is None or ordered_at > last.started_at:
        return ordered_at
    if utc_now() == last.started_at:
        time.sleep(1.0)
    return max(ordered_at, utc_now())


def _age(then: str, now: str) -> timedelta:
    return datetime.fromisoformat(now) - datetime.fromisoformat(then)
