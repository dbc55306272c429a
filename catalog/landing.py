"""Landing: what a run collected, as JSON lines, complete before anything reads it.

A run folder holds `records.jsonl` and `issues.jsonl`, appended line by line while the run goes on, and `run.json`,
written last: without it the run is unfinished and may be resumed. A line that a kill cut short is dropped on resume.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from catalog import files
from catalog.errors import CatalogCorrupt
from catalog.ids import canonical_json, digest
from catalog.schema import LANDED_TYPES, IssueRecord, Record, RunRecord

RECORDS, ISSUES, RUN = "records.jsonl", "issues.jsonl", "run.json"
BLANKED = "blanked"
"""Type of a line that a takedown emptied."""


class LandingWriter:
    """Appends records of one run; the same record twice is kept once, also across a resume.

    Args:
        folder: the run's folder; made if missing, resumed if it holds an unfinished run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / RUN).exists():
            raise CatalogCorrupt(f"{folder}: this run is finished; a finished run is never added to")
        self._seen: set[str] = set()
        self._records = self._open(folder / RECORDS)
        self._issues = self._open(folder / ISSUES)

    def __enter__(self) -> LandingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, record: Record) -> bool:
        """Append a record or an issue; tells whether it was new to this run."""
        row = record.to_json()
        key = _facts_key(row)
        if key in self._seen:
            return False
        self._seen.add(key)
        stream = self._issues if isinstance(record, IssueRecord) else self._records
        stream.write(canonical_json(row) + "\n")
        stream.flush()
        return True

    def finish(self, run: RunRecord) -> None:
        """Write run.json: from here on the run counts and is never changed."""
        self.close()
        files.write_text(self.folder / RUN, json.dumps(run.to_json(), indent=1, sort_keys=True) + "\n")

    def close(self) -> None:
        """Close the files; without `finish` the run stays unfinished."""
        self._records.close()
        self._issues.close()

    def _open(self, path: Path) -> IO[str]:
        if path.exists():
            _drop_torn_tail(path)
            for row in iter_rows(path):
                self._seen.add(_facts_key(row))
        return path.open("a", encoding="utf-8")


def _facts_key(row: dict[str, Any]) -> str:
    """Tell records apart: `fetched_at` differs when a killed fetch is repeated, the facts do not."""
    return digest({name: value for name, value in row.items() if name != "fetched_at"}, 32)


def _drop_torn_tail(path: Path) -> None:
    """Cut a last line that has no line end: a kill came while it was written."""
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        with path.open("r+b") as stream:
            stream.truncate(data.rfind(b"\n") + 1)


def iter_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON object of each line; a torn last line is left out.

    Raises:
        CatalogCorrupt: another line is not a JSON object; says which.
    """
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.endswith("\n"):
                return
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise CatalogCorrupt(f"{path}: line {number} is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise CatalogCorrupt(f"{path}: line {number} is not a JSON object")
            yield row


def iter_records(folder: Path) -> Iterator[Record]:
    """Yield the records of a run, finished or not, in the order they landed; blanked lines are left out.

    Raises:
        CatalogCorrupt: an unknown type or field.
    """
    path = folder / RECORDS
    if not path.exists():
        return
    for row in iter_rows(path):
        if row.get("type") == BLANKED:
            continue
        cls = LANDED_TYPES.get(str(row.get("type")))
        if cls is None:
            raise CatalogCorrupt(f"{path}: unknown record type {row.get('type')!r}, expected {sorted(LANDED_TYPES)}")
        try:
            yield cls.from_json(row)
        except ValueError as error:
            raise CatalogCorrupt(f"{path}: {error}") from error


def iter_issues(folder: Path) -> Iterator[IssueRecord]:
    """Yield the issues of a run; blanked lines are left out."""
    path = folder / ISSUES
    if path.exists():
        for row in iter_rows(path):
            if row.get("type") != BLANKED:
                yield IssueRecord.from_json(row)


def load_run(folder: Path) -> RunRecord | None:
    """Read run.json; None where the run is unfinished.

    Raises:
        CatalogCorrupt: it is there but cannot be read.
    """
    path = folder / RUN
    if not path.exists():
        return None
    try:
        return RunRecord.from_json(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise CatalogCorrupt(f"{path}: {error}") from error


def iter_run_folders(landing: Path, source: str | None = None) -> Iterator[Path]:
    """Yield run folders sorted by source, then by start time."""
    sources = [landing / source] if source else sorted(path for path in landing.glob("*") if path.is_dir())
    for folder in sources:
        if folder.is_dir():
            yield from sorted(path for path in folder.iterdir() if path.is_dir())


def unfinished_run(landing: Path, source: str) -> Path | None:
    """The latest run folder of a source, if it was never finished; a crawl resumes it."""
    folders = list(iter_run_folders(landing, source))
    return folders[-1] if folders and not (folders[-1] / RUN).exists() else None


def last_good_run(landing: Path, source: str) -> Path | None:
    """The latest run folder of a source whose state is ok."""
    for folder in reversed(list(iter_run_folders(landing, source))):
        run = load_run(folder)
        if run is not None and run.state == "ok":
            return folder
    return None
