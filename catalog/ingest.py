"""From landing into the catalog: idempotent, and repeatable from nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from catalog import landing, tables
from catalog.db import Catalog, upsert
from catalog.errors import UsageError
from catalog.ids import short_id
from catalog.schema import ImageRecord, PageRecord, Record, RunRecord, SightingRecord, SubjectRecord
from catalog.suppressions import Suppressions


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """What one ingest did."""

    run_id: str
    state: str
    records_count: int
    """Records taken in; 0 where the run was in the catalog already or is not ok."""
    suppressed_count: int
    """Records held back by a takedown."""


def ingest_run(catalog: Catalog, folder: Path, suppressions: Suppressions | None = None) -> IngestSummary:
    """Take one finished run into the catalog, in one transaction; a second time changes nothing.

    Only a run whose state is `ok` brings its records; of any other the run row and its issues are kept, so that the
    last good run stands.

    Raises:
        UsageError: the run is unfinished.
    """
    run = landing.load_run(folder)
    if run is None:
        raise UsageError(f"{folder}: no {landing.RUN}: the run is unfinished; run the crawl again to resume it")
    guard = suppressions if suppressions is not None else Suppressions.load(catalog)
    with catalog.begin() as connection:
        known = connection.execute(select(tables.runs.c.run_id).where(tables.runs.c.run_id == run.run_id)).first()
        if known:
            return IngestSummary(run.run_id, run.state, 0, 0)
        rows = _Rows(run, guard)
        if run.state == "ok":
            for record in landing.iter_records(folder):
                rows.add(record)
        for number, issue in enumerate(landing.iter_issues(folder)):
            rows.issues.append(
                {
                    "issue_id": short_id("issue", run.run_id, number),
                    "run_id": run.run_id,
                    **{name: getattr(issue, name) for name in ("source", "reason", "where", "detail")},
                }
            )
        upsert(connection, tables.runs, [run.to_row()])
        keep_first = ("first_run_id",)
        upsert(connection, tables.pages, rows.pages, keep_first)
        upsert(connection, tables.images, rows.images, ("first_run_id", "size_bytes"))
        upsert(connection, tables.image_fetches, rows.image_fetches, keep_first)
        upsert(connection, tables.subjects, rows.subjects, keep_first)
        upsert(connection, tables.sightings, rows.sightings, keep_first)
        upsert(connection, tables.issues, rows.issues)
    return IngestSummary(run.run_id, run.state, rows.count, rows.suppressed_count)


def rebuild(catalog: Catalog, landing_folder: Path) -> list[IngestSummary]:
    """Empty the crawl tables and fill them again from landing; verdicts, takedowns and releases stay."""
    with catalog.begin() as connection:
        for table in tables.LANDED_TABLES:
            connection.execute(delete(table))
    return ingest_all(catalog, landing_folder)


def ingest_all(catalog: Catalog, landing_folder: Path) -> list[IngestSummary]:
    """Take every finished run, oldest first."""
    guard = Suppressions.load(catalog)
    finished = [folder for folder in landing.iter_run_folders(landing_folder) if (folder / landing.RUN).exists()]
    return [ingest_run(catalog, folder, guard) for folder in sorted(finished, key=lambda folder: folder.name)]


class _Rows:
    """Table rows of one run."""

    def __init__(self, run: RunRecord, guard: Suppressions) -> None:
        self._run_ids = {"first_run_id": run.run_id, "last_run_id": run.run_id}
        self._guard = guard
        self._suppressed_subjects: set[str] = set()
        self.suppressed_count = 0
        self.pages: list[dict[str, Any]] = []
        self.images: list[dict[str, Any]] = []
        self.image_fetches: list[dict[str, Any]] = []
        self.subjects: list[dict[str, Any]] = []
        self.sightings: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []

    @property
    def count(self) -> int:
        return len(self.pages) + len(self.image_fetches) + len(self.subjects) + len(self.sightings)

    def add(self, record: Record) -> None:
        if self._is_suppressed(record):
            self.suppressed_count += 1
            return
        row = {**record.to_row(), **self._run_ids}
        match record:
            case PageRecord():
                self.pages.append(row)
            case ImageRecord():
                self.image_fetches.append(row)
                first_run_id = self._run_ids["first_run_id"]
                self.images.append(
                    {"image_id": record.image_id, "size_bytes": record.size_bytes, "first_run_id": first_run_id}
                )
            case SubjectRecord():
                self.subjects.append(row)
            case SightingRecord():
                self.sightings.append(row)

    def _is_suppressed(self, record: Record) -> bool:
        match record:
            case PageRecord():
                return self._guard.blocks_url(record.url) or self._guard.blocks_url(record.final_url)
            case ImageRecord():
                return self._guard.blocks_url(record.url) or self._guard.blocks_image(record.image_id)
            case SubjectRecord():
                is_held = self._guard.blocks_subject(record.subject_id) or self._guard.blocks_name(record.name)
                if is_held or self._guard.blocks_url(record.profile_url or ""):
                    self._suppressed_subjects.add(record.subject_id)
                    return True
            case SightingRecord():
                return (
                    record.subject_id in self._suppressed_subjects
                    or self._guard.blocks_subject(record.subject_id)
                    or self._guard.blocks_url(record.image_url)
                    or (record.image_id is not None and self._guard.blocks_image(record.image_id))
                )
        return False
