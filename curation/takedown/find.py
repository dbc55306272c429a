"""From a request to its trace: over landing, catalog, saved pages, pictures and releases. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pandas as pd

from catalog.errors import CatalogCorrupt, UsageError
from catalog.ids import image_id, is_image_id
from catalog.looks import looks_of
from catalog.naming import name_forms, text_of, words
from curation.places import Places
from curation.takedown.copies import CopyFinder
from curation.takedown.request import Request
from curation.takedown.rows import Rows, load_rows
from curation.takedown.trace import NAMED, NEAR_COPY, SAME_BYTES, SAME_SUBJECT, Needles, Trace
from curation.verdicts import agreed_answers, load_standing

PLACEHOLDER_NAMES = 3
"""A picture that stands for so many differently named people shows none of them, as the stage `samples` says."""

Progress = Callable[[str, int, int], None]
"""(what, done, to do)."""


def find_trace(places: Places, request: Request, picture: bytes | None = None, tell: Progress | None = None) -> Trace:
    """Find all that a request covers.

    Args:
        places: where to look.
        request: what is asked for.
        picture: the file of an `image` request.
        tell: told how far it is.

    Returns:
        The trace; an empty one where nothing is known of it.

    Raises:
        UsageError: a name without a word, an id of an unknown form, or an `image` request without its file.
    """
    search = _Search(places, load_rows(places.catalog, places.root.landing), tell or (lambda *_: None))
    search.begin(request, picture)
    search.widen(same_subject=request.same_subject or request.kind == "name")
    return search.trace(request)


@dataclass
class _Search:
    places: Places
    rows: Rows
    tell: Progress
    subjects: set[str] = field(default_factory=set)
    images: dict[str, str] = field(default_factory=dict)
    pages: set[str] = field(default_factory=set)
    sightings: set[str] = field(default_factory=set)
    shared: dict[str, int] = field(default_factory=dict)
    bodies: set[str] = field(default_factory=set)
    looks: set[str] = field(default_factory=set)
    _outside: dict[str, bytes] = field(default_factory=dict)

    def begin(self, request: Request, picture: bytes | None) -> None:
        """Take what the request names itself."""
        match request.kind:
            case "name":
                forms = name_forms(request.value)
                if not forms:
                    raise UsageError(f"expected a name, found {request.value!r}")
                self.subjects |= self.rows.subjects_named(forms)
            case "url":
                self._begin_url(request.value)
            case "image":
                if picture is None:
                    raise UsageError("a takedown of a picture file needs the file")
                self._take([image_id(picture)], SAME_BYTES)
                self._outside[image_id(picture)] = picture
            case "id":
                self._begin_id(request.value)
            case _:
                raise UsageError(f"kind of takedown {request.kind!r}, expected name, url, image or id")

    def _begin_url(self, url: str) -> None:
        self._take(self.rows.urls_images.get(url, ()), NAMED)
        self.subjects |= {key for key, subject in self.rows.subjects.items() if url in subject.profile_urls}
        for key, page in self.rows.pages.items():
            if url in page.urls:
                self._take_page(key)

    def _take_page(self, key: str) -> None:
        """Take a page: its bytes, and, where it is nobody's own, what it shows."""
        self.pages.add(key)
        self.bodies |= self.rows.pages[key].bodies
        if not self.subjects:
            self._take_sightings(seen.sighting_id for seen in self.rows.sightings_by("page_id").get(key, ()))

    def _begin_id(self, value: str) -> None:
        rows = self.rows
        if is_image_id(value):
            if value in rows.image_urls or value in self.places.blobs:
                self._take([value], NAMED)
            self._take(_images_of_sample(self.places, value), NAMED)
        elif value in rows.subjects:
            self.subjects.add(value)
        elif value in rows.sightings:
            self._take_sightings([value])
        elif value in rows.pages:
            self._take_page(value)
        elif value.partition("_")[0] not in ("subj", "sight", "page"):
            raise UsageError(f"expected the id of a picture, sample, subject, sighting or page, found {value[:80]!r}")

    def _take(self, images: Iterable[str], how: str) -> None:
        for image in images:
            self.images.setdefault(image, how)

    def _take_sightings(self, ids: Iterable[str]) -> None:
        for key in ids:
            self.sightings.add(key)
            image = self.rows.sightings[key].image_id
            self._take([image] if image else [], NAMED)

    def widen(self, *, same_subject: bool) -> None:
        """Follow subjects to pictures, pictures to copies and, if asked, back to subjects, until nothing is new."""
        by_subject, by_image = self.rows.sightings_by("subject_id"), self.rows.sightings_by("image_id")
        people = _people_of_images(self.rows)
        verdicts = agreed_answers(load_standing(self.places.catalog, ["duplicates"]), "duplicates")
        finder: CopyFinder | None = None
        size = -1
        while size != (size := len(self.subjects) + len(self.images)):
            if self.subjects:
                self.subjects |= self.rows.subjects_named(self._forms())
            for subject in list(self.subjects):
                for seen in by_subject.get(subject, ()):
                    self._take_of_subject(seen.image_id, people)
            if self.images:
                finder = finder or self._finder()
                self._take(finder.copies_of(self.images, verdicts) - self.shared.keys(), NEAR_COPY)
            if same_subject:
                shown = {seen.subject_id for image in self.images for seen in by_image.get(image, ())}
                self.subjects |= {one for one in shown if self.rows.subjects[one].kind == "person"}
        own = {seen.sighting_id for subject in self.subjects for seen in by_subject.get(subject, ())}
        self.sightings |= own | {seen.sighting_id for image in self.images for seen in by_image.get(image, ())}

    def _take_of_subject(self, image: str | None, people: dict[str, int]) -> None:
        if image is None or image in self.images:
            return
        if people.get(image, 0) >= PLACEHOLDER_NAMES:
            self.shared[image] = people[image]
        else:
            self._take([image], SAME_SUBJECT)

    def _finder(self) -> CopyFinder:
        everything = set(self.rows.image_urls)
        finder = CopyFinder(
            everything, self.places.blobs, self.places.derived, lambda done, todo: self.tell("hash", done, todo)
        )
        for image, body in self._outside.items():
            finder.add(image, body)
        return finder

    def _forms(self) -> set[str]:
        return {form for key in self.subjects if key in self.rows.subjects for form in self.rows.subjects[key].forms}

    def trace(self, request: Request) -> Trace:
        """Put together all that was found, and what it names: addresses, pages, samples, releases."""
        names = {name for key in self.subjects for name in self._names(key)}
        if request.kind == "name":
            names.add(request.value)
        urls = self._urls(request)
        own = Needles(names, urls, ())
        self._read_pages(own)
        self.pages |= {key for key, page in self.rows.pages.items() if any(own.names_in(url) for url in page.urls)}
        urls |= {url for key in self.pages for url in self.rows.pages[key].urls}
        sample_ids, releases = self._samples()
        pairs = {pair for table in self.places.pair_tables() for pair in _pairs_of(table, set(self.images))}
        return Trace(
            names=sorted(names), subject_ids=sorted(self.subjects), images=dict(sorted(self.images.items())),
            page_ids=sorted(self.pages), bodies=sorted(self.bodies), urls=sorted(urls),
            sighting_ids=sorted(self.sightings), sample_ids=sorted(sample_ids), pair_ids=sorted(pairs),
            looks=sorted(self._looks()), sources=sorted(self._sources()), releases=releases, shared=self.shared,
            similar=sorted(self._similar(request)),
        )  # fmt: skip

    def _similar(self, request: Request) -> set[str]:
        """Persons of whose names the one asked for is a part, or the other way round."""
        asked = set(words(request.value)) if request.kind == "name" else set()
        found = set()
        for key, subject in self.rows.subjects.items():
            for name in subject.names if key not in self.subjects and subject.kind == "person" else ():
                mine = set(words(name))
                if len(asked & mine) > 1 and (asked <= mine or mine <= asked):
                    found.add(name)
        return found

    def _names(self, subject: str) -> set[str]:
        known = self.rows.subjects[subject]
        return known.names if known.kind == "person" else set()

    def _urls(self, request: Request) -> set[str]:
        """Addresses that showed nothing else: those of the pictures, and profiles that nobody else claims."""
        urls = {
            url
            for image in self.images
            for url in self.rows.image_urls.get(image, ())
            if self.rows.urls_images[url] <= self.images.keys()
        }
        others = {
            url
            for key, subject in self.rows.subjects.items()
            if key not in self.subjects
            for url in subject.profile_urls
        }
        mine = {url for key in self.subjects for url in self.rows.subjects[key].profile_urls}
        urls |= mine - others
        self.pages |= {key for key, page in self.rows.pages.items() if page.urls & (mine - others)}
        return urls | ({request.value} if request.kind == "url" else set())

    def _read_pages(self, own: Needles) -> None:
        """Find the saved pages that spell a name or hold an address."""
        bodies = sorted({body for page in self.rows.pages.values() for body in page.bodies} - self.bodies)
        for number, body in enumerate(bodies):
            try:
                text = text_of(self.places.blobs.get(body))
            except (KeyError, CatalogCorrupt):
                continue  # gone already, or broken: nobody reads it
            if own.found_in(text):
                self.bodies.add(body)
            self.tell("read pages", number + 1, len(bodies))
        for key in self.pages:
            self.bodies |= self.rows.pages[key].bodies

    def _samples(self) -> tuple[set[str], list[tuple[str, str]]]:
        found: set[str] = set()
        releases = []
        for table in self.places.sample_tables():
            found |= self._samples_in(table)
        for release in self.places.releases():
            mine = self._samples_in(release.samples())
            if mine:
                releases.append((release.recipe, release.version))
            found |= mine
        return found, releases

    def _samples_in(self, table: pd.DataFrame) -> set[str]:
        is_mine = table["image_id"].isin(self.images.keys()) | table["subject_id"].isin(self.subjects)
        return set(table.loc[is_mine, "sample_id"])

    def _looks(self) -> set[str]:
        looks: set[str] = set()
        for image in self.images:
            try:
                body = self._outside.get(image) or self.places.blobs.get(image)
            except (KeyError, CatalogCorrupt):
                continue
            looks |= {str(look) for look in looks_of(body)[:1]}
        return looks

    def _sources(self) -> set[str]:
        sources = {self.rows.subjects[key].source for key in self.subjects}
        sources |= {self.rows.sightings[key].source for key in self.sightings}
        sources |= {source for image in self.images for source in self.rows.sources_of_images.get(image, ())}
        return sources | {page.source for page in self.rows.pages.values() if page.bodies & self.bodies}


def _people_of_images(rows: Rows) -> dict[str, int]:
    """Image -> number of differently named persons for whom it stands."""
    names: dict[str, set[str]] = {}
    for seen in rows.sightings.values():
        subject = rows.subjects.get(seen.subject_id)
        if seen.image_id is not None and subject is not None and subject.kind == "person":
            names.setdefault(seen.image_id, set()).add(min(subject.forms, default=seen.subject_id))
    return {image: len(found) for image, found in names.items()}


def _images_of_sample(places: Places, sample: str) -> set[str]:
    tables = [*places.sample_tables(), *(release.samples() for release in places.releases())]
    return {str(image) for table in tables for image in table.loc[table["sample_id"] == sample, "image_id"]}


def _pairs_of(table: pd.DataFrame, images: set[str]) -> list[str]:
    is_mine = table["image_id_a"].isin(images) | table["image_id_b"].isin(images)
    return list(table.loc[is_mine, "pair_id"])
