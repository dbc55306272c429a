"""All that landing and the catalog say of subjects, pictures and pages, to be followed from one to another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from catalog import landing, tables
from catalog.db import Catalog
from catalog.naming import name_forms


@dataclass(slots=True)
class Subject:
    """One subject, as all runs describe it."""

    source: str
    kind: str
    names: set[str] = field(default_factory=set)
    profile_urls: set[str] = field(default_factory=set)

    @property
    def forms(self) -> frozenset[str]:
        """Forms of a person's names; none for an item."""
        return (
            frozenset(form for name in self.names for form in name_forms(name))
            if self.kind == "person"
            else frozenset()
        )


@dataclass(slots=True)
class Page:
    """One page, as all runs saw it."""

    source: str
    urls: set[str] = field(default_factory=set)
    bodies: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Seen:
    """One sighting."""

    sighting_id: str
    source: str
    page_id: str
    subject_id: str
    image_id: str | None
    image_url: str


@dataclass(slots=True)
class Rows:
    """What was collected."""

    subjects: dict[str, Subject] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    sightings: dict[str, Seen] = field(default_factory=dict)
    image_urls: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Image -> addresses that served it."""
    urls_images: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Address -> images that it served."""
    sources_of_images: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, kind: str, row: Mapping[str, Any]) -> None:
        """Take in a landed line or a row of the catalog."""
        match kind:
            case "subject":
                subject = self.subjects.setdefault(row["subject_id"], Subject(row["source"], row["kind"]))
                subject.names.update(filter(None, [row["name"]]))
                subject.profile_urls.update(filter(None, [row["profile_url"]]))
            case "page":
                page = self.pages.setdefault(row["page_id"], Page(row["source"]))
                page.urls.update((row["url"], row["final_url"]))
                page.bodies.update(filter(None, [row["body_sha256"]]))
            case "image":
                self._serve(row["url"], row["image_id"], row["source"])
            case "sighting":
                seen = Seen(*(row[name] for name in Seen.__slots__))
                self.sightings[seen.sighting_id] = seen
                if seen.image_id is not None:
                    self._serve(seen.image_url, seen.image_id, seen.source)

    def _serve(self, url: str, image: str, source: str) -> None:
        self.image_urls[image].add(url)
        self.urls_images[url].add(image)
        self.sources_of_images[image].add(source)

    def sightings_by(self, name: str) -> dict[str, list[Seen]]:
        """Group the sightings by one of their fields."""
        found: dict[str, list[Seen]] = defaultdict(list)
        for seen in self.sightings.values():
            found[getattr(seen, name)].append(seen)
        return found

    def subjects_named(self, forms: Iterable[str]) -> set[str]:
        """Persons whose name has one of some forms."""
        wanted = frozenset(forms)
        return {key for key, subject in self.subjects.items() if wanted & subject.forms}


def load_rows(catalog: Catalog, landing_folder: Path) -> Rows:
    """Read every line of every run, finished or not, and every row of the catalog.

    Raises:
        CatalogCorrupt: a line of landing cannot be read.
    """
    rows = Rows()
    for folder in landing.iter_run_folders(landing_folder):
        path = folder / landing.RECORDS
        for row in landing.iter_rows(path) if path.exists() else ():
            rows.add(str(row.get("type")), row)
    views = {"subject": tables.subjects, "page": tables.pages, "image": tables.image_fetches,
             "sighting": tables.sightings}  # fmt: skip
    with catalog.engine.connect() as connection:
        for kind, table in views.items():
            for known in connection.execute(select(table)).mappings():
                rows.add(kind, dict(known))
    return rows
