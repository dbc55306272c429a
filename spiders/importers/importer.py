"""Folders as sources: a run is made of a folder as a crawl makes one of a site.

    import_folder(Path("lfw"), "identities", "lfw", root, started_at)

A second import of an unchanged folder reads no picture again: size and time of change tell.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from catalog.blobs import BlobStore
from catalog.clock import utc_now
from catalog.errors import UsageError
from catalog.ids import image_id, page_id, sighting_id, subject_id
from catalog.landing import LandingWriter
from catalog.paths import DataRoot
from catalog.schema import ImageRecord, IssueRecord, PageRecord, Permission, RunRecord, SightingRecord, SubjectRecord
from catalog.suppressions import SUPPRESSED, Suppressions
from spiders.importers.layouts import LAYOUTS, Entry, is_picture
from spiders.ledger import Ledger, open_ledger, run_to_write
from spiders.locks import source_lock

_BATCH = 256
_THREADS = 4
"""Writing blobs waits for the disk; a few at once hide that."""

_KINDS = {
    "identities": "person",
    "scut": "person",
    "lfwcrop": "person",
    "classes": "person",
    "index-csv": "person",
    "shop": "item",
}
_SLOTS = {"person": "portrait", "item": "seller"}


@dataclass(frozen=True, slots=True)
class _Taken:
    """What became of one file."""

    entry: Entry
    record: ImageRecord | None
    issue: IssueRecord | None
    is_new: bool = False
    is_unchanged: bool = False
    is_suppressed: bool = False
    """A takedown covers it: neither bytes nor address are kept."""


def import_folder(
    folder: Path,
    layout: str,
    source_name: str,
    root: DataRoot,
    started_at: str,
    *,
    label: str | None = None,
    organisation: str | None = None,
    subject_kind: str | None = None,
    blobs: BlobStore | None = None,
    suppressions: Suppressions | None = None,
    on_progress: Callable[[dict[str, int]], None] | None = None,
) -> RunRecord:
    """Import a folder; an unfinished import of it goes on.

    Args:
        folder: read, never changed.
        layout: one of LAYOUTS.
        source_name: slug that the run is kept under.
        root: where the run and blobs go.
        started_at: UTC ISO 8601 with Z; names the run and dates its records.
        label: class of all subjects, instead of what the layout says.
        organisation: who made the data set.
        subject_kind: person or item; None takes the layout's own.
        blobs: where bytes go instead of the root's blobs.
        suppressions: takedowns that hold.
        on_progress: called often with counts: images, images_found.

    Raises:
        UsageError: no such folder or layout, or the folder is not laid out so; says what was expected.
    """
    files, entries = _laid_out(folder, layout)
    if label is not None:
        entries = [dataclasses.replace(entry, label=label) for entry in entries]
    kind = subject_kind or _KINDS[layout]
    if kind not in _SLOTS:
        raise UsageError(f"subject kind {kind!r}, expected one of {', '.join(_SLOTS)}")
    with source_lock(root.locks, source_name):
        run_folder, started_at = run_to_write(root, source_name, started_at)
        ledger = open_ledger(root.landing, source_name, run_folder)
        with LandingWriter(run_folder) as writer:
            job = _Import(
                folder=folder, source=source_name, kind=kind, organisation=organisation, started_at=started_at,
                blobs=blobs or BlobStore(root.blobs), ledger=ledger, writer=writer,
                suppressions=suppressions or Suppressions(), tell=on_progress or (lambda counts: None),
            )  # fmt: skip
            counts = job.run(entries, files)
            run = RunRecord(
                run_id=run_folder.name, source=source_name, kind="import", state="ok", started_at=started_at,
                finished_at=utc_now(), counts=counts,
                source_facts={
                    "title": source_name, "url": "file:.", "kind": "folder", "layout": layout, "label": label,
                    "organisation": organisation,
                },
            )  # fmt: skip
            writer.finish(run)
    return run


def _laid_out(folder: Path, layout: str) -> tuple[list[str], list[Entry]]:
    if layout not in LAYOUTS:
        raise UsageError(f"layout {layout!r}, expected one of {', '.join(LAYOUTS)}")
    if not folder.is_dir():
        raise UsageError(f"{folder}: expected a folder to import")
    files = list(iter_files(folder))
    return files, LAYOUTS[layout](files, lambda path: _read_text(folder / path))


def iter_files(folder: Path) -> Iterator[str]:
    """Yield all files below a folder, sorted, relative to it with `/`; without hidden ones and links out of it."""
    base = folder.resolve()
    for at, names, found in os.walk(folder):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(found):
            path = Path(at, name)
            if not name.startswith(".") and path.is_file() and path.resolve().is_relative_to(base):
                yield path.relative_to(folder).as_posix()


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path.name}: expected UTF-8 text") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Import:
    folder: Path
    source: str
    kind: str
    organisation: str | None
    started_at: str
    blobs: BlobStore
    ledger: Ledger
    writer: LandingWriter
    suppressions: Suppressions
    tell: Callable[[dict[str, int]], None]

    def run(self, entries: list[Entry], files: list[str]) -> dict[str, int]:
        """Land everything; gives the counts."""
        counts = dict.fromkeys(
            ("pages", "subjects", "sightings", "images", "images_new", "not_modified", "failed", "refused"), 0
        )
        page = self._page()
        self.writer.add(page)
        self._add_texts(files)
        counts["pages"] = 1
        images: set[str] = set()
        subjects: set[str] = set()
        ranks: dict[str, int] = {}
        for taken in self._take_all(entries):
            if taken.is_suppressed:
                counts["refused"] += 1
                self.writer.add(self._issue("policy_suppressed", SUPPRESSED))
                continue
            subject = subject_id(self.source, *taken.entry.key)
            if subject not in subjects:
                subjects.add(subject)
                self.writer.add(self._subject(subject, taken.entry))
            self._land(taken, page, subject, ranks)
            counts["sightings"] += 1
            counts["images_new"] += taken.is_new
            counts["not_modified"] += taken.is_unchanged
            counts["failed"] += taken.record is None
            if taken.record is not None:
                images.add(taken.record.image_id)
        return counts | {"subjects": len(subjects), "images": len(images)}

    def _take_all(self, entries: list[Entry]) -> Iterator[_Taken]:
        done = 0
        with ThreadPoolExecutor(max_workers=_THREADS) as pool:
            for start in range(0, len(entries), _BATCH):
                for taken in pool.map(self._take, entries[start : start + _BATCH]):
                    yield taken
                    done += 1
                self.tell({"images": done, "images_found": len(entries)})

    def _take(self, entry: Entry) -> _Taken:
        url = f"file:{entry.path}"
        held = self.suppressions
        is_held = held.blocks_subject(subject_id(self.source, *entry.key)) or held.blocks_name(entry.name)
        if is_held or held.blocks_url(url):
            return _Taken(entry, None, None, is_suppressed=True)
        try:
            facts = (self.folder / entry.path).stat()
            modified = f"{facts.st_mtime_ns}"
            known = self.ledger.current.images.get(url) or self.ledger.earlier.images.get(url)
            if (
                known
                and (known.size_bytes, known.last_modified) == (facts.st_size, modified)
                and known.image_id in self.blobs
            ):
                return _Taken(entry, dataclasses.replace(known, fetched_at=self.started_at), None, is_unchanged=True)
            body = (self.folder / entry.path).read_bytes()
        except OSError as error:
            return _Taken(entry, None, self._issue("fetch_failed", url, f"cannot be read: {error.strerror}"))
        if not body:
            return _Taken(entry, None, self._issue("decode_empty", url))
        if held.blocks_image(image_id(body)) or held.blocks_body(body):
            return _Taken(entry, None, None, is_suppressed=True)
        image = self.blobs.put(body)
        is_new = url not in self.ledger.earlier.images or self.ledger.earlier.images[url].image_id != image
        record = ImageRecord(
            image_id=image, source=self.source, url=url, size_bytes=len(body), last_modified=modified,
            fetched_at=self.started_at, permission=dataclasses.asdict(Permission()),
        )  # fmt: skip
        return _Taken(entry, record, None, is_new=is_new)

    def _land(self, taken: _Taken, page: PageRecord, subject: str, ranks: dict[str, int]) -> None:
        url, slot = f"file:{taken.entry.path}", taken.entry.slot or _SLOTS[self.kind]
        if taken.record is not None:
            self.writer.add(taken.record)
        if taken.issue is not None:
            self.writer.add(taken.issue)
        image = taken.record.image_id if taken.record else None
        rank = ranks[subject] = ranks.get(subject, -1) + 1
        self.writer.add(
            SightingRecord(
                sighting_id=sighting_id(self.source, page.page_id, subject, slot, url, image), source=self.source,
                page_id=page.page_id, subject_id=subject, slot=slot, rank=rank, image_url=url, image_id=image,
            )
        )  # fmt: skip

    def _subject(self, subject: str, entry: Entry) -> SubjectRecord:
        return SubjectRecord(
            subject_id=subject, source=self.source, kind=self.kind, label=entry.label, name=entry.name,
            organisation=self.organisation, attributes=dict(entry.attributes),
        )  # fmt: skip

    def _page(self) -> PageRecord:
        """The folder itself, as the page that shows its pictures."""
        return self._page_of("file:.", None, "inode/directory")

    def _page_of(self, url: str, body_sha256: str | None, content_type: str) -> PageRecord:
        return PageRecord(
            page_id=page_id(self.source, url), source=self.source, url=url, final_url=url, status=200, via="file",
            body_sha256=body_sha256, content_type=content_type, fetched_at=self.started_at,
            permission=dataclasses.asdict(Permission()),
        )  # fmt: skip

    def _add_texts(self, files: list[str]) -> None:
        """Land lists (pairs, splits, ratings) as pages; report what is neither list nor picture."""
        for path in files:
            if path.lower().endswith((".txt", ".csv", ".md")):
                body = self._without_names((self.folder / path).read_bytes())
                self.writer.add(self._page_of(f"file:{path}", self.blobs.put(body), "text/plain"))
            elif not is_picture(path):
                where = SUPPRESSED if self.suppressions.blocks_url(path) else f"file:{path}"
                self.writer.add(self._issue("fetch_not_an_image", where, "no picture by its name"))

    def _without_names(self, body: bytes) -> bytes:
        """Give a list less the lines that name somebody who was taken down."""
        if not self.suppressions.names_in_page(body):
            return body
        kept = (line for line in body.splitlines(keepends=True) if not self.suppressions.names_in_page(line))
        return b"".join(kept)

    def _issue(self, reason: str, where: str, detail: str = "") -> IssueRecord:
        return IssueRecord(source=self.source, reason=reason, where=where, detail=detail)
